"""One suspicion from several sources, each on the scale of the recipe's threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.glossary import NORMAL, UNKNOWN
from tools.records import HeatMap, Screening, Source, SourceScore
from tools.screening.screener import with_threshold
from tools.voices import suspicion_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.recipe import Recipe

__all__ = [
    "UNFAMILIAR",
    "UNNOTED",
    "at_threshold",
    "detector_score",
    "fused",
    "heat_on_scale",
    "knows",
    "moved",
    "on_scale",
    "words_score",
]

UNFAMILIAR = "words do not know these parts"
UNNOTED = "the words have changed since the good parts were added"

# What is held against a picture that is known to be good; a batch shows what is odd, never what is good.
_VOUCHING = (Source.REFERENCES, Source.TEMPLATE)

# Whose own threshold lies at the recipe's, wherever that is.
_MOVING = (Source.DETECTOR, Source.BATCH, Source.TEMPLATE)

_LEAST, _MOST = 0.02, 0.98  # a threshold beyond them leaves no room on its far side
# Confidences, chosen on synthesised photographs with known truth: one that says neither good nor bad, and
# what stands for nothing seen, as a detector overlooks some defects.
_EVEN, _NOTHING = 0.16, 0.03


def on_scale(score: float, threshold: float) -> float:
    """Brings a score whose threshold is 0.5 onto a scale whose threshold is another, along logits."""
    return float(_shifted(np.array([score]), threshold)[0])


def heat_on_scale(heat: HeatMap, threshold: float) -> HeatMap:
    """As `on_scale`, of each cell."""
    values = _shifted(np.array(heat.values), threshold)
    return heat.model_copy(update={"values": tuple(round(float(value), 4) for value in values)})


def _shifted(scores: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    inner = np.clip(scores, 1e-6, 1 - 1e-6)
    anchor = min(max(threshold, _LEAST), _MOST)
    logits = np.log(inner / (1 - inner)) + math.log(anchor / (1 - anchor))
    return np.asarray(1 / (1 + np.exp(-logits)))


def knows(words: Sequence[float], below: float, share: float) -> bool:
    """Whether words know a kind of part: enough good ones are clear to them.

    A CLIP that was trained on other things calls everything suspect, which is no news of any one part.

    Args:
        words: What words say of good parts: their suspicion.
        below: Suspicion of what is clear.
        share: Of the parts that must be clear.
    """
    return bool(words) and float(np.quantile(words, share)) < below


def words_score(screening: Screening, *, is_known: bool, why_not: str = UNFAMILIAR) -> SourceScore:
    """What words say, as one source among others; where they do not know the parts, with why not."""
    return SourceScore(
        source=Source.WORDS,
        score=screening.suspicion,
        suspicion=screening.suspicion,
        decided=is_known,
        remark="" if is_known else why_not,
    )


def detector_score(confidence: float, threshold: float) -> SourceScore:
    """What the detector says, as one source among others.

    Args:
        confidence: In its surest defect, also one too weak for a finding; 0 where it saw nothing.
        threshold: Of the screening.
    """
    even = on_scale(max(confidence, _NOTHING), 1 - _EVEN)
    suspicion = round(on_scale(even, threshold), 6)
    return SourceScore(source=Source.DETECTOR, score=confidence, suspicion=suspicion, decided=True)


def moved(score: SourceScore, before: float, after: float) -> SourceScore:
    """What a source says where the threshold is another; only one whose scale begins there says otherwise."""
    if score.source not in _MOVING or not score.decided:
        return score
    suspicion = on_scale(on_scale(score.suspicion, 1 - before), after)
    return score.model_copy(update={"suspicion": round(suspicion, 6)})


def fused(
    screening: Screening, scores: Sequence[SourceScore], heat: HeatMap | None, recipe: Recipe
) -> Screening:
    """Returns the screening by words, changed by what the other sources say.

    The suspicion is that of `suspicion_of`. The heat map is that of the source that says most; where words
    say most, theirs. What fits no label stays unknown, unless good parts or a template vouch for it; so does
    what no source could decide.

    Args:
        screening: By words alone.
        scores: Of all sources, words among them; those that decide are marked.
        heat: Of the strongest source but words, on the scale of the suspicion.
        recipe: Says which labels are defects.
    """
    told = screening.model_copy(update={"sources": tuple(scores)})
    strongest = suspicion_of(scores, screening.threshold)
    if strongest is None:
        return with_threshold(told, screening.threshold, recipe)
    source, suspicion = strongest
    told = told.model_copy(update={"suspicion": round(suspicion, 6)})
    if source is not Source.WORDS:
        is_vouched = any(score.decided and score.source in _VOUCHING for score in scores)
        label = UNKNOWN if screening.label == UNKNOWN and not is_vouched else NORMAL
        told = told.model_copy(update={"heat_map": heat, "label": label})
    elif suspicion == screening.suspicion:
        return told
    return with_threshold(told, screening.threshold, recipe)


def at_threshold(screening: Screening, threshold: float, recipe: Recipe) -> Screening:
    """Returns what a screening would have been at another threshold; no model need look again.

    What sources say moves as far as their scales do. The heat map moves with the source that it is of: that
    which says most at the recipe's own threshold, for only its map is kept.

    Args:
        screening: Of an image, at the recipe's threshold.
        threshold: Suspicion from which an image is suspect, in [0, 1].
        recipe: Says which labels are defects.
    """
    before, heat = screening.threshold, screening.heat_map
    if threshold == before:
        return screening
    hottest = suspicion_of(screening.sources, before)
    if heat is not None and hottest is not None and hottest[0] in _MOVING:
        heat = heat_on_scale(heat_on_scale(heat, 1 - before), threshold)
    scores = [moved(score, before, threshold) for score in screening.sources]
    strongest = suspicion_of(scores, threshold)
    suspicion = screening.suspicion if strongest is None else round(strongest[1], 6)
    told = {"sources": tuple(scores), "suspicion": suspicion, "heat_map": heat}
    return with_threshold(screening.model_copy(update=told), threshold, recipe)
