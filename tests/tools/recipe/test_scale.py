from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.errors import RecipeError
from tools.recipe import ArucoScale, FixedScale, TwoPointScale
from tools.recipe.scale import write_scale

NEW = FixedScale(mm_per_px=0.05, uncertainty_percent=0.5)
POINTS = TwoPointScale(points_px=((0, 0), (9, 0)), distance_mm=1, image_size_px=(40, 30))

BEFORE = "# Cover\nrecipe_version: 1\nname: cover  # keep me\npart: {name: P}\ndefects:\n  pit: {}\n"
AFTER = "\n# Zones follow\nzones: []\n"
BLOCK = "scale:\n  mm_per_px: 0.1\n  detail: {}\n    fixed camera\n\n    two lines\n"

CASES = {
    "absent": (BEFORE, BEFORE),
    "absent, no final newline": (BEFORE.rstrip("\n"), BEFORE),
    "block in the middle": (BEFORE + "scale:\n  mm_per_px: 0.1\n  detail: old\n" + AFTER, BEFORE),
    "flow in the middle": (BEFORE + "scale: {mm_per_px: 0.1}\n" + AFTER, BEFORE),
    "nested lists at the end": (
        BEFORE + "scale:\n  points_px:\n  - [1, 2]\n  - [3, 4]\n  distance_mm: 5\n",
        BEFORE,
    ),
    "null": (BEFORE + "scale: null\n" + AFTER, BEFORE),
    "literal text": (BEFORE + BLOCK.format("|") + "models: {set: pocket}\n" + AFTER, BEFORE),
    "folded text": (BEFORE + BLOCK.format(">-") + AFTER, BEFORE),
    "literal text, no final newline": (BEFORE + BLOCK.format("|").rstrip("\n"), BEFORE),
    "a scale that does not hold": (BEFORE + "scale: {points_px: [[1, 1], [1, 1]]}\n" + AFTER, BEFORE),
    "byte order mark": ("\ufeff" + BEFORE, "\ufeff" + BEFORE),
}


@pytest.mark.parametrize(("text", "kept"), CASES.values(), ids=CASES.keys())
def test_only_the_scale_changes(tmp_path: Path, text: str, kept: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    write_scale(path, NEW)
    written = path.read_text(encoding="utf-8")
    assert written.startswith(kept)
    assert written.endswith(AFTER) or AFTER not in text
    said = yaml.safe_load(written)
    assert said.pop("scale") == {"mm_per_px": 0.05, "uncertainty_percent": 0.5}
    assert written.count("scale:") == 1
    assert said == {key: value for key, value in yaml.safe_load(text).items() if key != "scale"}


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes((BEFORE + "scale: {mm_per_px: 0.2}" + AFTER).replace("\n", "\r\n").encode())
    for spec in (NEW, POINTS):
        write_scale(path, spec)
        assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") > 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"recipe_version": 1, "name": "x", "part": {"name": "P"}, "defects": {"pit": {}}}\n', "layout"),
        ("".join(f"  {line}\n" for line in BEFORE.splitlines()), "layout"),
        (BEFORE + "...\n", "layout"),
        (BEFORE + "zonez: []\n", "unknown key `zonez`"),
        (BEFORE.replace("{}", "{accept: {max_length_px: 9}}"), "does not hold beside a `scale`"),
    ],
    ids=["JSON", "indented", "document end", "no recipe", "limit in px"],
)
def test_where_a_scale_cannot_stand_nothing_is_written(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=said) as caught:
        write_scale(path, NEW)
    assert path.read_text(encoding="utf-8") == text
    assert ('"scale": {"mm_per_px": 0.05, "uncertainty_percent": 0.5}' in caught.value.hint) is (
        said == "layout"
    )


def test_writing_twice_changes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(BEFORE, encoding="utf-8")
    write_scale(path, ArucoScale(aruco_side_mm=10))
    once = path.read_text(encoding="utf-8")
    write_scale(path, ArucoScale(aruco_side_mm=10))
    assert path.read_text(encoding="utf-8") == once


@pytest.mark.parametrize("text", ["", "- a list\n", "a: [\n"])
def test_what_is_no_recipe_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match="recipe"):
        write_scale(path, NEW)
    assert path.read_text(encoding="utf-8") == text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="gone"):
        write_scale(tmp_path / "gone.yaml", NEW)
