"""Anti-aliased shapes of known size, drawn by counting sub-pixels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FINE = 8


def _grid(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    steps = (np.arange(size * FINE) + 0.5) / FINE
    x, y = np.meshgrid(steps, steps)
    return x, y


def _covered(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    size = inside.shape[0] // FINE
    covered: NDArray[np.float32] = inside.reshape(size, FINE, size, FINE).mean(axis=(1, 3)).astype(np.float32)
    return covered


def patch(
    kind: str, length: float, width: float, angle: float, shift: tuple[float, float]
) -> NDArray[np.float32]:
    size = int(np.hypot(length, width)) + 8
    x, y = _grid(size)
    x, y = x - size / 2 - shift[0], y - size / 2 - shift[1]
    u = 2 * (x * np.cos(angle) + y * np.sin(angle)) / length
    v = 2 * (y * np.cos(angle) - x * np.sin(angle)) / width
    return _covered((np.abs(u) <= 1) & (np.abs(v) <= 1) if kind == "rectangle" else u**2 + v**2 <= 1)


def stroke(lines: list[NDArray[np.float64]], width: float, size: int) -> NDArray[np.float32]:
    """Returns polylines with round ends, of one width."""
    x, y = _grid(size)
    nearest = np.full(x.shape, np.inf)
    for line in lines:
        for (ax, ay), (bx, by) in pairwise(line):
            along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
            along = np.clip(along, 0, 1)
            nearest = np.minimum(nearest, np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    return _covered(nearest <= width / 2)


def arc(radius: float, start: float, turn: float, centre: tuple[float, float]) -> NDArray[np.float64]:
    angles = start + np.linspace(0, turn, 16)
    return np.array(centre) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
