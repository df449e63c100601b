"""What is known of a synthesised photograph: the records that `synthesize` hands out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFECT_TYPES", "HARD_NEGATIVES", "Box", "Sample", "TrueDefect", "TrueNegative", "place_of"]

DEFECT_TYPES = ("scratch", "dent", "crack", "contamination")
HARD_NEGATIVES = ("dust", "glare", "label", "tool mark")

Box = tuple[int, int, int, int]

_PLACES = (
    ("upper-left", "top", "upper-right"),
    ("left", "centre", "right"),
    ("lower-left", "bottom", "lower-right"),
)


@dataclass(frozen=True)
class TrueDefect:
    """One defect as it was made.

    Attributes:
        type: One of `DEFECT_TYPES`.
        mask: HxW, True on the defect.
        box_xyxy_px: Tight on the mask, maximum excluded.
        length_px: Along the centre line of a scratch or crack (the trunk, where it branches), else
            the extent across the smallest Feret diameter.
        width_px: Mean width of a scratch or crack, else the smallest Feret diameter.
        area_px2: Pixels of the mask.
        place: Third of the part in each direction, e.g. `upper-left`.
    """

    type: str
    mask: NDArray[np.bool_]
    box_xyxy_px: Box
    length_mm: float
    width_mm: float
    area_mm2: float
    length_px: float
    width_px: float
    area_px2: float
    place: str


@dataclass(frozen=True)
class TrueNegative:
    """Something harmless that looks like a defect; type is one of `HARD_NEGATIVES`."""

    type: str
    box_xyxy_px: Box


@dataclass(frozen=True)
class Sample:
    """One synthesised photograph with all that is true of it.

    Attributes:
        image_rgb: HxWx3.
        part_mask: HxW, True on the part (holes excluded).
        material: Noun such as `brushed steel plate`.
        surface: Key of the material, one of `tools.forge.textures.SURFACES`.
        aruco_side_mm: Side of the DICT_4X4_50 marker in the picture; None without one.
        sentences_en: Captions that are all true of the picture, from terse to full.
    """

    seed: int
    image_rgb: NDArray[np.uint8]
    part_mask: NDArray[np.bool_]
    material: str
    surface: str
    defects: tuple[TrueDefect, ...]
    negatives: tuple[TrueNegative, ...]
    mm_per_px: float
    aruco_side_mm: float | None
    sentences_en: tuple[str, ...]


def place_of(box_xyxy_px: Box, part_box_xyxy_px: Box) -> str:
    """Returns which ninth of the part's box holds the centre of a box, e.g. `upper-left`."""
    left, top, right, bottom = part_box_xyxy_px
    x = (box_xyxy_px[0] + box_xyxy_px[2]) / 2
    y = (box_xyxy_px[1] + box_xyxy_px[3]) / 2
    column = min(2, max(0, int(3 * (x - left) / max(right - left, 1))))
    row = min(2, max(0, int(3 * (y - top) / max(bottom - top, 1))))
    return _PLACES[row][column]
