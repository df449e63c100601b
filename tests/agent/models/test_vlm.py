from __future__ import annotations

import importlib.util
import threading
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PIL import Image

from agent.cancelling import TurnCancelled
from agent.models.families import QWEN2_5_VL
from agent.models.pictures import Picture
from agent.models.vlm import LocalModel
from tests.agent.models.saying import assistant, picture, user
from tests.agent.models.tiny import build
from tools.checkpoints import Checkpoint
from tools.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from smolagents.models import ChatMessage

    from agent.models.base import Question, Reply
    from agent.models.prefix import Prompt


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel(Checkpoint("agent", "tiny", folder), device="cpu", max_tokens=12, **options)


@pytest.fixture(scope="module")
def shared(qwen2_5: Path) -> LocalModel:
    return load(qwen2_5)


@pytest.fixture
def model(shared: LocalModel) -> Iterator[LocalModel]:
    yield shared
    shared.cancel, shared.on_text, shared.context_tokens = None, None, 8192
    shared._forget()


def ask(model: LocalModel, *messages: ChatMessage, **options: Any) -> tuple[Any, ...]:
    answer = model.generate(list(messages), **options)
    return answer.content, answer.raw["mean_logprob"]


def with_one_pixel_changed(shown: Picture) -> Picture:
    image = shown.image.copy()
    red, green, blue = image.getpixel((40, 30))
    image.putpixel((40, 30), (255 - red, green, blue))
    return Picture(shown.label, image)


def test_pixels_arrive(model: LocalModel) -> None:
    shown = picture(1)
    seen = ask(model, user("look", shown))
    assert ask(model, user("look", shown)) == pytest.approx(seen, abs=1e-5)
    assert ask(model, user("look", with_one_pixel_changed(shown))) != pytest.approx(seen, abs=1e-5)


def test_text_alone_is_answered(model: LocalModel) -> None:
    answer = model.generate([user("hello")])
    assert answer.content
    assert answer.token_usage.output_tokens <= 12


def growing_conversation(steps: int = 6) -> Iterator[list[ChatMessage]]:
    """Each step adds an answer and an observation; every other one a picture."""
    messages = [user("Inspect these parts.", picture(0))]
    for step in range(1, steps + 1):
        yield list(messages)
        shown = [picture(step)] if step % 2 else []
        messages += [assistant(f"<code>look({step})</code>"), user(f"Observation {step}", *shown)]


@pytest.mark.parametrize("family", ["qwen2_5", "qwen3"])
def test_reuse_gives_the_same_logits(family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(family)
    seen: dict[bool, list[torch.Tensor]] = {}
    answers: dict[bool, list[str]] = {}
    reused = []
    for reuse in (True, False):
        model = load(folder, reuse_prefix=reuse)
        seen[reuse] = []
        model._model.lm_head.register_forward_hook(
            lambda _layer, _inputs, logits, found=seen[reuse]: found.append(logits[0, -1].clone())
        )
        replies = [model.generate(messages) for messages in growing_conversation()]
        answers[reuse] = [reply.content for reply in replies]
        reused.append([reply.raw["reused_tokens"] for reply in replies])
        prompts = [reply.token_usage.input_tokens for reply in replies]
        model.close()
    assert answers[True] == answers[False]
    assert len(seen[True]) == len(seen[False])
    for with_reuse, without in zip(seen[True], seen[False], strict=True):
        torch.testing.assert_close(with_reuse, without, atol=1e-4, rtol=1e-4)
    assert all(known >= before for known, before in zip(reused[0][1:], prompts, strict=False))
    assert not any(reused[1])


def test_reuse_ends_where_a_picture_differs(model: LocalModel) -> None:
    first = user("look", picture(1), "and", picture(2))
    changed = user("look", picture(1), "and", with_one_pixel_changed(picture(2)))
    ask(model, first)
    after_another = model.generate([changed])
    model._forget()
    alone = model.generate([changed])
    assert after_another.content == alone.content
    assert after_another.raw["mean_logprob"] == pytest.approx(alone.raw["mean_logprob"], abs=1e-5)
    second_begins = alone.token_usage.input_tokens - QWEN2_5_VL.picture_tokens(84, 56, 2048)
    assert 0 < after_another.raw["reused_tokens"] < second_begins


@pytest.mark.parametrize(("width", "height"), [(84, 56), (28, 28), (300, 40), (37, 191), (640, 480)])
def test_token_counts_are_those_of_the_processor(model: LocalModel, width: int, height: int) -> None:
    shown = Picture("x", model.fitted(Image.new("RGB", (width, height)), 64))
    model.generate([user(shown)], max_tokens=1)
    prompt = model._prefix._keys
    assert prompt.count(shown.key) == model.picture_tokens(*shown.size_px)
    assert prompt.count(shown.key) <= 64


@pytest.mark.parametrize("size", [(4000, 3000), (1920, 1080), (100, 90), (20, 30), (56, 5600), (33, 700)])
@pytest.mark.parametrize("max_tokens", [16, 256, 1280])
def test_fitted_size_is_that_of_qwen(size: tuple[int, int], max_tokens: int) -> None:
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

    height, width = smart_resize(size[1], size[0], 28, 4 * 28**2, max_tokens * 28**2)
    assert QWEN2_5_VL.fitted_size(*size, max_tokens) == (width, height)


def test_stops_before_a_stop_string_and_streams(model: LocalModel) -> None:
    pieces: list[str] = []
    model.on_text = pieces.append
    whole = model.generate([user("speak")]).content
    assert "".join(pieces) == whole
    stop = next(letter for letter in whole[2:] if letter.isascii())
    stopped = model.generate([user("speak")], stop_sequences=[stop])
    assert stopped.content == whole[: whole.index(stop)]
    assert stopped.token_usage.output_tokens < 12


@pytest.mark.parametrize("length", [2, 3, 5])
def test_a_stop_string_of_several_tokens_ends_the_answer_where_it_is_complete(
    model: LocalModel, length: int
) -> None:
    whole = model.generate([user("speak")]).content
    stop = whole[4 : 4 + length]
    stopped = model.generate([user("speak")], stop_sequences=["never said", stop])
    at = whole.index(stop)
    assert stopped.raw["text"].startswith(whole[: at + length])
    assert len(stopped.raw["text"]) <= at + length
    assert stopped.content == whole[:at]


def test_cancelled_between_tokens_and_usable_afterwards(model: LocalModel) -> None:
    expected = ask(model, user("speak", picture(3)))
    model.cancel = threading.Event()
    model.on_text = lambda _: model.cancel.set()
    with pytest.raises(TurnCancelled):
        ask(model, user("speak", picture(3)))
    model.cancel.clear()
    model.on_text = None
    assert ask(model, user("speak", picture(3))) == pytest.approx(expected, abs=1e-5)


def test_cancelled_while_the_prompt_is_read(model: LocalModel) -> None:
    model.cancel = threading.Event()
    reached: list[str] = []
    visual = model._model.model.visual
    hooks = [
        visual.patch_embed.register_forward_hook(lambda *_: model.cancel.set()),
        visual.merger.register_forward_hook(lambda *_: reached.append("merger")),
    ]
    with pytest.raises(TurnCancelled):
        ask(model, user(picture(4)))
    for hook in hooks:
        hook.remove()
    assert reached == []


def test_too_long_a_prompt_is_tried_with_smaller_pictures(model: LocalModel) -> None:
    large = picture(5, 280, 280)  # 100 tokens
    whole = model.generate([user("look", large)]).token_usage.input_tokens
    model.context_tokens = whole  # leaves nothing for the answer
    smaller = model.generate([user("look", large)]).token_usage.input_tokens
    assert whole - 100 < smaller <= whole - 50
    assert model.to_picture_xyxy_px((0, 0, 98, 98), (280, 280)) == pytest.approx((0, 0, 140, 140))
    model.context_tokens = 20
    with pytest.raises(ModelError, match="does not fit"):
        model.generate([user("look", large)])


def test_out_of_memory_is_tried_with_smaller_pictures(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    generate = model._generate

    def once_too_much(prompt: Prompt, question: Question) -> Reply:
        lengths.append(prompt.length)
        if len(lengths) == 1:
            raise torch.OutOfMemoryError
        return generate(prompt, question)

    monkeypatch.setattr(model, "_generate", once_too_much)
    assert model.generate([user("look", picture(5, 280, 280))]).content
    assert lengths[1] == lengths[0] - 100 + 49


def test_four_bits_need_a_package(qwen2_5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="bitsandbytes"):
        load(qwen2_5, precision="int4")


@pytest.mark.parametrize("precision", ["int8", "int4"])
def test_weights_of_few_bits_are_smaller_and_see(tmp_path: Path, precision: str) -> None:
    pytest.importorskip("bitsandbytes")
    folder = build(tmp_path / "checkpoint", hidden=128)  # rows of 4 bits come in blocks of 64
    whole, small = load(folder), load(folder, precision=precision)
    assert small.provenance.precision == precision
    assert small._model.get_memory_footprint() < 0.5 * whole._model.get_memory_footprint()
    seen = ask(small, user("look", picture(1)))
    assert ask(small, user("look", picture(2))) != pytest.approx(seen, abs=1e-3)
