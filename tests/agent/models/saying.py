"""Messages and pictures as the agent sends them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from smolagents.models import ChatMessage, MessageRole

from agent.models.families import Coordinates, Family
from agent.models.pictures import Picture

__all__ = ["assistant", "box_as_written", "picture", "user"]


def picture(seed: int, width_px: int = 84, height_px: int = 56) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return Picture(f"img_{seed:03d}", Image.fromarray(pixels))


def user(*parts: str | Picture) -> ChatMessage:
    return ChatMessage(MessageRole.USER, _content(parts))


def assistant(*parts: str | Picture) -> ChatMessage:
    return ChatMessage(MessageRole.ASSISTANT, _content(parts))


def box_as_written(
    family: Family, box_xyxy_px: tuple[float, ...], seen_size_px: tuple[int, int]
) -> tuple[int, ...]:
    """A box of a picture as a model of that family writes it, in whole numbers."""
    units = (1000, 1000) if family.coordinates is Coordinates.PER_MILLE else seen_size_px
    return tuple(
        round(edge * unit / size)
        for edge, unit, size in zip(box_xyxy_px, units * 2, seen_size_px * 2, strict=True)
    )


def _content(parts: tuple[str | Picture, ...]) -> list[dict[str, object]]:
    return [
        {"type": "text", "text": part} if isinstance(part, str) else {"type": "image", "image": part}
        for part in parts
    ]
