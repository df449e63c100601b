from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.checkpoints import MODEL_SETS
from tools.errors import UsageError
from tools.pipeline.engines import EngineOptions, Engines
from tools.recipe.file import load_recipe
from tools.records import Provenance


def seer(tool: str) -> SimpleNamespace:
    made_by = Provenance(tool=tool)
    return SimpleNamespace(provenance=made_by, models=(made_by,))


@pytest.mark.parametrize("writers", [(), ("captioner",), ("captioner", "translate")])
def test_every_model_that_takes_part_is_named(writers: tuple[str, ...]) -> None:
    engines = Engines(load_recipe())
    parts = {name: seer(name) if name in writers else None for name in ("captioner", "translate")}
    vars(engines).update(screener=seer("screener"), localizer=seer("localizer"), **parts)
    assert [each.tool for each in engines.models] == ["screener", "localizer", *writers]


def test_the_hash_of_good_parts_is_of_those_that_are_held_against(tmp_path: Path) -> None:
    engines = Engines(load_recipe().loaded_from(tmp_path / "plate.yaml"))
    file = engines.good_parts.folder / "references.safetensors"
    file.parent.mkdir()
    seen = [engines.good_sha256]
    for content in (b"one", b"two"):
        file.write_bytes(content)
        assert engines.good_sha256 == seen[-1]
        engines.forget_good_parts()
        seen.append(engines.good_sha256)
    assert (seen[0], len(set(seen)), len(seen[1])) == ("", 3, 64)


def test_models_go_through_at_once_as_fits_them_unless_somebody_says_otherwise() -> None:
    assert EngineOptions().runtime.batch_size is None
    assert EngineOptions(batch_size=3).runtime.batch_size == 3


@pytest.mark.parametrize(
    ("asked", "of_seers"), [("auto", "auto"), ("bfloat16", "bfloat16"), ("int8", "auto"), ("int4", "auto")]
)
def test_few_bits_are_for_the_model_that_writes_not_for_those_that_see(asked: str, of_seers: str) -> None:
    assert EngineOptions(precision=asked).runtime.precision == of_seers


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11", "mps"])
@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16", "float16", "int8", "int4"])
def test_what_may_be_named(device: str, precision: str) -> None:
    for models in ("", *MODEL_SETS):
        EngineOptions(models=models, device=device, precision=precision)


@pytest.mark.parametrize(
    ("field", "name", "said"),
    [
        ("models", "foo", "no model set `foo`"),
        ("models", "Pocket", "no model set `Pocket`"),
        ("device", "foo", "no device `foo`"),
        ("device", "cpu:1", "no device `cpu:1`"),
        ("device", "", "no device ``"),
        ("precision", "foo", "no precision `foo`"),
        ("precision", "float64", "no precision `float64`"),
    ],
)
def test_what_does_not_exist_is_bad_input_before_anything_is_loaded(field: str, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        replace(EngineOptions(), **{field: name})  # type: ignore[arg-type]
    assert caught.value.hint.startswith("Choose ")
