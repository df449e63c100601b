"""What each source of suspicion says of a labelled set, and what it adds to the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tools.evaluation.figures import Estimate, SourceFigures
from tools.evaluation.resampling import auroc, by_score, image_weights
from tools.records import Screening, Source, SourceScore
from tools.voices import suspicion_of, was_asked

__all__ = ["auroc_estimate", "f1_estimate", "source_figures"]


def auroc_estimate(scores: Sequence[float], is_defect: Sequence[bool]) -> Estimate | None:
    """Image AUROC with its interval; None unless both classes have members."""
    figures = _aurocs(scores, is_defect)
    return None if figures is None else Estimate.of(figures)


def f1_estimate(is_flagged: Sequence[bool], is_defect: Sequence[bool]) -> Estimate | None:
    """Harmonic mean of precision and recall of a decision; None without a defect image."""
    flagged, truth = np.asarray(is_flagged, dtype=bool), np.asarray(is_defect, dtype=bool)
    if not truth.any():
        return None
    weights = image_weights(is_defect)
    hits = weights[:, flagged & truth].sum(axis=1)
    return Estimate.of(2 * hits / (weights[:, flagged].sum(axis=1) + weights[:, truth].sum(axis=1)))


def source_figures(screenings: Sequence[Screening], is_defect: Sequence[bool]) -> Iterator[SourceFigures]:
    """Yields the figures of each source that any image was asked about; none where there is but one.

    Args:
        screenings: Of the images.
        is_defect: Their truth, in the same order.
    """
    asked = [source for source in Source if any(_said(each, source) for each in screenings)]
    if len(asked) < 2:
        return
    whole = _aurocs([each.suspicion for each in screenings], is_defect)
    for source in asked:
        said = [(_said(each, source), truth) for each, truth in zip(screenings, is_defect, strict=True)]
        scores = [(score, truth) for score, truth in said if score is not None]
        without = _aurocs([_suspicion_without(each, source) for each in screenings], is_defect)
        yield SourceFigures(
            source=source,
            images=len(scores),
            decided=sum(score.decided for score, _ in scores),
            auroc=auroc_estimate([score.score for score, _ in scores], [truth for _, truth in scores]),
            adds=None if whole is None or without is None else Estimate.of(whole - without),
        )


def _said(screening: Screening, source: Source) -> SourceScore | None:
    """What a source says of an image that it was asked about."""
    score = screening.source(source)
    return score if score and was_asked(score) else None


def _suspicion_without(screening: Screening, source: Source) -> float:
    """The suspicion of the sources that decide but this one; where none is left, of those that are there."""
    others = [score for score in screening.sources if score.source is not source and was_asked(score)]
    deciding = [score for score in others if score.decided] or others
    heard = [score.model_copy(update={"decided": True}) for score in deciding]
    strongest = suspicion_of(heard, screening.threshold)
    return strongest[1] if strongest else 0.0


def _aurocs(scores: Sequence[float], is_defect: Sequence[bool]) -> np.ndarray | None:
    truth = np.asarray(is_defect, dtype=bool)
    if not truth.any() or truth.all():
        return None
    weights = image_weights(is_defect)
    return auroc(by_score(weights * truth, scores), by_score(weights * ~truth, scores))
