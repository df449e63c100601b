"""Changes to a photograph that leave its truth as it is: turns, light, colour, focus, compression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["developed", "turned"]


def turned(
    image: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Returns a square image and its boxes in one of the eight orientations.

    Args:
        image: Shape (side, side, 3).
        boxes: Shape (N, 4), xyxy as fractions of the side.
        rng: Chooses the orientation.
    """
    quarters, mirrored = int(rng.integers(4)), bool(rng.integers(2))
    for _ in range(quarters):  # a quarter turn to the left takes (x, y) to (y, 1 - x)
        boxes = np.stack([boxes[:, 1], 1 - boxes[:, 2], boxes[:, 3], 1 - boxes[:, 0]], axis=1)
    image = np.rot90(image, quarters)
    if mirrored:
        boxes = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
        image = image[:, ::-1]
    return np.ascontiguousarray(image), boxes


def developed(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Returns the image as another camera might have taken it: exposure, colour, focus, noise, JPEG."""
    import cv2

    contrast, brightness = rng.uniform(0.75, 1.3), rng.uniform(-28, 28)
    colour = rng.normal(1.0, 0.05, 3) if rng.random() < 0.7 else np.ones(3)
    levels = np.arange(256, dtype=np.float32)
    curves = (levels[:, None] - 128) * contrast + 128 + brightness
    table = np.clip(curves * colour, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    image = np.asarray(cv2.LUT(image, table), dtype=np.uint8)
    if rng.random() < 0.1:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    chance = rng.random()
    if chance < 0.12:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9)), dtype=np.uint8)
    elif chance < 0.24:
        noise = rng.normal(0, rng.uniform(1, 6), image.shape[:2])[..., None]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    elif chance < 0.36:
        quality = int(rng.integers(45, 90))
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), dtype=np.uint8)
    return image
