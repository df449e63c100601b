from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import OptionList

from tests.tui.chat.desks import Desk, opened, play, until
from tools.records import Language
from tui.chat.gallery import GalleryScreen
from tui.chat.keys import KEYS
from tui.chat.reasons import ReasonScreen
from tui.chat.slash import COMMANDS


def offered(app: Any) -> dict[str, Any]:
    return {each.title: each.callback for each in app.get_system_commands(app.screen)}


@pytest.mark.parametrize(
    ("language", "reject"), [(Language.EN, "batch: reject"), (Language.KO, "이미지: 불합격")]
)
def test_the_palette_has_every_command_and_the_keys_of_every_panel(
    desk: Desk, language: Language, reject: str
) -> None:
    app = desk.app(language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        titles = offered(app)
        usages = {command.usage.replace("[", "\\[") for command in COMMANDS.values()}
        assert usages <= titles.keys()
        keys = [key for place in ("batch", "picture", "conversation", "everywhere") for key in KEYS[place]]
        assert len(titles) >= len(COMMANDS) + len(keys)
        titles[reject]()
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press("escape")

    play(app, flow)


def test_over_another_screen_the_palette_offers_its_keys(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.action_thumbnails()
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await pilot.pause()
        titles = offered(app)
        assert "/inspect \\[IDS]" not in titles
        titles["return"]()
        await until(pilot, lambda: not isinstance(app.screen, GalleryScreen))

    play(app, flow)


def test_an_image_is_found_by_a_few_letters(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press("ctrl+p", *"img_004")
        await until(pilot, lambda: any(each.option_count for each in app.screen.query(OptionList)))
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.workspace.board.current == "img_004")

    play(app, flow)


@pytest.mark.parametrize(
    ("letters", "expected"), [("lot", "img_001 lot [A-17] x[.png"), ("report", "/report [LOT]")]
)
def test_brackets_are_shown_as_they_are(desk: Desk, letters: str, expected: str) -> None:
    (desk.folder / "parts" / "part_1.png").rename(desk.folder / "parts" / "lot [A-17] x[.png")
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press("ctrl+p", *letters)
        await until(pilot, lambda: any(line.startswith(expected) for line in offered_lines(app)))
        await pilot.press("escape")

    play(app, flow)


def offered_lines(app: Any) -> list[str]:
    return [str(each.prompt) for found in app.screen.query(OptionList) for each in found.options]
