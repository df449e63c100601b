"""The session's log: append-only JSON Lines of events, ids instead of pixels; resume and replay read it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from agent.events import EVENT, Event, LoadFinished, LoadProgress, LoadStarted, TextDelta, ToolProgress
from tools.errors import OutputError, UsageError
from tools.images.files import printable_name
from tools.records import Record
from tools.writing import append_line, cut_half_line, is_utf_8

__all__ = ["LOG", "SessionHeader", "SessionLog", "has_log", "read_log", "refuse_unwritable", "turns_of"]

LOG = "session.jsonl"
_LOCK = ".session.lock"


class SessionHeader(Record):
    """What a session is about: the first line of its log.

    Attributes:
        started_at: ISO 8601 with zone.
        images: As given by the user, absolute paths.
        recipe: Path or bundled name; empty for the default.
        model: Model string, e.g. `pocket`.
        seers: Checkpoints that see, as a recipe's `models` names them; None in logs of earlier versions.
        good_sha256: Hash of the good parts, empty where there are none; None in logs of earlier versions.
    """

    kind: Literal["session"] = "session"
    loupe_version: str
    started_at: str
    images: tuple[str, ...]
    recipe: str = ""
    recipe_sha256: str
    batch_sha256: str
    model: str
    seers: dict[str, str] | None = None
    good_sha256: str | None = None


class SessionLog:
    """Appends events to a session's log; one process at a time.

    Args:
        folder: The session's output folder; made when missing.
        header: Written where the log is new.

    Raises:
        OutputError: The folder cannot be written, or another process has the session open.
    """

    def __init__(self, folder: Path, header: SessionHeader) -> None:
        self.path = folder / LOG
        self._lock = FileLock(folder / _LOCK, thread_local=False)  # opened and closed in different threads
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            if self.path.exists():
                cut_half_line(self.path)
            self._file = self.path.open("ab")
            if not self._file.tell():
                self._begin(header)
        except Timeout:
            raise OutputError(
                f"the session in {folder} is open in another window",
                "close it there, or choose another folder with --out",
            ) from None
        except OSError as error:
            self._lock.release()
            raise OutputError(
                f"cannot write to {folder}: {error.strerror}", "choose another --out"
            ) from error

    def _begin(self, header: SessionHeader) -> None:
        try:
            self._write(header)
        except OSError:
            self._file.close()
            raise

    def append(self, event: Event) -> None:
        """Writes one event through to the disk; pieces of text, progress and loads are left out."""
        if not isinstance(event, TextDelta | ToolProgress | LoadStarted | LoadProgress | LoadFinished):
            self._write(event)

    def _write(self, record: Record) -> None:
        append_line(self._file, record.model_dump_json())

    def close(self) -> None:
        """Closes the log and lets other processes have the session."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def refuse_unwritable(*texts: str) -> None:
    """Looks whether a log could hold paths or a request.

    Raises:
        UsageError: One holds bytes that are no UTF-8, as a file's name may.
    """
    for text in texts:
        if not is_utf_8(text):
            raise UsageError(
                f"{printable_name(text)} is not in UTF-8, and the session's log has to name it",
                "rename it, or give UTF-8; photographs of such names are found by their folder",
            )


def has_log(folder: Path) -> bool:
    """Returns whether a folder holds a session: a log that got as far as its first line."""
    try:
        with (folder / LOG).open("rb") as file:
            return file.readline().endswith(b"\n")
    except (FileNotFoundError, NotADirectoryError):  # a file in its place is refused where the log begins
        return False


def read_log(path: Path) -> tuple[SessionHeader, list[Event]]:
    """Reads a log; a last line that a crash cut short is left out.

    Args:
        path: The log, or the session's folder.

    Raises:
        OutputError: There is no log, or a line of it is damaged.
    """
    path = path / LOG if os.path.isdir(path) else path  # noqa: PTH112 -- raises where a folder is locked
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise OutputError(
            f"no session in {path}: {error.strerror}", "give the folder that a session was written to"
        ) from error
    number = 1
    try:
        if not lines:
            raise OutputError(f"{path} is empty", "give the folder that a session was written to")
        header = SessionHeader.model_validate_json(lines[0])
        events: list[Event] = []
        for line in lines[1:]:
            number += 1
            events.append(EVENT.validate_json(line))
    except ValidationError as error:
        raise OutputError(
            f"{path}:{number}: damaged line, or one of another version", "start a new session"
        ) from error
    return header, events


def turns_of(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Yields the events of each turn, an unfinished last one included."""
    turn: list[Event] = []
    for event in events:
        if event.kind == "turn_started" and turn:
            yield turn
            turn = []
        turn.append(event)
    if turn:
        yield turn
