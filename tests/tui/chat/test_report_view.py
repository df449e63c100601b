from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from agent.events import (
    Event,
    LoadEnd,
    LoadFinished,
    LoadProgress,
    LoadStarted,
    Outcome,
    Purpose,
    ToolFinished,
    ToolProgress,
    TurnFinished,
)
from agent.models.scripted import ScriptedModel
from agent.session import Session
from tests.agent.fakes import FakeEngines, write_batch
from tests.tui.chat.staging import Stage, play, press, settled, told
from tools.errors import OutputError, UsageError
from tools.recipe.file import load_recipe
from tools.records import Language
from tui.chat import report_view
from tui.chat.lens import Lens
from tui.chat.pages import Pages
from tui.chat.report_view import ReportScreen


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    write_batch(tmp_path / "parts", 2)
    engines = FakeEngines(load_recipe())
    with Session(
        [tmp_path / "parts"], model=ScriptedModel([]), out=tmp_path / "out", engines=engines.as_engines
    ) as session:
        yield session


class SlowSession:
    """Writes until it is told to stop, or fails at once."""

    def __init__(self, error: str = "") -> None:
        self.stopped = threading.Event()
        self.error = error

    def use(self, tool: str, arguments: dict[str, Any], request: str) -> Iterator[Event]:
        if self.error:
            raise UsageError(self.error, "wait for it")
        yield ToolProgress(call=1, done=1, total=3)
        yield LoadStarted(load=1, purpose=Purpose.CAPTIONS, model="pocket")
        yield LoadProgress(load=1, hub_id="owner/name", done_mb=1, total_mb=4, seconds=1)
        assert self.stopped.wait(10)
        yield LoadFinished(load=1, end=LoadEnd.LEFT)
        yield ToolFinished(call=1, tool=tool, error="stopped")
        yield TurnFinished(turn=1, outcome=Outcome.CANCELLED)

    def cancel(self) -> None:
        self.stopped.set()


def test_the_report_is_written_and_read_page_by_page(session: Session) -> None:
    screen = ReportScreen(session, lot="A-17")

    async def steps(pilot: Pilot[None]) -> None:
        text = told(pilot)
        assert "page 1 of " in text
        assert "Quality inspection report" in text
        assert "▀▀▀" in text
        await press(pilot, "pagedown")
        assert "page 2 of " in told(pilot)
        await press(pilot, "pageup", "pageup")
        assert "page 1 of " in told(pilot)
        await press(pilot, "q")
        assert pilot.app.screen is not screen

    play(screen, steps)
    assert (session.out / "report.pdf").exists()
    assert session.turns[-1].tool_calls[0].arguments == {"lot": "A-17", "language": "en"}


def test_a_korean_report_is_shown_in_a_narrow_window(session: Session) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert "보고서" in told(pilot)
        assert "▀▀▀" in told(pilot)
        await press(pilot, "t")
        assert "▀▀▀" not in told(pilot)
        assert "품질 검사 보고서" in told(pilot)

    play(ReportScreen(session, language=Language.KO), steps, (50, 24))


def test_a_page_is_fitted_to_the_width_and_back(session: Session) -> None:
    screen = ReportScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        lens = screen.query_one(Lens)
        await press(pilot, "z")
        assert lens.frame
        width, height = lens.photo_wh_px or (0, 0)
        x_min, y_min, x_max, y_max = lens.frame.drawing.region_xyxy_px
        assert (x_min, y_min, round(x_max)) == (0, 0, width)
        assert y_max < height
        await press(pilot, "down")
        assert lens.frame.drawing.region_xyxy_px[1] > 0
        await press(pilot, "z")
        assert lens.frame.drawing.region_xyxy_px == (0, 0, width, height)

    play(screen, steps)


def test_the_pdf_is_opened_outside(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(report_view, "open_file", opened.append)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "o")

    play(ReportScreen(session), steps)
    assert opened == [session.out / "report.pdf"]


def test_writing_shows_its_progress_and_stops_at_escape() -> None:
    slow = SlowSession()
    screen = ReportScreen(cast(Any, slow))

    async def run() -> None:
        async with Stage(screen).run_test(size=(80, 24)) as pilot:
            for _ in range(200):
                await pilot.pause()
                if "downloading owner/name: 1 of 4 MB" in told(pilot):
                    break
            assert "loading the BLIP model pocket for descriptions" in told(pilot)
            assert "1.0 MB/s · 0:03 left" in told(pilot)
            assert "1 of 3" in told(pilot)
            assert "Esc stops" in told(pilot)
            await pilot.press("escape")
            await settled(pilot)
            assert "Stopped. b writes it again." in told(pilot)
            assert "left loading: the BLIP model pocket" in told(pilot)
            await pilot.press("escape")
            await settled(pilot)
            assert pilot.app.screen is not screen

    asyncio.run(run())


@pytest.mark.parametrize(
    ("language", "failed", "why"),
    [
        (Language.EN, "The report was not written.", "still running: wait for it"),
        (Language.KO, "보고서를 작성하지 못했습니다.", "앞의 요청을 아직 처리하고 있습니다"),
    ],
)
def test_a_turn_that_is_running_is_told(language: Language, failed: str, why: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert failed in told(pilot)
        assert why in told(pilot)

    slow = SlowSession("the turn before is still running")
    play(ReportScreen(cast(Any, slow), language=language), steps)


def test_a_report_that_is_there_is_shown_without_writing_it(session: Session, tmp_path: Path) -> None:
    list(session.use("write_report", {}, "/report"))
    turns = len(session.turns)

    async def steps(pilot: Pilot[None]) -> None:
        assert "page 1 of " in told(pilot)

    play(ReportScreen(session, path=session.out / "report.pdf"), steps)
    assert len(session.turns) == turns


@pytest.mark.parametrize("content", [None, b"this is no PDF"])
def test_what_is_no_pdf_is_told(session: Session, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.pdf"
    if content is not None:
        path.write_bytes(content)

    async def steps(pilot: Pilot[None]) -> None:
        assert "cannot be shown" in told(pilot)

    play(ReportScreen(session, path=path), steps)


def test_closed_pages_say_so(session: Session) -> None:
    list(session.use("write_report", {}, "/report"))
    pages = Pages(session.out / "report.pdf")
    pages.close()
    pages.close()
    with pytest.raises(OutputError, match="closed"):
        pages.picture(0)
    with pytest.raises(OutputError, match="closed"):
        pages.text(0)
