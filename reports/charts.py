"""The first page's charts as vectors: outcome bar, Pareto of defect types, histogram of lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from reportlab.graphics.shapes import Circle, Drawing, Group, Line, PolyLine, Rect, String
from reportlab.lib.colors import Color, white
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth

from reports.fonts import BOLD, REGULAR, elide, plain
from reports.statistics import Bar, Lengths, Tally, bin_edges, nice_step
from reports.styles import ACCENT, INK, MUTED, RULE, UNREADABLE, VERDICT_LOOKS
from tools.records import Verdict

__all__ = ["histogram", "outcome_bar", "pareto_chart"]

_LABEL = 6.6
_LEADING = 8.0  # from one line of a label to the next
_LINES = 2  # of a bar's name
_LONGEST_UPRIGHT = 62.0  # a bar's name written upwards
_LEFT, _RIGHT, _BOTTOM, _TOP = 24.0, 26.0, 24.0, 12.0
_WIDEST_SLOT = 64.0
_ROOM_FOR_COUNT = 11.0  # height of a bar that holds its number
_MOST_BARS = 8  # of more types the names would not fit; the rarest share the last bar


def outcome_bar(counts: Tally, width_pt: float) -> Drawing:
    """One bar that is divided as the verdicts are; counts are printed where they fit."""
    drawing = Drawing(width_pt, 14)
    total = counts.inspected + counts.unreadable
    parts = (
        (counts.accepted, VERDICT_LOOKS[Verdict.ACCEPT].colour),
        (counts.review, VERDICT_LOOKS[Verdict.REVIEW].colour),
        (counts.rejected, VERDICT_LOOKS[Verdict.REJECT].colour),
        (counts.unreadable, UNREADABLE),
    )
    x = 0.0
    for count, colour in parts:
        part = width_pt * count / total if total else 0.0
        if part > 0:
            drawing.add(Rect(x, 0, part, 14, fillColor=colour, strokeColor=white, strokeWidth=0.8))
        if part > 14:
            _text(drawing, x + part / 2, 4.4, str(count), anchor="middle", colour=white, font=BOLD, size=7.5)
        x += part
    return drawing


def pareto_chart(
    bars: Sequence[Bar],
    width_pt: float,
    height_pt: float,
    *,
    name: Callable[[str], str],
    colour: Callable[[str], Color],
    others: str,
    cumulative_label: str,
) -> Drawing:
    """Bars of falling height with the line of their cumulative share (right axis, 0 to 100 %).

    Names that do not fit below their bars are written upwards, all of them.

    Args:
        bars: Of all types.
        width_pt: Of the drawing.
        height_pt: Likewise.
        name: What a type is called.
        colour: Of its bar.
        others: What the rare types are called that share the last bar.
        cumulative_label: Of the line.
    """
    drawing = Drawing(width_pt, height_pt)
    shown = [(bar, name(bar.type), colour(bar.type)) for bar in bars]
    if rest := bars[_MOST_BARS - 1 :] if len(bars) > _MOST_BARS else ():
        shared = Bar("", sum(bar.count for bar in rest), 1.0)
        shown[_MOST_BARS - 1 :] = [(shared, f"{others} ({len(rest)})", MUTED)]
    slot = min((width_pt - _LEFT - _RIGHT) / len(shown), _WIDEST_SLOT)
    names = [name for _, name, _ in shown]
    upright = not all(_fits(name, slot - 2) for name in names)
    room = min(max(map(_text_width, names)), _LONGEST_UPRIGHT) if upright else slot - 2
    bottom = room + 6 if upright else _BOTTOM
    top = _axis(drawing, max(bar.count for bar, _, _ in shown), width_pt, height_pt, bottom)
    plot_height = height_pt - bottom - _TOP
    points: list[float] = []
    for index, (bar, label, fill) in enumerate(shown):
        x, width = _LEFT + (index + 0.18) * slot, 0.64 * slot
        height = plot_height * bar.count / top
        drawing.add(Rect(x, bottom, width, height, fillColor=fill, strokeColor=None))
        inside = height >= _ROOM_FOR_COUNT
        y, ink = (bottom + 3, white) if inside else (bottom + height + 2, INK)
        _text(drawing, x + width / 2, y, str(bar.count), anchor="middle", colour=ink, font=BOLD)
        _name(drawing, x + width / 2, bottom, _wrapped(label, room), upright=upright)
        points += [x + width / 2, bottom + plot_height * bar.cumulative]
    _line(drawing, points)
    for share in (0, 50, 100):
        y = bottom + plot_height * share / 100 - 2.3
        _text(drawing, width_pt - _RIGHT + 3, y, f"{share} %", colour=MUTED)
    _text(drawing, width_pt, height_pt - 6, cumulative_label, anchor="end", colour=MUTED)
    return drawing


def histogram(lengths: Lengths, width_pt: float, height_pt: float, *, axis_label: str) -> Drawing:
    """Counts of lengths in round bins; a value on an edge belongs to the bin above."""
    drawing = Drawing(width_pt, height_pt)
    edges = bin_edges(lengths.values)
    counts = [sum(low <= v < high for v in lengths.values) for low, high in pairwise(edges)]
    top = _axis(drawing, max(counts), width_pt, height_pt, _BOTTOM)
    plot_height, slot = height_pt - _BOTTOM - _TOP, (width_pt - _LEFT - _RIGHT) / len(counts)
    for index, count in enumerate(counts):
        height = plot_height * count / top
        x = _LEFT + index * slot
        drawing.add(Rect(x, _BOTTOM, slot, height, fillColor=ACCENT, strokeColor=white, strokeWidth=0.8))
    every = 1 if len(edges) <= 7 else 2
    for index, edge in enumerate(edges[::every]):
        _text(drawing, _LEFT + index * every * slot, _BOTTOM - 9, f"{edge:g}", anchor="middle")
    _text(drawing, width_pt - _RIGHT, 2, axis_label, anchor="end", colour=MUTED)
    return drawing


def _line(drawing: Drawing, points: Sequence[float]) -> None:
    """Draws a line through x, y, x, y ... with a ring at each of its points."""
    drawing.add(PolyLine(points, strokeColor=INK, strokeWidth=1))
    for x, y in zip(points[::2], points[1::2], strict=True):
        drawing.add(Circle(x, y, 1.8, fillColor=white, strokeColor=INK, strokeWidth=0.9))


def _text_width(text: str) -> float:
    return float(stringWidth(plain(text), REGULAR, _LABEL))


def _lines_of(text: str, width_pt: float) -> list[str]:
    return list(simpleSplit(plain(text), REGULAR, _LABEL, width_pt))


def _fits(text: str, width_pt: float) -> bool:
    """Whether a name can be read below its bar: whole, with its words unbroken."""
    lines = _lines_of(text, width_pt)
    return len(lines) <= _LINES and all(_text_width(line) <= width_pt for line in lines)


def _wrapped(text: str, width_pt: float) -> list[str]:
    """A name in as many lines as there are at most; the last one says as much of the rest as fits."""
    lines = _lines_of(text, width_pt)
    kept = [*lines[: _LINES - 1], " ".join(lines[_LINES - 1 :])]
    return [elide(line, width_pt, _LABEL) for line in kept if line]


def _name(drawing: Drawing, x: float, y: float, lines: Sequence[str], *, upright: bool) -> None:
    """Writes a bar's name below it, its middle at x; upright ones end at the axis."""
    if not upright:
        for row, line in enumerate(lines, start=1):
            _text(drawing, x, y - _LEADING * row - 1, line, anchor="middle")
        return
    turned = Group(transform=(0, 1, -1, 0, x, y - 3))
    for row, line in enumerate(lines):
        below_middle = (row - (len(lines) - 1) / 2) * _LEADING + 0.36 * _LABEL
        _text(turned, 0, -below_middle, line, anchor="end")
    drawing.add(turned)


def _axis(drawing: Drawing, largest: int, width_pt: float, height_pt: float, bottom: float) -> float:
    """Draws grid lines and numbers of a count axis from 0; returns its upper end."""
    step = max(1.0, nice_step(largest, 4))
    top = step * -(-largest // step)
    plot_height = height_pt - bottom - _TOP
    value = 0.0
    while value <= top:
        y = bottom + plot_height * value / top
        colour = INK if value == 0 else RULE
        drawing.add(Line(_LEFT, y, width_pt - _RIGHT, y, strokeColor=colour, strokeWidth=0.5))
        _text(drawing, _LEFT - 3, y - 2.3, f"{value:g}", anchor="end", colour=MUTED)
        value += step
    return top


def _text(
    drawing: Drawing | Group,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    colour: Color = INK,
    font: str = REGULAR,
    size: float = _LABEL,
) -> None:
    drawing.add(String(x, y, text, fontName=font, fontSize=size, fillColor=colour, textAnchor=anchor))
