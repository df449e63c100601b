"""The report's one font family, Latin and Korean, and the only way text gets into the PDF."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import STATE_DEFAULTS
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus.tables import CellStyle

from tools.errors import LoupeError

__all__ = [
    "BOLD",
    "RAISED",
    "REGULAR",
    "elide",
    "esc",
    "font_path",
    "missing_glyphs",
    "plain",
    "register_fonts",
    "shorten",
]

REGULAR = "NanumGothic"
BOLD = "NanumGothicBold"

# The package carries the fonts (SIL OFL) as data. It is located, never imported: importing it changes
# matplotlib's settings.
_FONT_PACKAGE = "koreanize_matplotlib"
_SUBSTITUTE = "□"
_BACKSLASH, _FULLWIDTH_BACKSLASH = ord("\\"), ord("＼")
RAISED = "²"
"""Drawn by paragraphs as a raised digit: the family's own sign is too small to be read in print."""

# Look-alikes for signs that the font lacks.
_REPLACEMENTS = str.maketrans({"µ": "μ", "\N{REPLACEMENT CHARACTER}": _SUBSTITUTE, "⌀": "Ø", "\u00a0": " "})


def font_path(name: str = REGULAR) -> Path:
    """Locates a font file of the family.

    Raises:
        LoupeError: The font package is not installed.
    """
    spec = find_spec(_FONT_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "fonts" / f"{name}.ttf"
        if path.is_file():
            return path
    raise LoupeError(
        f"The report's font {name} is not installed.",
        "Install it with: pip install koreanize-matplotlib==0.1.1",
    )


@cache
def _load(name: str) -> TTFont:
    font = TTFont(name, str(font_path(name)))
    # As Korean fonts do, the family draws a backslash as the won sign; its full-width one is drawn as it is.
    # The text in the PDF stays a backslash, as a square stays a square.
    for by_character in (font.face.charToGlyph, font.face.charWidths):
        by_character[_BACKSLASH] = by_character[_FULLWIDTH_BACKSLASH]
        by_character[ord(RAISED)] = by_character[ord("2")]
    registerFont(font)
    return font


@cache
def register_fonts() -> None:
    """Makes the family known to ReportLab; italic falls back to upright because the family has none.

    Raises:
        LoupeError: The font package is not installed.
    """
    _load(REGULAR)
    _load(BOLD)
    registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    # Tables and drawings select their default font before they draw in another: were it Helvetica, the
    # PDF would list a font that is not embedded.
    CellStyle.fontname = REGULAR
    STATE_DEFAULTS["fontName"] = REGULAR


@cache
def _drawable() -> frozenset[int]:
    return frozenset(_load(REGULAR).face.charToGlyph) & frozenset(_load(BOLD).face.charToGlyph)


def missing_glyphs(text: str) -> str:
    """Returns the characters that one of the family's weights cannot draw, in order."""
    drawable = _drawable()
    return "".join(c for c in text if ord(c) not in drawable)


def plain(text: str) -> str:
    """Makes any text drawable on one line: NFC, control characters as spaces, a box for missing glyphs.

    Decomposed Hangul (file names from macOS) would otherwise be drawn as broken, widely spaced letters.
    """
    composed = unicodedata.normalize("NFC", text).translate(_REPLACEMENTS)
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in composed)
    missing = set(missing_glyphs(spaced))
    return "".join(_SUBSTITUTE if c in missing else c for c in spaced) if missing else spaced


def esc(text: str) -> str:
    """Makes any text safe inside a ReportLab paragraph, whose markup it must not be able to change."""
    return escape(plain(text)).replace(RAISED, f'<super size="65%" rise="38%">{RAISED}</super>')


def shorten(text: str, limit: int = 300) -> str:
    """Cuts text after `limit` characters: a table's cell cannot be higher than a page."""
    return text if len(text) <= limit else f"{text[:limit]} …"


def elide(text: str, width_pt: float, size_pt: float, font: str = REGULAR) -> str:
    """Shortens plain text in its middle until it fits, keeping the end: that is where file names differ."""
    text = plain(text)
    if stringWidth(text, font, size_pt) <= width_pt:
        return text
    low, high = 0, len(text)
    while low < high:
        kept = (low + high + 1) // 2
        if stringWidth(_middle_cut(text, kept), font, size_pt) <= width_pt:
            low = kept
        else:
            high = kept - 1
    return _middle_cut(text, low)


def _middle_cut(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail] + "…" + (text[-tail:] if tail else "")
