"""Heat maps on paper: the photograph in grey under the suspicion of each place, and a legend."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image
from reportlab.lib.colors import Color, HexColor
from reportlab.platypus import Flowable

from reports.fonts import REGULAR
from reports.source import ImageRgb
from reports.styles import INK, MUTED
from tools.records import HeatMap

__all__ = ["HeatLegend", "heat_rgb"]

# ColorBrewer's YlOrRd (Harrower and Brewer 2003): darker is more, in grey print and to all eyes.
_RAMP: Final = ("#FFFFCC", "#FED976", "#FD8D3C", "#E31A1C", "#800026")
_RAMP_RGB = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in _RAMP], dtype=np.float32)
_RAMP_COLOURS: tuple[Color, ...] = tuple(HexColor(code) for code in _RAMP)
_STOPS = np.linspace(0.0, 1.0, len(_RAMP))
_MOST_COVER = 0.8  # of the photograph, so that it can be made out under the hottest place
_BAR_HEIGHT = 5.0
_LABEL_SIZE = 6.2


def heat_rgb(image_rgb: ImageRgb, heat: HeatMap, threshold: float, longest_px: int) -> ImageRgb:
    """The photograph in pale grey, coloured by suspicion.

    Args:
        image_rgb: uint8 HxWx3.
        heat: Its heat map, spread by bilinear interpolation.
        threshold: Suspicion that gets the middle of the colours, as it does in every report.
        longest_px: Longer side of the result.

    Returns:
        uint8 hxwx3.
    """
    picture = Image.fromarray(image_rgb)
    picture.thumbnail((longest_px, longest_px), Image.Resampling.LANCZOS, reducing_gap=3.0)
    grey = 90 + 0.6 * np.asarray(picture.convert("L"), dtype=np.float32)
    grid = np.array(heat.values, dtype=np.float32).reshape(heat.rows, heat.columns)
    spread = Image.fromarray(grid).resize(picture.size, Image.Resampling.BILINEAR)
    place = _place(np.asarray(spread), threshold)
    colour = np.stack([np.interp(place, _STOPS, channel) for channel in _RAMP_RGB.T], axis=-1)
    cover = _MOST_COVER * np.minimum(2 * place, 1)[..., None]
    return np.asarray(np.rint(grey[..., None] * (1 - cover) + colour * cover), dtype=np.uint8)


def _place(suspicion: np.ndarray, threshold: float) -> np.ndarray:
    """Where along the colours a suspicion lies, in [0, 1]: the threshold in their middle."""
    return np.asarray(np.interp(suspicion, [0.0, min(max(threshold, 1e-6), 1 - 1e-6), 1.0], [0.0, 0.5, 1.0]))


class HeatLegend(Flowable):  # type: ignore[misc]
    """The colours from suspicion 0 to 1, with the threshold's place in them.

    Args:
        width_pt: Of the bar.
        threshold: What the middle stands for, as written.
    """

    def __init__(self, width_pt: float, threshold: str) -> None:
        super().__init__()
        self.width = width_pt
        self.height = _BAR_HEIGHT + _LABEL_SIZE + 4
        self._threshold = threshold

    def draw(self) -> None:
        """Draws bar, tick and numbers."""
        canvas, base = self.canv, _LABEL_SIZE + 3
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(0, base, self.width, _BAR_HEIGHT)
        canvas.clipPath(frame, stroke=0, fill=0)
        canvas.linearGradient(0, base, self.width, base, _RAMP_COLOURS, list(_STOPS), extend=False)
        canvas.restoreState()
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.6)
        canvas.line(self.width / 2, base - 1.5, self.width / 2, base + _BAR_HEIGHT)
        canvas.setFillColor(MUTED)
        canvas.setFont(REGULAR, _LABEL_SIZE)
        canvas.drawString(0, 1, "0")
        canvas.drawCentredString(self.width / 2, 1, self._threshold)
        canvas.drawRightString(self.width, 1, "1")
