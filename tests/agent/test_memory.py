from __future__ import annotations

import pytest
from PIL import Image
from smolagents.models import ChatMessage, MessageRole

from agent.memory import Budget, Memory, Step, Turn
from agent.models.pictures import Picture


def picture(label: str, side_px: int = 56) -> Picture:
    return Picture(label, Image.new("RGB", (side_px, side_px)))


def memory(budget: Budget | None = None, sheet: bool = True) -> Memory:
    return Memory(
        "You are Loupe.",
        "Batch: 3 images",
        picture("contact sheet") if sheet else None,
        budget or Budget(),
        lambda width, height: width * height // 784,
        lambda shown: f"{shown.label} has one scratch.",
    )


def texts(messages: list[ChatMessage]) -> str:
    parts = [part for message in messages for part in message.content]
    return "\n".join(part["text"] if part["type"] == "text" else "<picture>" for part in parts)


def pictures(messages: list[ChatMessage]) -> list[str]:
    return [part["image"].label for m in messages for part in m.content if part["type"] == "image"]


def test_first_prompt_is_system_then_batch_sheet_and_request() -> None:
    known = memory()
    known.turns.append(Turn("which are bad?"))
    messages = known.messages()
    assert [message.role for message in messages] == [MessageRole.SYSTEM, MessageRole.USER]
    assert texts(messages[1:]) == "Batch: 3 images\ncontact sheet:\n<picture>\nRequest: which are bad?"


def test_a_step_is_program_then_observation_then_labelled_picture() -> None:
    known = memory(sheet=False)
    known.turns.append(Turn("look"))
    known.running.steps.append(Step("<code>\nlook('img_002')\n</code>", "shown", [picture("img_002")]))
    messages = known.messages()
    assert [message.role for message in messages[2:]] == [MessageRole.ASSISTANT, MessageRole.USER]
    assert texts(messages[3:]) == "Observation:\nshown\nimg_002:\n<picture>"


def test_only_the_newest_pictures_stay_and_the_others_become_what_is_known() -> None:
    known = memory(Budget(pictures=2), sheet=False)
    known.turns.append(Turn("look at all"))
    for number in range(1, 6):
        known.running.steps.append(Step("<code>look()</code>", "shown", [picture(f"img_{number:03d}")]))
    messages = known.messages()
    assert pictures(messages) == ["img_004", "img_005"]
    assert "[img_001 was shown here. img_001 has one scratch.]" in texts(messages)


def test_the_same_picture_is_sent_once_at_its_newest_place() -> None:
    known = memory(sheet=False)
    known.turns.append(Turn("look twice"))
    for _ in range(2):
        known.running.steps.append(Step("<code>look()</code>", "shown", [picture("img_001")]))
    messages = known.messages()
    assert pictures(messages) == ["img_001"]
    assert messages[-1].content[-1]["type"] == "image"


def test_a_finished_turn_is_request_facts_and_answer() -> None:
    known = memory(sheet=False)
    steps = [Step("<code>rows = screen()</code>", "a long observation", [picture("img_001")])]
    known.turns.append(Turn("screen", steps, ["screen() -> 3 rows"], "2 are suspect", is_finished=True))
    known.turns.append(Turn("and now?"))
    messages = known.messages()
    assert "a long observation" not in texts(messages)
    assert "screen() -> 3 rows" in texts(messages)
    assert "final_answer('2 are suspect')" in texts(messages)
    assert pictures(messages) == []


@pytest.mark.parametrize("tokens", [4000, 1500, 700])
def test_the_budget_holds_however_long_the_conversation(tokens: int) -> None:
    known = memory(Budget(tokens=tokens, observation_chars=1200), sheet=False)
    for number in range(40):
        facts = [f"screen() -> {'x' * 400}"] * 3
        known.turns.append(Turn(f"request {number}", [], facts, f"answer {number}", is_finished=True))
    known.turns.append(Turn("the newest request"))
    for number in range(6):
        shown = [picture(f"img_{number:03d}", side_px=280)]
        known.running.steps.append(Step("<code>look()</code>", f"observation {number} " + "y" * 2000, shown))
    messages = known.messages()
    assert known.cost(messages) <= tokens
    assert "the newest request" in texts(messages)
    assert "observation 5" in texts(messages)
    assert pictures(messages)[-1] == "img_005"


def test_the_prompt_of_a_turn_only_grows_so_that_its_prefix_can_be_reused() -> None:
    known = memory()
    known.turns.append(Turn("inspect"))
    before = texts(known.messages())
    for number in range(4):
        known.running.steps.append(Step("<code>print(1)</code>", f"observation {number}"))
        after = texts(known.messages())
        assert after.startswith(before)
        before = after
