"""Hand-made patch features of texture, edges, lines and colour, at several scales; no trained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["texture_features"]

_LEVELS = 4
_COLOUR_LEVELS = (0, 2)
_FLOOR = 0.02  # an answer of about the noise of a camera, below which its logarithm says nothing


def texture_features(image_rgb: NDArray[np.uint8], side_px: int, cell_px: int) -> NDArray[np.float32]:
    """Describes each cell of an image by what filters answer in it.

    Per octave of a pyramid: energies of edges in four directions, of bright and dark lines (eigenvalues of
    the Hessian) and of bright and dark spots (Laplacian), averaged over the cell and its surroundings; in the
    finer octaves the strongest answer in the cell as well; and the mean colour in CIELAB. Energies are
    logarithms and every channel is centred on the picture's mean, so that stronger or warmer light on the
    whole picture changes little.

    Args:
        image_rgb: uint8 picture of shape (height, width, 3).
        side_px: The picture is resized so that its shorter side has about this length.
        cell_px: Side of a cell of the resized picture; a power of two.

    Returns:
        Shape (rows, columns, channels).
    """
    import cv2

    height, width = image_rgb.shape[:2]
    scale = side_px / min(height, width)
    rows, columns = (max(round(length * scale / cell_px), 1) for length in (height, width))
    size = (columns * cell_px, rows * cell_px)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image_rgb, size, interpolation=method)
    lab = cv2.cvtColor(resized.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) / 100
    channels: list[NDArray[np.float32]] = []
    lightness = np.ascontiguousarray(lab[..., 0])
    for level in range(_LEVELS):
        answers = _answers(lightness)
        strongest = level <= 1
        channels += [_energy(answer, (columns, rows), strongest=False) for answer in answers]
        if strongest:
            channels += [_energy(answer, (columns, rows), strongest=True) for answer in answers]
        lightness = cv2.pyrDown(lightness)
    mean = cv2.resize(lab, (columns, rows), interpolation=cv2.INTER_AREA)
    for level in _COLOUR_LEVELS:
        blurred = mean if level == 0 else cv2.GaussianBlur(mean, (0, 0), level)
        channels += list(np.moveaxis(blurred, 2, 0))
    features = np.stack(channels, axis=-1)
    return np.asarray(features - features.mean(axis=(0, 1)), dtype=np.float32)


def _answers(lightness: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Energies of edges in four directions, bright and dark lines, bright and dark spots."""
    import cv2

    smooth = cv2.GaussianBlur(lightness, (0, 0), 0.8)
    dx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
    dy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
    dxx = cv2.Sobel(smooth, cv2.CV_32F, 2, 0, ksize=3, scale=1 / 4)
    dyy = cv2.Sobel(smooth, cv2.CV_32F, 0, 2, ksize=3, scale=1 / 4)
    dxy = cv2.Sobel(smooth, cv2.CV_32F, 1, 1, ksize=3, scale=1 / 4)
    half = np.float32(np.sqrt(0.5))
    edges = [np.abs(dx), np.abs(dy), np.abs(dx + dy) * half, np.abs(dx - dy) * half]
    middle, spread = (dxx + dyy) / 2, np.hypot((dxx - dyy) / 2, dxy)
    lines = [np.maximum(spread - middle, 0), np.maximum(spread + middle, 0)]
    spots = [np.maximum(-middle, 0), np.maximum(middle, 0)]
    return [*edges, *lines, *spots]


def _energy(answer: NDArray[np.float32], grid: tuple[int, int], *, strongest: bool) -> NDArray[np.float32]:
    """The logarithm of the mean, or of the strongest, answer in each cell of a grid (columns, rows)."""
    import cv2

    columns, rows = grid
    height, width = answer.shape
    answer = np.sqrt(answer)
    if strongest:
        cells = answer.reshape(rows, height // rows, columns, width // columns).max(axis=(1, 3))
    elif height >= rows:
        cells = cv2.resize(answer, grid, interpolation=cv2.INTER_AREA)
    else:
        cells = cv2.resize(answer, grid, interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.log(cv2.GaussianBlur(cells, (0, 0), 0.7) + _FLOOR), dtype=np.float32)
