"""Heat maps of what is unlike good parts: over the image that was looked at, and as records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.records import HeatMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.references.registration import Registration

__all__ = ["heat_record", "laid_back"]


def heat_record(heat: NDArray[np.float32]) -> HeatMap:
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
