from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.events import Decision
from agent.log import read_log
from reports.ledger import Ledger
from tests.tui.chat.desks import Desk, code, opened, play, say, until
from tools.records import Language, Verdict
from tui.app import LoupeApp
from tui.chat.deciding import why_undone
from tui.chat.reasons import ReasonScreen
from tui.chat.report_view import ReportScreen
from tui.chat.review import ReviewScreen
from tui.chat.words import Words


class HeldLedger(Ledger):
    """A ledger to which another program writes until `free` is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reached, self.free = threading.Event(), threading.Event()

    def add_decision(self, *given: Any, **named: Any) -> None:
        self.reached.set()
        self.free.wait(20)
        super().add_decision(*given, **named)


@pytest.fixture
def ledger(desk: Desk, tmp_path: Path) -> HeldLedger:
    desk.ledger = HeldLedger(tmp_path / "ledger.db")
    return desk.ledger


async def reject_all(pilot: Any, app: LoupeApp, ledger: HeldLedger) -> None:
    """Rejects the batch by keys; the first decision is being recorded."""
    await pilot.press("f2", "asterisk", "r")
    await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
    await pilot.press("enter")
    await until(pilot, ledger.reached.is_set)


def decided(folder: Path) -> list[Decision]:
    return [event for event in read_log(folder)[1] if isinstance(event, Decision)]


def test_a_report_waits_for_what_is_being_recorded(desk: Desk, ledger: HeldLedger) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "/inspect")
        await reject_all(pilot, app, ledger)
        await say(pilot, app, "/report A\\17, @east")
        assert not isinstance(app.screen, ReportScreen)
        assert any("recording decisions" in each.message for each in app._notifications)
        ledger.free.set()
        await until(pilot, lambda: isinstance(app.screen, ReportScreen) and not app.screen._is_building)
        assert app.session is not None
        out = app.session.out
        lines = [json.loads(line) for line in (out / "inspections.jsonl").read_text().splitlines()]
        verdicts = [line["judgement"]["verdict"] for line in lines if "judgement" in line]
        assert verdicts == ["reject"] * 4
        assert json.loads((out / "run.json").read_text())["lot"] == "A\\17, @east"  # as it was written

    play(app, flow)


def test_a_request_waits_for_what_is_being_recorded(desk: Desk, ledger: HeldLedger) -> None:
    app = desk.app([code("final_answer('here')")])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await reject_all(pilot, app, ledger)
        await say(pilot, app, "are all rejected?")
        assert not app.is_busy
        ledger.free.set()
        await until(pilot, lambda: app.workspace.conversation.last_answer == "here")
        assert app.session is not None
        kinds = [event.kind for event in read_log(app.session.out)[1]]
        assert kinds[:5] == [*["decision"] * 4, "turn_started"]

    play(app, flow)


def test_what_is_decided_in_review_mode_comes_after_what_was_decided_before(
    desk: Desk, ledger: HeldLedger
) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await reject_all(pilot, app, ledger)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await pilot.press("p")
        image_id = app.screen.image_id  # type: ignore[attr-defined]
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press("1")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        ledger.free.set()
        await until(pilot, lambda: not app.recording.is_running)
        assert app.session is not None
        assert app.session.verdicts()[image_id] is Verdict.ACCEPT
        assert len(decided(app.session.out)) == 5

    play(app, flow)


def test_quitting_loses_no_decision(desk: Desk, ledger: HeldLedger) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await reject_all(pilot, app, ledger)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.closing)
        ledger.free.set()

    play(app, flow)
    assert len(decided(desk.folder / "out-1")) == 4


def test_another_session_loses_no_decision_of_the_one_before(desk: Desk, ledger: HeldLedger) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        first = app.session
        await reject_all(pilot, app, ledger)
        await say(pilot, app, f"/open {desk.folder / 'parts'}")
        await until(pilot, lambda: app.session is not first)
        assert len(decided(desk.folder / "out-1")) == 1
        ledger.free.set()
        await until(pilot, lambda: not app.recording.is_running)
        assert app.earlier == [desk.folder / "out-1"]

    play(app, flow)
    assert len(decided(desk.folder / "out-1")) == 4


def test_a_reason_that_is_typed_while_another_session_opens_counts_in_the_one_before(desk: Desk) -> None:
    app, may_open = desk.app(), threading.Event()
    open_session = app._open_session

    def slow(*given: Any) -> Any:
        if desk.opened:
            may_open.wait(20)
        return open_session(*given)

    app._open_session = slow

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        first = app.session
        assert first is not None
        await say_unheard(pilot, app, f"/open {desk.folder / 'parts'}")
        await pilot.press("f2", "w")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"bent")
        may_open.set()
        await until(pilot, lambda: app._opened_meanwhile)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await until(pilot, lambda: not app.recording.is_running)
        assert list(first.verdicts().values()) == [Verdict.REJECT]
        await pilot.press("q")
        await until(pilot, lambda: app.session is not first and app.workspace.is_ready)
        assert app.session is not None
        assert app.session.verdicts() == {}

    play(app, flow)


async def say_unheard(pilot: Any, app: LoupeApp, text: str) -> None:
    """Sends a command that opens a session, and does not wait for it."""
    app.workspace.prompt.write(text)
    await pilot.pause()
    app.workspace.prompt.close_offers()
    await pilot.press("enter")
    await until(pilot, lambda: app.is_busy)


@pytest.mark.parametrize(
    ("reason", "is_cut"), [("x" * 500, True), ("긁힘 " * 166 + "긁힘", True), ("bent", False)]
)
@pytest.mark.parametrize("language", Language)
def test_what_was_decided_for_a_long_reason_can_be_taken_back(
    desk: Desk, reason: str, language: Language, *, is_cut: bool
) -> None:
    app = desk.app(language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        session = app.session
        assert session is not None
        session.decide("img_001", Verdict.REJECT, reason)
        await pilot.press("f2", "u")
        await until(pilot, lambda: session.verdicts() == {"img_001": Verdict.REVIEW})
        why = session.decisions("img_001")[-1].reason
        assert why.endswith("…" if is_cut else reason)

    play(app, flow)


def test_a_reason_is_cut_to_what_a_record_takes() -> None:
    decision = Decision(image_id="img_001", verdict=Verdict.REJECT, reason="x" * 500, by="Kim", at="2026")
    assert [len(why_undone(decision, Words(language))) for language in Language] == [500, 500]
