from __future__ import annotations

import random

import pytest
import torch
from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge.packs import Encoder, hidden_states, packed
from agent.forge.trajectories import Past, Stage, begun, make_example
from agent.models.messages import as_chat
from agent.models.pictures import Picture
from tests.agent.forge.conftest import MakeStage, grey
from tools.records import Language


@pytest.mark.parametrize("turns", [0, 2])
def test_a_pack_is_what_separate_conversations_are(
    make_stage: MakeStage,
    processor: Qwen2_5_VLProcessor,
    model: Qwen2_5_VLForConditionalGeneration,
    turns: int,
) -> None:
    bare = make_stage(4)
    stage = Stage(bare.steps, grey, Picture("contact sheet", Image.new("RGB", (168, 112), (9, 200, 90))))
    past, rng = Past(Language.KO, turns, 7), random.Random(2)
    before = begun(stage, past)
    examples = [
        make_example(rng, stage, past, kind="single", intent=intent, before=before)
        for intent in ("look", "report_lot", "compare") * 6  # more than one group of like length
    ]
    encoder = Encoder(processor)
    prefix = encoder.prefix(examples[0].messages, examples[0].first_written)
    branches = [encoder.branch(each.messages, each.first_written) for each in examples]
    pack = packed(model, encoder, prefix, branches)
    with torch.no_grad():
        together = hidden_states(model, pack)
    begin = 0
    for example, branch in zip(examples, branches, strict=True):
        alone = processor.apply_chat_template(
            as_chat(example.messages, lambda picture: {"type": "image", "image": picture.image}),
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        assert alone["input_ids"][0].tolist() == prefix.ids + branch.ids
        with torch.no_grad():
            states = model.model(**alone).last_hidden_state[0]
        at = [len(prefix.ids) + place - 1 for place, own in enumerate(branch.is_target) if own]
        torch.testing.assert_close(together[begin : begin + len(at)], states[at], atol=2e-5, rtol=1e-4)
        begin += len(at)


def test_only_what_the_model_writes_is_learned(make_stage: MakeStage, processor: Qwen2_5_VLProcessor) -> None:
    example = make_example(random.Random(1), make_stage(), Past(Language.EN), kind="single", intent="biggest")
    piece = Encoder(processor).branch(example.messages, example.first_written)
    learned = [token for token, own in zip(piece.ids, piece.is_target, strict=True) if own]
    assert processor.tokenizer.decode(learned) == f"<code>\n{example.programs[0]}\n</code><|im_end|>"


def test_a_bare_conversation_is_the_request_and_what_answers_it(
    make_stage: MakeStage, processor: Qwen2_5_VLProcessor
) -> None:
    example = make_example(
        random.Random(0), make_stage(4), Past(Language.EN), kind="single", intent="report_lot"
    )
    encoder = Encoder(processor)
    opening = encoder.opening()
    branch = encoder.branch(example.messages, example.first_written)
    assert processor.tokenizer.decode(opening.ids + branch.ids) == (
        f"<|im_start|>user\n\nRequest: {example.request.text}<|im_end|>\n"
        f"<|im_start|>assistant\n<code>\n{example.programs[0]}\n</code><|im_end|>\n"
    )
    assert not any(opening.is_target)
