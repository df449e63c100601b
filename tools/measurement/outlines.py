"""The outline of a soft mask, sub-pixel, and the callipers laid on it.

Points are (x, y) in pixels with the origin at the corner of the first pixel, as in `tools.records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon
from skimage.measure import find_contours

if TYPE_CHECKING:
    from tools.records import PointPx

__all__ = [
    "Callipers",
    "callipers",
    "covered_centres",
    "covered_pixels",
    "edge_transition_px",
    "length_spread",
    "outlines",
    "signed_area",
]

Points = NDArray[np.float64]

_EDGE = 0.5
_BAND_PX = 0.3  # a straight edge's interpolated contour wavers by less than this
_TIP_REACH_PX = 2.0
# How far a pixel's aperture draws a tip in, per curvature in 1/px: fitted on anti-aliased ellipses.
_TIP_RETRACTION_PX2 = 0.1
_SHARPEST_TIP_PER_PX = 2.5
_BLUNT_SHARE = 0.5  # of the width: an end that reaches full length over more than this is an edge, no tip


@dataclass(frozen=True)
class Callipers:
    """What callipers read on an outline, in the units of its points.

    Attributes:
        longest: Side along, of the rectangle of least width: a 10 x 4 rectangle is 10 long, not its diagonal.
        narrowest: Smallest Feret diameter, the other side of that rectangle.
        angle_deg: Direction of the longest, in [0, 180), counter-clockwise from the x axis as seen.
    """

    longest: float
    narrowest: float
    angle_deg: float


def signed_area(points: Points) -> float:
    """Returns the shoelace area of a closed outline (Nx2): its sign tells outlines from holes."""
    x, y = points.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def outlines(
    soft: NDArray[np.float32], offset_xy: tuple[float, float] = (0.0, 0.0)
) -> tuple[list[Points], list[Points]]:
    """Traces where a soft mask crosses one half.

    Bilinear interpolation places an edge to 0.08 px at worst, and on average exactly.

    Args:
        soft: HxW, share of each pixel that is covered, in [0, 1].
        offset_xy: Where the mask's first pixel lies in the picture.

    Returns:
        Closed outlines (Nx2, first point not repeated), largest first, and holes inside them.
    """
    found = find_contours(np.pad(soft, 1), _EDGE, positive_orientation="high")
    shift = np.array(offset_xy) - 0.5  # one pixel of padding, half a pixel from centre to corner
    outer: list[Points] = []
    holes: list[Points] = []
    for contour in found:
        points = contour[:-1, ::-1] + shift
        if len(points) >= 3:
            (outer if signed_area(points) < 0 else holes).append(points)
    outer.sort(key=lambda points: -abs(signed_area(points)))
    return outer, holes


def covered_centres(
    soft: NDArray[np.float32], offset_xy: tuple[int, int]
) -> tuple[Points, NDArray[np.float64]]:
    """Returns the centres (Nx2) of the pixels that a soft mask covers in part, and what share of each.

    Args:
        soft: HxW, share of each pixel that is covered, in [0, 1].
        offset_xy: Column and row of the mask's first pixel in the picture.
    """
    rows, columns = np.nonzero(soft)
    centres = np.stack([columns + offset_xy[0] + 0.5, rows + offset_xy[1] + 0.5], axis=1)
    return centres, soft[rows, columns].astype(np.float64)


def covered_pixels(
    outer: Sequence[Sequence[PointPx]], holes: Sequence[Sequence[PointPx]], height: int, width: int
) -> NDArray[np.bool_]:
    """Returns which pixels of a picture lie inside outlines, by their centres; HxW."""
    mask = np.zeros((height, width), bool)
    for lines, inside in ((outer, True), (holes, False)):
        for line in lines:
            x, y = np.array(line).T - 0.5
            rows, columns = polygon(y, x, mask.shape)
            mask[rows, columns] = inside
    return mask


def edge_transition_px(soft: NDArray[np.float32], perimeter_px: float) -> float:
    """Returns over how many pixels the edge rises from a quarter to three quarters: 0.5 where it is sharp."""
    between = np.count_nonzero(soft >= 0.25) - np.count_nonzero(soft > 0.75)
    return max(between / max(perimeter_px, 1.0), 0.5)


def callipers(points: Points) -> Callipers:
    """Lays callipers on outlines (Nx2, all parts together), first across and then along.

    The extreme vertex of an interpolated outline overstates a straight edge by its wavering and
    understates a tip that is finer than a pixel. So an edge is taken as a local least-squares parabola,
    and a tip gets back what the pixel's aperture took from it.
    """
    hull = _hull(points)
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.linalg.norm(edges, axis=1, keepdims=True)
    if not lengths.max():
        return Callipers(0.0, 0.0, 0.0)
    sides = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / lengths
    side = sides[np.argmin(np.ptp(hull @ sides.T, axis=0))]
    axis = np.array([side[1], -side[0]])
    width = _support(points, side) + _support(points, -side)
    length = _end(points, axis, width) + _end(points, -axis, width)
    angle = float(np.degrees(np.arctan2(-axis[1], axis[0])) % 180)
    return Callipers(max(length, width, 0.0), max(min(width, length), 0.0), angle)


def length_spread(points: Points, width_tolerance: float) -> float:
    """Returns the standard deviation of the length over the directions in which the width is about least.

    A roundish shape has several such directions, and another length across each.
    """
    hull = _hull(points)
    turns = np.linspace(0, np.pi, 90, endpoint=False)
    spans = np.ptp(hull @ np.stack([np.cos(turns), np.sin(turns)]), axis=0)
    lengths = np.roll(spans, -len(turns) // 2)[spans <= spans.min() + width_tolerance]
    return float(np.ptp(lengths)) / 12**0.5


def _hull(points: Points) -> Points:
    import cv2

    # OpenCV's hull works in float32: centred, that keeps 1e-5 px.
    centre = points.mean(axis=0)
    hull = cv2.convexHull((points - centre).astype(np.float32))[:, 0]
    unique = hull[np.linalg.norm(hull - np.roll(hull, -1, axis=0), axis=1) > 1e-4]
    kept = unique if len(unique) > 1 else hull[:2]
    return np.asarray(kept + centre, np.float64)


def _support(points: Points, direction: Points) -> float:
    """Returns how far the outline reaches in a direction, its wavering smoothed out."""
    reach = points @ direction
    across = points @ np.array([-direction[1], direction[0]])
    near = reach > reach.max() - _BAND_PX
    if np.count_nonzero(near) < 5:
        return float(reach.max())
    across = across[near] - across[near].mean()
    powers = np.stack([np.ones_like(across), across, across**2], axis=1)
    return float(np.max(powers @ np.linalg.lstsq(powers, reach[near])[0]))


def _end(points: Points, direction: Points, width: float) -> float:
    """Returns how far an outline of the given width reaches at its end, be that an edge or a tip."""
    reach = points @ direction
    across = points @ np.array([-direction[1], direction[0]])
    if np.ptp(across[reach > reach.max() - _BAND_PX]) > _BLUNT_SHARE * width:
        return _support(points, direction)
    return float(reach.max()) + _tip_retraction(points, direction)


def _tip_retraction(points: Points, direction: Points) -> float:
    """Returns how far the pixel's aperture drew a tip in; 0 at the corner of a blunt end."""
    reach = points @ direction
    across = points @ np.array([-direction[1], direction[0]])
    top = int(np.argmax(reach))
    across = across - across[top]
    drop = reach[top] - reach
    near = (np.abs(across) <= _TIP_REACH_PX) & (drop <= 2 * _TIP_REACH_PX)
    if min(-across[near].min(), across[near].max()) < _TIP_REACH_PX / 3:
        return 0.0
    weight = across[near] ** 2
    curvature = 2 * float(np.sum(drop[near] * weight) / np.sum(weight**2))
    return _TIP_RETRACTION_PX2 * min(curvature, _SHARPEST_TIP_PER_PX)
