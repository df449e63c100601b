"""What runs beside the screen: opening a session, its turns, decisions; told to the app by messages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tools.errors import Cancelled, LoupeError
from tools.records import Verdict

if TYPE_CHECKING:
    from agent.events import Approve, Decision, Event
    from agent.session import Session

__all__ = [
    "Approval",
    "ApprovalWanted",
    "Decided",
    "Failed",
    "Happened",
    "OpenSession",
    "Opened",
    "Opening",
    "Start",
    "TakenBack",
    "Told",
    "TurnOver",
    "close_beside",
    "decide_beside",
    "open_beside",
    "pump_beside",
    "undo_beside",
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
    """

    images: tuple[str, ...] = ()
    recipe: str = ""
    model: str = ""
    out: Path | None = None
    resume: Path | None = None


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


class Decided(Told):
    """The user's decisions are on record.

    Attributes:
        ids: Of the images.
        verdict: The new one.
    """

    def __init__(self, ids: Sequence[str], verdict: Verdict) -> None:
        super().__init__()
        self.ids, self.verdict = ids, verdict


class TakenBack(Told):
    """The newest decisions were taken back.

    Attributes:
        decisions: That were; none where there was nothing to take back.
    """

    def __init__(self, decisions: Sequence[Decision]) -> None:
        super().__init__()
        self.decisions = decisions


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


def _beside(name: str, work: Callable[[], None], post: Post) -> threading.Thread:
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
        known = Start(header.images, header.recipe, start.model or header.model, session.out)
        post(Opened(session, events, known))

    _beside("open", work, post)
    return is_stopped


def pump_beside(events: Iterator[Event], post: Post) -> None:
    """Posts the events of a turn as they come, then `TurnOver`."""

    def work() -> None:
        try:
            for event in events:
                post(Happened(event))
        finally:
            post(TurnOver())

    _beside("turn", work, post)


# What is decided and taken back is recorded in the order of the keys: each waits for the one before.


def decide_beside(
    session: Session,
    ids: Sequence[str],
    verdict: Verdict,
    reason: str,
    post: Post,
    before: threading.Thread | None = None,
) -> threading.Thread:
    """Records decisions of the user, as one act; posts `Decided` for those that went through."""

    def work() -> None:
        _wait_for(before)
        act, done = session.new_act(), []
        try:
            for image_id in ids:
                session.decide(image_id, verdict, reason, act=act)
                done.append(image_id)
        finally:
            post(Decided(done, verdict))

    return _beside("decide", work, post)


def undo_beside(
    session: Session, reason: Callable[[Decision], str], post: Post, before: threading.Thread | None = None
) -> threading.Thread:
    """Takes back the newest act; posts `TakenBack`.

    Args:
        session: Knows the decisions.
        reason: Returns why one is taken back.
        post: Is told.
        before: What is to be recorded first.
    """

    def work() -> None:
        _wait_for(before)
        done = []
        try:
            for decision in session.undo(reason):
                done.append(decision)
        finally:
            post(TakenBack(done))

    return _beside("decide", work, post)


def _wait_for(thread: threading.Thread | None) -> None:
    if thread is not None:
        thread.join()


def close_beside(session: Session, post: Post) -> threading.Thread:
    """Stops and closes a session; returns the thread, for who has a moment to wait."""
    session.cancel()
    return _beside("close", session.close, post)
