from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult
from textual.widgets import Static

from agent.events import Abstained, CodeWritten, StepFinished, ToolFinished, ToolStarted
from tools.records import Language
from tui.chat.turns import TurnView
from tui.chat.words import Words


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield TurnView("reject 2", Words(Language.KO))


def test_a_program_that_was_not_run_is_told_as_such() -> None:
    async def flow() -> list[str]:
        app = Host()
        async with app.run_test():
            view = app.query_one(TurnView)
            await view.take(CodeWritten(turn=1, step=1, code='decide("img_003", "reject", "x")'))
            await view.take(Abstained(turn=1, step=1, sureness=-0.9, least=-0.1))
            await view.take(StepFinished(turn=1, step=1))
            return [str(line.content) for line in view.query(".step-body .note").results(Static)]

    [line] = asyncio.run(flow())
    assert line.startswith("실행하지 않았습니다.")


def test_a_tool_that_was_stopped_is_told_as_such() -> None:
    async def flow() -> list[str]:
        app = Host()
        async with app.run_test():
            view = app.query_one(TurnView)
            await view.take(ToolStarted(call=1, tool="inspect"))
            await view.take(ToolFinished(call=1, tool="inspect", error="TurnCancelled", seconds=2.0))
            return [str(line.content) for line in view.query(".tool-line").results(Static)]

    assert asyncio.run(flow()) == ["■ inspect() · 중지됨 · 2.0초"]
