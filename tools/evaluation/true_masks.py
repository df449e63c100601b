"""The labelled pixels of an image: read from mask files, or drawn from COCO's outlines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tools.errors import ImageError, UsageError
from tools.images import decode
from tools.images.decoding import opened, upright

__all__ = ["TrueMask", "read_mask"]


_LOSSY = frozenset({".jpg", ".jpeg"})


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

    In a JPEG, which leaves a halo around what was drawn, only values above half of the highest are.

    Where the file has transparency, what is transparent is no defect: labelling tools paint on nothing.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        mask = _stored(file)
        if mask is not None:
            return mask
        values = decode(file).max(axis=2)
        least = values.max() / 2 if file.suffix.casefold() in _LOSSY else 0
        return np.asarray(values > least)
    except ImageError as error:
        raise UsageError(
            f"{file}: {error.message}", "a mask is an image that is 0 where all is well"
        ) from error


def _stored(file: Path) -> NDArray[np.bool_] | None:
    """A mask by the values that the file holds, where a picture made of them would show other ones.

    Pictures are scaled from 16 bit, which takes small labels away, and laid on white, which marks all.

    Returns:
        Shape (height, width), orientation applied; None where the picture tells the same.

    Raises:
        ImageError: The file cannot be decoded.
    """
    with opened(file, 0) as image:
        if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
            mask = np.asarray(image) > 0
        elif image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
            mask = _painted(image)
        else:
            return None
        return np.asarray(upright(Image.fromarray(mask.astype(np.uint8)), image)) > 0


def _painted(image: Image.Image) -> NDArray[np.bool_]:
    """Where a picture with transparency is not transparent; where that tells no places, what is not black."""
    plain = {"RGBa": "RGBA", "La": "LA"}.get(image.mode)
    values = np.asarray((image.convert(plain) if plain else image).convert("RGBA"))
    visible = values[..., 3] > 0
    if visible.any() and not visible.all():
        return visible
    return np.asarray(visible & values[..., :3].any(axis=2))


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
