"""From distances to a suspicion in [0, 1]: what good images score when each is left out in its turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.digits import plain_percent
from tools.records import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOST", "Calibration", "heat_map", "level", "needed_images", "smoothed", "strongest"]

LOST = "of the good images"  # so begins what is said of those that could not be looked at again

_SHARES = (0.01, 0.05, 0.2)  # of the cells: small, medium and spread defects
_PRIOR_DEVIATION = 0.06  # of the logarithm, as among good images of many kinds
_PRIOR_WEIGHT = 3.0  # images that it counts for
_TYPICAL_LOGIT = 2.2  # below the threshold, where a typical good image lies: a suspicion of 0.1
_STEEPNESS = 4.0  # of the logits of a heat map over the logarithm of distance
_TINY = 1e-6
_SMOOTHING_CELLS = 1.0  # of 0 to 2 about the best for pixels of six sets: 0.907 on average, 0.900 without


class Calibration(Record):
    """How distances read as suspicion.

    Attributes:
        means, deviations: Middle and spread of the level of good images, per expert (a bank, or the edges).
        peaks: Mean level of the strongest cells of good images, smoothed, per expert.
        threshold: In deviations, where suspicion is 0.5.
        images: Good images that were left out in their turn; 0 where there was only one.
        overkill: Share of good images meant to lie above the threshold.
        backbones: How many of the experts, the first ones, see the same patches: together they are one.
        compared: Numbers of the references that a rigid part is compared with; empty where nobody chose.
        unseen: Good images that could not be looked at again, when all together were to show whether the
            part is rigid.
    """

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    peaks: tuple[float, ...]
    threshold: float
    images: int
    overkill: float
    backbones: int = 1
    compared: tuple[int, ...] = ()
    unseen: int = 0

    @classmethod
    def of(
        cls, levels: NDArray[np.float64], peaks: NDArray[np.float64], overkill: float, backbones: int = 1
    ) -> Calibration:
        """From the levels of left-out good images.

        With at least `1 / overkill - 1` images the threshold is their quantile, at which a new good image
        is above it with at most that probability (split conformal prediction; Vovk et al. 2005); with fewer
        it is Student's prediction limit for a normal distribution.

        Args:
            levels: `level` per image and expert, shape (images, experts); a single row is no left-out image
                but a stand-in.
            peaks: Level of the strongest cells of smoothed distances alone, of the same shape.
            overkill: In (0, 1).
            backbones: As the attribute.
        """
        count = len(levels)
        means = np.median(levels, axis=0)
        squares = count * _spread(levels) ** 2 + _PRIOR_WEIGHT * _PRIOR_DEVIATION**2
        deviations = np.sqrt(squares / (count + _PRIOR_WEIGHT))
        fused = np.array([_fused(each, backbones) for each in (levels - means) / deviations])
        return cls(
            means=tuple(means.tolist()),
            deviations=tuple(deviations.tolist()),
            peaks=tuple(peaks.mean(axis=0).tolist()),
            threshold=_limit(fused, overkill),
            images=count if count > 1 else 0,
            overkill=overkill,
            backbones=backbones,
        )

    @property
    def is_extrapolated(self) -> bool:
        """Whether there were too few good images to see the wanted overkill among them."""
        return self.images < needed_images(self.overkill)

    @property
    def remark(self) -> str:
        """What to say of the threshold and of how it came about; empty where enough good images set it."""
        return "; ".join(said for said in (self._of_threshold(), self._of_unseen()) if said)

    def _of_threshold(self) -> str:
        if not self.is_extrapolated:
            return ""
        needed, overkill = needed_images(self.overkill), plain_percent(self.overkill)
        if self.images == 0:
            return (
                f"one good image shows no spread: the threshold is a guess; add good images, {needed} "
                f"or more for an overkill of {overkill}"
            )
        return (
            f"{self.images} good images are too few to see an overkill of {overkill}: the threshold "
            f"is extrapolated from their spread; with {needed} it would be observed"
        )

    def _of_unseen(self) -> str:
        if not self.unseen:
            return ""
        return (
            f"{LOST} {self.unseen} can no longer be found where they were, so that all together "
            "did not show whether parts can be laid over each other: name them once more"
        )

    def fused(self, levels: NDArray[np.float64]) -> float:
        """How many deviations an image lies above good ones: the mean of the two experts that say most.

        One alone may be wrong; to ask all would let those that do not see a defect outvote those that do.
        Several backbones count as one, which says their mean.
        """
        return _fused((levels - self.means) / self.deviations, self.backbones)

    def suspicion(self, deviations: float) -> float:
        """In [0, 1]: 0.1 for a typical good image, 0.5 at the threshold."""
        return float(self.suspicions(np.array([deviations]))[0])

    def suspicions(self, deviations: NDArray[np.floating]) -> NDArray[np.float64]:
        """As `suspicion`, of many."""
        logits = _TYPICAL_LOGIT * (np.asarray(deviations, np.float64) / self.threshold - 1)
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -50, 50))))


def heat_map(
    maps: Sequence[NDArray[np.float32]], calibration: Calibration, heard: Sequence[int]
) -> NDArray[np.float32]:
    """Suspicion per cell of the first map's grid, in [0, 1].

    0.5 is as far as the farthest cells of an image at the threshold are, half as far is 0.06.

    Args:
        maps: Distances per expert, each on its own grid.
        calibration: Of the same experts.
        heard: Numbers of the experts whose mean it is; one that is named twice counts twice.
    """
    import cv2

    rows, columns = maps[0].shape
    farness = np.zeros((rows, columns))
    for number in heard:
        bar = calibration.peaks[number] + calibration.threshold * calibration.deviations[number]
        fitted = cv2.resize(smoothed(maps[number]), (columns, rows), interpolation=cv2.INTER_AREA)
        farness += np.log(fitted + _TINY) - bar
    return np.asarray(1 / (1 + np.exp(-_STEEPNESS * farness / len(heard))), dtype=np.float32)


def smoothed(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distances as places are read from them: a cell says little without its neighbours (Roth 2022)."""
    import cv2

    blurred = cv2.GaussianBlur(distances, (0, 0), _SMOOTHING_CELLS, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32)


def level(distances: NDArray[np.float32]) -> float:
    """How far an image is from good ones: of its farthest 1, 5 and 20 % of cells, the mean of log means."""
    ordered = np.sort(distances, axis=None)[::-1]
    return sum(_log_mean(ordered, share) for share in _SHARES) / len(_SHARES)


def strongest(distances: NDArray[np.float32]) -> float:
    """Logarithm of the mean of the farthest 1 % of cells."""
    return _log_mean(np.sort(distances, axis=None)[::-1], _SHARES[0])


def needed_images(overkill: float) -> int:
    """How many good images it takes to see an overkill among them."""
    return math.ceil(1 / overkill - 1e-9) - 1


def _log_mean(ordered: NDArray[np.float32], share: float) -> float:
    count = max(round(share * len(ordered)), 1)
    return math.log(float(ordered[:count].mean()) + _TINY)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median absolute deviation per column, scaled to a normal distribution's standard deviation.

    One odd picture among eight good ones would widen a standard deviation until defects fit in: on real parts
    four in ten then passed, against a quarter so (Rousseeuw & Croux 1993).
    """
    return 1.4826 * np.median(np.abs(values - np.median(values, axis=0)), axis=0)


def _fused(deviations: NDArray[np.float64], backbones: int) -> float:
    experts = [deviations[:backbones].mean(), *deviations[backbones:]]
    return float(np.sort(experts)[-2:].mean())


def _limit(fused: NDArray[np.float64], overkill: float) -> float:
    """The value that a new good image exceeds with the given probability; at least 1 deviation."""
    from scipy.stats import norm, t

    count = len(fused)
    if count >= needed_images(overkill):
        rank = math.ceil((count + 1) * (1 - overkill) - 1e-9)
        return max(float(np.sort(fused)[min(rank, count) - 1]), 1.0)
    if count < 2:
        return float(2 * norm.ppf(1 - overkill))
    centre = float(np.median(fused))
    # The prior of each expert's deviation counts as images here too.
    freedom = count - 1 + _PRIOR_WEIGHT
    variance = float(_spread(fused[:, None])[0]) ** 2
    spread = math.sqrt((variance * count + _PRIOR_WEIGHT) / (count + _PRIOR_WEIGHT))
    return max(centre + float(t.ppf(1 - overkill, freedom)) * spread * math.sqrt(1 + 1 / count), 1.0)
