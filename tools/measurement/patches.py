"""Which pixels of a box are a patch (stain, dent): what differs from the surface in brightness or colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.measurement.surroundings import STANDS_OUT, Cut, View, main_parts, own_parts, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["patch"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LEVELS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.65)
_NARROW_PEAK = 0.7  # of the top percent: what is narrow fills less than a tenth of its box
_SOUND = 0.15  # in score: cuts that are nearly as good as the best
_ROUNDS = 3
_EDGE_REACH_PX = 3.0  # deeper inside, blur leaves nothing of the edge
_FARTHEST_PX = 2.0  # that smoothing and level together draw an edge too far out
_CALM = 0.12  # unrest of the surface over the contrast, from which a level strays off the edge
_FEWEST_POINTS = 12
_LIKE_ELLIPSE = 0.72  # overlap with the hull, from which an ellipse is what was seen
_TWO_SIDED = 0.1  # share of the weaker side from which light and shadow are one dent


@dataclass(frozen=True)
class _Candidate:
    """One way to cut the patch.

    Attributes:
        value: HxW, what stands out, of which `cut` is the edge.
        seen: HxW, where it was seen; the mask may go on from there as a round shape would.
    """

    score: float
    mask: Mask
    seen: Mask
    value: Field
    cut: float
    noise: float
    blur_px: float

    @property
    def two_sided(self) -> bool:
        return self.mask is not self.seen


def patch(view: View) -> Cut:
    """Tells a patch (stain, dent) from the surface, by brightness and colour together."""
    rest = view.lab - _surface(view)
    candidates = list(_candidates(view, rest))
    if not candidates:
        return Cut.nothing(view)
    best = max(candidates, key=lambda candidate: candidate.score)
    sound = [_radius_px(each.mask) for each in candidates if each.score > best.score - _SOUND]
    soft = _softened(best.value, best.mask, best.cut) if best.two_sided else _halfway(view, rest, best)
    # What its hull holds beyond a patch may be a dent's other side that the light does not show, or ground.
    unseen_px = abs(_radius_px(_hull(best.seen, 0)) - _radius_px(best.mask))
    doubt_px = float(
        np.linalg.norm([float(np.std(sound)), unseen_px / 12**0.5, _beyond_px(view, best) / 12**0.5])
    )
    return Cut(soft, best.noise, doubt_px, doubt_px)


def _candidates(view: View, rest: Field) -> Iterator[_Candidate]:
    """Yields the ways to cut at several levels, from the field smoothed a little and more."""
    short = min(view.box[2] - view.box[0], view.box[3] - view.box[1])
    for blur_px in (0.8, min(2.0, 0.05 * short + 0.8)):
        smooth = cv2.GaussianBlur(rest, (0, 0), blur_px)
        noise = np.array([max(spread(smooth[..., c][view.ring]), 0.3) for c in range(3)], np.float32)
        field = np.sqrt(np.sum((smooth / noise) ** 2, axis=2) / 3)
        most, top = np.percentile(field[view.inside], (90, 99))
        peak = float(max(most, _NARROW_PEAK * top))
        if peak < STANDS_OUT / 2:
            continue
        dent = _two_sided(smooth[..., 0], view)
        for level in _LEVELS:
            cut = max(level * peak, 1.2)
            seen = mask = _closed(view, field > cut)
            if dent and seen.any():
                mask = _rounded(seen, round(0.06 * short))
            filled = np.count_nonzero(mask[view.inside]) / (0.6 * mask[view.inside].size)
            score = view.agreement(mask) - 0.6 * abs(level - 0.5) + 0.2 * min(filled, 1.0)
            if mask.any():
                yield _Candidate(score, mask, seen, field, cut, 1 / peak, blur_px)


def _beyond_px(view: View, found: _Candidate) -> float:
    """Returns how far a patch goes on beyond where it may reach, to one side: its box may be too narrow."""
    rim = found.mask & ~(cv2.erode(view.allowed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    if not rim.any():
        return 0.0
    out = ((found.value > found.cut) & ~view.allowed) | rim
    _, labels = cv2.connectedComponents(out.astype(np.uint8), connectivity=8)
    on = np.isin(labels, np.unique(labels[rim])) | found.mask
    x, y, width, height = cv2.boundingRect(found.mask.astype(np.uint8))
    left, top, wide, high = cv2.boundingRect(on.astype(np.uint8))
    return float(max(x - left, y - top, left + wide - x - width, top + high - y - height))


def _radius_px(mask: Mask) -> float:
    """Returns the radius of the circle that covers as much."""
    return float(np.sqrt(np.count_nonzero(mask) / np.pi))


def _halfway(view: View, rest: Field, found: _Candidate) -> Field:
    """Returns the coverage of a patch whose edge lies halfway between its own look and the surface's.

    Smoothing and a level of the whole field's peak draw a narrow patch too wide: here the patch's look is
    read in its own middle, from a picture smoothed no more than the surface's unrest asks for.
    """
    mask = found.mask
    soft = unmoved = _softened(found.value, found.mask, found.cut)
    for _ in range(_ROUNDS):
        depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        core = depth >= min(0.75 * float(depth.max()), _EDGE_REACH_PX)
        look = np.median(rest[core], axis=0)
        contrast = float(np.linalg.norm(look))
        along = np.asarray(rest @ (look / max(contrast, 1e-6)), np.float32)
        value = _calm(view, along, contrast, found.blur_px)
        if value is None:
            return unmoved
        level = float(np.median(value[core]))
        near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        deep = depth > _EDGE_REACH_PX
        mask = main_parts(view, ((value > level / 2) & near | deep).astype(np.uint8))
        if _is_lost(view, found.mask, mask):
            return unmoved
        soft = _softened(value, mask, level / 2)
    return soft


def _is_lost(view: View, before: Mask, after: Mask) -> bool:
    """Whether more than edges went, or the proposal is missed: the patch has no one look, as a dent."""
    depth = cv2.distanceTransform(before.astype(np.uint8), cv2.DIST_L2, 5)
    is_broad = float(depth.max()) > 2 * _EDGE_REACH_PX  # of a narrow one, a box says little about the width
    if is_broad and view.agreement(after) < view.agreement(before) - _SOUND:
        return True
    gone = np.count_nonzero((depth > _FARTHEST_PX) & ~after)
    return bool(not after.any() or gone > 0.1 * np.count_nonzero(before))


def _calm(view: View, value: Field, contrast: float, most_px: float) -> Field | None:
    """Smooths as little as keeps the surface's unrest small beside a contrast; None where nothing does."""
    for blur_px in (0.0, 0.8, most_px):
        smooth = cv2.GaussianBlur(value, (0, 0), blur_px) if blur_px else value
        if spread(smooth[view.ring]) < _CALM * contrast:
            return smooth
    return None


def _surface(view: View) -> Field:
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


def _closed(view: View, mask: Mask) -> Mask:
    """Joins what belongs together (the two sides of a dent), fills it and keeps what lies in the box."""
    short = min(view.box[2] - view.box[0], view.box[3] - view.box[1])
    radius = max(1, round(0.12 * short))
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    own = own_parts(view, mask)
    padded = cv2.copyMakeBorder(own, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, reach)[radius:-radius, radius:-radius]
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(closed), outlines, -1, 1, -1)
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    return main_parts(view, opened)


def _two_sided(brightness: Field, view: View) -> bool:
    """Whether the box holds both light and shadow beyond the surface's unrest, as a dent's does."""
    unrest = 2 * max(spread(brightness[view.ring]), 0.3)
    inside = brightness[view.inside]
    light = float(np.maximum(inside - unrest, 0).sum())
    shadow = float(np.maximum(-inside - unrest, 0).sum())
    return min(light, shadow) > _TWO_SIDED * (light + shadow)


def _rounded(seen: Mask, spur_px: int) -> Mask:
    """Returns a dent whose lit and shadowed sides are seen: it goes on around where the light runs along it.

    Light from one side leaves two crescents, whose hull cuts off what lies between their tips. The ellipse
    through the crescents' outer edges does not (direct least squares, Fitzgibbon 1999).
    """
    hull = _hull(seen, spur_px)
    outlines, _ = cv2.findContours(seen.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    border, _ = cv2.findContours(hull.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not border:
        return hull
    every = np.vstack(outlines)[:, 0].astype(np.float32)
    outer = [p for p in every if cv2.pointPolygonTest(border[0], (float(p[0]), float(p[1])), True) < 1.5]
    if len(outer) < _FEWEST_POINTS:
        return hull
    ellipse = cv2.fitEllipseDirect(np.array(outer, np.float32))
    if not np.all(np.isfinite([*ellipse[0], *ellipse[1]])):
        return hull
    drawn = cv2.ellipse(np.zeros(seen.shape, np.uint8), ellipse, 1, -1) > 0
    either, both = np.count_nonzero(drawn | hull), np.count_nonzero(drawn & hull)
    return drawn if both >= _LIKE_ELLIPSE * either else hull


def _hull(mask: Mask, spur_px: int) -> Mask:
    """Returns the convex hull of a mask less its spurs."""
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * spur_px + 1, 2 * spur_px + 1))
    trunk = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, reach)
    points = np.argwhere(trunk if trunk.any() else mask)[:, ::-1].astype(np.int32)
    filled = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1)
    return np.asarray(filled > 0)


def _softened(field: Field, mask: Mask, cut: float) -> Field:
    """Returns the coverage: one half where the field crosses its cut, whole inside the mask."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    deep = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    soft = np.where(near, np.clip(field / np.float32(2 * cut), 0, 1), 0)
    soft = np.where(mask, np.maximum(soft, 0.5), np.minimum(soft, 0.49))
    soft[deep] = 1.0
    return soft.astype(np.float32)
