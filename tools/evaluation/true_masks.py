"""The labelled pixels of an image: read from mask files, or drawn from COCO's outlines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.errors import ImageError, UsageError
from tools.images import decode

__all__ = ["TrueMask", "read_mask"]


@dataclass(frozen=True)
class TrueMask:
    """Where an image shows defects, kept as it was labelled until it is asked for.

    Attributes:
        files: Masks, of one defect or of all.
        segmentations: As COCO has them: polygons, or run lengths.
    """

    files: tuple[Path, ...] = ()
    segmentations: tuple[object, ...] = ()

    def read(self, width_px: int, height_px: int) -> NDArray[np.bool_]:
        """All defects together, shape (height, width).

        Raises:
            UsageError: A mask cannot be read, or has another size than the image.
        """
        union = np.zeros((height_px, width_px), dtype=bool)
        for file in self.files:
            mask = read_mask(file)
            if mask.shape != union.shape:
                raise UsageError(
                    f"{file} is {mask.shape[1]}x{mask.shape[0]} px, its image {width_px}x{height_px}",
                    "a mask covers its image pixel by pixel",
                )
            union |= mask
        for segmentation in self.segmentations:
            union |= _drawn(segmentation, width_px, height_px)
        return union


def read_mask(file: Path) -> NDArray[np.bool_]:
    """A mask file, shape (height, width): any value above 0 is defect, as MVTec AD has it.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return np.asarray(decode(file).any(axis=2))
    except ImageError as error:
        raise UsageError(
            f"{file}: {error.message}", "a mask is an image that is 0 where all is well"
        ) from error


def _drawn(segmentation: object, width_px: int, height_px: int) -> NDArray[np.bool_]:
    from pycocotools import mask

    try:
        runs = segmentation
        if isinstance(runs, list):
            runs = mask.merge(mask.frPyObjects(runs, height_px, width_px))
        elif isinstance(runs, dict) and isinstance(runs["counts"], list):
            runs = mask.frPyObjects(runs, height_px, width_px)
        drawn = np.asarray(mask.decode(runs), dtype=bool)
    except Exception as error:  # pycocotools raises plain ones
        raise UsageError(f"a segmentation is not COCO's: {error}", "polygons or run lengths") from error
    if drawn.shape != (height_px, width_px):
        raise UsageError(
            f"a segmentation is {drawn.shape[1]}x{drawn.shape[0]} px, its image {width_px}x{height_px}",
            "annotate the image as it is shown, with its EXIF orientation applied",
        )
    return drawn
