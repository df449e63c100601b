from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest
from PIL import Image

from tests.tools.references.conftest import drawn_part
from tests.tools.screening.test_combined import FakeDetector, FakeWords
from tests.tui.conftest import Done
from tools.pipeline.engines import Engines
from tools.recipe import References
from tools.recipe.file import load_recipe
from tools.records import Provenance
from tools.references.backbones import TextureBackbone
from tools.references.keeping import GoodParts, reference_folder

Loupe = Callable[..., Done]


@pytest.fixture(autouse=True)
def _quick_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engines, "words", FakeWords(0.3))
    monkeypatch.setattr(Engines, "localizer", FakeDetector(0.45))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "good"
    folder.mkdir()
    for number in range(1, 5):
        Image.fromarray(drawn_part(number)).save(folder / f"part_{number}.png")
    return folder


@pytest.fixture
def recipe(tmp_path: Path, loupe: Loupe) -> Path:
    path = tmp_path / "plate.yaml"
    assert loupe("recipe", "new", str(path), "--part", "Plate").exit_code == 0
    return path


def test_good_parts_come_and_go(loupe: Loupe, photos: Path, recipe: Path) -> None:
    some = [str(photos / f"part_{number}.png") for number in (1, 2, 3)]
    first = loupe("good", *some, "--recipe", str(recipe))
    assert (first.exit_code, first.stdout.split()) == (0, ["part_1.png", "part_2.png", "part_3.png"])
    assert "3 good parts" in first.stderr
    assert "up to 0.45 sure of a defect" in first.stderr
    assert "too few" in first.stderr
    assert (recipe.parent / "plate.references" / "references.safetensors").is_file()

    more = loupe("good", str(photos), "--recipe", str(recipe))
    assert "1 added, 3 known already" in more.stderr

    (photos / "torn.png").write_bytes(b"no picture")
    again = loupe("good", str(photos), "--recipe", str(recipe), "--json")
    assert "0 added, 4 known already, 1 unreadable." in again.stderr
    assert "torn.png" in json.loads(again.stdout)["unreadable"]

    left = loupe("good", "--remove", "part_2.png", "--recipe", str(recipe))
    assert left.stdout.split() == ["part_1.png", "part_3.png", "part_4.png"]
    listed = json.loads(loupe("good", "--list", "--json", "--recipe", str(recipe)).stdout)
    assert listed["good"] == ["part_1.png", "part_3.png", "part_4.png"]

    for name in listed["good"]:
        last = loupe("good", "--remove", name, "--recipe", str(recipe), "--json")
    assert "No good parts are left" in last.stderr
    none = {"folder": str(recipe.parent / "plate.references"), "good": [], "remark": ""}
    assert json.loads(last.stdout) == none
    empty = loupe("good", "--list", "--json", "--recipe", str(recipe))
    assert (empty.exit_code, json.loads(empty.stdout)) == (0, none)
    empty = loupe("good", "--list", "--recipe", str(recipe))
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "There are no good parts" in empty.stderr


def test_a_good_part_is_taken_out_by_its_name_in_either_unicode_form(
    loupe: Loupe, tmp_path: Path, recipe: Path
) -> None:
    for number, name in enumerate(("양품하나", "둘")):
        Image.fromarray(drawn_part(number)).save(tmp_path / f"{name}.png")
    loupe("good", *map(str, sorted(tmp_path.glob("*.png"))), "--recipe", str(recipe))
    left = loupe("good", "--remove", normalize("NFD", "양품하나.png"), "--recipe", str(recipe))
    assert (left.exit_code, left.stdout.split()) == (0, ["둘.png"])
    assert loupe("good", "--remove", normalize("NFD", "둘.png"), "--recipe", str(recipe)).exit_code == 0


def test_equal_names_of_two_folders_are_two_good_parts(loupe: Loupe, tmp_path: Path, recipe: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / f"day{number}"
        folder.mkdir()
        Image.fromarray(drawn_part(number)).save(folder / "img_001.png")
        added = loupe("good", str(folder), "--recipe", str(recipe))
    assert added.stdout.splitlines() == ["img_001.png", "img_001.png (2)"]
    left = loupe("good", "--remove", "img_001.png", "--recipe", str(recipe))
    assert left.stdout.splitlines() == ["img_001.png (2)"]
    kept = GoodParts(load_recipe(recipe)).index()
    assert list(kept.notes.alarms) == list(kept.notes.paths) == list(kept.sha256s)


def test_every_page_of_a_stack_is_kept_and_found_again(loupe: Loupe, tmp_path: Path, recipe: Path) -> None:
    pages = [Image.fromarray(drawn_part(number)) for number in range(1, 5)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    for arguments in ([str(tmp_path / "stack.tif")], ["--rebuild"]):
        done = loupe("good", *arguments, "--recipe", str(recipe))
        assert done.stdout.split() == ["stack.tif", "stack.tif#2", "stack.tif#3", "stack.tif#4"]


def test_a_changed_recipe_needs_a_rebuild(loupe: Loupe, photos: Path, recipe: Path) -> None:
    loupe("good", str(photos), "--recipe", str(recipe))
    with recipe.open("a", encoding="utf-8") as file:
        file.write("\nreferences:\n  rotations: 4\n")
    refused = loupe("good", str(photos), "--recipe", str(recipe))
    assert refused.exit_code == 2
    assert "turns" in refused.stderr
    assert "--rebuild" in refused.stderr
    assert loupe("good", "--rebuild", "--recipe", str(recipe)).exit_code == 0
    kept = GoodParts(load_recipe(recipe)).load()
    assert kept.options.turns == 4
    assert len(kept.references) == 4


@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.parametrize("changed", ["overkill: 0.1", "backbone: texture + clip"])
def test_what_a_rebuild_misses_can_be_taken_out(
    loupe: Loupe, photos: Path, recipe: Path, changed: str, is_gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    loupe("good", str(photos), "--recipe", str(recipe))
    if is_gone:
        (photos / "part_1.png").unlink()
    else:
        Image.fromarray(drawn_part(99)).save(photos / "part_1.png")
    with recipe.open("a", encoding="utf-8") as file:
        file.write(f"\nreferences:\n  {changed}\n")
    refused = loupe("good", "--rebuild", "--recipe", str(recipe))
    assert refused.exit_code == 2
    said = "are no longer where they were" if is_gone else "have changed since they were added"
    assert f"1 of the 4 good images {said}: part_1.png\n" in refused.stderr
    assert "--remove NAME" in refused.stderr
    left = loupe("good", "--remove", "part_1.png", "--recipe", str(recipe))
    assert left.stdout.split() == ["part_2.png", "part_3.png", "part_4.png"]
    assert "3 good images are too few" in left.stderr
    monkeypatch.setattr(GoodParts, "backbones", lambda _: (TextureBackbone(side_px=128),))
    assert loupe("good", "--rebuild", "--recipe", str(recipe)).exit_code == 0


def test_a_detector_that_did_not_see_the_good_parts_is_told_once(
    loupe: Loupe, photos: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loupe("good", str(photos), "--recipe", str(recipe), "--detector", "mine.onnx")
    other = FakeDetector(0.45)
    other.provenance = Provenance(tool="localization", model="another")
    for out, seer, notes in (("same", FakeDetector(0.45), 0), ("other", other, 1)):
        monkeypatch.setattr(Engines, "localizer", seer)
        arguments = ["--recipe", str(recipe), "--out", str(tmp_path / out), "--no-captions", "--no-report"]
        done = loupe("inspect", str(photos), *arguments)
        assert done.stderr.count("has changed since the good parts were added") == notes
        assert done.stderr.count("loupe good --rebuild") == notes


@pytest.mark.parametrize("arguments", [[], ["--list", "--rebuild"]])
def test_one_thing_at_a_time(loupe: Loupe, recipe: Path, arguments: list[str]) -> None:
    refused = loupe("good", *arguments, "--recipe", str(recipe))
    assert refused.exit_code == 2
    assert "say one thing to do" in refused.stderr


def test_nothing_is_written_beside_a_bundled_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_HOME", str(tmp_path / "home"))
    assert reference_folder(load_recipe()) == tmp_path / "home" / "references" / "metal-surface"


@pytest.mark.parametrize(("named", "seers"), [("texture", 1), ("texture + texture", 2)])
def test_several_backbones_vote(named: str, seers: int) -> None:
    settings = References(backbone=named)
    recipe = load_recipe().model_copy(update={"references": settings})
    assert [seer.name for seer in GoodParts(recipe).backbones()] == ["texture"] * seers
