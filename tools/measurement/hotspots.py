"""The one place inside a coarse region that differs from the surface there, if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import BoxXyxyPx

__all__ = ["hotspot"]

_SIDE_PX = 256  # of the region as it is looked at: what is smaller than a few pixels there is grain
_BACKGROUND = 0.35  # of the region's shorter side: what is wider than this is the part, not a mark on it
_STANDS_OUT = 5.0  # in robust standard deviations
_ALONE = 2.0  # times as strong as the next strongest, the part's own edge included
_SMALLEST_PX = 6
_LARGEST = 0.1  # of the region: a larger one may as well be the part
_MARGIN = 0.15


def hotspot(image_rgb: NDArray[np.uint8], region_xyxy_px: BoxXyxyPx) -> BoxXyxyPx | None:
    """Finds the mark to which a coarse region points.

    Args:
        image_rgb: HxWx3.
        region_xyxy_px: Where to look, such as the hot part of a heat map.

    Returns:
        The box (x_min, y_min, x_max, y_max) around it; None where nothing stands out, or more than one thing
        does, or the strongest comes in from outside, as the part's own edge does: then no outline would be
        honest.
    """
    height, width = image_rgb.shape[:2]
    x0, y0 = max(0, int(region_xyxy_px[0])), max(0, int(region_xyxy_px[1]))
    x1, y1 = min(width, int(np.ceil(region_xyxy_px[2]))), min(height, int(np.ceil(region_xyxy_px[3])))
    if min(x1 - x0, y1 - y0) < 4 * _SMALLEST_PX:
        return None
    factor = min(1.0, _SIDE_PX / max(x1 - x0, y1 - y0))
    small = cv2.resize(image_rgb[y0:y1, x0:x1], None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = _alone(_deviation(small))
    if found is None:
        return None
    left, top, right, bottom = (each / factor for each in found)
    margin = _MARGIN * max(right - left, bottom - top)
    return (
        float(max(0.0, x0 + left - margin)),
        float(max(0.0, y0 + top - margin)),
        float(min(width, x0 + right + margin)),
        float(min(height, y0 + bottom + margin)),
    )


def _deviation(region_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns by how many robust standard deviations each pixel stands out from what is around it."""
    lab = cv2.cvtColor(region_rgb, cv2.COLOR_RGB2LAB)
    size = max(3, int(_BACKGROUND * min(lab.shape[:2])) // 2 * 2 + 1)
    rest = cv2.GaussianBlur(lab.astype(np.float32) - cv2.medianBlur(lab, min(size, 255)), (0, 0), 1.2)
    spread = np.maximum(1.4826 * np.median(np.abs(rest), axis=(0, 1)), 0.7)
    return np.asarray(np.sqrt(np.mean((rest / spread) ** 2, axis=2)) - _STANDS_OUT, np.float32)


def _alone(deviation: NDArray[np.float32]) -> tuple[int, int, int, int] | None:
    """Returns the box of the one strong place that lies wholly inside."""
    joined = cv2.morphologyEx((deviation > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if count < 2:
        return None
    strength = np.bincount(labels.ravel(), weights=np.maximum(deviation, 0).ravel(), minlength=count)
    strength[0] = 0
    strongest = int(strength.argmax())
    x, y, width, height, area = (int(value) for value in stats[strongest])
    rest = float(np.delete(strength, strongest).max(initial=0.0))
    inside = x > 0 and y > 0 and x + width < deviation.shape[1] and y + height < deviation.shape[0]
    if not inside or strength[strongest] < _ALONE * rest or area < _SMALLEST_PX:
        return None
    return None if width * height > _LARGEST * deviation.size else (x, y, x + width, y + height)
