"""Pictures of a made-up part, good and scratched, that all tests of references share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tools.records import ImageRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Picture = tuple[ImageRecord, NDArray[np.uint8]]


def drawn_part(
    number: int, *, scratched: bool = False, shift_px: tuple[int, int] = (0, 0)
) -> NDArray[np.uint8]:
    """A plate with a ring and two bars on a dark table, 160 x 120, with camera noise."""
    import cv2

    generator = np.random.default_rng(number)
    image = np.full((120, 160, 3), 40, np.uint8)
    cv2.rectangle(image, (25, 20), (135, 100), (170, 165, 160), -1)
    cv2.circle(image, (60, 60), 20, (90, 90, 95), 5)
    cv2.rectangle(image, (95, 35), (105, 85), (110, 100, 90), -1)
    cv2.rectangle(image, (115, 35), (120, 60), (210, 205, 200), -1)
    if scratched:
        cv2.line(image, (66, 30), (92, 92), (25, 20, 20), 3)
    image = np.roll(image, shift_px, axis=(1, 0))
    noisy = image.astype(np.float32) + generator.normal(0, 4, image.shape)
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def part() -> Callable[..., NDArray[np.uint8]]:
    return drawn_part


@pytest.fixture(scope="session")
def parts() -> Callable[..., list[Picture]]:
    def make(count: int, first: int = 1, *, scratched: bool = False) -> list[Picture]:
        return [
            (
                ImageRecord(id=f"img_{number:03d}", name=f"{number}.png", sha256=f"{number:064x}"),
                drawn_part(number, scratched=scratched, shift_px=(number % 5 - 2, number % 3 - 1)),
            )
            for number in range(first, first + count)
        ]

    return make
