"""The profile across a thin line, read along its middle: where the line truly lies and how wide it is.

A line has a colour of its own, and as a groove it has two flanks, one lit and one in shadow. A ridge sees
only one of them, a pixel beside the middle. So what is seen across the line is taken as a sum of both: a
blurred box (the colour) and its derivative (the flanks); the place and width that explain it best are the
line's.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree
from scipy.special import erf

from tools.measurement.centrelines import centre_line

__all__ = ["drawn_line"]

Field = NDArray[np.float32]
Points = NDArray[np.float64]

_BLUR_PX = 0.8  # of a picture in focus, its pixels' aperture included
_OFFSETS_PX = np.arange(-6.0, 6.01, 0.25)
_PLACES_PX = np.arange(-2.6, 2.61, 0.2)
_WIDTHS_PX = np.array([0.8, 1.2, 1.6, 2.0, 2.5, 3.0, 3.6, 4.3, 5.0, 6.0])
_WIDEST_PX = 6.0
_SHORTEST_PX = 16
_ALONG_PX = 12.0  # over which a profile is averaged: what was slid along changes slowly
_UNMOVED_PX = 0.3
_FLANKS = 0.037  # share of what is seen that flanks must explain
_JAG_ALONG_PX = 6.0
_JAGGED_PX = 0.6


def drawn_line(value: Field, soft: Field) -> tuple[Field, float]:
    """Draws a groove anew from its profile.

    Args:
        value: HxW, brightness or colour less the surface's.
        soft: HxW, a rough soft mask of the line, which may be only one of its flanks.

    Returns:
        Its soft mask, the rough one where the line has no flanks, is jagged (a crack, which shows none) or is
        not thin; and the standard uncertainty of each edge in px: the two ways to draw it bound its width.
    """
    line = centre_line(soft)
    if line is None:
        return soft, 0.0
    way = _spaced(line.path)
    smooth = gaussian_filter1d(way, _JAG_ALONG_PX, axis=0, mode="nearest")[3:-3]
    rough_px = float(soft.sum()) / len(way)
    if len(way) < _SHORTEST_PX or rough_px > _WIDEST_PX:
        return soft, 0.0
    if np.sqrt(np.mean(np.sum((way[3:-3] - smooth) ** 2, axis=1))) > _JAGGED_PX:
        return soft, 0.0
    middle, width_px, has_flanks = _fitted(value, way)
    edge_doubt_px = abs(float(width_px.mean()) - rough_px) / 2 / 3**0.5
    if has_flanks:
        return _stroke(soft.shape, middle, width_px), edge_doubt_px
    # Where the light shows no second flank, the line may be up to as wide again.
    return soft, float(np.hypot(edge_doubt_px, rough_px / 2 / 12**0.5))


def _spaced(way: Points) -> Points:
    """Returns a way with points a pixel apart."""
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    steps = np.linspace(0, at[-1], max(round(at[-1]), 2) + 1)
    return np.stack([np.interp(steps, at, way[:, 0]), np.interp(steps, at, way[:, 1])], axis=1)


def _fitted(value: Field, way: Points) -> tuple[Points, NDArray[np.float64], bool]:
    """Returns the middle (Nx2) and the width (N) that explain the profiles along a way best.

    And whether it takes flanks to explain them: else the colour of the way itself does as well.
    """
    tangents = np.gradient(way, axis=0)
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    normals = np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)
    spots = way[:, None] + _OFFSETS_PX[:, None] * normals[:, None]
    across = map_coordinates(value, (spots[..., 1] - 0.5, spots[..., 0] - 0.5), order=1, mode="nearest")
    across = gaussian_filter1d(across, _ALONG_PX, axis=0, mode="nearest")
    parts = (across @ _shapes()) ** 2  # places x widths x points of the way x (colour, flanks)
    explained = parts.sum(axis=-1)
    alone = parts[np.abs(_PLACES_PX) < _UNMOVED_PX][..., 0].max(axis=0).sum(axis=-1).max()
    has_flanks = bool(alone <= (1 - _FLANKS) * explained.max(axis=0).sum(axis=-1).max())
    width = np.argmax(gaussian_filter1d(explained.max(axis=0), _ALONG_PX, axis=-1, mode="nearest"), axis=0)
    place = np.argmax(explained[:, width, np.arange(len(way))], axis=0)
    moved = gaussian_filter1d(_PLACES_PX[place], _ALONG_PX / 3, mode="nearest")
    widths = gaussian_filter1d(_WIDTHS_PX[width], _ALONG_PX / 3, mode="nearest")
    return way + moved[:, None] * normals, widths, has_flanks


@cache
def _shapes() -> NDArray[np.float64]:
    """Returns an orthonormal pair of profiles for each place and width, orthogonal to an even surface.

    Shape: places x widths x offsets x 2.
    """
    offsets = _OFFSETS_PX[None, None] - _PLACES_PX[:, None, None]
    half = _WIDTHS_PX[None, :, None] / 2
    left, right = ((offsets + side * half) / (_BLUR_PX * 2**0.5) for side in (1, -1))
    colour = erf(left) - erf(right)
    flanks = np.exp(-(left**2)) - np.exp(-(right**2))
    even = np.ones_like(colour)
    basis, _ = np.linalg.qr(np.stack([even, colour, flanks], axis=-1))
    return np.asarray(basis[..., 1:], np.float64)


def _stroke(shape: tuple[int, ...], middle: Points, width_px: NDArray[np.float64]) -> Field:
    """Returns the coverage of a stroke with one width per point, its round ends within its length."""
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))])
    fine = np.arange(width_px[0] / 2, max(at[-1] - width_px[-1] / 2, width_px[0] / 2 + 0.1), 0.25)
    x, y, half = (np.interp(fine, at, each) for each in (middle[:, 0], middle[:, 1], width_px / 2))
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    drawn = np.zeros(shape, np.float32)
    reach = _WIDEST_PX / 2 + 1
    box = (rows > y.min() - reach) & (rows < y.max() + reach) & (columns > x.min() - reach)
    box &= columns < x.max() + reach
    distance, nearest = cKDTree(np.stack([x, y], axis=1)).query(
        np.stack([columns[box], rows[box]], axis=1), distance_upper_bound=reach
    )
    half = np.append(half, 0.0)[nearest]
    drawn[box] = np.clip(np.minimum(half - distance + 0.5, 2 * half), 0, 1)
    return drawn
