from __future__ import annotations

import pytest
from textual.theme import BUILTIN_THEMES

from tui.chat.themes import HIGH_CONTRAST, SHORT_NAMES, full_name


@pytest.mark.parametrize("name", [*SHORT_NAMES, *BUILTIN_THEMES, HIGH_CONTRAST.name])
def test_every_name_that_is_taken_is_a_theme(name: str) -> None:
    assert full_name(name) in {*BUILTIN_THEMES, HIGH_CONTRAST.name}


def test_a_name_that_is_not_known_stays_to_be_refused() -> None:
    assert full_name("no-such") == "no-such"
