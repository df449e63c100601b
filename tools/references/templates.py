"""The pictures without a defect that a recipe names, and what differs from them."""

from __future__ import annotations

import glob
import hashlib
import re
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from tools.checkpoints import file_sha256
from tools.errors import ImageError, UsageError
from tools.images import decode
from tools.records import Provenance
from tools.references.heat import grid_over, heat_record
from tools.references.template import Difference, template_differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tools.recipe import Recipe
    from tools.records import HeatMap, ImageRecord

__all__ = ["Templates", "heat_of"]

_STEM = re.compile(r"\{stem(?:-([^{}]*))?\}")
_HEAT_CELLS = 32  # along the image's shorter side


class Templates:
    """Finds what differs between an image and its template.

    Args:
        recipe: Names the template, relative to its own folder.

    Raises:
        UsageError: The one picture for all images does not exist.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._pattern = recipe.references.template
        self._folder = recipe.file.parent if recipe.file else Path()
        self._last: tuple[tuple[Path, int, int], NDArray[np.uint8]] | None = None
        if not _STEM.search(self._pattern) and not _lying(self._folder, self._pattern).is_file():
            raise UsageError(
                f"the template {self._folder / self._pattern} does not exist",
                "`references.template` in the recipe names a picture relative to the recipe's folder",
            )

    @property
    def provenance(self) -> Provenance:
        """Which pictures images are held against, as they are now."""
        return Provenance(tool="template", model=self._pattern, parameters={"sha256": self._sha256()})

    def has(self, record: ImageRecord) -> bool:
        """Whether there is a template of the image, be it readable or not."""
        return self._path(record).is_file()

    def differences(self, record: ImageRecord, image_rgb: NDArray[np.uint8]) -> tuple[Difference, ...]:
        """What differs from the image's template, strongest first.

        Raises:
            ImageError: The template is missing or cannot be read.
        """
        return template_differences(image_rgb, self._template(record))

    def _template(self, record: ImageRecord) -> NDArray[np.uint8]:
        path = self._path(record)
        if not path.is_file():
            raise ImageError(f"there is no template {path.name}")
        status = path.stat()
        seen = (path, status.st_size, status.st_mtime_ns)
        if self._last is None or self._last[0] != seen:
            self._last = (seen, decode(path))
        return self._last[1]

    def _path(self, record: ImageRecord) -> Path:
        stem = PurePosixPath(record.name).stem
        name = _STEM.sub(lambda found: stem.removesuffix(found[1] or ""), self._pattern)
        return _lying(self._folder, name)

    def _sha256(self) -> str:
        """Hash of the one picture for all images; else of the names and hashes of all that may be meant."""
        if not _STEM.search(self._pattern):
            return _hash_of(_lying(self._folder, self._pattern))
        before, *after = _STEM.split(self._pattern)
        fixed = [glob.escape(part) for part in (before, *after[1::2])]
        found = {
            name
            for pattern in _forms("*".join(fixed))
            # Not `Path.glob`: a recipe may name an absolute pattern.
            for name in glob.glob(pattern, root_dir=self._folder, include_hidden=True)  # noqa: PTH207
        }
        files = [name for name in sorted(found) if (self._folder / name).is_file()]
        lines = "".join(f"{name}\0{_hash_of(self._folder / name)}\n" for name in files)
        return hashlib.sha256(lines.encode()).hexdigest()


def _lying(folder: Path, name: str) -> Path:
    """The path of a name in the Unicode form in which its folders and its file lie there."""
    path = folder
    for part in Path(name).parts:
        path = next((each for form in _forms(part) if (each := path / form).exists()), path / part)
    return path


def _forms(name: str) -> tuple[str, ...]:
    """A name as it is, in NFC as people type it and images are called, and in NFD as a Mac may have it."""
    return tuple(dict.fromkeys((name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))))


def _hash_of(file: Path) -> str:
    try:
        return file_sha256(file)
    except OSError:  # gone by now, or not to be read: each image that needs it will say so
        return ""


def heat_of(differences: Sequence[Difference], record: ImageRecord, scores: Sequence[float]) -> HeatMap:
    """A heat map in which each difference has its score and all else is 0.

    Args:
        differences: Regions of the image.
        record: Size of the image.
        scores: Of the regions, in [0, 1].
    """
    width, height = record.width_px, record.height_px
    rows, columns = grid_over((width, height), _HEAT_CELLS)
    values = np.zeros((rows, columns))
    for difference, score in zip(differences, scores, strict=True):
        x_min, y_min, x_max, y_max = difference.box_xyxy_px
        across = slice(int(x_min * columns / width), int(np.ceil(x_max * columns / width)))
        down = slice(int(y_min * rows / height), int(np.ceil(y_max * rows / height)))
        values[down, across] = np.maximum(values[down, across], score)
    return heat_record(values)
