"""Small pictures for eyes: thumbnails, and the contact sheet that shows many images with their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tools.errors import UsageError

if TYPE_CHECKING:
    from tools.images import Batch

__all__ = ["contact_sheet", "thumbnail"]

_GAP_PX = 6
_PAPER, _INK, _EMPTY = (255, 255, 255), (20, 20, 20), (225, 225, 225)


def thumbnail(image_rgb: NDArray[np.uint8], max_side_px: int) -> NDArray[np.uint8]:
    """Shrinks a picture to its longest side, proportions kept; a smaller one comes back as a copy.

    Args:
        image_rgb: uint8 array of shape (height, width, 3).
        max_side_px: Longest side of the result.
    """
    small = Image.fromarray(image_rgb)
    small.thumbnail((max_side_px, max_side_px), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.array(small)


def contact_sheet(
    batch: Batch, ids: Sequence[str], *, columns: int = 6, thumb_px: int = 160
) -> NDArray[np.uint8]:
    """Draws the images side by side, each with its id below; an unreadable one is a crossed-out tile.

    Args:
        batch: The batch that the ids belong to.
        ids: Images in the order in which to show them.
        columns: Images per row.
        thumb_px: Side of the square that each picture is fitted into.

    Returns:
        uint8 array of shape (height, width, 3), RGB.

    Raises:
        UsageError: There is no id, an unknown one, or a size below 1.
    """
    if not ids or columns < 1 or thumb_px < 1:
        raise UsageError("a contact sheet needs at least one image, one column and one pixel")
    label_px = max(10, thumb_px // 9)
    font = ImageFont.load_default(label_px)
    cell_width_px, cell_height_px = thumb_px + _GAP_PX, thumb_px + label_px + 2 * _GAP_PX
    columns = min(columns, len(ids))
    rows = -(-len(ids) // columns)
    sheet = Image.new("RGB", (columns * cell_width_px + _GAP_PX, rows * cell_height_px + _GAP_PX), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (record, image_rgb) in enumerate(batch.stream(ids, max_side_px=thumb_px)):
        left = _GAP_PX + place % columns * cell_width_px
        top = _GAP_PX + place // columns * cell_height_px
        right, bottom = left + thumb_px - 1, top + thumb_px - 1
        draw.rectangle((left, top, right, bottom), fill=_EMPTY)
        if image_rgb is None:
            draw.line((left, top, right, bottom), fill=_INK)
            draw.line((left, bottom, right, top), fill=_INK)
        else:
            height_px, width_px = image_rgb.shape[:2]
            at = (left + (thumb_px - width_px) // 2, top + (thumb_px - height_px) // 2)
            sheet.paste(Image.fromarray(image_rgb), at)
        draw.text((left + thumb_px / 2, bottom + _GAP_PX / 2), record.id, fill=_INK, font=font, anchor="ma")
    return np.array(sheet)
