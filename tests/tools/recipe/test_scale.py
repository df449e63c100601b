from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tools.errors import RecipeError
from tools.recipe import ArucoScale, FixedScale
from tools.recipe.scale import write_scale

NEW = FixedScale(mm_per_px=0.05, uncertainty_percent=0.5)

BEFORE = "# Cover, front side\nname: cover  # keep me\n"
AFTER = "\n# Zones follow\nzones: []\n"

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
}


@pytest.mark.parametrize(("text", "kept"), CASES.values(), ids=CASES.keys())
def test_only_the_scale_changes(tmp_path: Path, text: str, kept: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    write_scale(path, NEW)
    written = path.read_text(encoding="utf-8")
    assert written.startswith(kept)
    assert written.endswith(AFTER) or AFTER not in text
    assert yaml.safe_load(written)["scale"] == {"mm_per_px": 0.05, "uncertainty_percent": 0.5}
    assert written.count("scale:") == 1


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
