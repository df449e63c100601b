"""What surrounds a proposed defect: the crop around its box, the ring that shows the surface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tools.records import BoxXyxyPx

__all__ = ["STANDS_OUT", "Cut", "View", "cropped", "main_parts", "own_parts", "spread"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

STANDS_OUT = 3.0  # in robust standard deviations of the surface

_MARGIN = 0.35  # of the box's longer side, on each side
_SMALLEST_MARGIN_PX = 10
_OVERHANG_PX = 3.0  # how far a defect may reach beyond a box that was proposed too small
_OVERHANG = 0.05
_SMALLEST_SHARE = 0.15  # of what the largest part has inside the box


@dataclass(frozen=True)
class Cut:
    """A defect cut out of a view.

    Attributes:
        soft: HxW over the view, share of each pixel that is covered, in [0, 1].
        noise_to_contrast: The surface's own unrest as a fraction of the defect's contrast.
        end_doubt_px: Standard uncertainty of where it ends, at each end of its length: how far the sound ways
            to cut it differ.
        edge_doubt_px: The same of where an edge lies, on each side of its width.
    """

    soft: Field
    noise_to_contrast: float
    end_doubt_px: float
    edge_doubt_px: float

    @classmethod
    def nothing(cls, view: View) -> Cut:
        """Returns what is cut where nothing stands out."""
        return cls(np.zeros(view.ring.shape, np.float32), 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class View:
    """The crop around a proposed box.

    Attributes:
        lab: HxWx3, CIE Lab.
        box: The proposal in the crop (x_min, y_min, x_max, y_max).
        ring: HxW, what is not in the box.
        allowed: HxW, where the defect may reach.
        hint: HxW, a rough mask from the proposer.
    """

    lab: Field
    box: tuple[int, int, int, int]
    ring: Mask
    allowed: Mask
    hint: Mask | None

    @property
    def inside(self) -> tuple[slice, slice]:
        """Rows and columns of the box."""
        x0, y0, x1, y1 = self.box
        return slice(y0, y1), slice(x0, x1)

    def shrunk(self, factor: float) -> View:
        """Returns the same view in fewer pixels, by a factor below 1."""
        height, width = self.ring.shape
        size = max(round(width * factor), 1), max(round(height * factor), 1)
        across, down = size[0] / width, size[1] / height

        def mask(of: Mask) -> Mask:
            return np.asarray(cv2.resize(of.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)

        x0, y0, x1, y1 = self.box
        return View(
            np.asarray(cv2.resize(self.lab, size, interpolation=cv2.INTER_AREA), np.float32),
            (round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)),
            mask(self.ring),
            mask(self.allowed),
            None if self.hint is None else mask(self.hint),
        )

    def agreement(self, mask: Mask) -> float:
        """Returns the IoU of a mask with the hint, or of its extent with the box."""
        if self.hint is not None:
            either = np.count_nonzero(mask | self.hint)
            return np.count_nonzero(mask & self.hint) / either if either else 0.0
        x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
        if not width:
            return 0.0
        x0, y0, x1, y1 = self.box
        common = max(0, min(x + width, x1) - max(x, x0)) * max(0, min(y + height, y1) - max(y, y0))
        return float(common / (width * height + (x1 - x0) * (y1 - y0) - common))


def cropped(image_rgb: NDArray[np.uint8], box: BoxXyxyPx, hint: Mask | None) -> tuple[View, tuple[int, int]]:
    """Returns the view of a box (and a rough mask of the defect) in a picture, and its first x and y."""
    height, width = image_rgb.shape[:2]
    x0, y0 = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    x1, y1 = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    x1, y1 = max(x1, min(x0 + 1, width)), max(y1, min(y0 + 1, height))
    x0, y0 = min(x0, x1 - 1), min(y0, y1 - 1)
    margin = max(_SMALLEST_MARGIN_PX, int(_MARGIN * max(x1 - x0, y1 - y0)))
    left, top = max(0, x0 - margin), max(0, y0 - margin)
    crop = image_rgb[top : min(height, y1 + margin), left : min(width, x1 + margin)]
    lab = cv2.cvtColor(crop.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2Lab)
    inner = (x0 - left, y0 - top, x1 - left, y1 - top)
    ring = np.ones(crop.shape[:2], bool)
    ring[inner[1] : inner[3], inner[0] : inner[2]] = False
    allowed = np.zeros(crop.shape[:2], bool)
    over_x = int(max(_OVERHANG_PX, _OVERHANG * (x1 - x0)))
    over_y = int(max(_OVERHANG_PX, _OVERHANG * (y1 - y0)))
    allowed[max(0, inner[1] - over_y) : inner[3] + over_y, max(0, inner[0] - over_x) : inner[2] + over_x] = (
        True
    )
    cut = None if hint is None else hint[top : top + crop.shape[0], left : left + crop.shape[1]]
    if cut is not None and cut.any():
        reach = 2 * int(_OVERHANG_PX) + 1
        allowed &= cv2.dilate(cut.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    return View(lab, inner, ring, allowed, cut), (left, top)


def spread(values: Field) -> float:
    """Returns the robust standard deviation of values around zero."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else 0.0


def own_parts(view: View, mask: Mask) -> NDArray[np.uint8]:
    """Drops what comes in from outside (the part's edge, the bench), unless nothing else is there."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel())
    held = np.bincount(labels[view.allowed], minlength=len(areas))
    own = (held > 0.5 * areas)[labels] & mask & view.allowed
    if np.count_nonzero(own) < 0.2 * np.count_nonzero(mask[view.inside]):
        own = mask & view.allowed
    return np.asarray(own, np.uint8)


def main_parts(view: View, mask: NDArray[np.uint8]) -> Mask:
    """Keeps the parts inside the box that are not small against the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return np.zeros(mask.shape, bool)
    held = np.bincount(labels[view.inside].ravel(), minlength=count).astype(np.float64)
    held[0] = 0
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = (held >= _SMALLEST_SHARE * held.max()) & (held >= 0.5 * areas) & (held > 0)
    keep[0] = False
    return np.asarray(keep[labels])
