from __future__ import annotations

import pytest
from reportlab.graphics.shapes import Drawing, Group, Rect, String
from reportlab.lib.colors import black, white
from reportlab.pdfbase.pdfmetrics import stringWidth

from reports.charts import pareto_chart
from reports.statistics import Bar


def drawn(counts: list[int], width: float = 400.0, names: list[str] | None = None) -> Drawing:
    total = sum(counts)
    named = names or [f"type {n}" for n in range(len(counts))]
    bars = [
        Bar(name, count, sum(counts[: n + 1]) / total)
        for n, (name, count) in enumerate(zip(named, counts, strict=True))
    ]
    return pareto_chart(
        bars,
        width,
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
        ([60, 3, 3] + [1] * 9, ("5", "others (5)"), 8),
        ([9, 8, 7, 6, 5, 4, 3, 2], ("2", "type 7"), 8),
        ([4], ("4", "type 0"), 1),
    ],
)
def test_rare_types_share_the_last_bar(counts: list[int], last: tuple[str, str], bars: int) -> None:
    drawing = drawn(counts)
    said = labels(drawing)
    assert said[said.index(last[1]) - 1] == last[0]
    assert sum(isinstance(each, Rect) for each in drawing.contents) == bars


@pytest.mark.parametrize(
    ("names", "upright"),
    [
        (["foreign object", "surface contamination", "edge chipping", "tool mark"] * 2, True),
        (["이물질 혼입", "표면 오염 및 얼룩", "모서리 깨짐", "가공 흔적"] * 2, True),
        (["scratch", "surface stain"], False),
        (["unbreakablylongname" * 9] * 8, True),
    ],
)
def test_the_names_of_many_types_can_be_read(names: list[str], upright: bool) -> None:
    drawing = drawn([9] * len(names), 235.0, names)
    groups = [each for each in drawing.contents if isinstance(each, Group)]
    lines = [[line.text for line in group.contents] for group in groups]
    assert bool(groups) is upright
    for name, shown in zip(names, lines, strict=upright):
        assert " ".join(shown) == name or len(name) > 40
    room = min(each.y for each in drawing.contents if isinstance(each, Rect))
    for line in (line for group in groups for line in group.contents):
        assert stringWidth(line.text, line.fontName, line.fontSize) <= room


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
