from __future__ import annotations

import pytest
from textual.pilot import Pilot

from tests.tui.chat.staging import play, told
from tools.records import Language
from tui.chat.header import Header, short_name
from tui.chat.words import Words


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("pocket", "pocket"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen2.5-VL-7B-Instruct"),
        ("http://127.0.0.1:8000/v1#name", "name"),
        ("scripted:examples/answers.yaml", "answers.yaml"),
        ("./checkpoint/", "checkpoint"),
    ],
)
def test_a_model_is_told_by_the_end_of_its_name(model: str, expected: str) -> None:
    assert short_name(model) == expected


@pytest.mark.parametrize(
    ("language", "expected"), [(Language.EN, "1200 of 5000 images read"), (Language.KO, "5000장 중 1200장")]
)
def test_images_are_counted_while_a_large_folder_is_opened(language: Language, expected: str) -> None:
    header = Header(Words(language))

    async def steps(pilot: Pilot[None]) -> None:
        header.opening("parts")
        header.opened_so_far(1200, 5000)
        await pilot.pause()
        assert expected in told(pilot)
        header.opening("")
        await pilot.pause()
        assert expected not in told(pilot)

    play(header, steps)
