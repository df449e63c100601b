from __future__ import annotations

import pytest

from agent.forge.eyesight import is_right


@pytest.mark.parametrize(
    ("said", "true", "right"),
    [
        ("red", "red", True),
        ("Red", "red", True),
        ("blue", "red", False),
        ("", "none", False),
        ('{"bbox_2d": [10, 20, 110, 120]}', '{"bbox_2d": [12, 22, 112, 118]}', True),
        ('{"bbox_2d": [10, 20, 40, 120]}', '{"bbox_2d": [12, 22, 112, 118]}', False),
        ('{"bbox_2d": [10, 20, 40]}', '{"bbox_2d": [12, 22, 112, 118]}', False),
        ("it is a scratch", '{"bbox_2d": [12, 22, 112, 118]}', False),
    ],
)
def test_an_answer_is_the_word_or_a_box_that_overlaps_by_half(said: str, true: str, right: bool) -> None:
    assert is_right(said, true) is right
