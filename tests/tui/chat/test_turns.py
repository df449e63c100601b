from __future__ import annotations

import asyncio

from textual.app import App, ComposeResult
from textual.widgets import Static
from textual.widgets.markdown import MarkdownBlock

from agent.events import Abstained, Answer, CodeWritten, StepFinished, ToolFinished, ToolStarted
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


def test_the_lines_of_an_answer_stay_lines() -> None:
    async def flow() -> list[str]:
        app = Host()
        async with app.run_test():
            view = app.query_one(TurnView)
            await view.take(Answer(turn=1, text="Of 4 images, 1 pass.\nReject: img_003\nReview: none"))
            return [str(each._content) for each in view.query("MarkdownParagraph").results(MarkdownBlock)]

    assert asyncio.run(flow()) == ["Of 4 images, 1 pass.\nReject: img_003\nReview: none"]
