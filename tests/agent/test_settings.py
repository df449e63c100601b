from __future__ import annotations

from pathlib import Path

import pytest

from agent.settings import SETTINGS, Settings, load_settings, model_choice
from tools.errors import UsageError


@pytest.mark.parametrize(
    ("given", "of_recipe", "of_site", "wins"),
    [("a", "b", "c", "a"), ("", "b", "c", "b"), ("", "", "c", "c"), ("", "", "", "pocket")],
)
def test_the_nearest_choice_wins(given: str, of_recipe: str, of_site: str, wins: str) -> None:
    assert model_choice(given, of_recipe, Settings(model=of_site)) == wins


def test_settings_are_read_from_the_folder(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()
    (tmp_path / SETTINGS).write_text('model = "./qwen"\nuser = "Kim"\nledger = false\n')
    assert load_settings(tmp_path) == Settings(model="./qwen", user="Kim", ledger=False)


@pytest.mark.parametrize(
    ("text", "what"), [("model =", "no TOML"), ("modle = 'a'", "modle"), ("model = 3", "model")]
)
def test_bad_settings_name_the_file_and_the_key(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(UsageError, match=what) as caught:
        load_settings(tmp_path)
    assert SETTINGS in caught.value.message


def test_settings_that_cannot_be_read_name_the_file(tmp_path: Path) -> None:
    (tmp_path / SETTINGS).mkdir()
    with pytest.raises(UsageError, match=r"loupe\.toml cannot be read"):
        load_settings(tmp_path)
