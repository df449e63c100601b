"""The outline of a soft mask, sub-pixel, and the callipers laid on it.

Points are (x, y) in pixels with the origin at the corner of the first pixel, as in `tools.records`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.measure import find_contours

__all__ = ["Callipers", "callipers", "edge_transition_px", "outlines", "signed_area"]

Points = NDArray[np.float64]

_EDGE = 0.5
_BAND_PX = 0.3  # a straight edge's interpolated contour wavers by less than this
_TIP_REACH_PX = 2.0
# How far a pixel's aperture draws a tip in, per curvature in 1/px: fitted on anti-aliased ellipses.
_TIP_RETRACTION_PX2 = 0.1
_SHARPEST_TIP_PER_PX = 2.5


@dataclass(frozen=True)
class Callipers:
    """What callipers read on an outline, in the units of its points.

    Attributes:
        longest: Largest Feret diameter (the particle length of ISO 16232).
        narrowest: Smallest Feret diameter.
        angle_deg: Direction of the largest, in [0, 180), counter-clockwise from the x axis as seen.
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


def edge_transition_px(soft: NDArray[np.float32], perimeter_px: float) -> float:
    """Returns over how many pixels the edge rises from a quarter to three quarters: 0.5 where it is sharp."""
    between = np.count_nonzero(soft >= 0.25) - np.count_nonzero(soft > 0.75)
    return max(between / max(perimeter_px, 1.0), 0.5)


def callipers(points: Points) -> Callipers:
    """Lays callipers on outlines (Nx2, all parts together).

    The extreme vertex of an interpolated outline overstates a straight edge by its wavering and
    understates a tip that is finer than a pixel. So the narrowest reading takes the edge as a local
    least-squares parabola, and the longest gives back what the pixel's aperture took from its two tips.
    """
    hull = _hull(points)
    apart = hull[:, None] - hull[None]
    first, second = np.unravel_index(np.argmax(np.sum(apart**2, axis=2)), apart.shape[:2])
    axis = hull[first] - hull[second]
    chord = float(np.linalg.norm(axis))
    if chord == 0.0:
        return Callipers(0.0, 0.0, 0.0)
    axis /= chord
    longest = chord + _tip_retraction(points, axis) + _tip_retraction(points, -axis)
    edges = np.roll(hull, -1, axis=0) - hull
    sides = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.linalg.norm(edges, axis=1, keepdims=True)
    side = sides[np.argmin(np.ptp(hull @ sides.T, axis=0))]
    narrowest = _support(points, side) + _support(points, -side)
    angle = float(np.degrees(np.arctan2(-axis[1], axis[0])) % 180)
    return Callipers(longest, max(min(narrowest, longest), 0.0), angle)


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
