from __future__ import annotations

import pytest

from tui.chat.paths import home_expanded


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("~", "/home/kim"),
        ("~/parts/*.png", "/home/kim/parts/*.png"),
        ("~photos", "~photos"),
        ("~3mm", "~3mm"),
        ("parts/~", "parts/~"),
        ("./parts", "./parts"),
        ("", ""),
    ],
)
def test_only_a_tilde_alone_is_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, typed: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    assert home_expanded(typed) == expected
