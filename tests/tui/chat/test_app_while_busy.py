from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

import pytest
from textual.widgets import Static

from agent.events import TurnStarted
from agent.log import read_log
from tests.tui.chat.desks import Desk, code, opened, play, say, shown, until
from tools.records import Language
from tui.app import LoupeApp
from tui.chat.background import Happened, TurnOver
from tui.chat.deciding import TakenBack


def busy(desk: Desk) -> tuple[LoupeApp, threading.Event]:
    """An app whose inspections wait until they are cancelled, and what tells that one has begun."""
    reached, app = threading.Event(), desk.app([code("inspect()", 'final_answer("all done")')])

    def block() -> None:
        reached.set()
        assert app.session is not None
        app.session._cancel.wait(20)

    desk.engines.screener.before_each = block
    return app, reached


async def inspecting(pilot: Any, app: LoupeApp, reached: threading.Event) -> None:
    """Opens the session and lets it inspect."""
    await opened(pilot, app)
    app.workspace.prompt.write("inspect everything")
    await pilot.press("enter")
    await until(pilot, reached.is_set)


def test_escape_stops_a_turn_and_says_what_was_kept(desk: Desk) -> None:
    app, reached = busy(desk)

    async def flow(pilot: Any) -> None:
        await inspecting(pilot, app, reached)
        assert app.is_busy
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_busy)
        assert "Stopped. Kept: 0 inspections" in shown(app)

    play(app, flow)


@pytest.mark.parametrize(
    ("language", "loading", "left"),
    [
        (Language.EN, "loading the CLIP model pocket for screening", "the next request finds it"),
        (Language.KO, "선별용 CLIP 모델 pocket 불러오는 중", "불러오기는 뒤에서 계속되며"),
    ],
)
def test_a_model_that_loads_is_told_and_escape_leaves_it_to_the_next_turn(
    desk: Desk, language: Language, loading: str, left: str
) -> None:
    go, made = threading.Event(), []
    ready = desk.engines.__dict__.pop("screener")

    class Slow(type(desk.engines)):  # type: ignore[misc]
        @cached_property
        def screener(self) -> Any:
            go.wait(20)
            made.append(1)
            return ready

    desk.engines.__class__ = Slow
    app = desk.app([code("screen()")], language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.prompt.write("screen them")
        await pilot.press("enter")
        await until(pilot, lambda: loading in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_busy)
        assert any(
            left in str(line.content) for line in app.workspace.query("TurnView > .kept").results(Static)
        )
        go.set()
        await say(pilot, app, "/screen")
        assert made == [1]
        assert [turn.outcome.value for turn in app.session.turns] == ["cancelled", "answered"]  # type: ignore[union-attr]

    play(app, flow)


def test_a_request_that_cannot_be_sent_stays_in_the_prompt(desk: Desk) -> None:
    app, reached = busy(desk)

    async def flow(pilot: Any) -> None:
        await inspecting(pilot, app, reached)
        for text in ("and then?", "/screen img_001"):
            app.workspace.prompt.write(text)
            app.workspace.prompt.close_offers()
            await pilot.press("enter")
            await pilot.pause()
            await until(pilot, lambda text=text: app.workspace.prompt.area.text == text)
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_busy)

    play(app, flow)


def test_quitting_in_the_middle_of_a_turn_stops_it(desk: Desk) -> None:
    app, reached = busy(desk)

    async def flow(pilot: Any) -> None:
        await inspecting(pilot, app, reached)
        await pilot.press("ctrl+q")
        await pilot.pause()

    play(app, flow)
    assert app.return_code == 0
    assert read_log(desk.folder / "out-1")[1][-1].kind == "turn_finished"


def test_what_threads_tell_a_closing_app_is_dropped(desk: Desk) -> None:
    app = desk.app([code('final_answer("one")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await app.pop_screen()
        for late in (Happened(TurnStarted(turn=1, request="one", at="")), TurnOver(), TakenBack([])):
            app.post_message(late)
        await pilot.pause()

    play(app, flow)
