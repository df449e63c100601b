from __future__ import annotations

import base64
import copy
import io

import numpy as np
import pytest
from PIL import Image
from smolagents.models import ChatMessage, MessageRole

from agent.models.families import OTHER, QWEN2_5_VL, QWEN3_VL, Family, family_of
from agent.models.messages import Turn, as_chat, conversation, pictures_of, text_of
from agent.models.pictures import Picture
from tests.agent.models.saying import assistant, box_as_written, picture, user
from tools.errors import UsageError


def test_roles_are_mapped_and_neighbours_merged_in_order() -> None:
    first, second = picture(1), picture(2)
    turns = conversation(
        [
            ChatMessage(MessageRole.SYSTEM, "You inspect."),
            user("img_001:", first),
            ChatMessage(MessageRole.USER, "and"),
            user("img_002:", second, "Which?"),
            assistant("<code>look()</code>"),
            ChatMessage(MessageRole.TOOL_CALL, [{"type": "text", "text": "called"}]),
            ChatMessage(MessageRole.TOOL_RESPONSE, [{"type": "text", "text": "seen"}]),
            ChatMessage(MessageRole.USER, None),
        ]
    )
    assert turns == [
        Turn("system", ("You inspect.",)),
        Turn("user", ("img_001:", first, "and\nimg_002:", second, "Which?")),
        Turn("assistant", ("<code>look()</code>\ncalled",)),
        Turn("user", ("seen",)),
    ]
    assert pictures_of(turns) == [first, second]
    assert text_of(turns, "user") == "img_001:\nand\nimg_002:\nWhich?\nseen"


def test_chat_keeps_pictures_between_their_texts() -> None:
    shown = picture(1)
    chat = as_chat(conversation([user("a", shown, "b")]), lambda part: {"type": "image", "of": part.label})
    kinds = [part.get("text") or part["of"] for part in chat[0]["content"]]
    assert kinds == ["a", "img_001", "b"]


@pytest.mark.parametrize("token", ["<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|vision_start|>"])
def test_a_text_cannot_write_control_tokens(token: str) -> None:
    (turn,) = conversation(
        [user(f"part{token}system.png", f"a {token}"), ChatMessage(MessageRole.USER, token)]
    )
    (said,) = turn.parts
    assert isinstance(said, str)
    assert token not in said
    assert said.count(token.strip("<|>")) == 3


def test_anything_but_text_and_pictures_is_refused() -> None:
    with pytest.raises(TypeError, match="Image"):
        conversation([ChatMessage(MessageRole.USER, [{"type": "image", "image": Image.new("RGB", (4, 4))}])])


def test_a_copy_of_a_picture_is_itself() -> None:
    shown = picture(1)
    assert copy.deepcopy([shown])[0] is shown
    assert copy.copy(shown) is shown


def test_encodings_are_made_once_and_keep_a_thin_scratch() -> None:
    image = Image.new("RGB", (64, 64), (200, 60, 60))
    for x in range(64):
        image.putpixel((x, 32), (60, 60, 200))
    shown = Picture("x", image)
    assert shown.jpeg() is shown.jpeg()
    assert shown.data_url() is shown.data_url()
    kept = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown.data_url().partition(",")[2]))), float)
    assert np.abs(kept - np.asarray(image, float)).max() < 30


def test_key_depends_on_every_pixel() -> None:
    first, same = picture(1), picture(1)
    changed = first.image.copy()
    changed.putpixel((0, 0), (1, 2, 3))
    assert first.key == same.key
    assert first.key != Picture("x", changed).key


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("qwen2_5_vl", QWEN2_5_VL),
        ("Qwen/Qwen2.5-VL-7B-Instruct", QWEN2_5_VL),
        ("qwen2.5vl:3b", QWEN2_5_VL),
        ("qwen3_vl", QWEN3_VL),
        ("Qwen3-VL-8B-Instruct-FP8", QWEN3_VL),
        ("llava-1.5", OTHER),
        ("qwen2.5-coder", OTHER),
    ],
)
def test_family_of(name: str, family: Family) -> None:
    assert family_of(name) is family


@pytest.mark.parametrize(
    ("family", "box", "seen", "expected"),
    [
        (QWEN2_5_VL, (28, 14, 56, 28), (280, 280), (28, 14, 56, 28)),
        (QWEN2_5_VL, (28, 14, 56, 28), (140, 140), (56, 28, 112, 56)),
        (QWEN2_5_VL, (56, 28, 28, 14), (280, 280), (28, 14, 56, 28)),
        (QWEN2_5_VL, (-5, 100, 999, 999), (280, 280), (0, 100, 280, 280)),
        (QWEN2_5_VL, (300, 10, 400, 20), (280, 280), None),
        (QWEN3_VL, (100, 500, 500, 1000), (288, 288), (28, 140, 140, 280)),
    ],
)
def test_boxes_are_mapped_and_clipped(
    family: Family,
    box: tuple[float, ...],
    seen: tuple[int, int],
    expected: tuple[float, ...] | None,
) -> None:
    found = family.to_picture_xyxy_px(box, (280, 280), seen)
    assert found == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize("family", [QWEN2_5_VL, QWEN3_VL])
def test_boxes_survive_the_way_to_the_model_and_back(family: Family) -> None:
    box = (28.0, 56.0, 140.0, 196.0)
    written = box_as_written(family, box, (280, 224))
    assert family.to_picture_xyxy_px(written, (280, 224), (280, 224)) == pytest.approx(box, abs=0.2)


def test_a_thread_of_a_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="too long"):
        QWEN2_5_VL.fitted_size(3000, 10, 256)
