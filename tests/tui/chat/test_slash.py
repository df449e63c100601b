from __future__ import annotations

from pathlib import Path

import pytest

from tui.chat.keys import KEYS, hints_at
from tui.chat.slash import COMMANDS, complete, dropped_paths, parse, without_mentions
from tui.chat.words import WORDS

VALUES = {"ids": ["img_001", "img_002", "img_012"], "themes": ["textual-dark", "ansi-dark"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/inspect", ("inspect", [])),
        ("  /LOOK @img_004 ", ("look", ["img_004"])),
        ("/inspect img_001, img_002", ("inspect", ["img_001", "img_002"])),
        ("/", ("", [])),
        ("/open 'my parts' b", ("open", ["my parts", "b"])),
        ("/report O'Neil", ("report", ["O'Neil"])),
        (r"/open my\ parts #2", ("open", ["my parts", "#2"])),
        (r"/open C:\parts\new", ("open", [r"C:\parts\new"])),
        (r"/open 'D:\my parts' b", ("open", [r"D:\my parts", "b"])),
        ("inspect /everything", None),
        ("/inspect\nand more", None),
    ],
)
def test_a_command_is_told_from_a_request(text: str, expected: tuple[str, list[str]] | None) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/in", ["/inspect"]),
        ("/look 1", ["img_001", "img_012"]),
        ("/look 01", ["img_001", "img_012"]),
        ("/inspect img_001 2", ["img_002", "img_012"]),
        ("/inspect img_001 ", []),
        ("/theme da", ["textual-dark", "ansi-dark"]),
        ("/language k", ["ko"]),
        ("why is @2", ["@img_002", "@img_012"]),
        ("why is 2", []),
        ("/nothing x", []),
    ],
)
def test_what_is_offered_fits_the_word_before_the_cursor(before: str, expected: list[str]) -> None:
    offers = complete(before, VALUES)
    assert [offer.text for offer in offers] == expected
    assert all(before[len(before) - offer.replaces :].strip() == before.split()[-1] for offer in offers)


@pytest.mark.parametrize(
    ("before", "is_other"),
    [
        ("/recipe cover.yaml", True),
        ("/recipe cover", False),
        ("/look img_001", None),
        ("/look img_01", False),
    ],
)
def test_what_is_whole_as_it_stands_is_told_from_what_is_still_to_be_completed(
    before: str, is_other: bool | None
) -> None:
    offers = complete(before, {**VALUES, "recipes": ["cover.yaml", "painted-cover.yaml"]})
    assert {offer.is_other for offer in offers} == (set() if is_other is None else {is_other})


def test_an_empty_slash_offers_every_command_with_its_explanation() -> None:
    offers = complete("/", VALUES)
    assert len(offers) == len(COMMANDS)
    assert all(offer.key in WORDS for offer in offers)


def test_mentions_become_ids_and_addresses_stay() -> None:
    said = without_mentions("@img_004 like @img_005-1, ask me@img.com")
    assert said == "img_004 like img_005-1, ask me@img.com"


@pytest.mark.parametrize("key", sorted(WORDS))
def test_both_languages_have_the_same_slots(key: str) -> None:
    from string import Formatter

    english, korean = ({slot for _, slot, _, _ in Formatter().parse(text) if slot} for text in WORDS[key])
    assert english == korean


def test_every_key_is_explained_and_hinted_once() -> None:
    assert {f"key.{key.word}" for keys in KEYS.values() for key in keys} <= WORDS.keys()
    assert {f"help.{place}" for place in KEYS} <= WORDS.keys()
    for place in KEYS:
        hinted = [key.key for key in hints_at(place)]
        assert len(hinted) == len(set(hinted))


@pytest.mark.parametrize(
    ("template", "is_dropped"),
    [
        ("{0}/a.png", True),
        ("'{0}/b c.png' {0}/a.png ", True),
        ("{0}/b\\ c.png", True),
        ("file://{0}/b%20c.png", True),
        ("{0}/none.png", False),
        ("look at {0}/a.png", False),
        ("what's in it?", False),
        ("", False),
        ("~/a.png", True),
        ("~", True),
        ("~3mm", False),
        ("~3mm {0}/a.png", False),
        ("/" + "x" * 300, False),
        ("{0}/a.png/none.png", False),
        ("{0}/%00", False),
    ],
)
def test_paths_that_are_dropped_are_told_from_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, *, is_dropped: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.png", "b c.png"):
        (tmp_path / name).touch()
    assert bool(dropped_paths(template.format(tmp_path))) is is_dropped


def test_a_path_in_a_folder_that_may_not_be_read_is_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.stat", refuse)
    monkeypatch.setattr("os.lstat", refuse)
    assert dropped_paths("/closed/a.png") == []
