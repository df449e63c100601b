"""How families of vision models cut a picture into tokens and in which coordinates they speak of it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from tools.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.records import BoxXyxyPx

__all__ = ["OTHER", "QWEN2_5_VL", "QWEN3_VL", "Coordinates", "Family", "family_of"]

_MIN_TOKENS = 4
_MAX_ASPECT = 200


class Coordinates(StrEnum):
    """What the numbers of a box mean."""

    PIXELS = auto()
    PER_MILLE = auto()


@dataclass(frozen=True)
class Family:
    """What must be known of a model to show it pictures and to understand its boxes.

    Attributes:
        name: `qwen2_5_vl`, `qwen3_vl`, or `other`.
        coordinates: Pixels of the picture after the processor resized it (Qwen2.5-VL technical report, arXiv
            2502.13923, 2.1.2), or thousandths of its sides (Qwen3-VL).
        token_px: Side of the square of pixels that one token stands for.
    """

    name: str
    coordinates: Coordinates
    token_px: int

    def fitted_size(self, width_px: int, height_px: int, max_tokens: int) -> tuple[int, int]:
        """The size to which the processor of Qwen-VL resizes a picture (its `smart_resize`).

        Args:
            width_px: Of the picture.
            height_px: Of the picture.
            max_tokens: Upper limit of the tokens that the result may cost.

        Returns:
            Width and height, multiples of `token_px`.

        Raises:
            UsageError: One side is more than 200 times the other.
        """
        if max(width_px, height_px) > _MAX_ASPECT * min(width_px, height_px):
            raise UsageError(
                f"A picture of {width_px} x {height_px} pixels is too long and narrow to be shown.",
                f"Choose a region whose sides differ by less than {_MAX_ASPECT} times.",
            )
        side = self.token_px
        width, height = round(width_px / side), round(height_px / side)
        if width * height > max_tokens:
            shrink = math.sqrt(width_px * height_px / (max_tokens * side**2))
            width = max(1, math.floor(width_px / shrink / side))
            height = max(1, math.floor(height_px / shrink / side))
        elif width * height < _MIN_TOKENS:
            grow = math.sqrt(_MIN_TOKENS * side**2 / (width_px * height_px))
            width, height = math.ceil(width_px * grow / side), math.ceil(height_px * grow / side)
        return width * side, height * side

    def picture_tokens(self, width_px: int, height_px: int, max_tokens: int) -> int:
        """How many tokens a picture costs under that limit."""
        width, height = self.fitted_size(width_px, height_px, max_tokens)
        return width // self.token_px * (height // self.token_px)

    def to_picture_xyxy_px(
        self, box: Sequence[float], picture_size_px: tuple[int, int], seen_size_px: tuple[int, int]
    ) -> BoxXyxyPx | None:
        """Maps a box as the model wrote it to pixels of the picture that it was shown, clipped to it.

        Args:
            box: x_min, y_min, x_max, y_max in the family's coordinates; swapped corners are put right.
            picture_size_px: Width and height of the picture.
            seen_size_px: Width and height after the processor resized it.

        Returns:
            The box, or None where nothing of it lies inside the picture.
        """
        units = (1000, 1000) if self.coordinates is Coordinates.PER_MILLE else seen_size_px
        x_scale, y_scale = (size / unit for size, unit in zip(picture_size_px, units, strict=True))
        width, height = picture_size_px
        x_min, x_max = (min(max(x * x_scale, 0.0), width) for x in sorted((box[0], box[2])))
        y_min, y_max = (min(max(y * y_scale, 0.0), height) for y in sorted((box[1], box[3])))
        return (x_min, y_min, x_max, y_max) if x_min < x_max and y_min < y_max else None


QWEN2_5_VL = Family("qwen2_5_vl", Coordinates.PIXELS, token_px=28)
QWEN3_VL = Family("qwen3_vl", Coordinates.PER_MILLE, token_px=32)
OTHER = Family("other", Coordinates.PIXELS, token_px=28)  # an estimate

_NAMED = ((re.compile(r"qwen-?2[._-]?5-?_?vl"), QWEN2_5_VL), (re.compile(r"qwen-?3-?_?vl"), QWEN3_VL))


def family_of(name: str) -> Family:
    """The family that a `model_type` of a config, or the name under which a server offers it, tells of."""
    wanted = name.lower()
    return next((family for pattern, family in _NAMED if pattern.search(wanted)), OTHER)
