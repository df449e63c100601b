from __future__ import annotations

import pytest

from agent.models.repair import repaired
from agent.prompts import MOST_ROWS, batch_table, system_prompt
from tools.records import ImageRecord


def records(count: int) -> list[ImageRecord]:
    return [
        ImageRecord(id=f"img_{n:03d}", name=f"part_{n}.png", sha256="0" * 64, width_px=64, height_px=48)
        for n in range(1, count + 1)
    ]


def test_what_is_said_beside_the_tools_is_short_and_its_examples_are_programs() -> None:
    prompt = system_prompt([])
    assert len(prompt) < 1_500
    examples = prompt.split("Example. ")[1:]
    assert len(examples) == 2
    for example in examples:
        program = example.partition("\n")[2].strip()
        assert repaired(program) == program


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (3, "img_003 | part_3.png | 64x48"),
        (MOST_ROWS, f"img_{MOST_ROWS:03d} | part_{MOST_ROWS}.png | 64x48"),
        (300, "... 240 more, up to img_300; images() lists them"),
    ],
)
def test_the_table_of_a_large_batch_stays_short(count: int, last: str) -> None:
    lines = batch_table(records(count), "cover").split("\n")
    assert lines[0] == f"Batch: {count} images of: cover"
    assert lines[-1] == last
    assert len(lines) <= MOST_ROWS + 3
    assert batch_table(records(count), "cover", "and more").endswith(f"{last}\nand more")
