"""The profile across a thin line, read along its middle: where the line truly lies and how wide it is.

A line has a colour of its own, and as a groove it has two flanks, one lit and one in shadow. A ridge sees
only one of them, a pixel beside the middle. So what is seen across the line is taken as a sum of both: a
blurred box (the colour) and its derivative (the flanks); the place, width and blur that explain it best are
the line's (fitting a model of the whole profile: Steger, PAMI 1998). Of a line narrower than its blur, colour
and flanks together look much like the same line a little aside: its place is known to about half a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.spatial import cKDTree
from scipy.special import erf

from tools.measurement.centrelines import centre_line, normals, straightened

__all__ = ["Stroke", "fitted_stroke"]

Field = NDArray[np.float32]
Points = NDArray[np.float64]

_BLURS_PX = (0.6, 0.85, 1.1, 1.4)  # of a picture in focus and out of it, its pixels' aperture included
_OFFSETS_PX = np.arange(-6.0, 6.01, 0.5)
_PLACES_PX = np.arange(-2.5, 2.51, 0.25)
_WIDTHS_PX = np.array([0.8, 1.1, 1.4, 1.7, 2.0, 2.4, 2.8, 3.3, 3.9, 4.6, 5.5, 6.5])
_WIDEST_PX = 6.5
_SHORTEST_PX = 16
_ALONG_PX = 12.0  # over which a profile is averaged: what was slid along changes slowly
_AT_ONCE_PX = 3.0  # the same to tell a smooth line from a jagged one
_SAMPLES = 8  # that a profile counts for: its pixels are not independent
_LEAST = 1e-3  # share that no shape explains


@dataclass(frozen=True)
class Stroke:
    """A line drawn anew from its profile.

    Attributes:
        soft: HxW, share of each pixel that is covered, in [0, 1].
        length_px: Of its way.
        width_px: Mean over its length.
        doubt_px: Standard uncertainty of that width.
        smoothly: What its smooth way explains of the picture, per pixel of length.
        as_traced: The same of the way as it was traced: more, where that is rightly jagged, as a crack's is.
    """

    soft: Field
    length_px: float
    width_px: float
    doubt_px: float
    smoothly: float
    as_traced: float


@dataclass(frozen=True)
class _Fit:
    """What explains the profiles along a way best: middle (Nx2), width (N) and its doubt (N)."""

    middle: Points
    width_px: NDArray[np.float64]
    doubt_px: NDArray[np.float64]
    explained: float


def fitted_stroke(value: Field, rough: Field) -> Stroke | None:
    """Draws a line anew from its profile.

    Args:
        value: HxW, brightness or colour less the surface's.
        rough: HxW, a rough soft mask of the line, or of one of its flanks.

    Returns:
        None where the line is too short to have a profile.
    """
    line = centre_line(rough)
    if line is None:
        return None
    traced = _spaced(line.path)
    if len(traced) < _SHORTEST_PX:
        return None
    fit = _fitted(value, _spaced(straightened(traced)), _ALONG_PX)
    return Stroke(
        _stroke(value.shape, fit.middle, fit.width_px),
        float(len(fit.middle)),
        float(fit.width_px.mean()),
        float(fit.doubt_px.mean()),
        _fitted(value, _spaced(straightened(fit.middle)), _AT_ONCE_PX).explained,
        _fitted(value, traced, _AT_ONCE_PX).explained,
    )


def _spaced(way: Points) -> Points:
    """Returns a way with points a pixel apart."""
    at = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    steps = np.linspace(0, at[-1], max(round(at[-1]), 2) + 1)
    return np.stack([np.interp(steps, at, way[:, 0]), np.interp(steps, at, way[:, 1])], axis=1)


def _fitted(value: Field, way: Points, along_px: float) -> _Fit:
    """Fits the profiles along a way, each averaged over a length.

    A place and a width are as likely as they leave little unexplained (Student's, for how strong the noise is
    is unknown too); the blur is one for the whole line, the other two change slowly along it.
    """
    directions = normals(way)
    spots = way[:, None] + _OFFSETS_PX[:, None] * directions[:, None]
    across = map_coordinates(value, (spots[..., 1] - 0.5, spots[..., 0] - 0.5), order=1, mode="nearest")
    across = gaussian_filter1d(across.astype(np.float64), along_px, axis=0, mode="nearest")
    even = np.linalg.qr(np.stack([np.ones_like(_OFFSETS_PX), _OFFSETS_PX], axis=1))[0]
    across -= across @ even @ even.T
    whole = np.sum(across**2, axis=1)
    fits = [_explained(across, blur_px) for blur_px in _BLURS_PX]
    best = fits[int(np.argmin([_unexplained(fit.max(axis=(0, 1)), whole).sum() for fit in fits]))]
    likely = -_SAMPLES / 2 * _unexplained(best, whole)
    of_width = gaussian_filter1d(likely.max(axis=0), _ALONG_PX, axis=-1, mode="nearest")
    share = _normalised(of_width)
    logs = np.log(_WIDTHS_PX)
    mean = logs @ share
    doubt = np.sqrt(np.maximum(logs**2 @ share - mean**2, 0))
    of_place = likely[:, of_width.argmax(axis=0), np.arange(len(way))]
    share = _normalised(gaussian_filter1d(of_place, _ALONG_PX / 3, axis=-1, mode="nearest"))
    moved = gaussian_filter1d(_PLACES_PX @ share, _ALONG_PX / 3, mode="nearest")
    explained = float(best.max(axis=(0, 1)).mean())
    return _Fit(way + moved[:, None] * directions, np.exp(mean), np.exp(mean) * doubt, explained)


def _explained(across: NDArray[np.float64], blur_px: float) -> NDArray[np.float64]:
    """Returns what each place and width explains of each profile (points x offsets), squared."""
    parts = (across @ _shapes(blur_px)).T.reshape(len(_PLACES_PX), len(_WIDTHS_PX), 2, len(across))
    explained: NDArray[np.float64] = parts[:, :, 0] ** 2 + parts[:, :, 1] ** 2
    return explained


def _unexplained(explained: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the logarithm of what is left."""
    return np.log(np.maximum(whole - explained, 0) + _LEAST * (1 + whole))


def _normalised(likely: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the probabilities that log-likelihoods mean, over the first axis."""
    share = np.exp(likely - likely.max(axis=0))
    probability: NDArray[np.float64] = share / share.sum(axis=0)
    return probability


@cache
def _shapes(blur_px: float) -> NDArray[np.float64]:
    """Returns an orthonormal pair of profiles for each place and width, orthogonal to an even slope.

    Shape: offsets x (places, widths, 2), flattened.
    """
    offsets = _OFFSETS_PX[None, None] - _PLACES_PX[:, None, None]
    half = _WIDTHS_PX[None, :, None] / 2
    left, right = ((offsets + side * half) / (blur_px * 2**0.5) for side in (1, -1))
    colour = erf(left) - erf(right)
    flanks = np.exp(-(left**2)) - np.exp(-(right**2))
    even = np.ones_like(colour)
    basis, _ = np.linalg.qr(np.stack([even, _OFFSETS_PX * even, colour, flanks], axis=-1))
    pairs: NDArray[np.float64] = np.moveaxis(basis[..., 2:], 2, 0).reshape(len(_OFFSETS_PX), -1)
    return pairs


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
