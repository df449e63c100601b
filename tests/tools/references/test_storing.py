from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

from tools.errors import UsageError
from tools.references.backbones import TextureBackbone
from tools.references.options import ReferenceOptions
from tools.references.reference_set import ReferenceSet
from tools.references.storing import FILE_NAME

TEXTURE = TextureBackbone(side_px=128, cell_px=8)
KEY = "loupe_references"

Change = Callable[[dict[str, Any], dict[str, Any]], object]


def calibrated(**changes: Any) -> Change:
    """Changes what is derived: numbers, or lists of them by a function."""

    def change(index: dict[str, Any], _: dict[str, Any]) -> None:
        known = index["calibration"]
        known |= {name: made(known[name]) for name, made in changes.items()}

    return change


def cut(name: str) -> Change:
    """Takes the last row of an array away."""

    def change(_: dict[str, Any], arrays: dict[str, Any]) -> None:
        arrays[name] = arrays[name][..., :-1].copy()

    return change


CRAFTED: dict[str, Change] = {
    "fewer hashes than names": lambda index, _: index["sha256s"].pop(),
    "no references": lambda index, _: index.update(names=[], sha256s=[]),
    "no backbones": lambda index, _: index.update(backbones=[]),
    "a grid of fewer channels": cut("1.grid.0"),
    "a first grid of fewer channels": cut("0.grid.0"),
    "a grid without turns": lambda _, arrays: arrays.update({"1.grid.0": arrays["1.grid.0"][0]}),
    "edges of another size": cut("1.edges"),
    "no edges": lambda _, arrays: [arrays.pop(f"1.{name}") for name in ("edges", "grey")],
    "a frame of another size": cut("frame"),
    "no frame": lambda index, _: index.update(frame_size_px=None),
    "more experts than there are": calibrated(means=lambda means: [*means, 1.0]),
    "fewer peaks than experts": calibrated(peaks=lambda peaks: peaks[1:]),
    "no spread": calibrated(deviations=lambda deviations: [0.0] * len(deviations)),
    "no number": calibrated(threshold=lambda _: float("nan")),
    "a reference that there is not": calibrated(compared=lambda _: [0, 99]),
    "other backbones": calibrated(backbones=lambda _: 2),
}


@pytest.fixture(scope="module")
def stored(parts: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    ReferenceSet.build(parts(4), TEXTURE, ReferenceOptions(rigid=True)).save(folder)
    return folder / FILE_NAME


def write(stored: Path, folder: Path, change: Change) -> None:
    with safe_open(stored, framework="numpy") as file:
        index = json.loads(file.metadata()[KEY])
    arrays = load_file(stored)
    change(index, arrays)
    (folder / FILE_NAME).write_bytes(save(arrays, metadata={KEY: json.dumps(index)}))


def test_what_was_stored_is_read(stored: Path, tmp_path: Path, parts: Any) -> None:
    write(stored, tmp_path, lambda *_: None)
    assert len(list(ReferenceSet.load(tmp_path, TEXTURE).score(parts(2, first=70)))) == 2


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED)
def test_arrays_that_do_not_belong_to_their_index_are_damage(
    stored: Path, tmp_path: Path, change: Change
) -> None:
    write(stored, tmp_path, change)
    with pytest.raises(UsageError, match="damaged"):
        ReferenceSet.load(tmp_path, TEXTURE)


def test_an_index_nested_without_end_is_damage(stored: Path, tmp_path: Path) -> None:
    nested = save(load_file(stored), metadata={KEY: "[" * 200_000})
    (tmp_path / FILE_NAME).write_bytes(nested)
    with pytest.raises(UsageError, match="damaged"):
        ReferenceSet.load(tmp_path, TEXTURE)
