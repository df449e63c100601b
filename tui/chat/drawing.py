"""Draws what the picture panel shows: a part of a photograph at the screen's size, its findings marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tools.records import BoxXyxyPx, Finding, HeatMap, Inspection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tui.chat.views import View

__all__ = ["Colour", "Drawing", "Tag", "draw", "type_colours"]

Colour = tuple[int, int, int]

# Okabe & Ito's colour-blind safe hues (2008), lightened to stand out from dark and bright metal alike.
_TYPE_COLOURS: tuple[Colour, ...] = (
    (255, 140, 0),
    (86, 190, 255),
    (240, 120, 200),
    (0, 220, 150),
    (255, 230, 60),
    (160, 140, 255),
    (255, 110, 90),
    (190, 230, 130),
)
_DARK: Colour = (10, 10, 12)
_OUTLINED_PX = 10  # of a box's shorter side; in a smaller one an outline would hide the defect
_FINE_PX = 400  # drawings with a longer side have room for thicker lines and painted numbers


@dataclass(frozen=True)
class Tag:
    """A finding's number and where it belongs: the upper left corner of its box, in pixels of the drawing."""

    number: int
    x_px: float
    y_px: float
    colour: Colour
    is_chosen: bool


@dataclass(frozen=True)
class Drawing:
    """A drawn view.

    Attributes:
        region_xyxy_px: The part of the photograph that it shows.
        scale: Pixels of the drawing per pixel of the photograph.
        tags: Numbers of the findings in it; empty where they are painted into the image.
    """

    image: Image.Image
    region_xyxy_px: BoxXyxyPx
    scale: float
    tags: tuple[Tag, ...] = ()


def type_colours(types: Sequence[str]) -> dict[str, Colour]:
    """Returns a colour per defect type, the same for the same list of types."""
    return {name: _TYPE_COLOURS[place % len(_TYPE_COLOURS)] for place, name in enumerate(types)}


def draw(
    photo: Image.Image,
    inspection: Inspection | None,
    view: View,
    size_wh_px: tuple[int, int],
    colours: dict[str, Colour],
) -> Drawing:
    """Draws a view of a photograph; proportions are kept, so one side may stay below the size given.

    Marks are drawn after scaling: a line of one pixel survives on a screen of 80 cells that way.

    Args:
        photo: RGB, decoded.
        inspection: What is known of it; None draws it bare.
        view: How to look at it.
        size_wh_px: Room for the drawing, at least 1 x 1.
        colours: Of the defect types; others are white.
    """
    region = view.region(photo.size, size_wh_px)
    width, height = region[2] - region[0], region[3] - region[1]
    scale = min(size_wh_px[0] / width, size_wh_px[1] / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resample = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    image = photo.resize(size, resample, box=region, reducing_gap=3.0)
    if inspection is None:
        return Drawing(image, region, scale)
    heat = inspection.screening.heat_map if inspection.screening else None
    if view.has_heat and heat:
        image = _heated(image, heat, region, photo.size)
    if not view.has_marks:
        return Drawing(image, region, scale)
    tags = _mark(image, inspection.findings, view.chosen, region, scale, colours)
    if max(size) <= _FINE_PX:
        return Drawing(image, region, scale, tags)
    _paint_tags(image, tags)
    return Drawing(image, region, scale)


def _heated(
    image: Image.Image, heat: HeatMap, region: BoxXyxyPx, photo_wh_px: tuple[int, int]
) -> Image.Image:
    """Greys a picture and glows where screening was suspicious: yellow for some, magenta for much."""
    grid = np.asarray(heat.values, np.float32).reshape(heat.rows, heat.columns)
    box = (
        region[0] * heat.columns / photo_wh_px[0],
        region[1] * heat.rows / photo_wh_px[1],
        region[2] * heat.columns / photo_wh_px[0],
        region[3] * heat.rows / photo_wh_px[1],
    )
    spread = Image.fromarray(grid).resize(image.size, Image.Resampling.BILINEAR, box=box)
    value = np.clip(np.asarray(spread, np.float32), 0.0, 1.0)[..., None]
    grey = np.asarray(image.convert("L").convert("RGB"), np.float32)
    glow = np.concatenate([np.full_like(value, 255), 225 * (1 - value), 140 * value], axis=2)
    mixed = grey * (1 - 0.7 * value) + glow * (0.7 * value)
    pixels: NDArray[np.uint8] = mixed.astype(np.uint8)
    return Image.fromarray(pixels)


def _mark(
    image: Image.Image,
    findings: Sequence[Finding],
    chosen: int | None,
    region: BoxXyxyPx,
    scale: float,
    colours: dict[str, Colour],
) -> tuple[Tag, ...]:
    """Draws boxes and outlines, the chosen finding last so that it lies on top; returns the numbers."""
    painter = ImageDraw.Draw(image)
    line = 1 if max(image.size) <= _FINE_PX else max(2, round(max(image.size) / 400))
    tags = []
    for index in sorted(range(len(findings)), key=lambda index: index == chosen):
        finding, is_chosen = findings[index], index == chosen
        x_min, y_min, x_max, y_max = (
            (edge - region[k % 2]) * scale for k, edge in enumerate(finding.box_xyxy_px)
        )
        if x_max < 0 or y_max < 0 or x_min > image.width or y_min > image.height:
            continue
        colour = colours.get(finding.type, (255, 255, 255))
        if min(x_max - x_min, y_max - y_min) >= _OUTLINED_PX * line:
            for outline in (*finding.contours_px, *finding.holes_px):
                points = [((x - region[0]) * scale, (y - region[1]) * scale) for x, y in outline]
                painter.line([*points, points[0]], fill=colour, width=line)
        low_x, high_x = _sides(x_min, x_max, line, image.width)
        low_y, high_y = _sides(y_min, y_max, line, image.height)
        frame = (low_x, low_y, high_x, high_y)
        if is_chosen:
            painter.rectangle(frame, outline=colour, width=2 * line if line > 1 else 1)
        else:
            _corners(painter, frame, colour, line)
        tags.append(Tag(index + 1, frame[0], frame[1], colour, is_chosen))
    return tuple(tags)


def _sides(low: float, high: float, line: int, limit: int) -> tuple[float, float]:
    """Moves two sides of a box outwards, off the defect, but not out of the drawing where they were in it."""
    outer_low, outer_high = low - line - 1, high + line
    return (
        max(outer_low, 0) if low >= -1 else outer_low,
        min(outer_high, limit - 1) if high <= limit + 1 else outer_high,
    )


def _corners(
    painter: ImageDraw.ImageDraw, frame: tuple[float, float, float, float], colour: Colour, line: int
) -> None:
    """Draws the corners of a frame alone: a finding that is there, but not the chosen one."""
    x_min, y_min, x_max, y_max = frame
    across, down = max(line, (x_max - x_min) / 4), max(line, (y_max - y_min) / 4)
    for x, inwards in ((x_min, across), (x_max, -across)):
        for y, downwards in ((y_min, down), (y_max, -down)):
            painter.line((x, y, x + inwards, y), fill=colour, width=line)
            painter.line((x, y, x, y + downwards), fill=colour, width=line)


def _paint_tags(image: Image.Image, tags: Sequence[Tag]) -> None:
    """Paints the numbers themselves, where the drawing has room for type."""
    painter = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(12, max(image.size) // 45))
    for tag in tags:
        text = f" {tag.number} "
        left, top, right, bottom = painter.textbbox((0, 0), text, font=font)
        width, height = right - left, bottom - top + 4
        x = min(max(tag.x_px, 0), image.width - width)
        y = tag.y_px - height if tag.y_px >= height else min(max(tag.y_px, 0), image.height - height)
        painter.rectangle((x, y, x + width, y + height), fill=tag.colour)
        painter.text((x - left, y - top + 2), text, fill=_DARK, font=font)
