"""Annotated copies of the photographs: boxes, outlines and measured lengths drawn into the pixels."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from reports.edition import Edition
from reports.fonts import BOLD, font_path, plain
from reports.source import ReportInput
from tools.errors import ImageError
from tools.records import Finding, Inspection, Quantity

__all__ = ["write_overlay"]

_WHITE = (255, 255, 255)
_QUALITY = 90


def write_overlay(report: ReportInput, inspection: Inspection, path: Path) -> None:
    """Writes the photograph with its findings as a JPEG; nothing where it cannot be loaded any more."""
    try:
        image_rgb = report.load_image(inspection.image.id)
    except ImageError:
        # The report shows the reason on the photograph's page.
        return
    picture = Image.fromarray(image_rgb)
    draw = ImageDraw.Draw(picture)
    # About 1/45 of the picture, so that labels read alike on a thumbnail and on 50 megapixels.
    size_px = max(11, min(picture.size) // 45)
    font = ImageFont.truetype(str(font_path(BOLD)), size_px)
    edition = Edition.of(report)
    for finding in inspection.findings:
        _draw_finding(draw, edition, finding, font, picture.size)
    # Without chroma subsampling, which would smear thin coloured lines; and not optimised, as Pillow's buffer
    # for that is too small for photographs of much noise.
    picture.save(path, "JPEG", quality=_QUALITY, subsampling=0)


def _draw_finding(
    draw: ImageDraw.ImageDraw,
    edition: Edition,
    finding: Finding,
    font: ImageFont.FreeTypeFont,
    size_wh_px: tuple[int, int],
) -> None:
    red, green, blue = edition.type_colour(finding.type).bitmap_rgb()
    colour = (red, green, blue)
    line = max(1, round(font.size / 9))
    for outline in (*finding.contours_px, *finding.holes_px):
        if len(outline) > 1:
            draw.line([*outline, outline[0]], fill=colour, width=max(1, line // 2), joint="curve")
    x_min, y_min, x_max, y_max = finding.box_xyxy_px
    box = (x_min, y_min, max(x_min, x_max - 1), max(y_min, y_max - 1))
    draw.rectangle(_grown(box, 2 * line), outline=_WHITE, width=3 * line)
    draw.rectangle(_grown(box, line), outline=colour, width=line)
    length = edition.value(finding, Quantity.LENGTH)
    label = plain(" · ".join(filter(None, (finding.id, edition.type_name(finding.type), length))))
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    pad = line + 2
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(max(0.0, x_min - 2 * line), max(0.0, size_wh_px[0] - width))
    y = y_min - 2 * line - height
    if y < 0:
        y = min(y_max + 2 * line, max(0.0, size_wh_px[1] - height))
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + pad - left, y + pad - top), label, fill=_WHITE, font=font)


def _grown(box: tuple[float, float, float, float], by: float) -> tuple[float, float, float, float]:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by
