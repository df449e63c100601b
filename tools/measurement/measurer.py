"""From a box to sizes with uncertainty: the one place where pixels become numbers that decide.

The uncertainty budget stands in `tools.measurement.uncertainty`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.digits import plain
from tools.measurement.centrelines import CentreLine, centre_line, straightened
from tools.measurement.centres import box_centre, line_covariance, mask_centre, patch_covariance
from tools.measurement.hotspots import hotspot
from tools.measurement.methods import Method
from tools.measurement.outlines import (
    callipers,
    covered_centres,
    edge_transition_px,
    length_spread,
    outlines,
    signed_area,
)
from tools.measurement.segmentation import Segment, segment_defect
from tools.measurement.uncertainty import Budget, Ruler
from tools.records import Measurement, Provenance, Quantity
from tools.wording import stated
from tools.zones import is_coarse, is_ignored, placed

if TYPE_CHECKING:
    from tools.recipe import Recipe
    from tools.records import BoxXyxyPx, Centre, Finding, PointPx, Scale

__all__ = ["MaskReading", "Measurer", "measure_mask"]

Points = NDArray[np.float64]

_SOFT_DIGITISATION_PX = 0.1
_PLAIN_DIGITISATION_PX = 1 / 12**0.5
_CENTRE_LINE = 0.01
_BOX_UNCERTAINTY = 0.15  # standard, of a length read off a proposed box, as a fraction
_BOX_EDGE_PX = 2.0
_SMALLEST_PART_PX2 = 1.0
_OUTLINE_TOLERANCE_PX = 0.1
_TOUCHING_PX = 0.25  # from the border of the picture
_LINE_SHORT_PX = 2.5  # the same of a line: what is drawn of it ends where its ridge does, short of the border
_PLACES = (
    ("upper-left", "top", "upper-right"),
    ("left", "centre", "right"),
    ("lower-left", "bottom", "lower-right"),
)


class MaskReading(NamedTuple):
    """What is measured of a mask.

    Attributes:
        sizes: Empty where the mask is.
        centre: None where the mask is empty.
    """

    sizes: tuple[Measurement, ...] = ()
    centre: Centre | None = None


def measure_mask(
    mask: NDArray[np.float32] | NDArray[np.bool_],
    *,
    curvilinear: bool = False,
    scale: Scale | None = None,
    offset_xy: tuple[int, int] = (0, 0),
    edge_touching: bool = False,
    noise_to_contrast: float | None = None,
    end_doubt_px: float = 0.0,
    edge_doubt_px: float = 0.0,
) -> MaskReading:
    """Measures a defect whose mask is known.

    A patch is measured with callipers on its sub-pixel outline: width is the smallest Feret diameter, length
    the extent across it (the rectangle of least width that holds the patch). A thin curved defect is
    measured along its centre line: length from end to end of the longest way through it, width as area over
    length. Its centre is the centroid of what the mask covers.

    Args:
        mask: HxW; bool, or the share of each pixel that is covered, in [0, 1].
        curvilinear: Measure along the centre line.
        scale: Millimetres where given, pixels otherwise.
        offset_xy: Column and row of the mask's first pixel in the picture.
        edge_touching: The defect runs out of the picture: sizes are lower bounds.
        noise_to_contrast: Unrest of the surface over the defect's contrast, where the mask was segmented
            from a picture; None for a mask that is given.
        end_doubt_px: Standard uncertainty of where a thin curved defect ends, at each end.
        edge_doubt_px: Standard uncertainty of where an edge lies, beyond its softness, the same all around.
    """
    plain = mask.dtype == np.bool_
    soft = np.clip(mask, 0, 1).astype(np.float32)
    outer, holes = outlines(soft, offset_xy)
    line = centre_line(soft) if curvilinear and soft.sum() >= _SMALLEST_PART_PX2 else None
    if not outer and line is None:
        return MaskReading()
    ruler = Ruler.at(scale, covered_centres(soft, offset_xy)[0].mean(axis=0))
    perimeter = sum(_length(np.vstack([each, each[:1]])) for each in (*outer, *holes))
    if line is not None and not outer:  # nowhere more than half a pixel
        perimeter = 2 * sum(_length(each) for each in (line.path, *line.branches))
    rise = edge_transition_px(soft, perimeter)
    digitisation = _PLAIN_DIGITISATION_PX if plain else _SOFT_DIGITISATION_PX
    noise = float(np.hypot(digitisation, rise * min(noise_to_contrast or 0.0, 1.0)))
    segmented = noise_to_contrast is not None
    budget = Budget(ruler, rise / 12**0.5, noise, segmented, edge_touching, edge_doubt_px)
    area = ruler.area_px2(soft, offset_xy)
    if line is not None:
        sizes, covariance = _along(line, area, np.array(offset_xy, np.float64), budget, end_doubt_px)
    else:
        sizes, covariance = _across(ruler.level(np.vstack(outer)), area, perimeter, budget)
    return MaskReading(sizes, mask_centre(soft, offset_xy, covariance, ruler))


def _across(
    points: Points, area_px2: float, perimeter_px: float, budget: Budget
) -> tuple[tuple[Measurement, ...], Points]:
    """Returns what is measured of a patch, given its outlines, and its centre's covariance."""
    reading = callipers(points)
    width = budget.size(Quantity.WIDTH, reading.narrowest, Method.SMALLEST_FERET)
    ambiguous_px = (
        length_spread(points, width.uncertainty / 2 / budget.ruler.factor) if budget.segmented else 0.0
    )
    sizes = (
        budget.size(Quantity.LENGTH, reading.longest, Method.CALLIPER, own_px=ambiguous_px),
        width,
        *_areas(budget.area(area_px2, perimeter_px, Method.PIXEL_COVERAGE), budget),
        budget.angle(reading.angle_deg, reading.longest, reading.narrowest, Method.CALLIPER_DIRECTION),
    )
    covariance = patch_covariance(
        reading.angle_deg,
        budget.extent_px2(Quantity.LENGTH, reading.longest),
        budget.extent_px2(Quantity.WIDTH, reading.narrowest),
    )
    return sizes, covariance


def _along(
    line: CentreLine, area_px2: float, offset: Points, budget: Budget, end_doubt_px: float
) -> tuple[tuple[Measurement, ...], Points]:
    """Returns what is measured of a thin curved defect, and its centre's covariance."""
    level = budget.ruler.level
    path = level(line.path + offset)
    length = _length(path)
    total = length + sum(_length(level(branch + offset)) for branch in line.branches)
    chords = level(line.chords + offset)
    widest = float(np.max(np.linalg.norm(chords[:, 1] - chords[:, 0], axis=1), initial=0.0))
    width = area_px2 / total
    across = path[-1] - path[0]
    angle = float(np.degrees(np.arctan2(-across[1], across[0])) % 180)
    # The edge's level moves both edges of a line, yet hardly its ends: those count through `own_px`.
    ends = replace(budget, level_px=budget.level_px / 2, doubt_px=0.0)
    wavering_px = (length - _length(level(straightened(line.path) + offset))) if budget.segmented else 0.0
    own_px = float(
        np.linalg.norm([_CENTRE_LINE * length, 0.5 * width, end_doubt_px * 2**0.5, wavering_px / 3**0.5])
    )
    method: str = Method.SKELETON
    if line.branches:
        whole = ends.size(Quantity.LENGTH, total, method, own_px=own_px)
        method = Method.SKELETON.with_branches(len(line.branches), f"{plain(stated(whole)[0])} {whole.unit}")
    sizes = (
        ends.size(Quantity.LENGTH, length, method, own_px=own_px),
        budget.size(Quantity.WIDTH, width, Method.AREA_OVER_LENGTH),
        budget.size(Quantity.MAX_WIDTH, max(widest, width), Method.LONGEST_CHORD, own_px=0.2),
        *_areas(budget.area(area_px2, 2 * total, Method.PIXEL_COVERAGE), budget),
        budget.angle(angle, float(np.linalg.norm(across)), width, Method.END_TO_END),
    )
    covariance = line_covariance(
        path[[0, -1]] - path.mean(axis=0),
        total,
        ends.extent_px2(Quantity.LENGTH, length, own_px),
        budget.line_middle_px2(width),
    )
    return sizes, covariance


def _areas(area: Measurement, budget: Budget) -> tuple[Measurement, Measurement]:
    diameter = float(np.sqrt(4 * area.value / np.pi))
    equivalent = Measurement(
        quantity=Quantity.EQUIVALENT_DIAMETER,
        value=diameter,
        unit=budget.ruler.length_unit,
        uncertainty=diameter * area.uncertainty / (2 * area.value) if area.value else 0.0,
        lower_bound=area.lower_bound,
        method=Method.EQUAL_CIRCLE,
    )
    return area, equivalent


def _length(line: Points) -> float:
    return float(np.sum(np.linalg.norm(np.diff(line, axis=0), axis=1)))


class Measurer:
    """Measures findings: segments each inside its box, then sizes it, with uncertainty.

    Args:
        recipe: Says which types are curvilinear, and which zones the picture has.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def measure(self, image_rgb: NDArray[np.uint8], finding: Finding, scale: Scale | None) -> Finding:
        """Returns the finding with outlines, sizes, zone, place and how they came about.

        Where nothing stands out inside the box, the sizes are those of the box, with the uncertainty that
        this deserves. The box itself stays as it was proposed, but for a candidate of screening or of good
        parts, whose box is a coarse region: that becomes the one place in it that stands out, or stays
        without outline and sizes (`unsegmented` says its provenance): a region's size is none of a defect.

        Args:
            image_rgb: HxWx3, the picture in which the finding was located.
            finding: Its `contours_px`, where a detector gave some, guide the segmentation.
            scale: Millimetres where given, pixels otherwise.
        """
        started = time.perf_counter()
        if is_coarse(finding):
            spot = self._spot(image_rgb, finding)
            if spot is None:
                return self._unsegmented(image_rgb, finding, started)
            finding = finding.model_copy(update={"box_xyxy_px": spot})
        defect = self.recipe.defects.get(finding.type)
        curvilinear = defect is not None and defect.curvilinear
        height, width = image_rgb.shape[:2]
        box, hint = finding.box_xyxy_px, _hint(finding, height, width)
        segment = segment_defect(image_rgb, box, curvilinear=curvilinear, mask_hint=hint)
        outer, holes = outlines(segment.soft, segment.offset_xy)
        outer = [line for line in outer if _is_part(line)]
        near_px = _LINE_SHORT_PX if curvilinear and outer else _TOUCHING_PX
        touching = _touches(outer or [_corners(box)], height, width, near_px)
        reading = measure_mask(
            segment.soft,
            curvilinear=curvilinear,
            scale=scale,
            offset_xy=segment.offset_xy,
            edge_touching=touching,
            noise_to_contrast=segment.noise_to_contrast,
            end_doubt_px=segment.end_doubt_px,
            edge_doubt_px=segment.edge_doubt_px,
        )
        if not reading.sizes:
            outer, holes = [], []
            reading = _from_box(box, curvilinear, scale, touching)
        return finding.model_copy(
            update={
                **self._where(finding, height, width),
                "contours_px": tuple(_as_outline(line, height, width) for line in outer),
                "holes_px": tuple(_as_outline(line, height, width) for line in holes if _is_part(line)),
                "measurements": reading.sizes,
                "centre": reading.centre,
                "edge_touching": touching,
                "provenance": (*finding.provenance, _provenance(segment, curvilinear, bool(outer), started)),
            }
        )

    def _unsegmented(self, image_rgb: NDArray[np.uint8], finding: Finding, started: float) -> Finding:
        """Returns a candidate with its place alone."""
        provenance = Provenance(
            tool="measurement",
            parameters={"method": "unsegmented"},
            elapsed_s=time.perf_counter() - started,
        )
        where = self._where(finding, *image_rgb.shape[:2])
        return finding.model_copy(update={**where, "provenance": (*finding.provenance, provenance)})

    def _spot(self, image_rgb: NDArray[np.uint8], region: Finding) -> BoxXyxyPx | None:
        """Returns the one place that stands out in a coarse region.

        What stands out in an ignored zone is not why a region that is not ignored was proposed.
        """
        spot = hotspot(image_rgb, region.box_xyxy_px)
        if spot is None:
            return None
        height, width = image_rgb.shape[:2]
        zones = self.recipe.zones
        before, after = (
            is_ignored(placed(each, (width, height), zones), zones)
            for each in (region, region.model_copy(update={"box_xyxy_px": spot}))
        )
        return None if after and not before else spot

    def _where(self, finding: Finding, height: int, width: int) -> dict[str, str | None]:
        """Returns the zone of a finding, and the place of its box's centre in the picture."""
        box = finding.box_xyxy_px
        centre = (box[0] + box[2]) / 2 / width, (box[1] + box[3]) / 2 / height
        return {"zone": placed(finding, (width, height), self.recipe.zones).zone, "place": _place(centre)}


def _provenance(segment: Segment, curvilinear: bool, segmented: bool, started: float) -> Provenance:
    return Provenance(
        tool="measurement",
        parameters={
            "method": ("ridge" if curvilinear else "patch") if segmented else "box",
            "curvilinear": curvilinear,
            "noise_to_contrast": round(segment.noise_to_contrast, 4),
        },
        elapsed_s=time.perf_counter() - started,
    )


def _hint(finding: Finding, height: int, width: int) -> NDArray[np.bool_] | None:
    """Returns the detector's own mask, HxW over the picture, where it gave outlines."""
    import cv2

    if not finding.contours_px:
        return None
    canvas = np.zeros((height, width), np.uint8)
    lines = [np.round(np.array(line) - 0.5).astype(np.int32) for line in finding.contours_px]
    return np.asarray(cv2.fillPoly(canvas, lines, 1) > 0)


def _from_box(box: BoxXyxyPx, curvilinear: bool, scale: Scale | None, touching: bool) -> MaskReading:
    """Returns sizes and centre read off the box; a line is taken to run from corner to corner."""
    sides = abs(box[2] - box[0]), abs(box[3] - box[1])
    longest, narrowest = max(sides), min(sides)
    length = float(np.hypot(*sides)) if curvilinear else longest
    ruler = Ruler.at(scale, _corners(box).mean(axis=0))
    budget = Budget(ruler, 0.0, _BOX_EDGE_PX, False, touching)
    sizes = (
        budget.size(Quantity.LENGTH, length, Method.BOX, own_px=_BOX_UNCERTAINTY * length),
        budget.size(Quantity.WIDTH, narrowest, Method.BOX, own_px=2 * _BOX_UNCERTAINTY * narrowest),
    )
    across_px2, down_px2 = (
        budget.extent_px2(Quantity.LENGTH, side, _BOX_UNCERTAINTY * side) for side in sides
    )
    centre = box_centre(_corners(box), (across_px2, down_px2), ruler)
    if curvilinear:  # a box says nothing of how wide a line in it is
        return MaskReading(sizes[:1], centre)
    doubt_px = 2 * _BOX_UNCERTAINTY * (longest + narrowest)
    area = budget.area(np.pi / 4 * longest * narrowest, doubt_px, Method.BOX)
    spread = (2 * 2 * _BOX_UNCERTAINTY * area.value) ** 2 + area.uncertainty**2
    area = area.model_copy(update={"uncertainty": float(np.sqrt(spread))})
    return MaskReading((*sizes, *_areas(area, budget)), centre)


def _corners(box: BoxXyxyPx) -> Points:
    return np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])], np.float64)


def _is_part(line: Points) -> bool:
    return abs(signed_area(line)) >= _SMALLEST_PART_PX2


def _touches(lines: list[Points], height: int, width: int, near_px: float) -> bool:
    """Whether an outline meets the border of the picture."""
    every = np.vstack(lines)
    return bool(np.any(every <= near_px) or np.any(every >= np.array([width, height]) - near_px))


def _as_outline(line: Points, height: int, width: int) -> tuple[PointPx, ...]:
    """Returns an outline for a record: no point more than it takes, none outside the picture."""
    import cv2

    closed = cv2.approxPolyDP(line.astype(np.float32), _OUTLINE_TOLERANCE_PX, closed=True)[:, 0]
    kept = np.clip(closed if len(closed) >= 3 else line, 0, (width, height))
    return tuple((round(float(x), 2), round(float(y), 2)) for x, y in kept)


def _place(centre: PointPx) -> str:
    """Returns which ninth of the picture holds a point, given as fractions of width and height."""
    column, row = (min(2, max(0, int(3 * part))) for part in centre)
    return _PLACES[row][column]
