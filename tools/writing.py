"""Writing so that no reader ever takes half of something for the whole: whole files, and whole lines."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["append_line", "cut_half_line", "is_utf_8", "replace_file"]

_BLOCK_BYTES = 65_536


def replace_file(path: Path, content: str | bytes) -> None:
    """Writes beside the file, under a hidden name, and renames it once it is whole.

    Args:
        path: In an existing folder; an existing file is replaced.
        content: Text goes in as UTF-8.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = path.with_name(f".{path.name.lstrip('.')}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise


def is_utf_8(text: str) -> bool:
    """Returns whether a text can be written: names of files may hold bytes that are no UTF-8 (PEP 383)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def append_line(file: BinaryIO, line: str) -> None:
    """Writes a line at the end of a file and hands it to the disk before it returns."""
    file.write(line.encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def cut_half_line(path: Path) -> None:
    """Takes away what a crash left of a last line."""
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK_BYTES)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        file.truncate(end)
