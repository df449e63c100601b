"""What the user decides and takes back: recorded beside the screen, in the order of the keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tools.records import Verdict
from tui.chat.background import Post, Told, beside

if TYPE_CHECKING:
    from agent.events import Decision
    from agent.session import Session
    from tools.recipe import Recipe
    from tui.chat.words import Words

__all__ = ["Decided", "OnRecord", "Recording", "TakenBack", "deciding", "taking_back", "undone", "why_undone"]

_LONGEST_REASON = 500  # characters that a record takes


class OnRecord(Told):
    """A job of `Recording` is done.

    Attributes:
        ids: Of the images whose verdicts it changed.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids


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


class Recording:
    """Records one thing after the other, each in a thread: another program may be writing to the ledger.

    Args:
        post: Is told `OnRecord` after each, and `Failed` where one failed.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._newest = threading.Event()
        self._newest.set()

    @property
    def is_running(self) -> bool:
        """Whether something is not yet on record."""
        return not self._newest.is_set()

    def add(self, job: Callable[[], Iterator[str]]) -> None:
        """Does a job once those before are done; it yields the images whose verdicts it changes."""
        before, done = self._newest, threading.Event()
        self._newest = done

        def work() -> None:
            before.wait()
            ids: list[str] = []
            try:
                for image_id in job():
                    ids.append(image_id)
            finally:
                done.set()
                self._post(OnRecord(ids))

        beside("decide", work, self._post)

    def wait(self) -> None:
        """Waits until all that was added so far is on record."""
        self._newest.wait()


def deciding(
    session: Session, ids: Sequence[str], verdict: Verdict, reason: str, post: Post
) -> Iterator[str]:
    """Records decisions of the user, as one act; posts `Decided` for those that went through."""
    act, done = session.new_act(), []
    try:
        for image_id in ids:
            session.decide(image_id, verdict, reason, act=act)
            done.append(image_id)
            yield image_id
    finally:
        post(Decided(done, verdict))


def taking_back(session: Session, words: Words, post: Post) -> Iterator[str]:
    """Takes back the newest act; posts `TakenBack`."""
    done = []
    try:
        for decision in session.undo(lambda each: why_undone(each, words)):
            done.append(decision)
            yield decision.image_id
    finally:
        post(TakenBack(done))


def why_undone(decision: Decision, words: Words) -> str:
    """Returns why a decision is taken back: for the reason that it had, cut to what a record takes."""
    reason = decision.why(words.language)
    room = _LONGEST_REASON - len(words("undo.reason", reason=""))
    return words("undo.reason", reason=reason if len(reason) <= room else f"{reason[: room - 1]}…")


def undone(decisions: Sequence[Decision], words: Words, recipe: Recipe) -> str:
    """Returns what is said of decisions that were taken back; at least one."""
    from tui.chat.good_names import removal_command

    newest, what = decisions[-1], words.of_images([decision.image_id for decision in decisions])
    verdict, why = words(newest.verdict.value), newest.why(words.language)
    note = words("undo.done", what=what, verdict=verdict, reason=why)
    if kept := [decision.kept_as for decision in decisions if decision.kept_as]:
        note += " " + words("undo.still_good", command=removal_command(recipe, kept))
    return note
