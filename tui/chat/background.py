"""What runs beside the screen: opening a session, its turns, closing it; told to the app by messages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tools.errors import Cancelled, LoupeError
from tools.pipeline.engines import EngineOptions

if TYPE_CHECKING:
    from agent.events import Approve, Decision, Event
    from agent.log import SessionHeader
    from agent.session import Session
    from tools.recipe import Recipe
    from tui.chat.deciding import Recording

__all__ = [
    "Approval",
    "ApprovalWanted",
    "Failed",
    "Happened",
    "OpenSession",
    "Opened",
    "Opening",
    "Post",
    "Start",
    "Told",
    "TurnOver",
    "beside",
    "close_beside",
    "open_beside",
    "pump_beside",
]

log = logging.getLogger(__name__)

Post = Callable[[Message], object]


@dataclass(frozen=True)
class Start:
    """What to open: images for a new session, or the folder of an earlier one.

    Attributes:
        images: As `loupe inspect` takes them.
        recipe, model: Empty for the default.
        out: The new session's folder; None for a dated one.
        resume: Folder of a session to go on with.
        seers: Checkpoints that see in place of the recipe's, as its `models` names them.
    """

    images: tuple[str, ...] = ()
    recipe: str = ""
    model: str = ""
    out: Path | None = None
    resume: Path | None = None
    seers: Mapping[str, str] = field(default_factory=dict)


class Told(Message):
    """What a thread tells the app; of no use to one that is closing."""


class Opened(Told):
    """A session is open.

    Attributes:
        events: What happened in it before.
        start: What it was opened with; images and recipe filled in.
    """

    def __init__(self, session: Session, events: Sequence[Event], start: Start) -> None:
        super().__init__()
        self.session, self.events, self.start = session, events, start


class Failed(Told):
    """Something did not work; the app goes on."""

    def __init__(self, error: LoupeError, doing: str = "") -> None:
        super().__init__()
        self.error, self.doing = error, doing


class Happened(Told):
    """An event of the running turn."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class TurnOver(Told):
    """The turn is finished and the next can be asked."""


class Approval:
    """A question to the user that a turn waits on, in its own thread."""

    def __init__(self) -> None:
        self._answered = threading.Event()
        self._agreed = False

    def answer(self, agreed: bool | None) -> None:
        """Lets the turn go on."""
        self._agreed = bool(agreed)
        self._answered.set()

    def wait(self) -> bool:
        """Returns the answer, once there is one."""
        self._answered.wait()
        return self._agreed


class ApprovalWanted(Told):
    """The agent wants to decide something."""

    def __init__(self, decisions: Sequence[Decision], approval: Approval) -> None:
        super().__init__()
        self.decisions, self.approval = decisions, approval


class Opening(Told):
    """Images are being read.

    Attributes:
        done, total: Images.
    """

    def __init__(self, done: int, total: int) -> None:
        super().__init__()
        self.done, self.total = done, total


# What to open, who approves decisions, and who is told how many of how many images have been read.
OpenSession = Callable[[Start, "Approve", Callable[[int, int], None]], "Session"]
_TOLD = 50  # times at most that the reading of images is told


def beside(name: str, work: Callable[[], None], post: Post) -> threading.Thread:
    """Runs work in a daemon thread: one that hangs in a model must not keep the program from quitting."""

    def run() -> None:
        try:
            work()
        except LoupeError as error:
            post(Failed(error, name))
        except Exception as error:  # Whatever it was, the app goes on and says so.
            log.exception(name)
            post(Failed(LoupeError(f"{type(error).__name__}: {error}"), name))

    thread = threading.Thread(target=run, name=f"loupe-{name}", daemon=True)
    thread.start()
    return thread


def open_beside(start: Start, open_session: OpenSession, approve: Approve, post: Post) -> threading.Event:
    """Opens a session; posts `Opening` now and then, and `Opened` or `Failed`; returns what stops it."""
    is_stopped = threading.Event()

    def progress(done: int, total: int) -> None:
        if is_stopped.is_set():
            raise Cancelled("the images were not opened", "open them again, or others")
        if done % (total // _TOLD + 1) == 0:
            post(Opening(done, total))

    def work() -> None:
        from agent.log import read_log
        from tui.chat.recents import remember

        session = open_session(start, approve, progress)
        header, events = read_log(session.out)
        remember(session.out)
        model, seers = start.model or header.model, _chosen_seers(header, session.recipe)
        post(Opened(session, events, Start(header.images, header.recipe, model, session.out, seers=seers)))

    beside("open", work, post)
    return is_stopped


def _chosen_seers(header: SessionHeader, recipe: Recipe) -> dict[str, str]:
    """Returns the checkpoints of a session that its recipe does not name: another recipe names others."""
    from agent.resuming import placed

    own = placed(EngineOptions().chosen_for(recipe))
    return {name: value for name, value in (header.seers or {}).items() if value != own.get(name)}


def pump_beside(events: Iterator[Event], post: Post) -> None:
    """Posts the events of a turn as they come, then `TurnOver`."""

    def work() -> None:
        try:
            for event in events:
                post(Happened(event))
        finally:
            post(TurnOver())

    beside("turn", work, post)


def close_beside(session: Session, recording: Recording, post: Post) -> threading.Thread:
    """Stops a session, and closes it once all is on record; returns the thread, for who has time to wait."""
    session.cancel()

    def work() -> None:
        recording.wait()
        session.close()

    return beside("close", work, post)
