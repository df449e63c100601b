from __future__ import annotations

from pathlib import Path

import pytest

from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import write_batch
from tools.errors import UsageError
from tools.pipeline.engines import EngineOptions
from tools.recipe.file import DEFAULT_RECIPE, new_recipe


def opened(images: str | Path, recipe: str = "", *, out: Path, models: str = "") -> Session:
    options = SessionOptions(engines=EngineOptions(models=models))
    return Session([images], recipe, ScriptedModel([]), out=out, options=options)


def resumed(out: Path, models: str = "") -> Session:
    return Session.resume(
        out, ScriptedModel([]), options=SessionOptions(engines=EngineOptions(models=models))
    )


def test_a_session_is_resumed_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_batch(here / "photos", 2)
    there.mkdir()
    new_recipe(here / "cover.yaml", "cover")
    monkeypatch.chdir(here)
    opened("photos", "cover.yaml", out=tmp_path / "out").close()
    monkeypatch.chdir(there)
    with resumed(tmp_path / "out") as session:
        assert len(session.batch) == 2
        assert session.recipe.file == here / "cover.yaml"


def test_a_session_on_a_folder_at_home_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_batch(tmp_path / "photos", 2)
    opened("~/photos", DEFAULT_RECIPE, out=tmp_path / "out").close()
    with resumed(tmp_path / "out") as session:
        assert len(session.batch) == 2


def test_a_detector_that_was_named_at_the_start_is_found_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_batch(here / "photos", 2)
    (here / "pocket").mkdir()  # a set's name means the set, whatever lies here
    (here / "best.pt").touch()
    there.mkdir()
    monkeypatch.chdir(here)
    seers = EngineOptions(models="pocket", clip="openai/clip", detector="best.pt")
    options = SessionOptions(engines=seers)
    Session(["photos"], "", ScriptedModel([]), out=tmp_path / "out", options=options).close()
    with Session.resume(tmp_path / "out", ScriptedModel([]), options=options):
        pass  # named once more as before
    monkeypatch.chdir(there)
    with resumed(tmp_path / "out") as session:
        assert session.options.engines
        assert session.options.engines.named == {
            "set": "pocket",
            "clip": "openai/clip",
            "detector": str(here / "best.pt"),
        }


@pytest.mark.parametrize(
    ("began", "goes_on", "fits"),
    [
        ("standard", "", True),
        ("standard", "standard", True),
        ("", "pocket", True),
        ("standard", "pocket", False),
        ("", "standard", False),
    ],
)
def test_a_session_sees_with_the_models_that_it_began_with(
    tmp_path: Path, began: str, goes_on: str, fits: bool
) -> None:
    out = tmp_path / "out"
    write_batch(tmp_path / "photos", 2)
    opened(tmp_path / "photos", out=out, models=began).close()
    if fits:
        with resumed(out, goes_on) as session:
            assert session.options.engines
            assert session.options.engines.chosen_for(session.recipe) == {"set": began or "pocket"}
    else:
        with pytest.raises(UsageError, match="saw with other models") as refused:
            resumed(out, goes_on)
        assert f"set {began or 'pocket'}" in refused.value.hint
