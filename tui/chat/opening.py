"""Opens a file with the program that the system has for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tools.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["open_file"]


def open_file(path: Path) -> None:
    """Opens a file without waiting for the program that shows it.

    Raises:
        UsageError: There is no such program, as on a server.
    """
    if sys.platform == "win32":
        command = ["cmd", "/c", "start", "", str(path)]
    else:
        opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
        if opener is None:
            raise UsageError("no program to open files was found", f"the file is {path}")
        command = [opener, str(path)]
    try:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UsageError(f"the file could not be opened: {error.strerror}", f"the file is {path}") from error
