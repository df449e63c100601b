"""In which zone of a recipe a place lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.recipe import Zone
    from tools.records import BoxXyxyPx

__all__ = ["zone_of"]


def zone_of(box_xyxy_px: BoxXyxyPx, size_px: tuple[int, int], zones: Iterable[Zone]) -> Zone | None:
    """Returns the first zone that holds a box's centre, its border included; None outside all.

    Args:
        box_xyxy_px: The box.
        size_px: Width and height of the picture.
        zones: Those of the recipe, in its order.
    """
    import cv2

    x_min, y_min, x_max, y_max = box_xyxy_px
    centre = (x_min + x_max) / 2 / size_px[0], (y_min + y_max) / 2 / size_px[1]
    for zone in zones:
        if cv2.pointPolygonTest(np.array(zone.polygon, np.float32), centre, False) >= 0:
            return zone
    return None
