"""From pixels to a measurement: the unit, and the uncertainty of the value.

The budget (GUM, JCGM 100:2008; stated expanded with k=2, as ISO 14253-1 asks of a value that is
compared with a limit). Standard uncertainties:

- Edge level: where between a quarter and three quarters of its rise an edge lies is a convention. With T the
  width of that rise in px, u = T / (2 sqrt 3), the same way on both sides, so twice in a width.
- Edge noise: the surface's unrest over the defect's contrast, times T, independent on both sides.
- Digitisation: 0.1 px per edge of a soft mask, 1 / sqrt 12 px of a plain one.
- Centre line: 1 % of its length, for what smoothing takes off and the pixel staircase adds.
- Doubt: how far the ways to cut this defect that are about as good as the best one differ, and what may be
  unseen of a dent, the same way on both sides; of a line, at its ends.
- Definition: how far sound ways to outline the same defect in a picture differ: 5 % of a length, 10 % of a
  width, 12 % of an area, about what synthesised parts of known truth show; not for a mask that is given.
- Wavering: a line's length less that of its smoothed way bounds what grain may have added, over sqrt 3.
- Direction: a roundish patch is about as wide in several directions; the spread of the lengths across them.
- Scale: half its stated expanded uncertainty; twice that in an area. A coordinate has it as a length from the
  picture's corner; with a homography in both directions, since that turns what is far off, too.
- Centre: midway between two edges, each uncertain on its own and alike, so half of what their distance has,
  along and across. A line that ends farther out by a part of its length has its centre drawn to that end by
  this part of the way. Light may show one flank of a groove alone: its middle then lies half a width aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.measurement.calibration import area_factor, map_points
from tools.measurement.outlines import covered_centres
from tools.records import Measurement, Quantity, Unit

if TYPE_CHECKING:
    from tools.records import Scale

__all__ = ["Budget", "Ruler"]

Points = NDArray[np.float64]

_DEFINITION = {Quantity.LENGTH: 0.05, Quantity.WIDTH: 0.1, Quantity.MAX_WIDTH: 0.12, Quantity.AREA: 0.12}
_ANY_ANGLE_DEG = 90 / 3**0.5  # standard uncertainty of a direction that could be any


_CORNER_PX = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # of the picture, and a pixel on in x and in y


@dataclass(frozen=True)
class Ruler:
    """Turns pixels around a place into the unit of the scale, or leaves them pixels.

    Attributes:
        factor: Units per pixel at that place.
        homography: 3x3 from pixels to mm in the picture's frame (`records.Centre`) where perspective was
            calibrated: the board's own origin and axes are those with which it happened to lie.
        relative: Standard uncertainty of the factor, as a fraction.
    """

    length_unit: Unit
    area_unit: Unit
    factor: float
    homography: NDArray[np.float64] | None
    relative: float

    @classmethod
    def at(cls, scale: Scale | None, centre_xy: Points) -> Ruler:
        """Returns the ruler for a place (x, y) in the picture; pixels without a scale."""
        if scale is None:
            return cls(Unit.PX, Unit.PX2, 1.0, None, 0.0)
        relative = scale.relative_uncertainty / 2
        if scale.homography is None:
            return cls(Unit.MM, Unit.MM2, scale.mm_per_px, None, relative)
        homography = _in_picture(np.array(scale.homography).reshape(3, 3), centre_xy)
        factor = float(np.sqrt(area_factor(homography, centre_xy[None])[0]))
        return cls(Unit.MM, Unit.MM2, factor, homography, relative)

    def level(self, points: Points) -> Points:
        """Returns points (…x2) as seen straight on, still about as large as in pixels."""
        if self.homography is None:
            return points
        return map_points(self.homography, points.reshape(-1, 2)).reshape(points.shape) / self.factor

    def area_px2(self, soft: NDArray[np.float32], offset_xy: tuple[int, int]) -> float:
        """Returns the covered area as seen straight on."""
        if self.homography is None:
            return float(soft.sum())
        centres, shares = covered_centres(soft, offset_xy)
        return float(np.sum(shares * self.weights(centres)))

    def weights(self, points: Points) -> NDArray[np.float64]:
        """Returns how large a pixel at each point (Nx2) is as seen straight on, in pixels."""
        if self.homography is None:
            return np.ones(len(points))
        weights: NDArray[np.float64] = area_factor(self.homography, points) / self.factor**2
        return weights

    def has_positions(self, points: Points) -> bool:
        """Whether points (Nx2) have a place in mm: there is a scale, and the corner shows the same plane."""
        if self.length_unit is not Unit.MM:
            return False
        if self.homography is None:
            return True
        return _is_one_side(self.homography, np.vstack([_CORNER_PX, points]))

    def position_mm(self, points: Points) -> Points:
        """Returns where points (Nx2) lie in the plane, in mm in the picture's frame; see `records.Centre`."""
        if self.homography is None:
            return points * self.factor
        return map_points(self.homography, points)

    def position_spread_mm(self, at_mm: Points) -> Points:
        """Returns what the scale adds to the standard uncertainty of x and y at a place."""
        if self.homography is None:
            return self.relative * np.abs(at_mm)
        return np.full(2, self.relative * np.linalg.norm(at_mm))


def _in_picture(homography: NDArray[np.float64], centre_xy: Points) -> NDArray[np.float64]:
    """Returns the homography laid so that directions and places are the picture's, see `records.Centre`.

    Where the picture's corner shows no place of the plane, the pixel at the centre says how x and y run.
    """
    every = np.vstack([_CORNER_PX, centre_xy])
    start = np.zeros(2) if _is_one_side(homography, every) else centre_xy
    origin, right, down = map_points(homography, start + _CORNER_PX)
    x = (right - origin) / np.linalg.norm(right - origin)
    y = np.array([-x[1], x[0]])
    if y @ (down - origin) < 0:  # the board's axes may be a mirror image of the picture's
        y = -y
    laid = np.eye(3)
    laid[:2, :2] = x, y
    laid[:2, 2] = -laid[:2, :2] @ origin
    turned: NDArray[np.float64] = laid @ homography
    return turned


def _is_one_side(homography: NDArray[np.float64], points: Points) -> bool:
    """Whether points (Nx2) lie on one side of the horizon of a plane, beyond which depth changes its sign."""
    depths = points @ homography[2, :2] + homography[2, 2]
    return bool(depths.min() > 0 or depths.max() < 0)


@dataclass(frozen=True)
class Budget:
    """What goes into every uncertainty of one finding; see the module's budget.

    Attributes:
        level_px: Standard uncertainty of where an edge's level lies.
        noise_px: Standard uncertainty of one edge on its own.
        segmented: Whether the mask was found in a picture.
        doubt_px: Standard uncertainty of where the outline lies, the same way all around: how far the ways to
            cut this defect differ.
        lower_bound: The defect runs out of the picture.
    """

    ruler: Ruler
    level_px: float
    noise_px: float
    segmented: bool
    lower_bound: bool
    doubt_px: float = 0.0

    def size(self, quantity: Quantity, value_px: float, method: str, *, own_px: float = 0.0) -> Measurement:
        """Returns a length between two edges; `own_px` is what the quantity's own method adds."""
        variance_px2 = self.extent_px2(quantity, value_px, own_px) + (self.ruler.relative * value_px) ** 2
        return self._state(
            quantity, value_px, variance_px2**0.5, self.ruler.length_unit, self.ruler.factor, method
        )

    def extent_px2(self, quantity: Quantity, value_px: float, own_px: float = 0.0) -> float:
        """Returns the variance of a length between two edges, without what its scale adds."""
        edges = 4 * self._together_px2 + 2 * self.noise_px**2
        return float(edges + own_px**2 + (self._definition(quantity) * value_px) ** 2)

    def line_middle_px2(self, width_px: float) -> float:
        """Returns the variance of where a line's middle lies across."""
        flank_px = width_px / 2 if self.segmented else 0.0
        return self.extent_px2(Quantity.WIDTH, width_px) / 4 + flank_px**2

    def area(self, value_px2: float, perimeter_px: float, method: str) -> Measurement:
        """Returns an area: its edge may lie further in or out all along, and wavers along the way."""
        edges = perimeter_px**2 * self._together_px2 + perimeter_px * self.noise_px**2
        relative = (2 * self.ruler.relative) ** 2 + self._definition(Quantity.AREA) ** 2
        spread = float(np.sqrt(edges + relative * value_px2**2))
        factor = self.ruler.factor**2
        return self._state(Quantity.AREA, value_px2, spread, self.ruler.area_unit, factor, method)

    def angle(self, angle_deg: float, longest: float, narrowest: float, method: str) -> Measurement:
        """Returns a direction: the less the shape is longer than wide, the less it has one."""
        lean = np.hypot(self.level_px, self.noise_px) * np.sqrt(2) / max(longest - narrowest, 1e-6)
        spread = min(float(np.degrees(np.arctan(lean))) + (2.0 if self.segmented else 0.0), _ANY_ANGLE_DEG)
        return Measurement(
            quantity=Quantity.ORIENTATION,
            value=angle_deg,
            unit=Unit.DEG,
            uncertainty=2 * spread,
            method=method,
        )

    @property
    def _together_px2(self) -> float:
        """What moves all edges the same way, squared."""
        return self.level_px**2 + self.doubt_px**2

    def _definition(self, quantity: Quantity) -> float:
        return _DEFINITION[quantity] if self.segmented else 0.0

    def _state(
        self, quantity: Quantity, value: float, spread: float, unit: Unit, factor: float, method: str
    ) -> Measurement:
        return Measurement(
            quantity=quantity,
            value=value * factor,
            unit=unit,
            uncertainty=2 * spread * factor,
            lower_bound=self.lower_bound,
            method=method,
        )
