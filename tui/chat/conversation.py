"""The conversation in the middle: turns, one below the other, as their events arrive."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from agent.events import Event, TurnFinished, TurnStarted
from tui.chat.turns import TurnView
from tui.chat.words import Words

__all__ = ["Conversation"]

_MOST_TURNS = 30  # shown; each is some ten widgets, and a day has hundreds of turns


class Conversation(VerticalScroll):
    """Shows a session's events.

    Args:
        words: Of the interface.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(id="conversation", can_focus=False)
        self._words = words
        self._turn: TurnView | None = None
        self._older = 0

    def on_mount(self) -> None:
        """Keeps the end in view unless the user scrolls up."""
        self.anchor()

    async def welcome(self, key: str = "welcome") -> None:
        """Shows what one can say."""
        await self.mount(Markdown(self._words(key), id="welcome"))

    async def replay(self, events: Sequence[Event]) -> None:
        """Shows what happened before: the newest turns of it."""
        starts = [place for place, event in enumerate(events) if isinstance(event, TurnStarted)]
        self._older = max(0, len(starts) - _MOST_TURNS)
        first = starts[self._older] if starts else 0
        with self.app.batch_update():
            for event in events[first:]:
                if isinstance(event, TurnStarted):
                    await self._abandon()
                await self.take(event)
            await self._abandon()
        await self._let_go()

    async def _abandon(self) -> None:
        """Closes a turn of which the log has no end: the program was killed in it."""
        if self._turn is not None:
            await self._turn.abandon()
            self._turn = None

    async def _let_go(self) -> None:
        """Takes the oldest turns off the screen where there are too many, and says so."""
        views = list(self.query(TurnView))
        for view in views[: max(0, len(views) - _MOST_TURNS)]:
            await view.remove()
            self._older += 1
        if self._older:
            await self.query("#older").remove()
            said = Content(self._words("turn.older", count=self._older))
            await self.mount(Static(said, id="older", classes="note"), before=0)

    async def take(self, event: Event) -> None:
        """Shows an event of the running turn."""
        if isinstance(event, TurnStarted):
            await self.query("#welcome").remove()
            self._turn = TurnView(event.request, self._words)
            await self.mount(self._turn)
            await self._let_go()
        elif self._turn is not None:
            await self._turn.take(event)
        if isinstance(event, TurnFinished):
            self._turn = None

    async def say(self, text: str, hint: str = "", *, is_error: bool = False) -> None:
        """Tells something that is no part of the session: a problem and what to do about it."""
        parts = [(text, "bold $text-error" if is_error else "")]
        if hint:
            parts.append((f"\n{self._words('hint')}: {hint}", "$text-muted"))
        await self.mount(Static(Content.assemble(*parts), classes="said error" if is_error else "said"))

    @property
    def last_answer(self) -> str:
        """The newest answer; empty for none."""
        answers = [view.answer for view in self.query(TurnView) if view.answer]
        return answers[-1] if answers else ""
