from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.conftest import Done
from tools.evaluation.labelled_sets import read_labelled_set
from tools.pipeline.engines import Engines
from tools.pipeline.fixed import Pipeline
from tools.recipe.file import load_recipe
from tui.evaluating import drawn_good

Loupe = Callable[..., Done]

BATCH = Path(__file__).parents[2] / "examples" / "batch"


def test_figures_of_a_folder_per_class(loupe: Loupe, tmp_path: Path) -> None:
    for name, number in (("good", 1), ("good", 4), ("crack", 8), ("scratch", 22)):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(BATCH / f"cover_{number:03d}.jpg", folder)
    done = loupe("eval", tmp_path / "set", "--json", "--quiet", "--noun", "metal cover")
    figures = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (figures["good"], figures["defect"]) == (2, 2)
    assert 0 <= figures["screening"]["auroc"] <= 1
    assert figures["localization"] is None
    assert figures["pipeline"] is None
    shown = loupe("eval", tmp_path / "set", "--noun", "metal cover", "--verdicts").stdout
    assert "2 good, 2 defect" in shown
    assert "escape = accepted" in shown
    assert " of 2; 95 %" in shown.split("Verdicts")[1]


def test_verdicts_are_those_of_an_inspection_with_its_captions(
    loupe: Loupe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioned: list[bool] = []

    class Watched(Engines):
        def pipeline(self) -> Pipeline:
            captioned.append(self.recipe.captioning.enabled)
            return super().pipeline()

    monkeypatch.setattr("tui.evaluating.Engines", Watched)
    for name, number in (("good", 1), ("crack", 8)):
        (tmp_path / "set" / name).mkdir(parents=True)
        shutil.copy(BATCH / f"cover_{number:03d}.jpg", tmp_path / "set" / name)
    assert loupe("eval", tmp_path / "set", "--verdicts").exit_code == 0
    assert captioned == [True]


def test_a_captioner_that_verdicts_lack_is_told_before_anything_is_evaluated(
    loupe: Loupe, tmp_path: Path
) -> None:
    for name, number in (("good", 1), ("crack", 8)):
        (tmp_path / "set" / name).mkdir(parents=True)
        shutil.copy(BATCH / f"cover_{number:03d}.jpg", tmp_path / "set" / name)
    recipe = tmp_path / "cover.yaml"
    loupe("recipe", "new", recipe, "--part", "Cover")
    text = recipe.read_text("utf-8")
    recipe.write_text(text.replace("models:\n", "models:\n  blip: ./lost\n", 1), "utf-8")
    done = loupe("eval", tmp_path / "set", "--recipe", recipe, "--verdicts")
    assert (done.exit_code, done.stdout) == (4, "")
    assert "lost" in done.stderr
    assert "Loading models" not in done.stderr


def test_a_folder_without_labels_says_what_is_accepted(loupe: Loupe, tmp_path: Path) -> None:
    shutil.copy(BATCH / "cover_001.jpg", tmp_path)
    done = loupe("eval", tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "good" in done.stderr


def test_drawn_good_images_are_references_and_no_test(loupe: Loupe, tmp_path: Path) -> None:
    for name, number in (("good", 1), ("good", 4), ("good", 7), ("crack", 8)):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(BATCH / f"cover_{number:03d}.jpg", folder)
    shown = loupe("eval", tmp_path / "set", "--noun", "metal cover", "--good", "2", "--verdicts").stdout
    assert "1 good, 1 defect" in shown
    assert "2 good images left out: they serve as good parts" in shown
    assert " of 1; 95 %" in shown.split("Verdicts")[1].split("overkill")[-1]
    assert "references alone: AUROC" in " ".join(shown.split())
    assert "references: texture" in " ".join(shown.split())
    assert "no threshold is proposed: that of drawn good parts moves along" in shown
    done = loupe("eval", tmp_path / "set", "--good", "3")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "at most 2" in done.stderr


def test_a_template_is_found_beside_the_recipe_whatever_stands_for_its_good_parts(
    loupe: Loupe, tmp_path: Path
) -> None:
    for name, number in (("good", 1), ("good", 4), ("crack", 8)):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(BATCH / f"cover_{number:03d}.jpg", folder)
    shutil.copy(BATCH / "cover_001.jpg", tmp_path / "golden.jpg")
    recipe = tmp_path / "cover.yaml"
    loupe("recipe", "new", recipe, "--part", "Cover")
    with recipe.open("a", encoding="utf-8") as file:
        file.write("\nreferences:\n  template: golden.jpg\n")
    done = loupe("eval", tmp_path / "set", "--recipe", recipe, "--good", "1", "--json", "--quiet")
    assert (done.exit_code, done.stderr) == (0, "")
    figures = json.loads(done.stdout)
    assert [each["source"] for each in figures["sources"]] == ["words", "references", "template"]
    assert figures["recipe_sha256"] == load_recipe(recipe).sha256


def test_a_draw_is_the_same_each_time(tmp_path: Path) -> None:
    for number in range(6):
        folder = tmp_path / "good"
        folder.mkdir(exist_ok=True)
        shutil.copy(BATCH / "cover_001.jpg", folder / f"{number}.jpg")
    labelled = read_labelled_set(tmp_path)
    assert drawn_good(labelled, 3, 1) == drawn_good(labelled, 3, 1)
    assert drawn_good(labelled, 3, 1) != drawn_good(labelled, 3, 2)
