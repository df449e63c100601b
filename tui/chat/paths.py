"""Paths as people type them and as terminals paste them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["home_expanded"]


def home_expanded(path: str) -> str:
    """Returns a path with `~` as the home folder.

    As `tools.images.discover` does, and not as a shell: `~kim` is no user but a name, as `~3mm` is.
    """
    return str(Path(path).expanduser()) if Path(path).parts[:1] == ("~",) else path
