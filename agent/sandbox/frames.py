"""How parent and child talk: JSON in frames that begin with their length, over a pair of pipes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO

__all__ = ["FrameTooLongError", "read_frame", "write_frame"]

_LENGTH = struct.Struct(">I")


class FrameTooLongError(ValueError):
    """A frame whose announced length is beyond what the reader takes."""


def write_frame(stream: IO[bytes], message: Mapping[str, object]) -> None:
    """Writes one message; lone surrogates become question marks, since they have no UTF-8.

    Raises:
        TypeError, ValueError: Something in the message is not plain JSON.
    """
    body = json.dumps(message, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace")
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: IO[bytes], max_bytes: int) -> bytes | None:
    """Reads one frame's body, None where the other side is gone.

    Raises:
        FrameTooLongError: The frame is longer than `max_bytes`; nothing more can be read from the stream.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > max_bytes:
        raise FrameTooLongError(f"a message of {length} bytes, of at most {max_bytes}")
    body = stream.read(length)
    return body if len(body) == length else None
