from __future__ import annotations

import numpy as np
import pytest

from tools.references.choosing import spread_out


def grids(values: list[float]) -> list[list[np.ndarray[tuple[int, ...], np.dtype[np.float16]]]]:
    """Parts of one backbone: even grids of 4 x 5 cells with two channels."""
    return [[np.full((4, 5, 2), value, np.float16)] for value in values]


@pytest.mark.parametrize(
    ("values", "count", "kept"),
    [
        ([0.0, 0.1, 0.2, 5.0], 2, (0, 3)),
        ([0.0, 0.1, 5.0, 5.1, 2.5], 3, (0, 3, 4)),
        ([1.0, 1.0, 1.0], 2, (0, 1)),
        ([3.0, 2.0], 2, (0, 1)),
    ],
    ids=["the odd one", "one of two that are alike", "all alike", "all"],
)
def test_parts_are_kept_that_leave_no_other_far(
    values: list[float], count: int, kept: tuple[int, ...]
) -> None:
    parts = grids(values)
    assert spread_out(parts, [None] * len(parts), count) == kept


def test_what_lies_outside_the_part_makes_none_odd() -> None:
    parts = grids([0.0, 0.0, 1.0])
    parts[1][0][:, :2] = 9.0
    masks = [np.arange(5)[None, :].repeat(4, axis=0) >= 2] * 3
    assert spread_out(parts, masks, 2) == (0, 2)
