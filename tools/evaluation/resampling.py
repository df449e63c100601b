"""How far a figure would move on other images of the same kind: the bootstrap over images.

A figure is computed for many weightings of the images at once: in the first each image counts once, in each
other one as often as it was drawn. Good images and those with a defect are drawn apart, so that every
resample has both (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13: percentiles).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["auroc", "by_score", "image_weights", "interval"]

_RESAMPLES = 1000

Weights = NDArray[np.float64]


def image_weights(is_defect: Sequence[bool], resamples: int = _RESAMPLES) -> Weights:
    """How often each image counts, shape (1 + resamples, images); the same for the same truth."""
    truth = np.asarray(is_defect, dtype=bool)
    weights = np.ones((1 + resamples, len(truth)))
    generator = np.random.default_rng(0)
    for members in (np.flatnonzero(truth), np.flatnonzero(~truth)):
        if members.size:
            share = np.full(members.size, 1 / members.size)
            weights[1:, members] = generator.multinomial(members.size, share, size=resamples)
    return weights


def by_score(weights: Weights, scores: Sequence[float]) -> Weights:
    """The weights of images of equal score together, in rising order of score: (weightings, scores)."""
    values = np.asarray(scores, dtype=float)
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    return np.asarray(np.add.reduceat(weights[:, order], starts, axis=1))


def auroc(defect: Weights, good: Weights) -> NDArray[np.float64]:
    """Area under the ROC curve of each weighting, ties counting half.

    Args:
        defect: What is a defect per score, in rising order of score, shape (weightings, scores).
        good: What is good, of the same shape; each weighting has both.
    """
    below = np.cumsum(good, axis=1) - good / 2
    pairs = defect.sum(axis=1) * good.sum(axis=1)
    return np.asarray((defect * below).sum(axis=1) / pairs)


def interval(figures: NDArray[np.float64]) -> tuple[float, float]:
    """The central 95 % of a figure over the resamples; `figures[0]` is the figure itself, and left out."""
    lower, upper = np.percentile(figures[1:], (2.5, 97.5))
    return float(lower), float(upper)
