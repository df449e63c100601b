from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agent.log import read_log
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines, write_batch
from tests.tui.chat.staging import play, press, told
from tools.errors import OutputError
from tools.recipe.file import load_recipe
from tools.records import DecidedBy, Language, ScreeningStatus, Verdict
from tui.chat.reasons import ReasonScreen, usual_reasons
from tui.chat.review import ReviewScreen

RECIPE = load_recipe()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Five parts: the second and the fourth go to review, the last was never inspected."""
    write_batch(tmp_path / "parts", 5)
    unsure = {"img_002": ScreeningStatus.UNSURE, "img_004": ScreeningStatus.UNSURE}
    engines = FakeEngines(RECIPE, unsure)
    options = SessionOptions(user="kim")
    with Session(
        [tmp_path / "parts"],
        model=ScriptedModel([]),
        out=tmp_path / "out",
        options=options,
        engines=engines.as_engines,
    ) as session:
        list(session.use("inspect", {"ids": ["img_001", "img_002", "img_003", "img_004"]}, "/inspect"))
        yield session


def test_what_is_open_is_walked_through_and_decided_by_keys_alone(session: Session) -> None:
    screen = ReviewScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        assert "1 of 3" in told(pilot)
        assert screen.image_id == "img_002"
        await press(pilot, "r", "1")
        assert screen.image_id == "img_004"
        assert "1 decided" in told(pilot)
        await press(pilot, "a", "down", "enter", "v", "enter")
        assert screen.image_id is None
        assert "3 decided" in told(pilot)
        await press(pilot, "q")
        assert not isinstance(pilot.app.screen, ReviewScreen)

    play(screen, steps)
    decided = session.inspection("img_002")
    assert decided
    judgement = decided.judgement
    assert (judgement.verdict, judgement.decided_by, judgement.decided_name) == (
        Verdict.REJECT,
        DecidedBy.HUMAN,
        "kim",
    )
    assert judgement.reason_en == usual_reasons(Verdict.REJECT, Language.EN)[0]
    assert session.verdicts()["img_005"] is Verdict.REVIEW
    told_in_log = [event for event in read_log(session.out)[1] if event.kind == "decision"]
    assert len(told_in_log) == 3


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (["o", "k", "space", "2"], "ok 2"),
        (["²", "m", "m"], "²mm"),  # ² is a digit, but no number
    ],
)
def test_a_reason_of_ones_own_is_just_typed(session: Session, keys: list[str], reason: str) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "a", *keys, "enter")

    play(ReviewScreen(session), steps)
    decided = session.inspection("img_002")
    assert decided
    assert decided.judgement.reason_en == reason


def test_a_decision_without_a_reason_is_none(session: Session) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "a", "escape", "a", "tab", "space", "enter")
        assert isinstance(pilot.app.screen, ReasonScreen)
        await press(pilot, "escape")

    before = dict(session.verdicts())
    play(ReviewScreen(session), steps)
    assert session.verdicts() == before


def test_undo_takes_back_one_after_the_other_and_both_stay_on_record(session: Session) -> None:
    screen = ReviewScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "a", "1", "r", "1", "u")
        assert screen.image_id == "img_004"
        await press(pilot, "u")
        assert screen.image_id == "img_002"
        assert "0 decided" in told(pilot)
        assert "decided by" not in told(pilot)  # the rule's own judgement stands again
        assert len(pilot.app._notifications) == 0
        await press(pilot, "u")
        assert len(pilot.app._notifications) == 1

    play(screen, steps)
    assert [session.verdicts()[i] for i in ("img_002", "img_004")] == [Verdict.REVIEW] * 2
    reasons = [event.reason for event in read_log(session.out)[1] if event.kind == "decision"]
    assert len(reasons) == 4
    assert reasons[-1] == f"taken back: {reasons[0]}"


def test_a_decision_from_outside_is_taken_back_too_and_its_images_join_the_queue(session: Session) -> None:
    act = session.new_act()
    for image_id in ("img_001", "img_003"):
        session.decide(image_id, Verdict.REJECT, "bent", act=act)
    screen = ReviewScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        assert "1 of 3" in told(pilot)
        await press(pilot, "u")
        assert screen.image_id == "img_001"
        assert "1 of 5" in told(pilot)
        await press(pilot, "n")
        assert screen.image_id == "img_003"

    play(screen, steps)
    assert [session.verdicts()[i] for i in ("img_001", "img_003")] == [Verdict.ACCEPT] * 2


def test_images_are_leafed_through_round_and_round(session: Session) -> None:
    screen = ReviewScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        seen = [screen.image_id]
        for key in ("n", "n", "n", "p"):
            await press(pilot, key)
            seen.append(screen.image_id)
        assert seen == ["img_002", "img_004", "img_005", "img_002", "img_005"]
        assert "Not inspected yet" in told(pilot)

    play(screen, steps)


@pytest.mark.parametrize(
    ("error", "notice"),
    [
        (OutputError("the ledger cannot be written", "free some space"), "free some space"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
    ],
)
def test_what_cannot_be_recorded_is_told_and_can_be_tried_again(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: Exception, notice: str
) -> None:
    refusals, decide = [error], session.decide

    def refuse_once(*given: Any) -> None:
        if refusals:
            raise refusals.pop()
        decide(*given)

    monkeypatch.setattr(session, "decide", refuse_once)
    screen = ReviewScreen(session)

    async def steps(pilot: Pilot[None]) -> None:
        await press(pilot, "a", "1")
        assert screen.image_id == "img_002"
        assert "0 decided" in told(pilot)
        (shown,) = pilot.app._notifications
        assert notice in shown.message
        await press(pilot, "a", "1")
        assert screen.image_id == "img_004"

    play(screen, steps)


def test_an_empty_queue_says_so_in_korean(session: Session) -> None:
    for image_id in ("img_002", "img_004", "img_005"):
        session.decide(image_id, Verdict.ACCEPT, "seen")
    screen = ReviewScreen(session, language=Language.KO)

    async def steps(pilot: Pilot[None]) -> None:
        assert "재검토할 사진이 없습니다" in told(pilot)
        await press(pilot, "a", "n", "p", "u")
        assert pilot.app.screen is screen

    play(screen, steps)


def test_what_looks_like_a_defect_is_offered_as_a_reason() -> None:
    offered = usual_reasons(Verdict.ACCEPT, Language.EN, RECIPE)
    assert any(name.replace("_", " ") in reason for name in RECIPE.hard_negatives for reason in offered)
    assert len(offered) <= 9
    assert offered != usual_reasons(Verdict.ACCEPT, Language.KO, RECIPE)
