"""Review mode: walks through what waits for a person, one image at a time, by keyboard alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from tools.errors import LoupeError
from tools.records import ImageStatus, Language, Verdict
from tui.chat.deciding import Recording, why_undone
from tui.chat.error_words import in_a_line
from tui.chat.hints import KeyHints
from tui.chat.lens import Lens
from tui.chat.picture import PicturePanel
from tui.chat.queueing import review_queue
from tui.chat.reasons import ReasonScreen
from tui.chat.view_words import ViewWords
from tui.chat.words import Words

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from agent.session import Session

__all__ = ["ReviewScreen"]

log = logging.getLogger(__name__)

_HINTS = (
    ("a", "key.accept"),
    ("r", "key.reject"),
    ("v", "key.review"),
    ("u", "key.undo"),
    ("n", "key.next_image"),
    ("p", "key.previous_image"),
    ("q", "key.quit"),
)


class ReviewScreen(Screen[None]):
    """Shows the images that are undecided or sent to review, the most doubtful first.

    Args:
        session: Knows the images; decisions are recorded in it, in the name of its user.
        recording: Where they queue up behind those that were taken elsewhere; None for a queue of its own.
        language: Of the words.
        graphics: As for `PicturePanel`.
    """

    DEFAULT_CSS = """
    ReviewScreen { layout: vertical; }
    ReviewScreen > .progress { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap;
        text-overflow: ellipsis; }
    ReviewScreen > .end { display: none; height: 1fr; content-align: center middle; padding: 1 2; }
    ReviewScreen.-ended > PicturePanel { display: none; }
    ReviewScreen.-ended > .end { display: block; }
    ReviewScreen > .review-keys { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "decide('accept')", "Accept", id="review.accept"),
        Binding("r", "decide('reject')", "Reject", id="review.reject"),
        Binding("v", "decide('review')", "Send to review", id="review.review"),
        Binding("u", "undo", "Undo", id="review.undo"),
        Binding("n,pagedown", "go(1)", "Next image", id="review.next"),
        Binding("p,pageup", "go(-1)", "Previous image", id="review.previous"),
        Binding("q,escape", "dismiss", "Return", id="review.close"),
    ]

    class Recorded(Message):
        """Decisions are on record, or could not be.

        Attributes:
            ids: Of the images; none where nothing was recorded.
            is_undo: Whether decisions were taken back.
            error: Why not; empty where all is well.
        """

        def __init__(self, ids: Sequence[str], error: str = "", *, is_undo: bool) -> None:
            super().__init__()
            self.ids, self.error, self.is_undo = ids, error, is_undo

    def __init__(
        self,
        session: Session,
        *,
        recording: Recording | None = None,
        language: Language = Language.EN,
        graphics: type[Widget] | None = None,
    ) -> None:
        super().__init__()
        self._session, self._words, self._common = session, ViewWords(language), Words(language)
        self._recording = recording or Recording(lambda _: None)
        self._panel = PicturePanel(language=language, recipe=session.recipe, graphics=graphics)
        self._progress = Static(classes="progress", markup=False)
        self._end = Static(classes="end", markup=False)
        self._keys = KeyHints(classes="review-keys")
        ids = [record.id for record in session.batch.records]
        self._queue = review_queue(ids, session.verdicts(), {i: session.inspection(i) for i in ids})
        self._place = 0
        self._decided: set[str] = set()
        self._is_recording = False

    def compose(self) -> ComposeResult:
        """Shows the progress, the picture with all that is known of it, and the keys."""
        yield self._progress
        yield self._panel
        yield self._end
        yield self._keys

    def on_mount(self) -> None:
        """Begins with the most doubtful image."""
        self._keys.tell([(key, key, self._words(doing)) for key, doing in _HINTS])
        self.query_one(Lens).focus()
        self._show()

    @property
    def image_id(self) -> str | None:
        """The image that is shown; None at the end of the queue."""
        return self._queue[self._place] if self._place < len(self._queue) else None

    def _show(self) -> None:
        words, image_id = self._words, self.image_id
        self.set_class(image_id is None, "-ended")
        self._show_progress()
        if image_id is None:
            key = "review_finished" if self._queue else "review_empty"
            self._end.update(words(key, decided=len(self._decided)))
            return
        record = self._session.batch.record(image_id)
        is_readable = record.status is ImageStatus.READABLE
        load = partial(self._session.batch.photograph, image_id) if is_readable else None
        decisions = self._session.decisions(image_id)
        self._panel.show(image_id, self._session.inspection(image_id), load, decisions)
        self.query_one(Lens).focus()

    def _show_progress(self) -> None:
        words, image_id = self._words, self.image_id
        parts: list[str] = []
        if image_id is not None:
            count, total = len(self._decided), len(self._queue)
            place = words("review_progress", place=self._place + 1, total=total, decided=count)
            parts = [place, words("is_decided" if image_id in self._decided else "is_open")]
        if self._is_recording:
            parts.append(words("recording"))
        told = f"  {' · '.join(parts)}".rstrip()
        self._progress.update(Content.assemble((words("review_title"), "bold"), told))

    def action_go(self, steps: int) -> None:
        """Shows the next or the previous image, round and round."""
        if self._queue:
            start = self._place if self.image_id or steps > 0 else 0
            self._place = (start + steps) % len(self._queue)
            self._show()

    def action_decide(self, verdict: str) -> None:
        """Asks for the reason, then decides."""
        image_id, new = self.image_id, Verdict(verdict)
        if image_id is None or self._is_recording:
            return

        def decide(reason: str | None) -> None:
            if reason:
                self._record(partial(self._decide, image_id, new, reason), is_undo=False)

        asked = ReasonScreen(new, image_id, self._words.language, self._session.recipe)
        self.app.push_screen(asked, decide)

    def action_undo(self) -> None:
        """Takes the newest decision of the session back, wherever it was taken; the ledger keeps both."""
        if not self._is_recording:
            self._record(self._take_back, is_undo=True)

    def _record(self, job: Callable[[], Iterator[str]], *, is_undo: bool) -> None:
        self._is_recording = True
        self._show_progress()

        def work() -> Iterator[str]:
            done: list[str] = []
            error = ""
            try:
                for image_id in job():
                    done.append(image_id)
                    yield image_id
            except LoupeError as failure:
                error = in_a_line(failure, self._words.language)
            except Exception as failure:  # A full disk, say: without `Recorded` all keys stay dead.
                log.exception("decide")
                error = f"{type(failure).__name__}: {failure}"
            self.post_message(self.Recorded(done, error, is_undo=is_undo))

        self._recording.add(work)

    def _decide(self, image_id: str, verdict: Verdict, reason: str) -> Iterator[str]:
        self._session.decide(image_id, verdict, reason)
        yield image_id

    def _take_back(self) -> Iterator[str]:
        for decision in self._session.undo(lambda each: why_undone(each, self._common)):
            yield decision.image_id

    @on(Recorded)
    def _on_recorded(self, message: Recorded) -> None:
        ids, self._is_recording = message.ids, False
        if message.error:
            self.notify(message.error, severity="error")
        elif not ids:
            self.notify(self._common("undo.nothing"))
        if ids and message.is_undo:
            self._decided.difference_update(ids)
            self._queue[self._place : self._place] = [each for each in ids if each not in self._queue]
            self._place = self._queue.index(ids[0])
        elif ids:
            self._decided.update(ids)
            self._place = self._next_open()
        self._show()

    def _next_open(self) -> int:
        """Place of the next image that was not decided here; the end of the queue where there is none."""
        count = len(self._queue)
        places = ((self._place + step) % count for step in range(1, count + 1))
        return next((place for place in places if self._queue[place] not in self._decided), count)
