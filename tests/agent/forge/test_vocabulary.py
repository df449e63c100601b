from __future__ import annotations

import pytest
from transformers import Qwen2_5_VLProcessor

from agent.forge.trajectories import prompt_of


@pytest.mark.parametrize(
    "text",
    [
        "please reprot lot QX-9/3b for img_007, and 12",
        "img_004는 긁혔으니 불합격, 로트 A-17 보고서 ㄱㄱ 뷁",
        'row = write_report(lot="A-17", language="ko")\n',
        "  두 칸\n\ttab é 你好",
    ],
)
def test_tokens_give_the_text_back(processor: Qwen2_5_VLProcessor, text: str) -> None:
    assert processor.tokenizer.decode(processor.tokenizer(text)["input_ids"]) == text


def test_a_lot_has_the_same_tokens_wherever_it_stands(processor: Qwen2_5_VLProcessor) -> None:
    words = processor.tokenizer
    lot = words("QX7-991/KZ")["input_ids"]
    assert len(lot) == len("QX7-991/KZ")
    for text in (
        "report for lot QX7-991/KZ please",
        'row = write_report(lot="QX7-991/KZ")',
        "로트QX7-991/KZ로",
    ):
        ids = words(text)["input_ids"]
        assert any(ids[at : at + len(lot)] == lot for at in range(len(ids)))


def test_the_system_prompt_is_a_token_a_line(processor: Qwen2_5_VLProcessor) -> None:
    prompt = prompt_of(has_ledger=True, has_eyes=True)
    assert len(processor.tokenizer(prompt)["input_ids"]) <= len(prompt.splitlines()) + 5
