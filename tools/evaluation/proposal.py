"""The screening threshold that a labelled set proposes: up to which one would each image still be suspect?"""

from __future__ import annotations

from collections.abc import Sequence

from tools.evaluation.metrics import threshold_for_escape
from tools.records import Screening, Source
from tools.screening.fusion import moved
from tools.voices import suspicion_of

__all__ = ["UNMOVED", "proposed_threshold", "suspect_up_to"]

# Sources whose own threshold lies at the recipe's, wherever that is: no other one changes what they say. So
# it is with good parts that are named anew each time; those that were named once keep theirs.
UNMOVED = (Source.BATCH, Source.TEMPLATE)

_HALVINGS = 24  # beyond the six decimals of a suspicion
_DECIMALS = range(3, 7)


def suspect_up_to(screening: Screening) -> float:
    """The highest threshold at which the recipe would still call an image suspect.

    That is its suspicion, unless a detector was heard: what it says is weighed from the threshold up.
    """
    heard = screening.source(Source.DETECTOR)
    if heard is None or not heard.decided:
        return screening.suspicion
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _is_suspect(screening, middle) else (low, middle)
    return low


def proposed_threshold(
    limits: Sequence[float], is_defect: Sequence[bool], target_escape: float
) -> float | None:
    """`threshold_for_escape`, with as few decimals as flag the same images, so that it can be written down.

    Args:
        limits: `suspect_up_to` of each image.
        is_defect: Their truth, in the same order.
        target_escape: Escape rate, as a fraction.
    """
    exact = threshold_for_escape(limits, is_defect, target_escape)
    if exact is None:
        return None
    short = (round(exact, decimals) for decimals in _DECIMALS)
    return next((each for each in short if _flagged(limits, each) == _flagged(limits, exact)), exact)


def _flagged(limits: Sequence[float], threshold: float) -> list[bool]:
    return [limit >= threshold for limit in limits]


def _is_suspect(screening: Screening, threshold: float) -> bool:
    scores = [moved(score, screening.threshold, threshold) for score in screening.sources]
    strongest = suspicion_of(scores, threshold)
    return strongest is not None and strongest[1] >= threshold
