"""The report's tables: rows under a header that returns on each page, and pairs of label and value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, LongTable, Paragraph, Table, TableStyle

from reports.fonts import BOLD, RAISED, REGULAR, esc, plain
from reports.styles import ACCENT, CELL, INK, MUTED, PANEL, RULE

__all__ = ["grid", "panel"]

_ROWS_PER_TABLE = 400  # a longer table is split again and again at each page, in quadratic time


def _cells(row: Sequence[object], right: Iterable[int] = (), size_pt: float = CELL.fontSize) -> list[object]:
    return [
        _cell(cell, TA_RIGHT if column in right else TA_LEFT, size_pt) if isinstance(cell, str) else cell
        for column, cell in enumerate(row)
    ]


def _cell(text: str, alignment: int, size_pt: float) -> str | Paragraph:
    """What a table draws of a string: as it is, but for signs that only a paragraph draws right."""
    if RAISED not in text:
        return plain(text)
    style = ParagraphStyle("cell", CELL, fontSize=size_pt, leading=1.3 * size_pt, alignment=alignment)
    return Paragraph(esc(text), style)


def grid(
    rows: Sequence[Sequence[object]],
    widths_pt: Sequence[float],
    *,
    right: Iterable[int] = (),
    size_pt: float = 7.8,
) -> list[Flowable]:
    """A table with a header row that returns on each page.

    Args:
        rows: The first is the header; strings are drawn as they are on one line, flowables wrap.
        widths_pt: Column widths.
        right: Columns with numbers, aligned right.
        size_pt: Size of the strings.
    """
    header, body, right = rows[0], rows[1:], tuple(right)
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), REGULAR, size_pt, 1.3 * size_pt),
            ("FONT", (0, 0), (-1, 0), BOLD, size_pt - 0.6, 1.3 * size_pt),
            ("TEXTCOLOR", (0, 0), (-1, -1), INK),
            ("TEXTCOLOR", (0, 0), (-1, 0), MUTED),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2.6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, ACCENT),
            ("LINEBELOW", (0, 1), (-1, -1), 0.35, RULE),
            *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in right),
        ]
    )
    tables: list[Flowable] = []
    for start in range(0, len(body), _ROWS_PER_TABLE):
        part = [_cells(row, right, size_pt) for row in (header, *body[start : start + _ROWS_PER_TABLE])]
        table = LongTable(part, colWidths=list(widths_pt), repeatRows=1, style=style, hAlign="LEFT")
        table.spaceAfter = 6
        tables.append(table)
    return tables


def panel(rows: Sequence[Sequence[object]], widths_pt: Sequence[float]) -> Table:
    """Pairs of label and value on a light ground."""
    return Table(
        [_cells(row) for row in rows],
        colWidths=list(widths_pt),
        hAlign="LEFT",
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), PANEL),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2.4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
            ("LEFTPADDING", (0, 0), (-1, -1), 6),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ],
    )
