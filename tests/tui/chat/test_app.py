from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.widgets import Collapsible, Markdown, OptionList
from textual.widgets._toast import Toast

from agent.events import ToolStarted
from agent.log import read_log
from tests.tui.chat.desks import Desk, code, opened, play, say, shown, until
from tools.recipe.file import new_recipe
from tools.records import Language
from tui.chat.dialogs import ChooseDialog, HelpDialog
from tui.chat.keys import KEYS
from tui.chat.picture import PicturePanel
from tui.chat.prompt import PromptArea
from tui.chat.steps import StepView, ToolView
from tui.chat.turns import TurnView


def test_an_answer_a_step_and_a_tools_rows_are_shown(desk: Desk) -> None:
    app = desk.app([code("rows = screen()", "final_answer(f'{len(rows)} screened')")])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "screen them")
        (turn,) = app.workspace.query(TurnView)
        assert turn.answer == "4 screened"
        (step,) = app.workspace.query(StepView)
        assert step.collapsed
        assert "rows = screen()" in step.query_one(Markdown).source
        (call,) = app.workspace.query(ToolView)
        assert "screen() · 4 rows" in call.query_one(Collapsible).title
        assert not app.workspace.query("#welcome")

    play(app, flow)


def test_a_command_uses_the_tool_without_the_model_and_rows_follow(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "/inspect")
        await until(pilot, lambda: not app.workspace._changed)
        marks = {image: row.mark for image, row in app.workspace.board._rows.items()}
        assert marks["img_001"] == "accept"
        assert app.workspace.board._rows["img_002"].finding == "scratch"
        assert desk.model.sent == []
        app.workspace.board.set_filter(marks["img_002"])
        assert "img_002" in app.workspace.board._shown

    play(app, flow)


def test_the_ends_of_the_batch_are_a_key_away(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press("f2", "end")
        await until(pilot, lambda: app.workspace.board.current == "img_004")
        await pilot.press("home")
        await until(pilot, lambda: app.workspace.board.current == "img_001")

    play(app, flow)


def test_what_the_agent_looks_at_is_shown_near_also_where_there_is_little_room(desk: Desk) -> None:
    app = desk.app([code('look("img_003", [0, 0, 16, 16])'), code('final_answer("seen")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "look closely at the third")
        assert app.workspace.board.current == "img_003"
        picture = app.workspace.query_one(PicturePanel)
        await until(pilot, lambda: picture.view.zoom > 1)
        assert app.workspace.query_one("#picture").display
        await pilot.press("f2")
        await pilot.pause()
        assert app.workspace.board.display

    play(app, flow, (80, 24))


def test_many_changed_rows_are_drawn_a_few_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.chat.workspace._MOST_AT_ONCE", 3)
    app, drawn = desk.app(), []

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        workspace = app.workspace
        monkeypatch.setattr(workspace.board, "change", lambda rows: drawn.append([*rows]))
        workspace.changed()
        await until(pilot, lambda: not workspace._changed)
        assert [len(rows) for rows in drawn] == [3, 1]
        assert {row.image_id for rows in drawn for row in rows} == workspace._positions.keys()

    play(app, flow)


def test_a_failing_model_is_a_message_with_a_hint_and_the_app_goes_on(desk: Desk) -> None:
    app = desk.app({"hello": [code('final_answer("hi")')]})

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "something else")
        assert "has no answer" in shown(app)
        await say(pilot, app, "hello")
        assert app.workspace.conversation.last_answer == "hi"

    play(app, flow)


def test_errors_are_told_in_the_language_of_the_interface(desk: Desk) -> None:
    app = desk.app({}, language=Language.KO)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "전부 검사해 줘")
        assert "`scripted`에 이 요청의 답이 없습니다" in app.workspace.conversation.last_answer
        await until(pilot, lambda: "이 요청의 답이 없습니다. 답 파일에 이 요청을 추가하세요." in shown(app))
        await say(pilot, app, "inspect everything")
        await until(
            pilot, lambda: app.workspace.conversation.last_answer.count("이 요청의 답이 없습니다") == 1
        )
        assert "I could not" not in app.workspace.conversation.last_answer
        assert "`/inspect`" not in app.workspace.conversation.last_answer.partition("모델 없이도")[0]
        await say(pilot, app, "/screen img_099")
        await until(pilot, lambda: "그런 이미지가 없습니다: 'img_099'" in shown(app))
        await say(pilot, app, f"/open {desk.folder / 'nowhere'}")
        await until(pilot, lambda: "오류: 파일이나 폴더가 없습니다" in shown(app))
        await say(pilot, app, "/recipe no-such.yaml")
        await until(pilot, lambda: "레시피가 없습니다: no-such.yaml" in shown(app))
        assert "has no answer" not in shown(app)
        assert "Bundled recipes" not in shown(app)

    play(app, flow)


def test_the_chat_is_exported_copied_and_a_turn_edited(desk: Desk) -> None:
    app = desk.app([code("screen('img_001')", 'final_answer("looks fine")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "is @img_001 fine?")
        assert "is img_001 fine?" in str(desk.model.sent)
        await say(pilot, app, f"/export {desk.folder / 'chat.md'}")
        written = (desk.folder / "chat.md").read_text("utf-8")
        assert "is img_001 fine?" in written
        assert "| id | suspicion |" in written
        assert "looks fine" in written
        await say(pilot, app, "/copy")
        assert app.clipboard == "looks fine"
        app.workspace.query_one(TurnView).focus()
        await pilot.press("e")
        assert app.workspace.prompt.area.text == "is img_001 fine?"

    play(app, flow)


@pytest.mark.parametrize(("said", "folded"), [("inspect them", [True, True]), ("/screen", [False])])
def test_enter_unfolds_and_folds_a_turn(desk: Desk, said: str, folded: list[bool]) -> None:
    app = desk.app([code("inspect()"), code('final_answer("done")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, said)
        turn = app.workspace.query_one(TurnView)
        folds = list(turn.query(StepView)) or list(turn.query(Collapsible))
        assert [fold.collapsed for fold in folds] == folded
        app.workspace.action_focus_panel("conversation")
        for expected in ([not each for each in folded], folded):
            await pilot.press("enter")
            await until(pilot, lambda expected=expected: [fold.collapsed for fold in folds] == expected)

    play(app, flow)


def test_every_key_that_a_turn_is_said_to_have_is_bound() -> None:
    bound = {key for binding in TurnView.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
    assert {key.key for key in KEYS["conversation"]} <= bound


def test_completion_offers_commands_and_images_and_enter_takes_the_first(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press(*"/lo")
        await until(pilot, lambda: app.workspace.prompt.area.is_offering)
        offers = app.workspace.query_one("#offers", OptionList)
        assert offers.option_count == 2
        await pilot.press("down", "enter", *"3")
        await pilot.pause()
        await pilot.press("tab")
        assert app.workspace.prompt.area.text == "/look img_003 "
        await pilot.press("enter")
        await until(pilot, lambda: app.workspace.board.current == "img_003")

    play(app, flow)


@pytest.mark.parametrize(
    ("keys", "sent"),
    [
        (["enter"], "/recipe cover.yaml"),
        (["down", "enter", "enter"], "/recipe painted-cover.yaml"),
        (["up", "enter", "enter"], "/recipe painted-cover.yaml"),
        (["tab", "enter"], "/recipe painted-cover.yaml"),
    ],
)
def test_enter_leaves_a_word_that_is_whole_as_it_stands(desk: Desk, keys: list[str], sent: str) -> None:
    for name in ("cover.yaml", "painted-cover.yaml"):
        new_recipe(Path(name), "Plate")
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press(*"/recipe cover.yaml")
        await until(pilot, lambda: app.workspace.prompt.area.is_offering)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: len(desk.opened) == 2)
        assert f"/recipe {desk.opened[1].recipe}" == sent
        await until(pilot, lambda: not app.is_busy)

    play(app, flow)


def test_a_description_is_in_the_language_of_the_interface(desk: Desk) -> None:
    app = desk.app(language=Language.KO)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "/describe img_002")
        assert app.session is not None
        (called,) = [event for event in read_log(app.session.out)[1] if isinstance(event, ToolStarted)]
        assert called.arguments["language"] == "ko"

    play(app, flow)


@pytest.mark.parametrize("name", ["./models[/old]/qwen", "./[A-17]", "x [red]y"])
def test_a_bracket_in_a_notice_is_a_bracket(desk: Desk, name: str) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, f"/model '{name}'")
        await until(pilot, lambda: app.screen.query(Toast))
        assert name in str(app.screen.query_one(Toast).render())
        app.workspace.notify(f"opened {name}")  # as the panels do
        await until(
            pilot, lambda: any(f"opened {name}" in str(each.render()) for each in app.screen.query(Toast))
        )

    play(app, flow, notifications=True)


def test_keys_that_come_faster_than_they_are_heard_keep_their_order(desk: Desk) -> None:
    app = desk.app()
    named = {"\r": "enter", "\n": "ctrl+j", "/": "slash", " ": "space"}

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        prompt = app.workspace.prompt
        for letter in "/abc\r/de\nf\r/copy all\r/them\rwx":
            app.post_message(Key(named.get(letter, letter), letter if letter.isprintable() else None))
        await until(pilot, lambda: prompt.area.text.endswith("wx"))
        assert prompt.area.text == "/theme wx"
        assert prompt._history == ["/abc", "/de\nf", "/copy all"]

    play(app, flow)


def test_the_interface_changes_its_language_and_keeps_the_conversation(desk: Desk) -> None:
    app = desk.app([code('final_answer("one")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "first request")
        await say(pilot, app, "/language ko")
        assert app.words.language is Language.KO
        assert "답변 완료" in shown(app)
        assert app.workspace.conversation.last_answer == "one"

    play(app, flow)


def test_another_model_answers_from_the_next_turn_on(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text("- |\n  <code>\n  final_answer('second model')\n  </code>\n")
    app = desk.app([code('final_answer("first model")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "one")
        assert "(loaded)" in str(app.workspace.header.content)
        await say(pilot, app, f"/model scripted:{tmp_path / 'answers.yaml'}")
        assert "model answers.yaml (loads at the first request)" in str(app.workspace.header.content)
        await say(pilot, app, "two")
        assert app.workspace.conversation.last_answer == "second model"
        await say(pilot, app, f"/model scripted:{tmp_path / 'none.yaml'}")
        await say(pilot, app, "three")
        assert [turn.outcome.value for turn in app.session.turns][-1] == "failed"  # type: ignore[union-attr]

    play(app, flow)


def test_models_are_listed_with_what_they_cost_and_a_server_is_named_by_hand(desk: Desk) -> None:
    app = desk.app([code('final_answer("one")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "one")
        await say(pilot, app, "/model")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        choices = app.screen.query_one(OptionList)
        texts = [str(choices.get_option_at_index(place).prompt) for place in range(choices.option_count)]
        assert "scripted" in texts[0]
        assert "loaded" in texts[0]
        assert any("GB to download once" in text and "GB of memory" in text for text in texts)
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.workspace.prompt.area.text == "/model http://127.0.0.1:8000/v1#")

    play(app, flow)


@pytest.mark.parametrize(
    ("size", "language"), [((80, 24), Language.EN), ((80, 24), Language.KO), ((200, 60), Language.EN)]
)
def test_panels_fit_the_terminal(desk: Desk, size: tuple[int, int], language: Language) -> None:
    app = desk.app(language=language)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        picture, batch = app.workspace.query_one("#picture"), app.workspace.board
        assert picture.display is (size[0] > 80)
        await pilot.press("f4")
        await pilot.pause()
        assert picture.display
        assert batch.display is (size[0] > 80)
        await pilot.press("f3")
        await pilot.pause()
        assert batch.display
        assert isinstance(app.focused, PromptArea)
        assert app.workspace.conversation.size.width >= 45
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))

    play(app, flow, size)


def test_a_long_conversation_keeps_its_newest_turns_on_the_screen(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.chat.conversation._MOST_TURNS", 2)
    app = desk.app([code(f'final_answer("{number}")') for number in range(3)])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        for request in ("one", "two", "three"):
            await say(pilot, app, request)
        assert [turn.request for turn in app.workspace.query(TurnView)] == ["two", "three"]
        assert "1 earlier turns" in shown(app)
        await say(pilot, app, "/language ko")
        assert [turn.request for turn in app.workspace.query(TurnView)] == ["two", "three"]
        assert "이전 대화 1개" in shown(app)

    play(app, flow)


@pytest.mark.parametrize("command", ["/look img_099", "/theme no-such", "/language xx", "/nonsense"])
def test_a_command_that_does_not_fit_is_answered(desk: Desk, command: str) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, command)
        await until(pilot, lambda: app.workspace.query(".said"))

    play(app, flow)
