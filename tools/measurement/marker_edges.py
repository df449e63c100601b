"""Where the four edges of an ArUco marker lie, and how surely.

`cornerSubPix` looks for saddles; on the outer corner of a dark square blur draws it inwards by some tenths of
a pixel. An edge's place, as the integral of its grey profile, does not move with blur: the profile of a clean
edge is level at both ends and the same from both. Where it is not, as beside a narrow white margin, the place
is unsure. An edge is clean in light: what is written through the curve of sRGB has its blurred edges drawn
outwards, and how clean they are in either reading is all that tells whether it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MarkerFit", "fit_marker"]

# Modules to each side of an edge: wide for blur, narrow for a narrow margin.
_REACHES = (0.7, 0.5, 0.35, 0.25)
_LEAST_REACH_PX = 1.5
_ROUNDS = 3  # each begins where the one before it ended, so that the edge lies in the middle of its profile
_STEPS = 41
_ENDS = _STEPS // 7  # of a profile, that are its dark and its light
_EITHER = 0.6  # standard, of how far an edge moves from the one curve to the other
_CLIPPED = 250  # grey, from which white may have been lighter than it could be stored
_CLIPPED_SHARE = 0.22  # standard, of an edge's rise: how far it may lie inwards then
_WHITE_TOLERANCE = 0.25  # of the contrast, between the marker's own white and its margin's


class MarkerFit(NamedTuple):
    """A marker's outline.

    Attributes:
        corners: 4x2, in pixels whose centres are whole.
        uncertainty_px: Standard, of an edge's place; all edges may be out by it alike.
    """

    corners: NDArray[np.float64]
    uncertainty_px: float


class _Edge(NamedTuple):
    """A line, all of whose points @ normal are its offset, and how far its profile is from a clean edge's."""

    normal: NDArray[np.float64]
    offset: float
    uncertainty_px: float
    light: float
    dark: float


def fit_marker(grey: NDArray[np.uint8], quad: NDArray[np.float64], modules: int) -> MarkerFit | None:
    """Returns where lines fitted to a marker's edges meet; None where no white margin lies beside them.

    Args:
        grey: HxW.
        quad: 4x2, the corners as detected, clockwise as seen.
        modules: Along a side, with the marker's own dark border.
    """
    stored, light = (
        _cleanest(values, quad, modules) for values in (grey.astype(np.float32), _LIGHT_OF_SRGB[grey])
    )
    if stored is None or light is None or stored.uncertainty_px <= light.uncertainty_px:
        return stored
    # Either may be true: the middle is out by half of what they differ, at each of a side's two ends alike.
    apart_px = float(np.linalg.norm(stored.corners - light.corners, axis=1).max()) / 2**0.5
    doubt_px = float(np.hypot(stored.uncertainty_px, _EITHER * apart_px))
    return MarkerFit((stored.corners + light.corners) / 2, doubt_px)


def _light_of_srgb() -> NDArray[np.float32]:
    """Returns how much light each of the 256 values of sRGB means (IEC 61966-2-1), in [0, 255]."""
    share = np.arange(256) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return (255 * light).astype(np.float32)


_LIGHT_OF_SRGB = _light_of_srgb()


def _cleanest(values: NDArray[np.float32], quad: NDArray[np.float64], modules: int) -> MarkerFit | None:
    white = _own_white(values, quad)
    fits = [_fit(values, quad, modules, reach, white) for reach in _REACHES]
    return min(filter(None, fits), key=lambda fit: fit.uncertainty_px, default=None)


def _own_white(grey: NDArray[np.float32], quad: NDArray[np.float64]) -> float:
    """The white of the marker's own bits, as which its margin was printed."""
    import cv2

    inside = cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), np.round(quad).astype(np.int32), 1) > 0
    return float(np.percentile(grey[inside], 95))


def _fit(
    grey: NDArray[np.float32], quad: NDArray[np.float64], modules: int, share: float, white: float
) -> MarkerFit | None:
    """Fits profiles that reach a share of a module to each side; None where they show no white margin."""
    corners = quad
    for _ in range(_ROUNDS):
        edges = [
            _edge(grey, start, end, share / modules)
            for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        try:
            corners = np.stack([_meeting(edges[i - 1], edges[i]) for i in range(4)])
        except np.linalg.LinAlgError:
            return None
        moved = np.linalg.norm(corners - quad, axis=1).max()
        if moved > np.linalg.norm(quad[1] - quad[0]) / modules:  # on its way to something else
            return None
    if any(abs(white - edge.light) > _WHITE_TOLERANCE * (white - edge.dark) for edge in edges):
        return None
    return MarkerFit(corners, max(edge.uncertainty_px for edge in edges))


def _edge(
    grey: NDArray[np.float32], start: NDArray[np.float64], end: NDArray[np.float64], share: float
) -> _Edge:
    """Fits the line between two corners to profiles across it that reach a share of its length each way."""
    from scipy.ndimage import map_coordinates

    length = float(np.linalg.norm(end - start))
    reach = max(share * length, _LEAST_REACH_PX)
    along = (end - start) / length
    outwards = np.array([along[1], -along[0]])  # the corners run clockwise as seen
    at = start + np.linspace(0.1, 0.9, 41)[:, None] * (end - start)
    spots = at[:, None] + np.linspace(-reach, reach, _STEPS)[:, None] * outwards
    profiles = map_coordinates(grey, (spots[..., 1], spots[..., 0]), order=1, mode="nearest")
    dark, light = float(profiles[:, :_ENDS].mean()), float(profiles[:, -_ENDS:].mean())
    contrast = max(light - dark, 1.0)
    dark_share = np.clip((light - profiles.mean(axis=1)) / contrast, 0, 1)
    edge = at + (reach * (2 * dark_share - 1))[:, None] * outwards
    normal = np.linalg.svd(edge - edge.mean(axis=0))[2][1]
    profile = (profiles.mean(axis=0) - dark) / contrast
    lopsided = float(np.sqrt(np.mean((profile + profile[::-1] - 1) ** 2)))
    slopes = [
        abs(float(ends[:_ENDS].mean() - ends[_ENDS : 2 * _ENDS].mean())) for ends in (profile, profile[::-1])
    ]
    rise_px = 2 * reach * float(np.mean((profile > 0.1) & (profile < 0.9)))
    clipped_px = _CLIPPED_SHARE * rise_px if light >= _CLIPPED else 0.0
    unsure_px = float(np.linalg.norm([reach * lopsided, reach * max(slopes), clipped_px]))
    return _Edge(normal, float(np.median(edge @ normal)), unsure_px, light, dark)


def _meeting(one: _Edge, other: _Edge) -> NDArray[np.float64]:
    return np.linalg.solve(np.stack([one.normal, other.normal]), np.array([one.offset, other.offset]))
