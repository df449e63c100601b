"""Sessions and batches that were worked on before: a list of folders beside the ledger."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from agent.log import SessionHeader, read_log
from tools.errors import LoupeError
from tools.writing import replace_file

__all__ = ["Recent", "recent_sessions", "remember"]

_FILE = "sessions.txt"
_MOST = 50


@dataclass(frozen=True)
class Recent:
    """A session that can be resumed.

    Attributes:
        turns: Requests made so far.
        is_empty: Whether nothing was asked or decided in it.
    """

    folder: Path
    header: SessionHeader
    turns: int
    is_empty: bool


def remember(folder: Path) -> None:
    """Puts a session's folder first in the list. A list that cannot be written is done without."""
    path = _list()
    folders = [str(folder.absolute()), *(each for each in _folders() if each != str(folder.absolute()))]
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "\n".join(folders[:_MOST]) + "\n")


def recent_sessions() -> list[Recent]:
    """Returns the sessions that still exist, newest first; damaged ones are left out."""
    found = []
    for folder in map(Path, _folders()):
        with contextlib.suppress(LoupeError):  # gone, damaged, or below a folder that cannot be read
            header, events = read_log(folder)
            turns = sum(event.kind == "turn_started" for event in events)
            found.append(Recent(folder, header, turns, not events))
    return found


def _folders() -> list[str]:
    try:
        return [line for line in _list().read_text(encoding="utf-8").splitlines() if line]
    except (OSError, UnicodeDecodeError):
        return []


def _list() -> Path:
    from tools.home import data_folder

    return data_folder() / _FILE
