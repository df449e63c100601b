from __future__ import annotations

import asyncio

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static
from textual.widgets.markdown import MarkdownBlock

from agent.events import (
    Abstained,
    Answer,
    CodeWritten,
    LoadEnd,
    LoadFinished,
    LoadProgress,
    LoadStarted,
    Purpose,
    StepFinished,
    ToolFinished,
    ToolStarted,
)
from tools.records import Language
from tui.chat.steps import LoadView, download_line
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


def downloaded(done_mb: float, seconds: float) -> LoadProgress:
    return LoadProgress(load=1, hub_id="owner/name", done_mb=done_mb, total_mb=7_500, seconds=seconds)


@pytest.mark.parametrize(
    ("language", "event", "line"),
    [
        (
            Language.EN,
            downloaded(1_500, 120),
            "downloading owner/name: 1,500 of 7,500 MB · 12.5 MB/s · 8:00 left",
        ),
        (Language.EN, downloaded(0, 0), "downloading owner/name: 0 of 7,500 MB"),
        (
            Language.KO,
            downloaded(7_440, 60),
            "owner/name 내려받는 중: 7,500 MB 중 7,440 MB · 124.0 MB/s · 0:00 남음",
        ),
    ],
)
def test_a_download_is_told_with_its_rate_and_what_is_left(
    language: Language, event: LoadProgress, line: str
) -> None:
    assert download_line(event, Words(language)) == line


def test_a_load_shows_its_download_until_that_is_done() -> None:
    async def flow() -> list[str]:
        app, lines = Host(), []
        async with app.run_test():
            view = app.query_one(TurnView)
            await view.take(LoadStarted(load=1, purpose=Purpose.CONVERSATION, model="standard"))
            for done_mb in (1_500, 7_500):
                await view.take(downloaded(done_mb, 120))
                lines.append(str(app.query_one(LoadView).content))
            await view.take(LoadFinished(load=1, end=LoadEnd.LOADED, seconds=200))
            await view.take(downloaded(1_500, 120))  # comes late: nothing waits for it any more
            lines.append(str(app.query_one(LoadView).content))
        return lines

    running, done, finished = asyncio.run(flow())
    assert "7,500 MB 중 1,500 MB · 12.5 MB/s · 8:00 남음" in running
    assert "MB" not in done + finished
