"""Where Loupe keeps what outlives a run: the user's data folder, and a cache that may be deleted."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_dir", "data_folder", "write_cached"]


def data_folder() -> Path:
    """Returns the user's data folder for Loupe: LOUPE_HOME, or what is usual on the system."""
    if home := os.environ.get("LOUPE_HOME"):
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "loupe"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "loupe"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "loupe"


def cache_dir() -> Path:
    """Where derived data may be kept: `LOUPE_CACHE`, else `loupe` in the user's XDG cache folder."""
    if override := os.environ.get("LOUPE_CACHE"):
        return Path(override).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loupe"


def write_cached(path: Path, content: bytes) -> None:
    """Writes a cache file that no reader ever sees half of; one that cannot be written is no error."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:  # a full or read-only disk only costs the time that the cache would have saved
        with suppress(OSError):
            partial.unlink()
