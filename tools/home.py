"""Where Loupe keeps what outlives a run: the user's data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["data_folder"]


def data_folder() -> Path:
    """Returns the user's data folder for Loupe: LOUPE_HOME, or what is usual on the system."""
    if home := os.environ.get("LOUPE_HOME"):
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "loupe"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "loupe"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "loupe"
