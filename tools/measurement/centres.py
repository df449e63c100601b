"""Where the centre of a defect lies, and how surely.

Its covariance follows from the uncertainty of the sizes, see `tools.measurement.uncertainty`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.measurement.methods import Method
from tools.measurement.outlines import covered_centres
from tools.records import Centre

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.measurement.uncertainty import Ruler

__all__ = ["box_centre", "line_covariance", "mask_centre", "patch_covariance"]

Points = NDArray[np.float64]


def patch_covariance(angle_deg: float, length_variance: float, width_variance: float) -> Points:
    """Returns the covariance (2x2) of a patch's centre.

    Args:
        angle_deg: Direction of its length, counter-clockwise as seen.
        length_variance: Of its length.
        width_variance: Of its width.
    """
    angle = np.radians(angle_deg)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance: Points = axes.T @ np.diag([length_variance, width_variance]) @ axes / 4
    return covariance


def line_covariance(arms: Points, total: float, length_variance: float, side_variance: float) -> Points:
    """Returns the covariance (2x2) of a line's centre.

    Args:
        arms: 2x2, from the centre to both ends.
        total: Its length with its branches.
        length_variance: Of its length, from end to end.
        side_variance: Of where its middle lies across.
    """
    covariance: Points = length_variance / 2 / total**2 * arms.T @ arms + side_variance * np.eye(2)
    return covariance


def mask_centre(
    soft: NDArray[np.float32], offset_xy: tuple[int, int], covariance_level: Points, ruler: Ruler
) -> Centre:
    """Returns the centroid of a mask.

    Args:
        soft: HxW, share of each pixel that is covered, in [0, 1]; not empty.
        offset_xy: Column and row of the mask's first pixel in the picture.
        covariance_level: 2x2, in pixels as seen straight on (`Ruler.level`).
        ruler: At the mask.
    """
    points, shares = covered_centres(soft, offset_xy)
    at_px = np.average(points, axis=0, weights=shares)
    at_mm = None
    if ruler.has_positions(points):
        at_mm = np.average(ruler.position_mm(points), axis=0, weights=shares * ruler.weights(points))
    to_px = np.linalg.inv(_jacobian(ruler.level, at_px))
    return _centre(at_px, at_mm, to_px @ covariance_level @ to_px.T, ruler, Method.CENTROID)


def box_centre(corners: Points, side_variances_px2: tuple[float, float], ruler: Ruler) -> Centre:
    """Returns the centre of a box, where there is no mask.

    Args:
        corners: 4x2, in the picture.
        side_variances_px2: Of its extent in x and in y.
        ruler: At the box.
    """
    at_px = corners.mean(axis=0)
    at_mm = ruler.position_mm(at_px[None])[0] if ruler.has_positions(corners) else None
    return _centre(at_px, at_mm, np.diag(side_variances_px2) / 4, ruler, Method.BOX)


def _centre(
    at_px: Points, at_mm: Points | None, covariance_px2: Points, ruler: Ruler, method: Method
) -> Centre:
    spread_mm = None
    if at_mm is not None:
        to_mm = _jacobian(ruler.position_mm, at_px)
        of_scale_mm = ruler.position_spread_mm(at_mm)
        spread_mm = np.sqrt(np.diag(to_mm @ covariance_px2 @ to_mm.T) + of_scale_mm**2)
    return Centre(
        xy_px=_pair(at_px),
        uncertainty_xy_px=_pair(2 * np.sqrt(np.diag(covariance_px2))),
        xy_mm=None if at_mm is None else _pair(at_mm),
        uncertainty_xy_mm=None if spread_mm is None else _pair(2 * spread_mm),
        method=method,
    )


def _jacobian(mapped: Callable[[Points], Points], at_px: Points) -> Points:
    """Returns how a map of points (Nx2) changes over a pixel around a place: 2x2, a column per direction."""
    half_steps = np.eye(2) / 2
    jacobian: Points = (mapped(at_px + half_steps) - mapped(at_px - half_steps)).T
    return jacobian


def _pair(values: Points) -> tuple[float, float]:
    return float(values[0]), float(values[1])
