"""Which pixels of a box are a thin line (scratch, crack): ridges in brightness or colour, their flanks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from tools.measurement.centrelines import centre_line
from tools.measurement.profiles import fitted_stroke
from tools.measurement.surroundings import STANDS_OUT, Cut, View, own_parts, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["line"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LEVELS = (0.15, 0.22, 0.3, 0.4, 0.5)
_SCALES_PX = (0.9, 1.6)
_ANGLES = 8
_REACH_PX = 6
_SOUND = 0.15  # in score: cuts that are nearly as good as the best
_MOST_PARTS = 8
_WEAKEST_LINE = 2.5  # in deviations of the surface: grain alone reaches it here and there
_AS_WELL = 0.9  # share of what a traced way explains, from which a smooth one is the line's
_STEEPER = 3.0
_EDGE = 0.56  # share of the middle's brightness at a line's edge: between one half and what blur asks
_LEAST_NOISE = 0.1  # in Lab per px2: below it, 8-bit steps are what a smooth surface shows
_BESIDE_PX = 5  # how far from a line its halo lies
_FAINTER = 0.4  # of the line's strength: what a halo has at most, being the line's second derivative
# A box that was proposed too large is filled best by a line that goes on along the part's edge or the grain:
# of ways that reach as far the shortest is meant. In pixels, a diagonal is as long as its longer side.
_DETOUR, _STRAIGHT = 0.6, 0.7
_ARM_PX, _CORNER = 8, 0.0  # arms over which a line turns; the cosine from which it goes on as another line
_FAINT = 0.4  # of a line's contrast: what goes on fainter may be another line
_HALO = 0.5  # share of a candidate that is halo, from which it is no line of its own


@dataclass(frozen=True, eq=False)
class _Candidate:
    """One way to tell the line: what it is brighter by, and where."""

    score: float
    value: Field
    mask: Mask
    way_px: int
    noise: float


def line(view: View) -> Cut:
    """Tells thin lines (scratch, crack) from the surface, by their ridge in brightness and colour."""
    rest = _unlit(view)
    found = list(_candidates(view, rest))
    if not found:
        return Cut.nothing(view)
    whole = [max(each, key=_by_score) for each in found]
    tracks = [_without_corners(each) for each in whole]
    best = max(tracks, key=_by_score)
    cut_px = whole[tracks.index(best)].way_px - best.way_px
    sound = [each.way_px for each in chain(*found) if each.score > best.score - _SOUND]
    soft, edge_doubt_px = _drawn(view, rest, best, tracks)
    proposed = float(np.hypot(view.box[2] - view.box[0], view.box[3] - view.box[1]))
    # The proposer may have seen it go on, or have missed an end.
    unseen = (_reach_px(best.mask) - proposed) / 3**0.5
    doubts = float(np.std(sound)), unseen, cut_px / 3**0.5, _faint_px(best) / 3**0.5
    doubt_px = float(np.linalg.norm(doubts))
    return Cut(soft, best.noise, doubt_px / 2**0.5, edge_doubt_px)


def _by_score(candidate: _Candidate) -> float:
    return candidate.score


def _candidates(view: View, rest: Field) -> Iterator[list[_Candidate]]:
    """Yields, for each ridge that stands out, the ways to cut it at several levels."""
    for value, ridge, halo in _ridges(view, rest):
        peak = float(np.percentile(ridge[view.inside], 99))
        if peak < STANDS_OUT:
            continue
        found = []
        for level in _LEVELS:
            low = max(level * peak, _WEAKEST_LINE)
            mask = _linked(view, ridge, low, max(0.5 * peak, low))
            if np.count_nonzero(mask & halo) > _HALO * np.count_nonzero(mask):
                continue
            score = view.agreement(mask) + 0.3 * float(np.log(peak)) - 0.2 * abs(level - 0.3)
            way_px = _way_px(mask)
            score -= _DETOUR * float(np.log(max(way_px / max(_reach_px(mask), 1.0), _STRAIGHT)))
            found.append(_Candidate(score, value, mask, way_px, 1 / peak))
        if found:
            yield found


def _without_corners(track: _Candidate) -> _Candidate:
    """Cuts a track where it turns back, as from a scratch into the part's edge; the longest remains."""
    mask = track.mask
    line = centre_line(_line_cover(track.value, mask))
    if line is None:
        return track
    first, last = 0, len(line.path)
    while last - first > 2 * _ARM_PX:
        way = line.path[first:last]
        middle = way[_ARM_PX:-_ARM_PX]
        before, after = middle - way[: -2 * _ARM_PX], way[2 * _ARM_PX :] - middle
        sizes = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        turns = np.sum(before * after, axis=1) / np.maximum(sizes, 1e-9)
        if turns.min() > _CORNER:
            break
        corner = first + _ARM_PX + int(turns.argmin())
        first, last = (first, corner) if corner - first > last - corner else (corner, last)
    if last - first == len(line.path):
        return track
    rows, columns = np.nonzero(mask)
    nearest = cKDTree(line.path).query(np.stack([columns, rows], axis=1) + 0.5)[1]
    kept = mask.copy()
    kept[rows, columns] = (nearest >= first) & (nearest < last)
    return replace(track, mask=kept, way_px=_way_px(kept))


def _faint_px(track: _Candidate) -> int:
    """Returns how much of a line's ends is far fainter than the rest: it may be the part's edge."""
    line = centre_line(_line_cover(track.value, track.mask))
    if line is None:
        return 0
    along = map_coordinates(track.value, line.path[:, ::-1].T - 0.5, order=1, mode="nearest")
    along = gaussian_filter1d(along.astype(np.float64), _ARM_PX / 2, mode="nearest")
    clear = np.flatnonzero(along > _FAINT * np.percentile(along, 75))
    return len(along) - 1 - int(clear[-1] - clear[0]) if len(clear) else 0


def _drawn(view: View, rest: Field, best: _Candidate, tracks: list[_Candidate]) -> tuple[Field, float]:
    """Returns the line's coverage and the standard uncertainty of each edge in px.

    A smooth line is drawn from its profile, along whichever track agrees best with the proposal: one side of
    a groove, or the halo of a sharpened line, leads astray. A jagged or branched one stays as it was traced.
    """
    rough = _line_cover(best.value, best.mask)
    brightness = np.ascontiguousarray(rest[..., 0])
    strokes = [fitted_stroke(brightness, _line_cover(each.value, each.mask)) for each in tracks]
    own = strokes[tracks.index(best)]
    if own is None:
        return rough, 0.0
    traced_px = float(rough.sum()) / own.length_px
    smooth = [each for each in strokes if each and each.smoothly >= _AS_WELL * own.as_traced]
    if not smooth:
        return rough, abs(own.width_px - traced_px) / 2 / 3**0.5
    stroke = max(smooth, key=lambda each: view.agreement(each.soft >= 0.5))
    doubt_px = float(np.hypot(stroke.doubt_px, (stroke.width_px - traced_px) / 3**0.5))
    return stroke.soft, doubt_px / 2


def _way_px(mask: Mask) -> int:
    """Returns how many pixels the middle of a line has."""
    return int(np.count_nonzero(skeletonize(mask)))


def _reach_px(mask: Mask) -> float:
    """Returns the diagonal of a mask's extent."""
    _, _, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return float(np.hypot(width, height))


def _unlit(view: View) -> Field:
    """Returns the Lab values less what is wider than a line."""
    short = max(view.ring.shape)
    size = min(21, short // 2 * 2 - 1)
    coded = np.clip(
        view.lab * np.array([2.55, 1, 1], np.float32) + np.array([0, 128, 128], np.float32), 0, 255
    )
    median = cv2.medianBlur(coded.astype(np.uint8), max(size, 3)).astype(np.float32)
    wide = (median - np.array([0, 128, 128], np.float32)) / np.array([2.55, 1, 1], np.float32)
    return np.asarray(view.lab - cv2.GaussianBlur(wide, (0, 0), 3), np.float32)


def _ridges(view: View, rest: Field) -> Iterator[tuple[Field, Field, Mask]]:
    """Yields values with their ridges (lines brighter, darker, or of another colour) and halos in these."""
    brightness = np.ascontiguousarray(rest[..., 0])
    bright, dark = _ridge(brightness, view.ring)
    yield brightness, bright, _beside(dark, bright)
    yield -brightness, dark, _beside(bright, dark)
    colour = cv2.GaussianBlur(rest, (0, 0), 1.0)
    strength = np.hypot(colour[..., 1], colour[..., 2])
    noise = max(spread(strength[view.ring]), 0.3)
    strongest = strength[view.inside] > max(float(np.percentile(strength[view.inside], 97)), 4 * noise)
    if np.count_nonzero(strongest) > 5:
        mean = colour[view.inside][strongest].mean(axis=0)
        value = np.asarray(rest @ (mean / np.linalg.norm(mean)), np.float32)
        bright, dark = _ridge(value, view.ring)
        yield value, bright, _beside(dark, bright)


def _beside(strong: Field, faint: Field) -> Mask:
    """Returns where a ridge is the halo of one of the other sign: close to it and much fainter."""
    reach = 2 * _BESIDE_PX + 1
    near = cv2.dilate(strong, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return np.asarray(faint < _FAINTER * near)


def _ridge(value: Field, ring: Mask) -> tuple[Field, Field]:
    """Returns how much each pixel is the middle of a bright and of a dark line, in deviations of the surface.

    Oriented second derivatives (Steger 1998), each averaged along its direction: a faint scratch is told
    from grain by being long, and from brushing by running where the surface itself is quiet.
    """
    bright, dark = np.zeros(value.shape, np.float32), np.zeros(value.shape, np.float32)
    for scale in _SCALES_PX:
        smooth = cv2.GaussianBlur(value, (0, 0), scale)
        dxx = cv2.filter2D(smooth, -1, np.array([[-1, 2, -1]], np.float32))
        dyy = cv2.filter2D(smooth, -1, np.array([[-1], [2], [-1]], np.float32))
        dxy = cv2.filter2D(smooth, -1, np.array([[-1, 0, 1], [0, 0, 0], [1, 0, -1]], np.float32) / 4)
        for turn in range(_ANGLES):
            angle = np.pi * turn / _ANGLES
            cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
            across = cos * cos * dxx + 2 * cos * sin * dxy + sin * sin * dyy
            response = cv2.filter2D(across, -1, _stick(angle + np.pi / 2))
            response /= np.float32(max(spread(response[ring]), _LEAST_NOISE / scale**1.5))
            np.maximum(bright, response, out=bright)
            np.maximum(dark, -response, out=dark)
    return bright, dark


@cache
def _stick(angle: float) -> Field:
    """Returns an averaging kernel along a direction (radians, y down)."""
    y, x = np.mgrid[-_REACH_PX : _REACH_PX + 1, -_REACH_PX : _REACH_PX + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    off = -x * np.sin(angle) + y * np.cos(angle)
    kernel = np.exp(-((along / 3.0) ** 2) / 2 - (off / 0.7) ** 2 / 2)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _linked(view: View, ridge: Field, low: float, high: float) -> Mask:
    """Hysteresis (Canny 1986) on the ridge, then the strongest line and the parts that prolong it."""
    weak = own_parts(view, ridge > low)
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
    return np.where(near, np.clip(_STEEPER * (share - _EDGE) + 0.5, 0, 1), 0).astype(np.float32)
