from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from textual.events import Paste
from textual.widgets import Input, ProgressBar

from agent.events import Decision
from agent.log import LOG, read_log
from tests.tui.chat.desks import Desk, code, opened, play, say, shown, until
from tools.errors import UsageError
from tools.pipeline.engines import EngineOptions
from tools.recipe.file import new_recipe
from tools.records import Language, Verdict
from tui.app import LoupeApp
from tui.chat.background import Failed, Start, open_beside
from tui.chat.dialogs import ChooseDialog
from tui.chat.opening_dialog import OpenDialog
from tui.chat.reasons import ReasonScreen
from tui.chat.review import ReviewScreen
from tui.chat.turns import TurnView
from tui.chatting import session_opener


def test_a_folder_without_images_is_a_message_and_another_can_be_opened(desk: Desk) -> None:
    (desk.folder / "empty").mkdir()
    app = desk.app(start=Start((str(desk.folder / "empty"),)))

    async def flow(pilot: Any) -> None:
        await until(pilot, lambda: app.workspace.query(".error"))
        await say(pilot, app, f"/open {desk.folder / 'parts'}")
        await opened(pilot, app)
        assert app.session is not None
        assert len(app.session.batch) == 4

    play(app, flow)


def test_a_session_stays_open_where_another_cannot_be_opened(desk: Desk) -> None:
    app = desk.app([code('final_answer("still here")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, f"/open {desk.folder / 'nowhere'}")
        await until(pilot, lambda: app.workspace.query(".error"))
        await say(pilot, app, "are you there?")
        assert app.workspace.conversation.last_answer == "still here"

    play(app, flow)


def held_back(app: LoupeApp) -> threading.Event:
    """Lets no session open before the event is set."""
    may_open, open_session = threading.Event(), app._open_session

    def slow(*given: Any) -> Any:
        may_open.wait(20)
        return open_session(*given)

    app._open_session = slow
    return may_open


def test_a_request_that_is_sent_too_early_waits_for_the_images(desk: Desk) -> None:
    app = desk.app([code('final_answer("here")')])
    may_open = held_back(app)

    async def flow(pilot: Any) -> None:
        await pilot.press(*"hi", "enter")
        await until(pilot, lambda: app._waiting)
        may_open.set()
        await until(pilot, lambda: app.workspace.conversation.last_answer == "here")

    play(app, flow)


@pytest.mark.parametrize(
    ("second", "language", "notice"),
    [
        ("and now?", Language.EN, "one request waits for the images already"),
        ("/inspect", Language.KO, "이미지를 기다리는 요청이 이미 있습니다"),
    ],
)
def test_a_second_request_stays_in_the_prompt_while_the_first_waits_for_the_images(
    desk: Desk, second: str, language: Language, notice: str
) -> None:
    app = desk.app([code('final_answer("here")')], language=language)
    may_open = held_back(app)

    async def flow(pilot: Any) -> None:
        await pilot.press(*"hi", "enter")
        await until(pilot, lambda: app._waiting)
        app.workspace.prompt.write(second)
        await pilot.pause()
        app.workspace.prompt.close_offers()
        await pilot.press("enter")
        await until(pilot, lambda: any(notice in each.message for each in app._notifications))
        assert app.workspace.prompt.area.text == second
        may_open.set()
        await until(pilot, lambda: app.workspace.conversation.last_answer == "here")
        await until(pilot, lambda: not app.is_busy)
        assert [turn.request for turn in app.session.turns] == ["hi"]  # type: ignore[union-attr]

    play(app, flow)


def test_a_large_folder_tells_how_far_it_is_and_can_be_stopped(desk: Desk) -> None:
    app, may_open = desk.app(), threading.Event()
    open_session = app._open_session

    def slow(wanted: Start, approve: Any, progress: Callable[[int, int], None]) -> Any:
        while not may_open.is_set():
            progress(51, 100)
            may_open.wait(0.02)
        return open_session(wanted, approve, progress)

    app._open_session = slow

    async def flow(pilot: Any) -> None:
        await until(pilot, lambda: "51 of 100" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "the images were not opened" in shown(app))
        assert "51 of 100" not in shown(app)
        may_open.set()
        await say(pilot, app, f"/open {desk.folder / 'parts'}")
        await opened(pilot, app)

    play(app, flow)


@pytest.mark.parametrize("total", [1, 49, 5_000])
def test_the_reading_of_many_images_costs_few_messages(total: int) -> None:
    told: list[Any] = []

    def read(_: Start, __: Any, progress: Callable[[int, int], None]) -> Any:
        for done in range(1, total + 1):
            progress(done, total)
        raise UsageError("enough")

    open_beside(Start(), read, lambda _: True, told.append)
    for thread in [each for each in threading.enumerate() if each.name == "loupe-open"]:
        thread.join()
    assert 1 <= len(told) <= 51
    assert isinstance(told[-1], Failed)


def test_a_folder_that_is_dropped_on_the_app_is_added(desk: Desk) -> None:
    app, more = desk.app(), desk.folder / "more parts"
    more.mkdir()
    (desk.folder / "parts" / "part_1.png").rename(more / "part_9.png")

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        app.post_message(Paste(f"'{more}' "))
        await until(pilot, lambda: app.workspace.prompt.area.text == f"/add '{more}'")
        app.workspace.prompt.close_offers()
        await pilot.press("enter")
        await until(pilot, lambda: len(app.workspace.board.shown) == 4 and app.workspace.is_ready)
        app.post_message(Paste("plain words"))
        await until(pilot, lambda: app.workspace.prompt.area.text == "plain words")

    play(app, flow)


@pytest.mark.parametrize("command", ["/add {more}", "/recipe metal-surface"])
def test_what_people_decided_is_not_set_aside_unasked(desk: Desk, command: str) -> None:
    app, more = desk.app(), desk.folder / "more"
    more.mkdir()
    (desk.folder / "parts" / "part_1.png").rename(more / "part_9.png")

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        assert app.session is not None
        first = app.session
        first.decide("img_003", Verdict.REJECT, "bent")
        for keys, is_new in ((["enter"], False), (["down", "enter"], True)):
            await say(pilot, app, command.format(more=more))
            await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
            assert str(first.out) in shown(app)
            await pilot.press(*keys)
            await until(pilot, lambda: not isinstance(app.screen, ChooseDialog))
            await until(pilot, lambda: not app.is_busy and app.workspace.is_ready)
            assert (app.session is not first) is is_new
        await until(pilot, lambda: "This is a new session." in shown(app))
        assert str(first.out) in shown(app)
        assert app.earlier == [first.out]

    play(app, flow)


def test_a_session_in_which_nothing_was_done_is_left_without_a_word(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, f"/add {desk.folder / 'parts'}")
        await until(pilot, lambda: len(desk.opened) == 2 and app.workspace.is_ready)
        assert "This is a new session." not in shown(app)
        assert app.earlier == []

    play(app, flow)


def test_the_first_start_explains_itself_and_opens_what_is_typed(desk: Desk) -> None:
    app = desk.app(start=Start())

    async def flow(pilot: Any) -> None:
        await until(pilot, lambda: isinstance(app.screen, OpenDialog))
        await until(pilot, lambda: "pocket" in shown(app))
        app.screen.query_one(Input).value = str(desk.folder / "parts")
        await pilot.press("enter")
        await opened(pilot, app)

    play(app, flow)


def test_a_name_that_only_looks_like_a_home_folder_is_a_message(desk: Desk) -> None:
    app = desk.app(start=Start())

    async def flow(pilot: Any) -> None:
        await until(pilot, lambda: isinstance(app.screen, OpenDialog))
        app.screen.query_one(Input).value = "~photos"
        await pilot.press("enter")
        await until(pilot, lambda: "~photos does not exist" in shown(app))

    play(app, flow)


@pytest.mark.parametrize("command", ["/open ~/parts", "/add ~/parts"])
def test_what_is_opened_in_the_home_folder_is_found_again_from_elsewhere(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("HOME", str(desk.folder))
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, command)
        await until(pilot, lambda: len(desk.opened) == 2 and app.workspace.is_ready)
        assert desk.opened[1].images[-1] == str(desk.folder / "parts")

    play(app, flow)


def test_decisions_are_taken_back_also_by_a_later_run_of_the_app(desk: Desk) -> None:
    first = desk.app()

    async def decide(pilot: Any) -> None:
        await opened(pilot, first)
        session = first.session
        assert session is not None
        await pilot.press("f2", "space", "space", "r")
        await until(pilot, lambda: isinstance(first.screen, ReasonScreen))
        await pilot.press(*"bent", "enter")
        await until(pilot, lambda: len(session.verdicts()) == 2)
        await say(pilot, first, "/review")
        await until(pilot, lambda: isinstance(first.screen, ReviewScreen))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(first.screen, ReasonScreen))
        await pilot.press("1")
        await until(pilot, lambda: len(session.verdicts()) == 3)

    play(first, decide)
    again = desk.app(start=Start(resume=desk.folder / "out-1"))

    async def take_back(pilot: Any) -> None:
        await opened(pilot, again)
        session = again.session
        assert session is not None
        verdicts = session.verdicts()
        await pilot.press("f2", "u")
        await until(pilot, lambda: session.verdicts() != verdicts)
        assert sorted(session.verdicts().values()) == [Verdict.REJECT, Verdict.REJECT, Verdict.REVIEW]
        await pilot.press("u", "u")
        await until(pilot, lambda: "nothing to take back" in {n.message for n in again._notifications})
        assert set(session.verdicts().values()) == {Verdict.REVIEW}

    play(again, take_back)
    told = [event for event in read_log(desk.folder / "out-1")[1] if isinstance(event, Decision)]
    assert [event.reason for event in told[-2:]] == ["taken back: bent"] * 2
    assert [event.takes_back for event in told] == [0, 0, 0, told[2].act, told[0].act, told[0].act]


@pytest.mark.parametrize(
    ("language", "stopped", "ended"),
    [
        (Language.EN, "■ inspect() · stopped", "■ stopped: Loupe was closed meanwhile"),
        (Language.KO, "■ inspect() · 중지됨", "■ 중지됨: 도중에 Loupe가 종료되었습니다"),
    ],
)
def test_a_turn_in_which_the_program_was_killed_does_not_seem_to_run(
    desk: Desk, language: Language, stopped: str, ended: str
) -> None:
    log = desk.folder / "out-1" / LOG
    first = desk.app([code("inspect()", 'final_answer("one")')])

    async def begin(pilot: Any) -> None:
        await opened(pilot, first)
        await say(pilot, first, "first request")

    play(first, begin)
    lines = log.read_bytes().splitlines(keepends=True)
    begun = next(place for place, line in enumerate(lines) if b'"tool_started"' in line)
    log.write_bytes(b"".join([*lines[: begun + 1], *lines[1 : begun + 1]]))  # killed in two turns
    again = desk.app(start=Start(resume=desk.folder / "out-1"), language=language)

    async def resume(pilot: Any) -> None:
        await opened(pilot, again)
        assert len(again.workspace.query(TurnView)) == 2
        assert not again.workspace.conversation.query(ProgressBar)
        assert not again.workspace.query(".running")
        assert shown(again).count(stopped) == shown(again).count(ended) == 2

    play(again, resume)


def test_a_session_is_listed_resumed_and_refused_to_a_second_window(desk: Desk) -> None:
    first = desk.app([code('final_answer("one")')])

    async def begin(pilot: Any) -> None:
        await opened(pilot, first)
        await say(pilot, first, "first request")
        second = desk.app(start=Start(resume=desk.folder / "out-1"))

        async def refused(other: Any) -> None:
            await until(other, lambda: second.workspace.query(".error"))
            assert "open in another window" in shown(second)

        async with second.run_test() as other:
            await refused(other)

    play(first, begin)
    again = desk.app(start=Start())

    async def resume(pilot: Any) -> None:
        await until(pilot, lambda: isinstance(again.screen, OpenDialog))
        await pilot.press("escape", "ctrl+s")
        await until(pilot, lambda: isinstance(again.screen, ChooseDialog))
        await pilot.press("enter")
        await opened(pilot, again)
        (turn,) = again.workspace.query(TurnView)
        assert (turn.request, turn.answer) == ("first request", "one")
        await pilot.press("up")
        assert again.workspace.prompt.area.text == "first request"

    play(again, resume)


def test_the_session_that_is_open_stays_open_where_it_is_asked_for_again(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        session = app.session
        assert session is not None
        Image.new("RGB", (64, 64)).save(desk.folder / "parts" / "part_9.png")  # it would not open again
        app.open(Start(resume=session.out))
        await until(pilot, lambda: any("open already" in each.message for each in app._notifications))
        assert app.session is session
        session.decide("img_001", Verdict.REJECT, "bent")
        assert [event.kind for event in read_log(session.out)[1]] == ["decision"]

    play(app, flow)


def test_a_session_that_follows_sees_with_the_checkpoints_that_were_chosen_and_another_recipe_with_its_own(
    desk: Desk,
) -> None:
    clip, own = desk.folder / "my-clip", Path("own.yaml")
    clip.mkdir()
    new_recipe(own, "Plate")
    own.write_text(own.read_text() + "  detector: pocket\n")
    first = Start((str(desk.folder / "parts"),), str(own), out=desk.folder / "first")
    open_first = session_opener("Kim", EngineOptions(clip=str(clip)), ledger=False)
    open_first(first, lambda _: True, lambda *_: None).close()
    app = LoupeApp(Start(resume=first.out), session_opener("Kim", EngineOptions(), ledger=False))

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        for command, detector in ((f"/open {desk.folder / 'parts'}", True), ("/recipe metal-surface", False)):
            before = app.session
            await say(pilot, app, command)
            await until(pilot, lambda before=before: app.session is not before and app.workspace.is_ready)
            seers = read_log(app.session.out)[0].seers  # type: ignore[union-attr]
            assert seers is not None
            assert seers["clip"] == str(clip)
            assert ("detector" in seers) is detector

    play(app, flow)


def test_the_first_session_that_opens_is_written_where_it_was_asked_for(desk: Desk) -> None:
    app = desk.app(start=Start(out=desk.folder / "runs" / "A-17"))

    async def flow(pilot: Any) -> None:
        await until(pilot, lambda: isinstance(app.screen, OpenDialog))
        await pilot.press("escape")
        for _ in range(2):
            before = app.session
            await say(pilot, app, f"/open {desk.folder / 'parts'}")
            await until(pilot, lambda before=before: app.session is not before and app.workspace.is_ready)
        assert [start.out for start in desk.opened] == [desk.folder / "runs" / "A-17", None]

    play(app, flow)


@pytest.mark.parametrize("images", [("parts",), ()])
def test_a_recipe_that_there_is_takes_the_place_of_one_that_there_is_not(
    desk: Desk, images: tuple[str, ...]
) -> None:
    app = desk.app(start=Start(tuple(str(desk.folder / each) for each in images), "nope"))

    async def flow(pilot: Any) -> None:
        if images:
            await until(pilot, lambda: "there is no recipe nope" in shown(app))
        else:
            await until(pilot, lambda: isinstance(app.screen, OpenDialog))
            await pilot.press("escape")
        await say(pilot, app, "/recipe metal-surface")
        if not images:
            await say(pilot, app, f"/open {desk.folder / 'parts'}")
        await opened(pilot, app)
        assert app.start.recipe == "metal-surface"

    play(app, flow)
