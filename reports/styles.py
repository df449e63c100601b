"""How the report looks: page measures, colours and paragraph styles, each with its reason."""

from __future__ import annotations

from typing import NamedTuple

from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from reports.fonts import BOLD, REGULAR
from tools.records import Verdict

__all__ = [
    "ACCENT",
    "BODY",
    "CAPTION",
    "CELL",
    "CELL_BOLD",
    "CONTENT_HEIGHT",
    "CONTENT_WIDTH",
    "HEADING",
    "INK",
    "MARGIN_BOTTOM",
    "MARGIN_SIDE",
    "MARGIN_TOP",
    "MUTED",
    "NOTE",
    "NO_PADDING",
    "PAGE_HEIGHT",
    "PAGE_WIDTH",
    "PANEL",
    "RULE",
    "SUBHEADING",
    "TILE_LABEL",
    "TILE_VALUE",
    "TITLE",
    "TITLE_NOTE",
    "UNREADABLE",
    "VERDICT_LOOKS",
    "VerdictLook",
    "type_colour",
]

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN_SIDE = 18 * mm
MARGIN_TOP = 22 * mm  # leaves room for the running header
MARGIN_BOTTOM = 18 * mm
CONTENT_WIDTH = PAGE_WIDTH - 2 * MARGIN_SIDE
CONTENT_HEIGHT = PAGE_HEIGHT - MARGIN_TOP - MARGIN_BOTTOM

INK = HexColor("#1B2430")
MUTED = HexColor("#5B6673")
RULE = HexColor("#CDD4DC")
PANEL = HexColor("#F3F5F8")
ACCENT = HexColor("#1F4E79")
UNREADABLE = HexColor("#7D8692")

# Okabe & Ito's colour-blind safe hues (2008), darkened where white text stands on them.
_TYPE_COLOURS = tuple(
    HexColor(code)
    for code in ("#C24E00", "#0067A8", "#A8457F", "#007A59", "#8A6100", "#2F7FB5", "#6A4C93", "#7A3B2E")
)
_UNKNOWN_TYPE = HexColor("#4A4F57")


class VerdictLook(NamedTuple):
    """How a verdict is shown: told apart by its shape as well as its colour, for grey print and all eyes."""

    colour: Color
    shape: str


VERDICT_LOOKS = {
    Verdict.ACCEPT: VerdictLook(HexColor("#2B7A4B"), "disc"),
    Verdict.REVIEW: VerdictLook(HexColor("#A86A00"), "triangle"),
    Verdict.REJECT: VerdictLook(HexColor("#B3261E"), "cross"),
}


def type_colour(name: str, type_names: tuple[str, ...]) -> Color:
    """The colour of a defect type: by its place in the recipe, so that it is the same in every report."""
    if name not in type_names:
        return _UNKNOWN_TYPE
    return _TYPE_COLOURS[type_names.index(name) % len(_TYPE_COLOURS)]


NO_PADDING = [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]


def _style(name: str, size_pt: float, leading_pt: float, **options: object) -> ParagraphStyle:
    settings: dict[str, object] = {"fontName": REGULAR, "textColor": INK, **options}
    return ParagraphStyle(name, fontSize=size_pt, leading=leading_pt, **settings)


TITLE = _style("title", 20, 25, fontName=BOLD, textColor=white)
TITLE_NOTE = _style("title-note", 9.5, 12.5, textColor=HexColor("#DCE6F0"))
HEADING = _style("heading", 13.5, 17, fontName=BOLD, textColor=ACCENT, spaceBefore=12, spaceAfter=5)
SUBHEADING = _style("subheading", 10, 13, fontName=BOLD, spaceBefore=6, spaceAfter=3)
BODY = _style("body", 8.8, 12.6, spaceAfter=3)
NOTE = _style("note", 7.6, 10.6, textColor=MUTED, spaceAfter=2)
CAPTION = _style("caption", 7, 9, textColor=MUTED)
CELL = _style("cell", 7.8, 10.2)
CELL_BOLD = _style("cell-bold", 7.8, 10.2, fontName=BOLD)
TILE_VALUE = _style("tile-value", 19, 23, fontName=BOLD, alignment=TA_CENTER)
TILE_LABEL = _style("tile-label", 7.6, 10, textColor=MUTED, alignment=TA_CENTER)
