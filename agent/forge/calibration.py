"""Chooses below which sureness a checkpoint should rather say that it did not understand."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent.abstention import FILE, Abstention
from agent.forge.evaluate import Trial, judged, outcome
from agent.forge.language import Share
from agent.forge.trajectories import MOST_TURNS

__all__ = ["MOST_WRONG_CHANGES", "chosen", "curve", "report"]

MOST_WRONG_CHANGES = 0.005
"""Share of all requests that may change something wrongly."""

_LOWEST = -99.0  # runs every program, but for those that are not sure at all
_SHARES = (1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)

Point = tuple[float, float, float, float]
"""Least sureness that is answered, and shares: answered of all, wrong of these, wrong changes of all."""


def chosen(trials: Sequence[Trial]) -> Abstention:
    """Chooses the thresholds.

    A wrong answer counts against a right one: the threshold is where right answers outnumber wrong ones by
    most. For programs that change something it is also as high as it must be for no more than
    `MOST_WRONG_CHANGES` of all requests to change something wrongly.

    Args:
        trials: On phrasings that the model was not trained on.
    """
    looking = [trial for trial in trials if not trial.is_changing]
    changing = [trial for trial in trials if trial.is_changing]
    floor = _break_even([(trial.least_sure(changing=False), trial.is_right) for trial in looking])
    least = _break_even([(trial.least_sure(changing=True), trial.is_right) for trial in changing])
    sure = [trial.least_sure(changing=True) for trial in changing]
    wrong = [trial.least_sure(changing=True) for trial in changing if trial.is_wrong_change]
    allowed = int(MOST_WRONG_CHANGES * len(trials))
    if len(wrong) > allowed:
        least = max(least, _above(sorted(wrong, reverse=True)[allowed], sure))
    return Abstention(looking=floor, changing=max(floor, least), turns=MOST_TURNS)


def _break_even(answers: Sequence[tuple[float, bool]]) -> float:
    """The threshold above which right answers outnumber wrong ones by most; of several the lowest."""
    best, gain, balance = 0.0, 0, 0
    ranked = sorted(answers, reverse=True)
    for place, (sure, is_right) in enumerate(ranked):
        balance += 1 if is_right else -1
        below = ranked[place + 1][0] if place + 1 < len(ranked) else 2 * _LOWEST
        if below < sure and balance >= max(gain, 1):
            best, gain = _LOWEST if below < _LOWEST else (sure + below) / 2, balance
    return best


def _above(excluded: float, values: Sequence[float]) -> float:
    """Halfway to the next of the values above one; 0, which nothing reaches, where there is none."""
    return (excluded + min((value for value in values if value > excluded), default=-excluded)) / 2


def _least_sure(trial: Trial) -> float:
    return min(trial.sureness, default=0.0)


def curve(trials: Sequence[Trial], shares: Sequence[float] = _SHARES) -> Iterator[Point]:
    """Yields what abstention costs and saves, with one threshold for all programs."""
    ranked = sorted(trials, key=_least_sure, reverse=True)
    for share in shares:
        kept = ranked[: max(round(share * len(ranked)), 1)]
        wrong = sum(not trial.is_right for trial in kept)
        changed = sum(trial.is_wrong_change for trial in kept)
        yield _least_sure(kept[-1]), len(kept) / len(ranked), wrong / len(kept), changed / len(ranked)


def report(folder: Path, count: int, seed: int, points: Path | None = None) -> Iterator[str]:
    """Measures a checkpoint, writes its thresholds beside it, and yields the lines of the result.

    Args:
        folder: Of the checkpoint.
        count: Requests per intent and language.
        seed: Of batches and phrasings.
        points: CSV file for a chart: the curve, a point per request.
    """
    trials = [*judged(folder, count, seed, share=Share.TUNING)]
    abstention = chosen(trials)
    (folder / FILE).write_text(abstention.model_dump_json(indent=1) + "\n", encoding="utf-8")
    yield "least log-probability, answered, wrong of these, wrong changes of all"
    for least, answered, wrong, changed in curve(trials):
        yield f"{least:9.4f} {answered:7.1%} {wrong:7.1%} {changed:7.2%}"
    limits = f"looking {abstention.looking:.4f}, changing {abstention.changing:.4f}"
    yield f"{limits}: {outcome(trials, abstention)}"
    if points:
        with points.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("least_log_probability", "answered", "wrong_of_answered", "wrong_changes"))
            rows.writerows(curve(trials, [(n + 1) / len(trials) for n in range(len(trials))]))
