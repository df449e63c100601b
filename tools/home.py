"""Where Loupe writes: the folder of a run, the user's data folder, and a cache that may be deleted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from tools.errors import OutputError
from tools.writing import replace_file

__all__ = ["cache_dir", "data_folder", "new_run_folder", "write_cached"]


def data_folder() -> Path:
    """Returns the user's data folder for Loupe: LOUPE_HOME, or what is usual on the system."""
    if home := os.environ.get("LOUPE_HOME"):
        return Path(home).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "loupe"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "loupe"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "loupe"


def new_run_folder(images: Sequence[str | Path], say: Callable[[str], object] | None = None) -> Path:
    """Makes the folder of a run that was given none: below the working folder, or out of the photographs.

    It is this run's alone, also where others begin in the same second.

    Args:
        images: Files, folders, globs or list files that the run is about.
        say: Told where the run goes when it is not the usual place.

    Raises:
        BatchError: A path does not exist.
        OutputError: No folder can be made there.
    """
    from tools.images.files import folders_of

    runs, here = Path("loupe-runs"), Path.cwd()
    if any(here.is_relative_to(os.path.realpath(folder)) for folder in folders_of(images)):
        runs = data_folder() / "runs"
        if say:
            say(f"Photographs lie in {here}, so the run goes to {runs}.")
    name = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    try:
        runs.mkdir(parents=True, exist_ok=True)
        return next(runs / each for each in names if _is_made(runs / each))
    except OSError as error:
        raise OutputError(f"cannot write to {runs}: {error.strerror}", "choose another --out") from error


def _is_made(folder: Path) -> bool:
    """Makes a folder, unless somebody has it already."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def cache_dir() -> Path:
    """Where derived data may be kept: `LOUPE_CACHE`, else `loupe` in the user's XDG cache folder."""
    if override := os.environ.get("LOUPE_CACHE"):
        return Path(override).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loupe"


def write_cached(path: Path, content: bytes) -> None:
    """Writes a cache file that no reader ever sees half of; one that cannot be written is no error."""
    with suppress(OSError):  # a full or read-only disk only costs the time that the cache would have saved
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
