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
- Scale: half its stated expanded uncertainty; twice that in an area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tools.measurement.calibration import area_factor, map_points
from tools.records import Measurement, Quantity, Unit

if TYPE_CHECKING:
    from tools.records import Scale

__all__ = ["Budget", "Ruler"]

Points = NDArray[np.float64]

_DEFINITION = {Quantity.LENGTH: 0.05, Quantity.WIDTH: 0.1, Quantity.MAX_WIDTH: 0.12, Quantity.AREA: 0.12}
_ANY_ANGLE_DEG = 90 / 3**0.5  # standard uncertainty of a direction that could be any


@dataclass(frozen=True)
class Ruler:
    """Turns pixels around a place into the unit of the scale, or leaves them pixels.

    Attributes:
        factor: Units per pixel at that place.
        homography: 3x3 from pixels to mm where perspective was calibrated.
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
        homography = np.array(scale.homography).reshape(3, 3)
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
        rows, columns = np.nonzero(soft)
        centres = np.stack([columns + offset_xy[0] + 0.5, rows + offset_xy[1] + 0.5], axis=1)
        weights = area_factor(self.homography, centres) / self.factor**2
        return float(np.sum(soft[rows, columns] * weights))


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
        edges = 4 * self._together_px2 + 2 * self.noise_px**2
        relative = self.ruler.relative**2 + self._definition(quantity) ** 2
        spread = np.sqrt(edges + own_px**2 + relative * value_px**2)
        return self._state(
            quantity, value_px, float(spread), self.ruler.length_unit, self.ruler.factor, method
        )

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
