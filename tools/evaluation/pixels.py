"""How well heat maps point at the labelled pixels: pixel AUROC, AU-PRO and F1, with bootstrap intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.evaluation.figures import Estimate, PixelFigures
from tools.evaluation.resampling import auroc, image_weights

if TYPE_CHECKING:
    from tools.records import HeatMap

__all__ = ["PixelCounts"]

_BINS = 2000  # of heat: a threshold is met to within 0.0005
_FALSE_POSITIVES = 0.3  # share of normal pixels up to which AU-PRO is taken

Counts = NDArray[np.float64]


class PixelCounts:
    """Counts normal and defect pixels per heat, image by image, so that no picture need be kept."""

    def __init__(self) -> None:
        self._normal: list[NDArray[np.int64]] = []
        self._defect: list[NDArray[np.int64]] = []
        self._regions: list[tuple[int, NDArray[np.int64]]] = []

    def add(self, heat_map: HeatMap, mask: NDArray[np.bool_]) -> None:
        """Counts one image.

        Args:
            heat_map: Spread over the image by bilinear interpolation.
            mask: The defect's pixels, shape (height, width), of the image; empty of a good one.
        """
        import cv2
        from scipy.ndimage import label

        height, width = mask.shape
        grid = np.asarray(heat_map.values, np.float32).reshape(heat_map.rows, heat_map.columns)
        heat = cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
        bins = np.clip(heat * _BINS, 0, _BINS - 1).astype(np.int32)
        image = len(self._normal)
        self._normal.append(np.bincount(bins[~mask], minlength=_BINS))
        self._defect.append(np.bincount(bins[mask], minlength=_BINS))
        regions, count = label(mask, structure=np.ones((3, 3)))
        keys = (regions[mask] - 1) * _BINS + bins[mask]
        of_regions = np.bincount(keys, minlength=count * _BINS).reshape(count, _BINS)
        self._regions.extend((image, each) for each in of_regions)

    def figures(self, threshold: float) -> PixelFigures | None:
        """The figures over what was counted; None without a normal or without a defect pixel.

        Args:
            threshold: Heat from which a pixel counts as flagged.
        """
        if not self._regions or not any(each.any() for each in self._normal):
            return None
        weights = image_weights([bool(each.any()) for each in self._defect])
        normal = weights @ np.stack(self._normal)
        defect = weights @ np.stack(self._defect)
        overlaps = np.stack([_from_bin_up(each) / each.sum() for _, each in self._regions])
        of_regions = weights[:, [image for image, _ in self._regions]]
        f1 = _f1(normal, defect)
        at = min(int(threshold * _BINS), _BINS - 1)
        best = int(f1[0].argmax())
        return PixelFigures(
            images=len(self._normal),
            regions=len(self._regions),
            auroc=Estimate.of(auroc(defect, normal)),
            aupro=Estimate.of(_aupro(normal, overlaps, of_regions)),
            threshold=threshold,
            f1=Estimate.of(f1[:, at]),
            best_threshold=best / _BINS,
            best_f1=float(f1[0, best]),
        )


def _from_bin_up(counts: NDArray[np.floating] | NDArray[np.int64]) -> Counts:
    """How much lies in each bin or above."""
    return np.asarray(counts[..., ::-1].cumsum(axis=-1)[..., ::-1], dtype=np.float64)


def _f1(normal: Counts, defect: Counts) -> Counts:
    """F1 of each weighting with each bin as the threshold."""
    hits, false = _from_bin_up(defect), _from_bin_up(normal)
    return np.asarray(2 * hits / (hits + false + defect.sum(axis=1, keepdims=True)))


def _aupro(normal: Counts, overlaps: Counts, of_regions: Counts) -> Counts:
    """Area under the per-region overlap over the share of normal pixels flagged, up to 0.3, divided by 0.3.

    Bergmann et al. (2021), "The MVTec Anomaly Detection Dataset", IJCV 129: each connected region weighs the
    same, however large it is.
    """
    false = _from_bin_up(normal) / normal.sum(axis=1, keepdims=True)
    overlap = of_regions @ overlaps / of_regions.sum(axis=1, keepdims=True)
    areas = np.empty(len(normal))
    for number, (share, found) in enumerate(zip(false[:, ::-1], overlap[:, ::-1], strict=True)):
        # From the highest threshold, at which nothing is flagged, down to 0, at which everything is.
        x, y = np.append(0.0, share), np.append(0.0, found)
        end = int(np.searchsorted(x, _FALSE_POSITIVES, side="right"))
        last = np.interp(_FALSE_POSITIVES, x, y)
        areas[number] = np.trapezoid(np.append(y[:end], last), np.append(x[:end], _FALSE_POSITIVES))
    return areas / _FALSE_POSITIVES
