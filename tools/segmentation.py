"""Which pixels inside a proposed box are the defect: told from the surface around it, with soft edges.

The surface is what the ring around the box shows; the defect is what differs from it in brightness or
colour by more than the surface differs from itself. Of the ways to cut at several levels, that one is
taken whose extent agrees best with the proposal: the detector knows where, the picture knows the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.records import BoxXyxyPx

__all__ = ["Segment", "segment_defect"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MARGIN = 0.35  # of the box's longer side, on each side
_SMALLEST_MARGIN_PX = 10
_OVERHANG_PX = 3.0  # how far a defect may reach beyond a box that was proposed too small
_OVERHANG = 0.05
_STANDS_OUT = 3.0  # in robust standard deviations of the surface
_LEVELS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.65)
_TWO_SIDED = 0.12  # share of the weaker side from which light and shadow are one dent
_LINE_LEVELS = (0.15, 0.22, 0.3, 0.4, 0.5)
_LINE_SCALES_PX = (0.9, 1.6)
_LINE_ANGLES = 8
_LINE_REACH_PX = 6
_MOST_PARTS = 8
_WEAKEST_LINE = 2.5  # in deviations of the surface: grain alone reaches it here and there
_STEEPER = 3.0
_LINE_EDGE = 0.56  # share of the middle's brightness at a line's edge: between one half and what blur asks
_LEAST_NOISE = 0.1  # in Lab per px2: below it, 8-bit steps are what a smooth surface shows


@dataclass(frozen=True)
class Segment:
    """A defect told from its surroundings.

    Attributes:
        soft: HxW over the crop, share of each pixel that the defect covers, in [0, 1]; all 0 where nothing
            stands out.
        offset_xy: Column and row of the crop's first pixel in the picture.
        noise_to_contrast: The surface's own unrest as a fraction of the defect's contrast.
    """

    soft: Field
    offset_xy: tuple[int, int]
    noise_to_contrast: float

    @property
    def empty(self) -> bool:
        """Whether nothing stood out."""
        return not bool(np.any(self.soft >= 0.5))


@dataclass(frozen=True)
class _View:
    """The crop: its Lab values, the box in it, and what the defect may reach."""

    lab: Field
    box: tuple[int, int, int, int]
    ring: Mask
    allowed: Mask
    hint: Mask | None

    @property
    def inside(self) -> tuple[slice, slice]:
        x0, y0, x1, y1 = self.box
        return slice(y0, y1), slice(x0, x1)

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


def segment_defect(
    image_rgb: NDArray[np.uint8],
    box_xyxy_px: BoxXyxyPx,
    *,
    curvilinear: bool,
    mask_hint: Mask | None = None,
) -> Segment:
    """Segments the defect inside its box.

    Args:
        image_rgb: HxWx3.
        box_xyxy_px: The proposal; parts of it outside the picture are ignored.
        curvilinear: Whether to look for thin lines instead of patches.
        mask_hint: HxW over the picture, a rough mask of the defect where the proposer gave one.

    Returns:
        Its soft mask over an enlarged crop; where nothing stands out from the surface the hint, else an
        empty one.
    """
    view, offset = _cropped(image_rgb, box_xyxy_px, mask_hint)
    soft, noise = (_line if curvilinear else _patch)(view)
    if view.hint is not None and not np.any(soft >= 0.5):
        soft = view.hint.astype(np.float32)
    return Segment(soft, offset, noise)


def _cropped(
    image_rgb: NDArray[np.uint8], box: BoxXyxyPx, hint: Mask | None
) -> tuple[_View, tuple[int, int]]:
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
    return _View(lab, inner, ring, allowed, cut), (left, top)


def _surface(view: _View) -> Field:
    """Returns the surface under the defect: a quadratic fitted to the ring, outliers shed."""
    height, width = view.ring.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    rows, columns = np.nonzero(view.ring)
    step = max(1, len(rows) // 2000)
    rows, columns = rows[::step], columns[::step]
    if len(rows) < 20:
        return np.broadcast_to(np.median(view.lab, axis=(0, 1)), view.lab.shape).astype(np.float32)
    basis, values = terms[rows, columns], view.lab[rows, columns]
    weights = np.ones(len(rows), np.float32)
    for _ in range(4):
        fit = np.linalg.lstsq(basis * weights[:, None], values * weights[:, None])[0]
        off = np.sqrt(np.sum((values - basis @ fit) ** 2, axis=1))
        weights = (1 / (1 + (off / max(2 * float(np.median(off)), 0.5)) ** 2)).astype(np.float32)
    surface: Field = (terms @ fit).astype(np.float32)
    return surface


def _spread(values: Field) -> float:
    """Returns the robust standard deviation of values around zero."""
    return 1.4826 * float(np.median(np.abs(values))) if values.size else 0.0


def _patch(view: _View) -> tuple[Field, float]:
    """Tells a patch (stain, dent) from the surface, by brightness and colour together."""
    rest = view.lab - _surface(view)
    best: tuple[float, Field, float] | None = None
    short = min(view.box[2] - view.box[0], view.box[3] - view.box[1])
    for blur in (0.8, min(2.0, 0.05 * short + 0.8)):
        smooth = cv2.GaussianBlur(rest, (0, 0), blur)
        noise = np.array([max(_spread(smooth[..., c][view.ring]), 0.3) for c in range(3)], np.float32)
        field = np.sqrt(np.sum((smooth / noise) ** 2, axis=2) / 3)
        peak = float(np.percentile(field[view.inside], 90))
        if peak < _STANDS_OUT / 2:
            continue
        for level in _LEVELS:
            cut = max(level * peak, 1.2)
            mask = _closed(view, field > cut)
            if _two_sided(smooth[..., 0][mask]):
                mask = _hull(mask, round(0.06 * short))
            filled = np.count_nonzero(mask[view.inside]) / (0.6 * mask[view.inside].size)
            score = view.agreement(mask) - 0.6 * abs(level - 0.5) + 0.2 * min(filled, 1.0)
            if best is None or score > best[0]:
                best = score, _softened(field, mask, cut), 1 / peak
    if best is None:
        return np.zeros(view.ring.shape, np.float32), 1.0
    return best[1], best[2]


def _closed(view: _View, mask: Mask) -> Mask:
    """Joins what belongs together (the two sides of a dent), fills it and keeps what lies in the box."""
    short = min(view.box[2] - view.box[0], view.box[3] - view.box[1])
    radius = max(1, round(0.12 * short))
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    own = _own_parts(view, mask)
    padded = cv2.copyMakeBorder(own, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, reach)[radius:-radius, radius:-radius]
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(closed), outlines, -1, 1, -1)
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    return _main_parts(view, opened, 0.15)


def _two_sided(brightness: Field) -> bool:
    """Whether both lit and shadowed parts are there, as in a dent."""
    both = np.abs(brightness).sum()
    return bool(min(brightness[brightness > 0].sum(), -brightness[brightness < 0].sum()) > _TWO_SIDED * both)


def _hull(mask: Mask, spur_px: int) -> Mask:
    """Returns the convex hull of a mask less its spurs."""
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * spur_px + 1, 2 * spur_px + 1))
    trunk = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, reach)
    points = np.argwhere(trunk if trunk.any() else mask)[:, ::-1].astype(np.int32)
    filled = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1)
    return np.asarray(filled > 0)


def _own_parts(view: _View, mask: Mask) -> NDArray[np.uint8]:
    """Drops what comes in from outside (the part's edge, the bench), unless nothing else is there."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel())
    held = np.bincount(labels[view.allowed], minlength=len(areas))
    own = (held > 0.5 * areas)[labels] & mask & view.allowed
    if np.count_nonzero(own) < 0.2 * np.count_nonzero(mask[view.inside]):
        own = mask & view.allowed
    return np.asarray(own, np.uint8)


def _main_parts(view: _View, mask: NDArray[np.uint8], smallest_share: float) -> Mask:
    """Keeps the parts inside the box that are not small against the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return np.zeros(mask.shape, bool)
    held = np.bincount(labels[view.inside].ravel(), minlength=count).astype(np.float64)
    held[0] = 0
    areas = stats[:, cv2.CC_STAT_AREA]
    keep = (held >= smallest_share * held.max()) & (held >= 0.5 * areas) & (held > 0)
    keep[0] = False
    return np.asarray(keep[labels])


def _softened(field: Field, mask: Mask, cut: float) -> Field:
    """Returns the coverage: one half where the field crosses its cut, whole inside the mask."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    deep = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    soft = np.where(near, np.clip(field / np.float32(2 * cut), 0, 1), 0)
    soft = np.where(mask, np.maximum(soft, 0.5), np.minimum(soft, 0.49))
    soft[deep] = 1.0
    return soft.astype(np.float32)


def _line(view: _View) -> tuple[Field, float]:
    """Tells thin lines (scratch, crack) from the surface, by their ridge in brightness and colour."""
    rest = _unlit(view)
    best: tuple[float, Field, float] | None = None
    for value, ridge in _ridges(view, rest):
        peak = float(np.percentile(ridge[view.inside], 99))
        if peak < _STANDS_OUT:
            continue
        for level in _LINE_LEVELS:
            low = max(level * peak, _WEAKEST_LINE)
            mask = _linked(view, ridge, low, max(0.5 * peak, low))
            score = view.agreement(mask) + 0.3 * float(np.log(peak)) - 0.2 * abs(level - 0.3)
            if best is None or score > best[0]:
                best = score, _line_cover(value, mask), 1 / peak
    if best is None:
        return np.zeros(view.ring.shape, np.float32), 1.0
    return best[1], best[2]


def _unlit(view: _View) -> Field:
    """Returns the Lab values less what is wider than a line."""
    short = max(view.ring.shape)
    size = min(21, short // 2 * 2 - 1)
    coded = np.clip(
        view.lab * np.array([2.55, 1, 1], np.float32) + np.array([0, 128, 128], np.float32), 0, 255
    )
    median = cv2.medianBlur(coded.astype(np.uint8), max(size, 3)).astype(np.float32)
    wide = (median - np.array([0, 128, 128], np.float32)) / np.array([2.55, 1, 1], np.float32)
    return np.asarray(view.lab - cv2.GaussianBlur(wide, (0, 0), 3), np.float32)


def _ridges(view: _View, rest: Field) -> Iterator[tuple[Field, Field]]:
    """Yields values and their ridges: lines that are brighter, darker, or of another colour."""
    brightness = np.ascontiguousarray(rest[..., 0])
    bright, dark = _ridge(brightness, view.ring)
    yield brightness, bright
    yield -brightness, dark
    colour = cv2.GaussianBlur(rest, (0, 0), 1.0)
    strength = np.hypot(colour[..., 1], colour[..., 2])
    noise = max(_spread(strength[view.ring]), 0.3)
    strongest = strength[view.inside] > max(float(np.percentile(strength[view.inside], 97)), 4 * noise)
    if np.count_nonzero(strongest) > 5:
        mean = colour[view.inside][strongest].mean(axis=0)
        value = np.asarray(rest @ (mean / np.linalg.norm(mean)), np.float32)
        yield value, _ridge(value, view.ring)[0]


def _ridge(value: Field, ring: Mask) -> tuple[Field, Field]:
    """Returns how much each pixel is the middle of a bright and of a dark line, in deviations of the surface.

    Oriented second derivatives (Steger 1998), each averaged along its direction: a faint scratch is told
    from grain by being long, and from brushing by running where the surface itself is quiet.
    """
    bright, dark = np.zeros(value.shape, np.float32), np.zeros(value.shape, np.float32)
    for scale in _LINE_SCALES_PX:
        smooth = cv2.GaussianBlur(value, (0, 0), scale)
        dxx = cv2.filter2D(smooth, -1, np.array([[-1, 2, -1]], np.float32))
        dyy = cv2.filter2D(smooth, -1, np.array([[-1], [2], [-1]], np.float32))
        dxy = cv2.filter2D(smooth, -1, np.array([[-1, 0, 1], [0, 0, 0], [1, 0, -1]], np.float32) / 4)
        for turn in range(_LINE_ANGLES):
            angle = np.pi * turn / _LINE_ANGLES
            cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
            across = cos * cos * dxx + 2 * cos * sin * dxy + sin * sin * dyy
            response = cv2.filter2D(across, -1, _stick(angle + np.pi / 2))
            response /= np.float32(max(_spread(response[ring]), _LEAST_NOISE / scale**1.5))
            np.maximum(bright, response, out=bright)
            np.maximum(dark, -response, out=dark)
    return bright, dark


@cache
def _stick(angle: float) -> Field:
    """Returns an averaging kernel along a direction (radians, y down)."""
    y, x = np.mgrid[-_LINE_REACH_PX : _LINE_REACH_PX + 1, -_LINE_REACH_PX : _LINE_REACH_PX + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    off = -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.exp(-((along / 3.0) ** 2) / 2 - (off / 0.7) ** 2 / 2)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _linked(view: _View, ridge: Field, low: float, high: float) -> Mask:
    """Hysteresis (Canny 1986) on the ridge, then the strongest line and the parts that prolong it."""
    weak = _own_parts(view, ridge > low)
    joined = cv2.morphologyEx(weak, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8)
    strength = np.bincount(labels.ravel(), weights=np.where(weak > 0, ridge, 0).ravel(), minlength=count)
    strong = np.bincount(labels[(ridge > high) & view.allowed], minlength=count) > 0
    strong[0] = False
    mask = np.zeros(view.ring.shape, bool)
    for number in sorted(np.flatnonzero(strong), key=lambda part: -strength[part])[:_MOST_PARTS]:
        longer = mask | (labels == number)
        if view.agreement(longer) > view.agreement(mask):
            mask = longer
    return mask


def _line_cover(value: Field, mask: Mask) -> Field:
    """Returns the coverage of a line from its profile: its brightness over that of its middle nearby."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    crest = np.where(near, np.maximum(value, 0), 0).astype(np.float32)
    middle = cv2.GaussianBlur(cv2.dilate(crest, np.ones((5, 5), np.uint8)), (0, 0), 2.0)
    # Blur gives a line a foot and lowers its middle: the edge lies a little above half-height, and is steep.
    share = value / np.maximum(middle, np.float32(1e-3))
    return np.where(near, np.clip(_STEEPER * (share - _LINE_EDGE) + 0.5, 0, 1), 0).astype(np.float32)
