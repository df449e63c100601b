"""Square windows that cover a picture: what screening slides over it and localization tiles it with."""

from __future__ import annotations

import math

__all__ = ["Window", "covering_windows"]

Window = tuple[int, int, int, int]


def covering_windows(width_px: int, height_px: int, side_px: int, overlap: float) -> list[Window]:
    """Windows (x_min, y_min, x_max, y_max) that cover every pixel, row by row from the top left.

    They are spread evenly, so the last ones end at the far edges and the real overlap is at least
    the one asked for. A side longer than the picture is cut to it.

    Args:
        width_px: Width of the picture.
        height_px: Height of the picture.
        side_px: Side of the windows.
        overlap: Least share of a side that neighbours have in common, in [0, 1).
    """
    columns = _starts(width_px, side_px, overlap)
    rows = _starts(height_px, side_px, overlap)
    across, down = min(side_px, width_px), min(side_px, height_px)
    return [(x, y, x + across, y + down) for y in rows for x in columns]


def _starts(length_px: int, side_px: int, overlap: float) -> list[int]:
    if side_px >= length_px:
        return [0]
    stride = max(side_px * (1.0 - overlap), 1.0)
    # The small term keeps a quotient such as 3.0000000001 from adding a window.
    steps = math.ceil((length_px - side_px) / stride - 1e-9)
    return [round(step * (length_px - side_px) / steps) for step in range(steps + 1)]
