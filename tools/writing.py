"""Writing a file so that no reader ever sees half of it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["replace_file"]


def replace_file(path: Path, content: str | bytes) -> None:
    """Writes beside the file, under a hidden name, and renames it once it is whole.

    Args:
        path: In an existing folder; an existing file is replaced.
        content: Text goes in as UTF-8.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = path.with_name(f".{path.name.lstrip('.')}.part")
    unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
    unfinished.replace(path)
