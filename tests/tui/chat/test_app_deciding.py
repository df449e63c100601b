from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.geometry import Spacing
from textual.widgets import Input

from agent.events import Decision
from agent.log import read_log
from tests.agent.fakes import FakeGoodParts
from tests.tui.chat.desks import Desk, code, opened, play, say, shown, until
from tools.recipe.file import new_recipe
from tools.records import Language, Verdict
from tui.chat.background import Start
from tui.chat.dialogs import ApproveDialog
from tui.chat.reasons import ReasonScreen
from tui.chat.review import ReviewScreen


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["ctrl+y"], Verdict.REJECT),
        (["tab", "tab", "enter"], Verdict.REJECT),
        (["tab", "enter"], None),
        (["tab", "tab", "y", "enter", "escape"], None),
        (["escape"], None),
        ([*"yes", "enter", "n", "escape"], None),
    ],
)
def test_the_agents_decision_is_confirmed_first(
    desk: Desk, keys: list[str], expected: Verdict | None
) -> None:
    app = desk.app(
        [code('decide("img_003", "reject", "bent")', 'final_answer("done")'), code('final_answer("left")')]
    )

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.prompt.write("reject img_003")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApproveDialog))
        await until(pilot, lambda: "bent" in shown(app))
        await pilot.press(*keys)
        await until(pilot, lambda: not app.is_busy)
        assert app.session is not None
        assert app.session.verdicts().get("img_003") is expected

    play(app, flow)


def test_what_is_being_typed_answers_nothing_and_goes_on_in_the_prompt(desk: Desk) -> None:
    program = code('decide("img_002", "reject", "dust")', 'final_answer("done")')
    app = desk.app([program])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.prompt.write("reject img_002")
        await pilot.press("enter", *"wh")
        await until(pilot, lambda: isinstance(app.screen, ApproveDialog))
        await pilot.press(*"y is iy", "backspace", *"t so n", "enter", *"o?")
        assert isinstance(app.screen, ApproveDialog)
        assert app.workspace.prompt.area.text == "why is it so no?"
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_busy)
        await until(pilot, lambda: "You did not agree" in shown(app))
        assert app.workspace.prompt.area.text == "why is it so no?"
        assert app.session is not None
        assert app.session.verdicts() == {}

    play(app, flow)


@pytest.mark.parametrize("count", [3, 6])
def test_decisions_that_are_taken_together_are_one_question(tmp_path: Path, count: int) -> None:
    desk, ids = Desk(tmp_path, count), [f"img_00{number}" for number in range(1, count + 1)]
    app = desk.app([code(f"keep_good({ids})"), code('final_answer("left")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.prompt.write("these are good")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ApproveDialog))
        await until(pilot, lambda: f"{count} verdicts" in shown(app))
        assert all((image_id in shown(app)) is (number < 4) for number, image_id in enumerate(ids))
        assert ("and 2 more" in shown(app)) is (count == 6)
        await pilot.press("escape")
        await until(pilot, lambda: not app.is_busy)
        assert app.session is not None
        assert app.session.verdicts() == {}

    play(app, flow)


def test_good_parts_that_the_user_names_are_theirs_and_stay_when_that_is_taken_back(desk: Desk) -> None:
    desk.engines.good_parts = FakeGoodParts()
    new_recipe(Path("my part.yaml"), "Plate")
    app = desk.app(start=Start((str(desk.folder / "parts"),), "my part.yaml"), language=Language.KO)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        assert app.session is not None
        session = app.session
        await say(pilot, app, "/good img_001 img_003")
        assert session.verdicts() == {"img_001": Verdict.ACCEPT, "img_003": Verdict.ACCEPT}
        assert [each.by for each in session.decisions("img_001")] == ["Kim"]
        await pilot.press("f2", "u")
        await until(pilot, lambda: set(session.verdicts().values()) == {Verdict.REVIEW})
        await until(pilot, lambda: len(pilot.app._notifications) == 1)
        (notice,) = pilot.app._notifications
        command = "loupe good --remove 'part_1.png (2)' --remove 'part_3.png (2)' --recipe 'my part.yaml'"
        assert f"`{command}`" in notice.message
        assert "양품으로 등록" in notice.message
        reasons = [event.reason for event in read_log(session.out)[1] if event.kind == "decision"]
        assert reasons[2:] == ["되돌림: 양품으로 등록"] * 2

    play(app, flow)


def test_decisions_are_not_asked_for_where_that_is_switched_off(desk: Desk) -> None:
    app = desk.app([code('decide("img_003", "reject", "bent")', 'final_answer("done")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "/confirm off")
        await say(pilot, app, "reject img_003")
        assert app.session is not None
        assert app.session.verdicts() == {"img_003": Verdict.REJECT}

    play(app, flow)


@pytest.mark.parametrize(
    ("language", "typed", "confirms", "notice"),
    [
        (Language.EN, "ON", True, "the agent's decisions are confirmed first"),
        (Language.EN, "off", False, "the agent decides without asking"),
        (Language.KO, "Off", False, "에이전트가 묻지 않고 결정하며"),
        (Language.EN, "yes", True, "use it as /confirm on|off"),
        (Language.KO, "오프", True, "사용법: /confirm on|off"),
    ],
)
def test_confirmation_is_switched_by_two_words_alone(
    desk: Desk, language: Language, typed: str, notice: str, *, confirms: bool
) -> None:
    app = desk.app(language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, f"/confirm {typed}")
        notices = "\n".join(each.message for each in app._notifications)
        assert notice in f"{notices}\n{shown(app)}"
        assert app.confirm is confirms

    play(app, flow)


def test_keys_decide_on_a_selection_with_a_reason_and_take_it_back(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        assert app.session is not None
        session = app.session
        await pilot.press("f2", "space", "space", "r")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"dented", "enter")
        await until(pilot, lambda: len(session.verdicts()) == 2)
        assert set(session.verdicts().values()) == {Verdict.REJECT}
        assert not app.workspace.board.selected
        await pilot.press("u")
        await until(pilot, lambda: set(session.verdicts().values()) == {Verdict.REVIEW})
        reasons = [event.reason for event in read_log(session.out)[1] if event.kind == "decision"]
        assert reasons[:2] == ["dented"] * 2
        assert [event.by for event in read_log(session.out)[1]][:1] == ["Kim"]

    play(app, flow)


def test_review_mode_decides_and_the_table_follows(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "/review")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press("1")
        assert app.session is not None
        session = app.session
        await until(pilot, session.verdicts)
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await pilot.press("q")
        ((image, verdict),) = session.verdicts().items()
        await until(pilot, lambda: app.workspace.board._rows[image].mark == verdict.value)

    play(app, flow)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
def test_the_buttons_of_a_question_show_however_long_its_reasons_are(
    desk: Desk, size: tuple[int, int]
) -> None:
    app = desk.app()
    made = [
        Decision(image_id=f"img_00{n}", verdict=Verdict.REJECT, reason="bent " * 100, by="agent", at="2026")
        for n in range(1, 7)
    ]

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.push_screen(ApproveDialog(made, app.words))
        await until(pilot, lambda: "and 2 more" in shown(app))
        await pilot.pause()
        inside = app.screen.query_one(".dialog").region.shrink(Spacing.all(1))
        for each in app.screen.query("Button, .dialog-hint"):
            assert inside.contains_region(each.region), each.region
        await pilot.press("pagedown")
        assert app.screen.query_one(".decisions").scroll_y > 0

    play(app, flow, size)


def test_what_is_being_typed_as_a_reason_goes_on_there(desk: Desk) -> None:
    app, may_ask = desk.app([code('decide("img_003", "reject", "dust")', 'final_answer("done")')]), Event()
    approve = app._approve

    def later(decisions: Any) -> bool:
        may_ask.wait(20)
        return approve(decisions)

    app._approve = later  # type: ignore[method-assign]

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.workspace.prompt.write("reject img_003")
        await pilot.press("enter", "f2", "r")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        await pilot.press(*"not s")
        may_ask.set()
        await until(pilot, lambda: isinstance(app.screen, ApproveDialog))
        await pilot.press(*"xo", "backspace", "backspace", *"o", "escape")
        await until(pilot, lambda: isinstance(app.screen, ReasonScreen))
        assert app.screen.query_one(Input).value == "not so"
        await until(pilot, lambda: not app.is_busy)

    play(app, flow)


@pytest.mark.parametrize(
    ("language", "state", "line"),
    [(Language.EN, "by agent", "by agent"), (Language.KO, "에이전트", "에이전트:")],
)
def test_what_the_agent_decided_on_an_image_that_nobody_inspected_is_the_agents(
    desk: Desk, language: Language, state: str, line: str
) -> None:
    program = code('decide("img_003", "reject", "bent")', 'final_answer("done")')
    app = desk.app([program], confirm=False, language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "reject img_003")
        await until(pilot, lambda: app.workspace.board._rows["img_003"].mark == "reject")
        row = app.workspace.board._rows["img_003"]
        assert (row.state, app.words(f"state.{row.state}")) == ("agent", state)
        assert any("→" in told and line in told for told in shown(app).splitlines())

    play(app, flow)
