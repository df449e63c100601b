from __future__ import annotations

import pytest
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import black, white

from reports.charts import pareto_chart
from reports.statistics import Bar


def drawn(counts: list[int]) -> Drawing:
    total = sum(counts)
    bars = [Bar(f"type {n}", count, sum(counts[: n + 1]) / total) for n, count in enumerate(counts)]
    return pareto_chart(
        bars,
        400.0,
        150.0,
        name=lambda name: name,
        colour=lambda _: black,
        others="others",
        cumulative_label="",
    )


def labels(drawing: Drawing) -> list[str]:
    return [each.text for each in drawing.contents if isinstance(each, String)]


@pytest.mark.parametrize(
    ("counts", "last", "bars"),
    [
        ([60, 3, 3] + [1] * 9, ("5", "others"), 8),
        ([9, 8, 7, 6, 5, 4, 3, 2], ("2", "type 7"), 8),
        ([4], ("4", "type 0"), 1),
    ],
)
def test_rare_types_share_the_last_bar(counts: list[int], last: tuple[str, str], bars: int) -> None:
    drawing = drawn(counts)
    said = labels(drawing)
    assert said[said.index(last[1]) - 1] == last[0]
    assert sum(isinstance(each, Rect) for each in drawing.contents) == bars


def test_the_number_of_a_low_bar_stands_above_it() -> None:
    drawing = drawn([60, 1])
    high, low = (each for each in drawing.contents if isinstance(each, Rect))
    numbers = {
        each.text: each
        for each in drawing.contents
        if isinstance(each, String) and each.textAnchor == "middle"
    }
    assert numbers["60"].fillColor == white
    assert numbers["60"].y < high.y + high.height
    assert numbers["1"].fillColor != white
    assert numbers["1"].y > low.y + low.height
