"""One suspicion from several sources, each on the scale of the recipe's threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.glossary import NORMAL
from tools.records import HeatMap, Screening, Source, SourceScore
from tools.screening.screener import with_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.recipe import Recipe, ScreeningSettings

__all__ = ["UNFAMILIAR", "fused", "heat_on_scale", "knows", "on_scale", "strongest_source", "words_score"]

UNFAMILIAR = "words do not know these parts"

_LEAST, _MOST = 0.02, 0.98  # a threshold beyond them leaves no room on its far side


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


def knows(words: Sequence[float], settings: ScreeningSettings, share: float) -> bool:
    """Whether words know a kind of part: enough good ones are clear to them.

    A CLIP that was trained on other things calls everything suspect, which is no news of any one part.

    Args:
        words: What words say of good parts: their suspicion.
        settings: Its threshold and band.
        share: Of the parts that must be clear.
    """
    return bool(words) and float(np.quantile(words, share)) < settings.threshold - settings.review_band


def words_score(screening: Screening, *, is_known: bool) -> SourceScore:
    """What words say, as one source among others."""
    return SourceScore(
        source=Source.WORDS,
        score=screening.suspicion,
        suspicion=screening.suspicion,
        decided=is_known,
        remark="" if is_known else UNFAMILIAR,
    )


def strongest_source(screening: Screening) -> Source | None:
    """The source whose suspicion is the screening's; None where words were asked alone."""
    strongest = _strongest(screening.sources)
    return strongest.source if strongest else None


def _strongest(scores: Sequence[SourceScore]) -> SourceScore | None:
    deciding = [score for score in scores if score.decided]
    return max(deciding, key=lambda score: score.suspicion, default=None)


def fused(
    screening: Screening, scores: Sequence[SourceScore], heat: HeatMap | None, recipe: Recipe
) -> Screening:
    """Returns a screening by words as it is with other sources.

    The suspicion is the highest of those that decide: each is calibrated to call few good parts suspect, and
    a defect that one of them alone can see would be lost in a mean. The heat map is that of the source that
    says most; where words say most, theirs.

    Args:
        screening: By words alone.
        scores: Of all sources, words among them; those that decide are marked.
        heat: Of the strongest source but words, on the scale of the suspicion.
        recipe: Says which labels are defects.
    """
    strongest = _strongest(scores)
    if strongest is None or strongest.source is Source.WORDS:
        return screening.model_copy(update={"sources": tuple(scores)})
    suspicion = round(strongest.suspicion, 6)
    told = {"sources": tuple(scores), "suspicion": suspicion, "heat_map": heat, "label": NORMAL}
    return with_threshold(screening.model_copy(update=told), screening.threshold, recipe)
