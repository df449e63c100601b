"""Pictures in any terminal: two pixels per cell, as the colours of an upper half block."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

if TYPE_CHECKING:
    from PIL.Image import Image

    from tui.chat.drawing import Tag

__all__ = ["half_cells", "stamped"]

_UPPER_HALF = "▀"
# Neighbouring shades share a style: it is the making of styles that takes the time.
_SHADES = 0xFC


@lru_cache(maxsize=65_536)
def _style(top: int, bottom: int | None) -> Style:
    """The style of a cell from two colours 0xRRGGBB; a lower half that is outside the picture has none."""
    return Style(color=_colour(top), bgcolor=None if bottom is None else _colour(bottom))


def _colour(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 0xFF, packed & 0xFF)


def half_cells(image: Image) -> list[Strip]:
    """Returns a picture as lines of cells: as wide as its pixels, half as high, rounded up.

    Args:
        image: RGB, scaled to the screen already.
    """
    pixels = np.asarray(image.convert("RGB"), np.uint8) & _SHADES
    packed = pixels @ np.array([1 << 16, 1 << 8, 1], np.int64)
    strips = []
    for y in range(0, len(packed), 2):
        top = packed[y].tolist()
        bottom: Sequence[int | None] = packed[y + 1].tolist() if y + 1 < len(packed) else [None] * len(top)
        cells = groupby(zip(top, bottom, strict=True))
        segments = [Segment(_UPPER_HALF * len(list(run)), _style(*pair)) for pair, run in cells]
        strips.append(Strip(segments, len(top)))
    return strips


def stamped(strips: Sequence[Strip], tags: Sequence[Tag]) -> list[Strip]:
    """Returns the lines with the findings' numbers written over them, each above its box where there is room.

    Args:
        strips: As `half_cells` made them, all of one width.
        tags: In pixels of the same picture; a later one covers an earlier one.
    """
    lines = list(strips)
    for tag in tags:
        text = f"▸{tag.number}" if tag.is_chosen else str(tag.number)
        row = int(tag.y_px // 2) - 1
        row = min(max(row, 0), len(lines) - 1)
        width = lines[row].cell_length
        text = text[-width:]
        column = min(max(int(tag.x_px), 0), width - len(text))
        style = Style(color=Color.from_rgb(0, 0, 0), bgcolor=Color.from_rgb(*tag.colour), bold=True)
        lines[row] = Strip.join(
            [
                lines[row].crop(0, column),
                Strip([Segment(text, style)], len(text)),
                lines[row].crop(column + len(text), width),
            ]
        )
    return lines
