"""Sets of synthesised photographs on disk that training reads again and again, made where absent."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import ImageError, UsageError
from tools.forge.truth import DEFECT_TYPES
from tools.images import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "TEST_SEED",
    "TRAINING_SEED",
    "VALIDATION_SEED",
    "Box",
    "Mark",
    "Photo",
    "ensure_set",
    "read_set",
    "tight_box",
]

# Where each kind of seed begins: what is judged was never trained on.
TRAINING_SEED, VALIDATION_SEED, TEST_SEED = 1_000_000, 2_000_000, 3_000_000

_SHARD = 250  # photographs per folder, each made by one process

Box = tuple[int, int, int, int]
"""(x_min, y_min, x_max, y_max) in pixels."""


@dataclass(frozen=True)
class Mark:
    """A defect, or a harmless mark (which has no mask).

    Attributes:
        run_lengths: COCO's uncompressed run lengths of the mask; empty for a harmless mark.
    """

    type: str
    box_xyxy_px: Box
    run_lengths: tuple[int, ...] = ()
    length_px: float = 0.0
    place: str = ""

    @property
    def is_defect(self) -> bool:
        """Whether it makes a part bad."""
        return self.type in DEFECT_TYPES


@dataclass(frozen=True)
class Photo:
    """One photograph of a set with its truth."""

    path: Path
    size_px: tuple[int, int]
    material: str
    marks: tuple[Mark, ...]

    @property
    def defects(self) -> tuple[Mark, ...]:
        """Its defects, in the order of their masks."""
        return tuple(mark for mark in self.marks if mark.is_defect)

    def pixels(self) -> NDArray[np.uint8]:
        """Decodes the photograph to uint8 RGB of shape (height, width, 3).

        Raises:
            ImageError: The file is missing or damaged.
        """
        try:
            return decode(self.path)
        except ImageError as error:
            raise ImageError(f"{self.path}: {error.message}", "make the set again") from error

    def masks(self) -> list[NDArray[np.bool_]]:
        """One mask of shape (height, width) per defect."""
        return [_unpacked(mark.run_lengths, self.size_px) for mark in self.defects]


def _unpacked(run_lengths: Sequence[int], size_px: tuple[int, int]) -> NDArray[np.bool_]:
    values = np.arange(len(run_lengths)) % 2 == 1
    flat: NDArray[np.bool_] = np.repeat(values, run_lengths)
    return flat.reshape(size_px).T


def tight_box(mask: NDArray[np.bool_]) -> Box | None:
    """Returns the box (x_min, y_min, x_max, y_max) around the true pixels; None where there are none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _xyxy(box_xywh: Sequence[float]) -> Box:
    x, y, width, height = (int(value) for value in box_xywh)
    return x, y, x + width, y + height


def _photo(folder: Path, image: dict[str, Any], annotations: Sequence[dict[str, Any]]) -> Photo:
    defects = [
        Mark(
            DEFECT_TYPES[each["category_id"] - 1],
            _xyxy(each["bbox"]),
            tuple(each["segmentation"]["counts"]),
            each["length_px"],
            each["place"],
        )
        for each in annotations
    ]
    harmless = [Mark(each["type"], _xyxy(each["bbox"])) for each in image["negatives"]]
    size_px = (int(image["width"]), int(image["height"]))
    return Photo(folder / image["file_name"], size_px, image["material"], (*defects, *harmless))


def read_set(folder: Path) -> list[Photo]:
    """Reads a set that `write_set` or `ensure_set` made, all its parts in the order of their names.

    Raises:
        UsageError: There is no `annotations.json` in the folder or below it.
    """
    photos: list[Photo] = []
    for path in sorted(folder.rglob("annotations.json")):
        coco = json.loads(path.read_text(encoding="utf-8"))
        by_image: dict[int, list[dict[str, Any]]] = {}
        for annotation in coco["annotations"]:
            by_image.setdefault(annotation["image_id"], []).append(annotation)
        photos += [_photo(path.parent, image, by_image.get(image["id"], [])) for image in coco["images"]]
    if not photos:
        raise UsageError(f"{folder} holds no set", "make one with `python -m tools.forge make`")
    return photos


def _write_shard(folder: Path, count: int, first_seed: int, defect_rate: float) -> None:
    from tools.forge.dataset import write_set

    unfinished = folder.with_name(f"{folder.name}.unfinished")
    write_set(unfinished, count, first_seed, defect_rate=defect_rate)
    unfinished.rename(folder)


def ensure_set(folder: Path, count: int, first_seed: int, *, defect_rate: float = 0.5) -> list[Photo]:
    """Reads a set, after making it on all cores where it is absent.

    Args:
        folder: Where the set is, or will be.
        count: How many photographs to make, of seeds `first_seed`, `first_seed + 1`…
        first_seed: See `TRAINING_SEED`, `VALIDATION_SEED` and `TEST_SEED`.
        defect_rate: Share of bad parts.
    """
    if not any(folder.rglob("annotations.json")):
        with ProcessPoolExecutor() as pool:
            jobs = [
                pool.submit(
                    _write_shard,
                    folder / f"{start // _SHARD:03d}",
                    min(_SHARD, count - start),
                    first_seed + start,
                    defect_rate,
                )
                for start in range(0, count, _SHARD)
            ]
            for job in jobs:
                job.result()
    return read_set(folder)
