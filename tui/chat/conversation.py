"""The conversation in the middle: turns, one below the other, as their events arrive."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Markdown, Static

from agent.events import Event, TextDelta, ToolProgress, TurnFinished, TurnStarted
from tui.chat.turns import TurnView
from tui.chat.words import Words

__all__ = ["Conversation"]

_MOST_TURNS = 30  # shown of a session that is resumed; each turn is some ten widgets


class Conversation(VerticalScroll):
    """Shows a session's events.

    Args:
        words: Of the interface.
    """

    def __init__(self, words: Words) -> None:
        super().__init__(id="conversation", can_focus=False)
        self._words = words
        self.events: list[Event] = []
        self._turn: TurnView | None = None

    def on_mount(self) -> None:
        """Keeps the end in view unless the user scrolls up."""
        self.anchor()

    async def welcome(self, key: str = "welcome") -> None:
        """Shows what one can say."""
        await self.mount(Markdown(self._words(key), id="welcome"))

    async def replay(self, events: Sequence[Event]) -> None:
        """Shows what happened before: the newest turns of it."""
        self.events = list(events)
        starts = [place for place, event in enumerate(events) if isinstance(event, TurnStarted)]
        if len(starts) > _MOST_TURNS:
            older = self._words("turn.older", count=len(starts) - _MOST_TURNS)
            await self.mount(Static(Content(older), classes="note"))
        first = starts[-_MOST_TURNS] if len(starts) > _MOST_TURNS else 0
        with self.app.batch_update():
            for event in events[first:]:
                await self._show(event)
        self._turn = None

    async def take(self, event: Event) -> None:
        """Shows an event, and keeps it for the export."""
        if not isinstance(event, TextDelta | ToolProgress):
            self.events.append(event)
        await self._show(event)

    async def _show(self, event: Event) -> None:
        if isinstance(event, TurnStarted):
            await self.query("#welcome").remove()
            self._turn = TurnView(event.request, self._words)
            await self.mount(self._turn)
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
