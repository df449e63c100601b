"""Which of the sources that looked at an image decides how suspicious it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.records import Source

if TYPE_CHECKING:
    from tools.records import Screening, SourceScore

__all__ = [
    "BAD_TEMPLATE",
    "NO_TEMPLATE",
    "OUTDATED",
    "OWN",
    "TOO_FEW",
    "UNASKED",
    "strongest_source",
    "suspicion_of",
    "was_asked",
]

# Why a source was not asked about an image, in the words of its remark.
TOO_FEW = "too few images to be held against each other"
NO_TEMPLATE = "there is no template of this image"
BAD_TEMPLATE = "the template of this image cannot be read"
OUTDATED = "the detector has changed since the good parts were added"
UNASKED = (TOO_FEW, NO_TEMPLATE, BAD_TEMPLATE, OUTDATED)

OWN = "this image is one of the good parts itself"  # likeness to itself shows nothing but that

# Of the words' log-odds beside a detector's, chosen on synthesised photographs: they exaggerate more.
_WORDS_WEIGHT = 0.6


def was_asked(score: SourceScore) -> bool:
    """Whether a source looked at the image; the numbers of one that did not say nothing."""
    return score.remark not in UNASKED


def strongest_source(screening: Screening) -> Source | None:
    """The source whose suspicion is the screening's; None where words were asked alone."""
    strongest = suspicion_of(screening.sources, screening.threshold)
    return strongest[0] if strongest else None


def suspicion_of(scores: Sequence[SourceScore], threshold: float) -> tuple[Source, float] | None:
    """Returns the source that says most of those that decide, and the suspicion; None where none decides.

    Words and a detector that was asked because of them are one voice: two looks at the same defects whose
    log-odds add up (naive Bayes, the threshold as the even chance; words weigh less, as they are surer than
    they should be), so that each may calm the other. Of the voices the loudest counts: each is calibrated to
    call few good parts suspect, and a defect that one of them alone can see would be lost in a mean.
    """
    said = {score.source: score.suspicion for score in scores if score.decided}
    if Source.WORDS in said and Source.DETECTOR in said:
        words = _WORDS_WEIGHT * (_logit(said[Source.WORDS]) - _logit(threshold))
        both = words + _logit(said.pop(Source.DETECTOR))
        said[Source.WORDS] = round(1 / (1 + math.exp(-both)), 6)
    return max(said.items(), key=lambda each: each[1], default=None)


def _logit(share: float) -> float:
    inner = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(inner / (1 - inner))
