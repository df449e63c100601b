from __future__ import annotations

from pathlib import Path

import pytest

from tools.recipe.file import load_recipe, new_recipe
from tui.chat.good_names import removal_command


@pytest.mark.parametrize(
    ("recipe", "names", "command"),
    [
        ("", ["a.jpg"], "loupe good --remove a.jpg"),
        ("metal-surface", ["a.jpg"], "loupe good --remove a.jpg"),
        ("cover.yaml", ["a.jpg", "b.jpg"], "loupe good --remove a.jpg --remove b.jpg --recipe cover.yaml"),
        ("my cover.yaml", ["a.jpg (2)"], "loupe good --remove 'a.jpg (2)' --recipe 'my cover.yaml'"),
        ("cover.yaml", ["a", "b", "c", "d"], "loupe good --remove NAME --recipe cover.yaml"),
    ],
)
def test_the_command_that_takes_good_parts_out_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, names: list[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if recipe.endswith(".yaml"):
        new_recipe(Path(recipe), "Plate")
    assert removal_command(load_recipe(recipe or None), names) == command
