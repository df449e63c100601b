from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agent.cancelling import TurnCancelled
from agent.models.loading import load_model
from agent.models.scripted import ScriptedModel
from tests.agent.models.saying import assistant, picture, user
from tools.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

STOPS = ["Observation:", "</code>"]


def test_answers_come_in_order_and_what_was_sent_is_kept() -> None:
    shown = picture(1, 84, 56)
    model = ScriptedModel(["first\n<code>screen()", "just prose"])
    pieces: list[str] = []
    model.on_text = pieces.append
    answer = model.generate([user("look", shown)], STOPS)
    assert answer.content == "first\n<code>\nscreen()\n</code>"
    assert "".join(pieces) == answer.raw["text"] == "first\n<code>screen()"
    assert answer.token_usage.input_tokens == 1 + 6
    assert model.generate([user("again")]).content == "just prose"
    assert [turns[0].parts for turns in model.sent] == [("look", shown), ("again",)]
    with pytest.raises(ModelError, match="no further answer"):
        model.generate([user("and now?")])


def test_only_code_is_repaired() -> None:
    model = ScriptedModel(["print(1)"] * 2)
    assert model.generate([user("x")], STOPS).content == "<code>\nprint(1)\n</code>"
    assert model.generate([user("x")]).content == "print(1)"


def test_the_latest_request_is_answered() -> None:
    model = ScriptedModel({"screen them": ["a"], "보고서": ["b", "c"]})
    said = [user("screen them")]
    assert model.generate(said).content == "a"
    said += [assistant("a"), user("이제 보고서 만들어줘")]
    assert model.generate(said).content == "b"
    assert model.generate([*said, assistant("b"), user("done")]).content == "c"
    with pytest.raises(ModelError, match="no answer to what was asked"):
        model.generate([user("something else")])


def test_a_cancelled_turn_takes_no_answer() -> None:
    model = ScriptedModel(["only"])
    model.cancel = threading.Event()
    model.cancel.set()
    with pytest.raises(TurnCancelled):
        model.generate([user("x")])
    model.cancel.clear()
    assert model.generate([user("x")]).content == "only"


@pytest.mark.parametrize("text", ["- one\n- two\n", "hello:\n  - one\n  - two\n"])
def test_loaded_from_a_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text(text, "utf-8")
    model = load_model(f"scripted:{path}")
    assert [model.generate([user("hello")]).content for _ in range(2)] == ["one", "two"]
    assert model.name == "scripted:answers.yaml"


@pytest.mark.parametrize("text", ["", "42", "- 1\n", "a: b\n", "a: [1]\n", "- [", None])
def test_other_files_are_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "answers.yaml"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ModelError, match=r"answers\.yaml"):
        load_model(f"scripted:{path}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [("./no/such/folder", "does not exist"), ("http://127.0.0.1:9/v1#x", "No server answers")],
)
def test_what_is_not_there_is_named(spec: str, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load_model(spec)
    assert caught.value.hint


def test_there_is_no_pocket_model_without_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.models.loading._POCKET", tmp_path / "pocket")
    with pytest.raises(ModelError, match="pocket") as caught:
        load_model("pocket")
    assert "--model" in caught.value.hint
