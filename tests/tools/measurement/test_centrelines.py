from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.shapes import arc, stroke
from tools.measurement.measurer import measure_mask
from tools.records import Measurement, Quantity

Line = NDArray[np.float64]

RING = arc(30, 0.3, 2 * np.pi, (50.2, 50.4))
TAIL = np.array([[80.2, 50.4], [112.0, 50.4]])


def measured(lines: list[Line], width: float, size: int = 120) -> dict[Quantity, Measurement]:
    sizes = measure_mask(stroke(lines, width, size), curvilinear=True).sizes
    return {each.quantity: each for each in sizes}


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
@pytest.mark.parametrize(
    ("lines", "true"),
    [
        pytest.param([RING], 2 * np.pi * 30, id="a ring"),
        pytest.param([arc(30, 0.3, 6.0, (50.2, 50.4))], 30 * 6.0, id="a ring that does not close"),
        pytest.param([RING, TAIL], 2 * np.pi * 30 + 31.8, id="a ring that runs out"),
    ],
)
def test_a_loop_is_as_long_as_the_way_round_it(lines: list[Line], true: float, width: float) -> None:
    length = measured(lines, width)[Quantity.LENGTH]
    assert length.value == pytest.approx(true, rel=0.025, abs=width)
    assert abs(length.value - true) <= length.uncertainty + width


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("turn", [0.0, 0.35, 0.785])
def test_two_lines_that_cross_are_no_wider_where_they_do(width: float, turn: float) -> None:
    along = 50 * np.array([np.cos(turn), np.sin(turn)])
    across = 40 * np.array([-np.sin(turn), np.cos(turn)])
    cross = [60.0 + np.stack([-each, each]) for each in (along, across)]
    sizes = measured(cross, width)
    assert sizes[Quantity.MAX_WIDTH].value == pytest.approx(width, abs=0.35)
    assert "2 branches" in sizes[Quantity.LENGTH].method


def test_a_line_that_nowhere_covers_more_than_half_a_pixel_is_as_sure_as_another() -> None:
    between, within = ([np.array([[20.0, at], [90.0, at]])] for at in (60.0, 60.3))
    sizes, other = (measured(lines, 1.0) for lines in (between, within))
    for quantity in (Quantity.LENGTH, Quantity.WIDTH):
        assert sizes[quantity].uncertainty < 2 * other[quantity].uncertainty + 0.5
