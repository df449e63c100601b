"""Chooses below which sureness a checkpoint should rather say that it did not understand."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.abstention import FILE, Abstention
from agent.forge.evaluate import Trial, judged, outcome
from agent.forge.language import Share
from agent.forge.trajectories import MOST_TURNS

if TYPE_CHECKING:
    from tools.forge.training_set import Photo

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
    most; of programs that only look, where they do so by about as many: no answer is no help either. For
    programs that change something it is also as high as it must be for no more than `MOST_WRONG_CHANGES` of
    all requests to change something wrongly; those that write reports, of which fewer are wrong, have a
    threshold of their own, and both together are as low as they may be.

    Args:
        trials: On phrasings that the model was not trained on.
    """
    looking = [trial for trial in trials if not trial.is_changing]
    reporting = [trial for trial in trials if trial.is_reporting]
    changing = [trial for trial in trials if trial.is_changing and not trial.is_reporting]
    floor = _break_even(
        [(trial.least_sure(changing=False), trial.is_right) for trial in looking], leniently=True
    )
    allowed = int(MOST_WRONG_CHANGES * len(trials))
    pairs = [
        (_strict(changing, wrong), _strict(reporting, allowed - wrong)) for wrong in range(allowed, -1, -1)
    ]
    gains = [_gain(changing, least) + _gain(reporting, other) for least, other in pairs]
    least, other = pairs[gains.index(max(gains))]
    return Abstention(
        looking=floor, changing=max(floor, least), reporting=max(floor, other), turns=MOST_TURNS
    )


def _strict(trials: Sequence[Trial], allowed: int) -> float:
    """The threshold of programs that change something, of which so many may change it wrongly."""
    least = _break_even([(trial.least_sure(changing=True), trial.is_right) for trial in trials])
    sure = [trial.least_sure(changing=True) for trial in trials]
    wrong = [trial.least_sure(changing=True) for trial in trials if trial.is_wrong_change]
    if len(wrong) > allowed:
        least = max(least, _above(sorted(wrong, reverse=True)[allowed], sure))
    return least


def _gain(trials: Sequence[Trial], least: float) -> int:
    """By how many right answers outnumber wrong ones above a threshold."""
    return sum(1 if t.is_right else -1 for t in trials if t.least_sure(changing=True) >= least)


def _break_even(answers: Sequence[tuple[float, bool]], *, leniently: bool = False) -> float:
    """The threshold above which right answers outnumber wrong ones by most; of several the lowest.

    Args:
        answers: Sureness of each, and whether it is right.
        leniently: The lowest threshold that is no worse than that by one standard error, of as many answers
            right or wrong by chance as are between the two (one-standard-error rule: Breiman et al. 1984).
    """
    best, gain, balance, at = 0.0, 0, 0, 0
    ranked = sorted(answers, reverse=True)
    for place, (sure, is_right) in enumerate(ranked):
        balance += 1 if is_right else -1
        below = ranked[place + 1][0] if place + 1 < len(ranked) else 2 * _LOWEST
        slack = math.sqrt(place - at) if leniently and gain else 0.0
        if below < sure and balance >= max(gain - slack, 1):
            best = _LOWEST if below < _LOWEST else (sure + below) / 2
            if balance >= gain:
                gain, at = balance, place
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


def report(
    folder: Path, photos: Sequence[Photo], count: int, seed: int, points: Path | None = None
) -> Iterator[str]:
    """Measures a checkpoint, writes its thresholds beside it, and yields the lines of the result.

    Args:
        folder: Of the checkpoint.
        photos: What there is to see on contact sheets.
        count: Requests per intent and language.
        seed: Of batches and phrasings.
        points: CSV file for a chart: the curve, a point per request.
    """
    trials = [*judged(folder, photos, count, seed, share=Share.TUNING)]
    abstention = chosen(trials)
    (folder / FILE).write_text(abstention.model_dump_json(indent=1) + "\n", encoding="utf-8")
    yield "least log-probability, answered, wrong of these, wrong changes of all"
    for least, answered, wrong, changed in curve(trials):
        yield f"{least:9.4f} {answered:7.1%} {wrong:7.1%} {changed:7.2%}"
    limits = (
        f"looking {abstention.looking:.4f}, changing {abstention.changing:.4f}, "
        f"reporting {abstention.reporting:.4f}"
    )
    yield f"{limits}: {outcome(trials, abstention)}"
    if points:
        with points.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("least_log_probability", "answered", "wrong_of_answered", "wrong_changes"))
            rows.writerows(curve(trials, [(n + 1) / len(trials) for n in range(len(trials))]))
