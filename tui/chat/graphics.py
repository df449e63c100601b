"""Pictures of the terminal's own (Kitty, Sixel), where textual-image is installed and can use them."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.widget import Widget

__all__ = ["CELL_WH_PX", "graphics_widget"]

CELL_WH_PX = (10, 20)  # of a drawing for such a terminal: enough for sharp lines, cheap enough over ssh


def graphics_widget() -> type[Widget] | None:
    """Returns the widget that shows pictures in the terminal's own way; None for half cells.

    textual-image (LGPL, an optional extra) asks the terminal what it can when it is imported, which is not
    possible any more once the app runs: call this before.
    """
    if not (sys.__stdout__ and sys.__stdout__.isatty()) or find_spec("textual_image") is None:
        return None
    renderables = import_module("textual_image.renderable")
    if renderables.Image not in (renderables.TGPImage, renderables.SixelImage):
        return None
    widget: type[Widget] = import_module("textual_image.widget").Image
    return widget
