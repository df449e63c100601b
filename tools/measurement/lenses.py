"""How far a lens may make a plane's homography lie, at the worst place of a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["homography_between", "map_points", "worst_lens_error"]

Points = NDArray[np.float64]

# Standard, of how far usual lenses draw a picture's corner in or out, as a fraction of its distance from the
# centre: what is taken for granted where a board is too small to show it.
_USUAL = 0.01
_CORNER_PX = 0.02  # standard, of a corner of a board, at least
_TRIED = 0.01
_PLACES = 5  # along each side of the picture, its corners among them
_STEP_PX = 0.5


def worst_lens_error(corners_px: Points, grid_mm: Points, size_px: tuple[int, int]) -> float:
    """Returns how wrong lengths may be that a homography fitted to a board's corners gives (k=2).

    A lens that draws places in or out by the cube of their distance from the picture's centre leaves its
    trace in the corners as far as no homography explains it away. That trace, and what lenses usually do,
    tell its strength and how surely; at twice its standard uncertainty to either side, the scale is compared
    in every direction over the whole picture, also where the board does not reach.

    Args:
        corners_px: Nx2, x and y from the picture's own corner.
        grid_mm: Nx2, where they lie on the board.
        size_px: Width and height of the picture.

    Returns:
        The largest error as a fraction of a length.
    """
    centre = np.array(size_px, np.float64) / 2
    radius = float(np.linalg.norm(centre))

    def straight(points: Points, strength: float) -> Points:
        off = points - centre
        drawn: Points = centre + off * (1 + strength * np.sum(off**2, axis=1, keepdims=True) / radius**2)
        return drawn

    def missed_px(strength: float) -> Points:
        seen = straight(corners_px, strength)
        missed: Points = (map_points(homography_between(grid_mm, seen), grid_mm) - seen).ravel()
        return missed

    plain = missed_px(0.0)
    trace = (missed_px(_TRIED) - plain) / _TRIED
    best = -float(trace @ plain) / max(float(trace @ trace), 1e-12)
    freedom = max(len(plain) - 9, 1)  # of which a homography takes eight, the strength one
    noise_px2 = max(float(np.sum((plain + best * trace) ** 2)) / freedom, _CORNER_PX**2)
    weight = float(trace @ trace) + noise_px2 / _USUAL**2
    strength, doubt = -float(trace @ plain) / weight, 2 * (noise_px2 / weight) ** 0.5
    flat = homography_between(corners_px, grid_mm)
    places = _places_beside(flat, corners_px, size_px)

    def error(of: float) -> float:
        true = homography_between(straight(corners_px, of), grid_mm)
        return _differences(places, flat, lambda at: map_points(true, straight(at, of)))

    return max(error(strength - doubt), error(strength + doubt))


def homography_between(start: Points, end: Points) -> Points:
    """Returns the 3x3 homography that maps points (Nx2) best onto others, as squares of distances say."""
    import cv2

    matrix, _ = cv2.findHomography(start, end)
    homography: Points = np.asarray(matrix, np.float64) / matrix[2, 2]
    return homography


def map_points(homography: Points, points: Points) -> Points:
    """Maps points (Nx2) through a 3x3 homography."""
    homogeneous = points @ homography[:, :2].T + homography[:, 2]
    mapped: Points = homogeneous[:, :2] / homogeneous[:, 2:]
    return mapped


def _places_beside(homography: Points, corners_px: Points, size_px: tuple[int, int]) -> Points:
    """Returns the board's corners and places all over the picture, less those beyond the plane's horizon."""
    sides = (np.linspace(0, side, _PLACES) for side in size_px)
    places = np.vstack([corners_px, np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)])
    depths = places @ homography[2, :2] + homography[2, 2]
    kept: Points = places[depths * depths[0] > 0.1 * depths[0] ** 2]
    return kept


def _differences(places: Points, homography: Points, true: Callable[[Points], Points]) -> float:
    """Returns the largest relative difference, at any place and in any direction, of two ways to map."""
    seen, real = (_slopes(mapped, places) for mapped in (lambda at: map_points(homography, at), true))
    stretch = np.linalg.svd(seen @ np.linalg.inv(real), compute_uv=False)
    return float(np.abs(stretch - 1).max())


def _slopes(mapped: Callable[[Points], Points], places: Points) -> NDArray[np.float64]:
    """Returns the Jacobian (Nx2x2) of a map at places (Nx2)."""
    steps = _STEP_PX * np.eye(2)
    columns = [(mapped(places + step) - mapped(places - step)) / (2 * _STEP_PX) for step in steps]
    return np.stack(columns, axis=-1)
