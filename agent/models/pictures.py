"""A picture in a message: encoded once, hashed once, never copied."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Picture"]

_JPEG_QUALITY = 95  # with full chroma: a scratch one pixel wide survives it


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as the model will get it.

    smolagents copies all messages deeply for each call and encodes their pictures as PNG; a Picture is
    immutable, so its copies are itself, and its encodings are kept.

    Attributes:
        label: What the model reads before it, such as `img_003 (40, 60, 200, 180)`.
        image: RGB, already of the size that the model should see.
    """

    label: str
    image: Image.Image

    def __copy__(self) -> Picture:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Picture:
        return self

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.image.size

    @cached_property
    def key(self) -> str:
        """Hash of the pixels: pictures with one key are the same to any model."""
        header = f"{self.image.mode} {self.image.size}".encode()
        return hashlib.sha256(header + self.image.tobytes()).hexdigest()

    @cached_property
    def _jpeg(self) -> bytes:
        buffer = io.BytesIO()
        self.image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return buffer.getvalue()

    def jpeg(self) -> bytes:
        """The picture as JPEG."""
        return self._jpeg

    @cached_property
    def _data_url(self) -> str:
        return f"data:image/jpeg;base64,{base64.b64encode(self._jpeg).decode()}"

    def data_url(self) -> str:
        """The JPEG as a `data:` URL, as OpenAI's protocol takes pictures."""
        return self._data_url
