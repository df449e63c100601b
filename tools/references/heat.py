"""Heat maps: their grid over an image, as records, and laid back over the image that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tools.records import HeatMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.references.registration import Registration

__all__ = ["grid_over", "heat_record", "laid_back"]

_MOST_CELLS = 64  # along the image's longer side


def grid_over(size_px: tuple[int, int], cells: int) -> tuple[int, int]:
    """Returns how many rows and columns of about square cells lie over an image of (width, height).

    Args:
        size_px: Width and height of the image.
        cells: Along its shorter side, unless that makes too many along the longer one.
    """
    width, height = size_px
    cell_px = max(min(size_px) / cells, max(size_px) / _MOST_CELLS)
    return max(round(height / cell_px), 1), max(round(width / cell_px), 1)


def heat_record(heat: NDArray[np.floating[Any]]) -> HeatMap:
    """A heat map of shape (rows, columns) as a record."""
    rows, columns = heat.shape
    values = tuple(round(float(value), 4) for value in heat.ravel().clip(0, 1))
    return HeatMap(rows=rows, columns=columns, values=values)


def laid_back(
    heat: NDArray[np.float32],
    registration: Registration,
    frame_size_px: tuple[int, int],
    image_size_px: tuple[int, int],
) -> NDArray[np.float32]:
    """A heat map over the frame, laid over the image; 0 where the frame does not reach."""
    import cv2

    rows, columns = heat.shape
    to_frame_px = np.diag([frame_size_px[0] / columns, frame_size_px[1] / rows, 1.0])
    to_image_cells = np.diag([columns / image_size_px[0], rows / image_size_px[1], 1.0])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # from indices to places: cells cover area
    matrix = np.linalg.inv(half) @ to_image_cells @ registration.to_image @ to_frame_px @ half
    return np.asarray(cv2.warpPerspective(heat, matrix, (columns, rows)), dtype=np.float32)
