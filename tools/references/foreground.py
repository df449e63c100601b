"""The part before an even background, so that the background does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["foreground", "inside"]

_WORK_PX = 256  # longer side of the copy that is looked at
_BORDER = 0.03  # of the shorter side
_EVEN_SHARE = 0.8  # of the border's pixels must look alike
_ALIKE = 14.0  # CIELAB distance; light falls off by about as much over an even background
_SOUND_SHARES = (0.03, 0.97)  # of the picture


def foreground(image_rgb: NDArray[np.uint8], grid: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Cells of a grid (rows, columns) that hold what differs from the colour of the picture's border.

    A cell's neighbours belong to it, so that the outline counts.

    Returns:
        Shape (rows, columns), or None where the border is not even or nearly all would be one or the other.
    """
    import cv2

    rows, columns = grid
    height, width = image_rgb.shape[:2]
    scale = min(_WORK_PX / max(height, width), 1.0)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), (0, 0), 1.0)
    rim = max(round(_BORDER * min(size)), 1)
    border = np.concatenate(
        [each.reshape(-1, 3) for each in (lab[:rim], lab[-rim:], lab[:, :rim], lab[:, -rim:])]
    )
    colour = np.median(border, axis=0)
    if (np.linalg.norm(border - colour, axis=1) < _ALIKE).mean() < _EVEN_SHARE:
        return None
    differs = (np.linalg.norm(lab - colour, axis=2) >= _ALIKE).astype(np.float32)
    cells = cv2.resize(differs, (columns, rows), interpolation=cv2.INTER_AREA) > 0.1
    if not _SOUND_SHARES[0] <= cells.mean() <= _SOUND_SHARES[1]:
        return None
    return np.asarray(cv2.dilate(cells.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, dtype=np.bool_)


def inside(distances: NDArray[np.float32], mask: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """The distances of the cells that count; the mask may be of another grid over the same picture."""
    import cv2

    if mask is None:
        return distances
    size = (distances.shape[1], distances.shape[0])
    fitted = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    return distances[fitted] if fitted.any() else distances
