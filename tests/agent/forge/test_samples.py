from __future__ import annotations

import random
import re

import pytest
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge import samples
from agent.forge.packs import Encoder, Pack
from agent.forge.samples import Teacher, kinds_of_samples
from agent.forge.sight import Gallery
from tools.forge.schedule import Budget, Progress
from tools.forge.training_set import Photo


@pytest.mark.parametrize(
    ("spent", "kinds"),
    [
        (0.0, {"drill"}),
        (0.4, {"drill", "bare", "words"}),
        (0.9, {"bare", "words"}),
        (None, {"bare", "words"}),
    ],
)
def test_a_fresh_model_copies_before_it_converses(spent: float | None, kinds: set[str]) -> None:
    young = None if spent is None else Progress(Budget(60.0, spent=spent))
    drawn = kinds_of_samples(random.Random(0), 0.0, young)
    assert {next(drawn) for _ in range(60)} == kinds


@pytest.fixture
def teacher(
    processor: Qwen2_5_VLProcessor, model: Qwen2_5_VLForConditionalGeneration, photos: list[Photo]
) -> Teacher:
    rng = random.Random(0)
    return Teacher(model, Encoder(processor), Gallery(photos, rng), rng)


def said(pack: Pack, processor: Qwen2_5_VLProcessor) -> list[str]:
    """The prefix of a sample, then each of its conversations."""
    ids = pack.tensors["input_ids"][0].split([*pack.lengths])
    return [processor.tokenizer.decode(each) for each in ids]


def test_a_bare_request_has_no_prompt_no_batch_and_one_program(
    teacher: Teacher, processor: Qwen2_5_VLProcessor
) -> None:
    prefix, *conversations = said(teacher.sample("bare"), processor)
    assert prefix == "<|im_start|>user\n"
    assert len(conversations) == samples._BARE
    assert all(each.lstrip().startswith("Request: ") for each in conversations)
    assert all(each.count("</code>") == 1 for each in conversations)
    are_korean = [bool(re.search("[가-힣]", each.partition("<|im_end|>")[0])) for each in conversations]
    assert any(are_korean)
    assert not all(are_korean)


def test_conversations_about_a_batch_share_its_prompt(
    teacher: Teacher, processor: Qwen2_5_VLProcessor
) -> None:
    prefix, *conversations = said(teacher.sample("words"), processor)
    assert "You are Loupe" in prefix
    assert "Batch: " in prefix
    assert all(each.lstrip().startswith("Request: ") for each in conversations)
