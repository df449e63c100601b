"""In which zone of a recipe a place lies, and what counts of a picture beside ignored zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.records import Origin, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tools.recipe import Zone
    from tools.records import BoxXyxyPx, Finding, HeatMap, Screening

    Points = NDArray[np.float64]

__all__ = [
    "HOT_SHARE",
    "cells_to_search",
    "hot_in_ignored_only",
    "is_coarse",
    "is_ignored",
    "placed",
    "zone_of",
]

HOT_SHARE = 0.8
"""Share of a heat map's peak from which a cell is as hot as it."""

_MOST = 0.5  # share of a coarse box that an ignored zone must exceed
_SAMPLES = 32  # along each side of a coarse box


def zone_of(
    box_xyxy_px: BoxXyxyPx, size_px: tuple[int, int], zones: Sequence[Zone], *, coarse: bool = False
) -> Zone | None:
    """Returns the first zone that holds a box's centre, its border included; None outside all.

    The centre of a coarse box says little: what is hot may lie in a ring around it. Such a box is in an
    ignored zone where that covers most of it, and only there.

    Args:
        box_xyxy_px: The box.
        size_px: Width and height of the picture.
        zones: Those of the recipe, in its order.
        coarse: Whether the box is only a rough region.
    """
    import numpy as np

    size = np.array(size_px)
    x_min, y_min, x_max, y_max = box_xyxy_px
    centre = np.array([[(x_min + x_max) / 2, (y_min + y_max) / 2]]) / size
    for zone in zones:
        if coarse and zone.ignore:
            steps = _middles(_SAMPLES)
            samples = _grid(x_min + steps * (x_max - x_min), y_min + steps * (y_max - y_min)) / size
            if _inside(zone, samples).mean() > _MOST:
                return zone
        elif _inside(zone, centre).all():
            return zone
    return None


def is_coarse(finding: Finding) -> bool:
    """Whether its box is a region of a heat map; the differences to a template are boxed to the pixel."""
    if finding.origin is Origin.REFERENCE:
        return not any(each.tool == Source.TEMPLATE for each in finding.provenance)
    return finding.origin is Origin.SCREENING


def placed(finding: Finding, size_px: tuple[int, int], zones: Sequence[Zone]) -> Finding:
    """Returns the finding with the name of the zone in which its box lies."""
    zone = zone_of(finding.box_xyxy_px, size_px, zones, coarse=is_coarse(finding))
    return finding.model_copy(update={"zone": zone.name if zone else None})


def is_ignored(finding: Finding, zones: Sequence[Zone]) -> bool:
    """Whether a finding that was placed lies in an ignored zone."""
    return any(zone.ignore for zone in zones if zone.name == finding.zone)


def cells_to_search(heat: HeatMap, calm_below: float, zones: Sequence[Zone]) -> NDArray[np.bool_]:
    """Returns which cells of a heat map say where to look: those outside ignored zones.

    Where only ignored zones are hot, theirs.

    Args:
        heat: The map.
        calm_below: Suspicion under which nothing is to be seen.
        zones: Of the recipe.
    """
    ignored = _ignored_cells(heat, zones)
    return ignored if ignored.all() or _hot_there_only(heat, calm_below, ignored) else ~ignored


def hot_in_ignored_only(screening: Screening, zones: Sequence[Zone]) -> bool:
    """Whether a heat map shows that all that is suspicious lies in ignored zones.

    The map is of one source alone: where another one is not calm either, nothing shows what that saw. What
    the detector saw are findings.
    """
    heat = screening.heat_map
    said = [each for each in screening.sources if each.decided and each.source is not Source.DETECTOR]
    if heat is None or sum(each.suspicion >= screening.calm_below for each in said) > 1:
        return False
    return _hot_there_only(heat, screening.calm_below, _ignored_cells(heat, zones))


def _hot_there_only(heat: HeatMap, calm_below: float, there: NDArray[np.bool_]) -> bool:
    import numpy as np

    values = np.reshape(heat.values, there.shape)
    peak = values[there].max(initial=0.0)
    elsewhere = values[~there].max(initial=0.0)
    return bool(there.any() and peak >= calm_below and elsewhere < min(calm_below, HOT_SHARE * peak))


def _ignored_cells(heat: HeatMap, zones: Sequence[Zone]) -> NDArray[np.bool_]:
    """Which cells have their centre in an ignored zone, shape (rows, columns); the first zone has them."""
    import numpy as np

    centres = _grid(_middles(heat.columns), _middles(heat.rows))
    ignored, free = np.zeros(len(centres), np.bool_), np.ones(len(centres), np.bool_)
    for zone in zones:
        inside = free & _inside(zone, centres)
        free &= ~inside
        if zone.ignore:
            ignored |= inside
    return ignored.reshape(heat.rows, heat.columns)


def _middles(count: int) -> Points:
    import numpy as np

    return np.asarray((np.arange(count) + 0.5) / count)


def _grid(xs: Points, ys: Points) -> Points:
    """All points (x, y), row by row."""
    import numpy as np

    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def _inside(zone: Zone, points: Points) -> NDArray[np.bool_]:
    """Which of the points lie in a zone or on its border; all are fractions of the picture."""
    import cv2
    import numpy as np

    polygon = np.array(zone.polygon, np.float32)
    return np.array([cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in points])
