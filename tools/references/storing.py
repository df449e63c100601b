"""A reference set on disk: one safetensors file beside the recipe, float16, with the backbones' hashes."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from tools.errors import ModelError, OutputError, UsageError
from tools.records import Record
from tools.references.calibration import Calibration
from tools.references.layout import View
from tools.references.options import Notes, ReferenceOptions
from tools.references.reference_set import SHAPED_REFERENCES, Reference
from tools.references.registration import Frame
from tools.writing import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.references.backbones import Backbone
    from tools.references.reference_set import ReferenceSet

__all__ = ["FILE_NAME", "Index", "load", "read_index", "save"]

FILE_NAME = "references.safetensors"

_KEY = "loupe_references"


class _Seer(Record):
    """A backbone, so far as its features depend on it; stands for it where nothing new is looked at."""

    name: str
    weights_sha256: str | None
    parameters: dict[str, int]

    @classmethod
    def of(cls, backbone: Backbone) -> _Seer:
        return cls(name=backbone.name, weights_sha256=backbone.weights_sha256, parameters=backbone.parameters)

    def features(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise ModelError(f"{self.name} was not loaded, so it sees nothing", "load the references with it")


class Index(Record):
    """Everything of a set but its arrays.

    Attributes:
        names: Per reference, in the order in which they were given.
        sha256s: Their `picture_key`s: of a file's first page its hash.
    """

    version: int = Field(default=1, le=1)
    options: ReferenceOptions
    backbones: tuple[_Seer, ...]
    names: tuple[str, ...]
    sha256s: tuple[str, ...]
    frame_size_px: tuple[int, int] | None
    calibration: Calibration
    notes: Notes = Notes()


def save(references: ReferenceSet, folder: Path) -> None:
    """Writes a set; a reader sees the old file or the new one, never half of it.

    Raises:
        OutputError: The folder cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    index = Index(
        options=references.options,
        backbones=tuple(_Seer.of(backbone) for backbone in references.backbones),
        names=tuple(each.name for each in references.references),
        sha256s=tuple(each.picture_key for each in references.references),
        frame_size_px=references.frame.size_px if references.frame else None,
        calibration=references.calibration,
        notes=references.notes,
    )
    # Not pydantic's JSON: a path whose bytes are no UTF-8 goes through as Python has it.
    told = json.dumps(index.model_dump(mode="json"), separators=(",", ":"))
    content = to_bytes(_arrays(references), metadata={_KEY: told})
    target = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(target, content)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror}", "check the folder's rights and the free space"
        ) from error


def load(
    folder: Path, backbones: Sequence[Backbone] | None
) -> tuple[list[Reference], tuple[Backbone, ...], ReferenceOptions, Frame | None, Calibration, Notes]:
    """Reads what `save` wrote, as the arguments of a `ReferenceSet`; without backbones it cannot score.

    Raises:
        UsageError: There is none, or it is damaged.
        ModelError: It was made with other backbones, whose features cannot be compared.
    """
    from safetensors.numpy import load_file

    index = read_index(folder)
    with _sound(folder / FILE_NAME):
        arrays = load_file(folder / FILE_NAME)
        references = [_reference(number, index, arrays) for number in range(len(index.names))]
        frame = Frame(index.frame_size_px, arrays["frame"]) if index.frame_size_px else None
        if not _fit(references, frame, index):
            raise ValueError("its arrays and its index do not belong together")
    if backbones is None:
        backbones = index.backbones
    elif index.backbones != tuple(_Seer.of(backbone) for backbone in backbones):
        made_with = ", ".join(_told(seer) for seer in index.backbones)
        raise ModelError(
            f"the references in {folder} were made with {made_with}, not with what sees now",
            "build them again from the images, or use the same checkpoints",
        )
    return references, tuple(backbones), index.options, frame, index.calibration, index.notes


def read_index(folder: Path) -> Index:
    """Reads everything of a set but its arrays.

    Raises:
        UsageError: There is none, or it is damaged.
    """
    from safetensors import safe_open

    path = folder / FILE_NAME
    if not path.is_file():
        raise UsageError(f"there are no references in {folder}", "name good images first")
    with _sound(path), safe_open(path, framework="numpy") as file:
        return Index.model_validate(json.loads((file.metadata() or {})[_KEY]))


@contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Turns whatever a damaged file raises into an error that names it."""
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, LookupError, ValueError, OSError, RecursionError) as error:
        raise UsageError(
            f"{path} is damaged or was written by another version", "build the references again"
        ) from error


def _arrays(references: ReferenceSet) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    if references.frame is not None:
        arrays["frame"] = references.frame.edges
    for number, each in enumerate(references.references):
        for seer, grid in enumerate(each.grids):
            arrays[f"{number}.grid.{seer}"] = grid
        if each.view is not None:
            arrays[f"{number}.edges"] = each.view.edges.astype(np.float16)
            arrays[f"{number}.grey"] = each.view.grey.astype(np.float16)
        if each.mask is not None:
            arrays[f"{number}.mask"] = each.mask
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _reference(number: int, index: Index, arrays: dict[str, NDArray[Any]]) -> Reference:
    view = None
    if f"{number}.edges" in arrays:
        edges, grey = (arrays[f"{number}.{name}"].astype(np.float32) for name in ("edges", "grey"))
        view = View(edges, grey)
    return Reference(
        name=index.names[number],
        picture_key=index.sha256s[number],
        grids=tuple(arrays[f"{number}.grid.{seer}"] for seer in range(len(index.backbones))),
        view=view,
        mask=arrays.get(f"{number}.mask"),
    )


def _fit(references: Sequence[Reference], frame: Frame | None, index: Index) -> bool:
    """Whether what was read has the lengths and shapes that scoring relies on."""
    calibration, count, seers = index.calibration, len(references), len(index.backbones)
    has_layout = frame is not None and index.options.layout and count > 1
    experts = seers + has_layout * (1 + (count >= SHAPED_REFERENCES))
    return (
        0 < count == len(index.sha256s)
        and 0 < seers == calibration.backbones
        and {len(calibration.means), len(calibration.deviations), len(calibration.peaks)} == {experts}
        and all(math.isfinite(each) for each in (*calibration.means, *calibration.peaks))
        and all(0 < each < math.inf for each in (*calibration.deviations, calibration.threshold))
        and all(0 <= number < count for number in calibration.compared)
        and all(_is_like(references[0], each, frame, index.options) for each in references)
    )


def _is_like(first: Reference, other: Reference, frame: Frame | None, options: ReferenceOptions) -> bool:
    """Whether a reference has the shapes of another: of free parts pictures may differ in size."""
    for ours, theirs in zip(first.grids, other.grids, strict=True):
        alike = ours.shape == theirs.shape if frame else ours.shape[-1] == theirs.shape[-1]
        if theirs.ndim != 4 or len(theirs) != (1 if frame else options.turns) or not theirs.size or not alike:
            return False
    if other.mask is not None and other.mask.shape != other.grids[0].shape[1:3]:
        return False
    if frame is None or other.view is None:
        return frame is None and other.view is None
    return other.view.edges.shape == other.view.grey.shape == frame.edges.shape


def _told(seer: _Seer) -> str:
    return f"{seer.name} ({seer.weights_sha256[:12]})" if seer.weights_sha256 else seer.name
