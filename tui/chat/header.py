"""The line at the top: what is open, with which recipe and model, and what is being done."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from tui.chat.words import Words

if TYPE_CHECKING:
    from agent.session import Session

__all__ = ["Header", "short_name"]


class Header(Static):
    """Says what is open and what is being done.

    Args:
        words: Of the interface.
    """

    DEFAULT_CSS = """
    Header { height: 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, words: Words) -> None:
        super().__init__(id="header", markup=False)
        self._words = words
        self._session: Session | None = None
        self._what = ""
        self._opened = ""
        self._busy_since: float | None = None
        self._is_stopping = False

    @property
    def is_busy(self) -> bool:
        """Whether a turn is running."""
        return self._busy_since is not None

    @property
    def is_opening(self) -> bool:
        """Whether images are being read."""
        return bool(self._opened)

    def opening(self, name: str) -> None:
        """Says what is being opened, or is open; empty for nothing."""
        self._what, self._opened = name, ""
        self.draw()

    def opened_so_far(self, done: int, total: int) -> None:
        """Says how many of the images have been read."""
        self._opened = self._words("header.read", done=done, total=total)
        self.draw()

    def attach(self, session: Session) -> None:
        """Says what a session is about."""
        self._session, self._opened = session, ""
        self.draw()

    def set_busy(self, *, is_busy: bool) -> None:
        """Says whether a turn is running, and for how long."""
        self._busy_since = time.monotonic() if is_busy else None
        self._is_stopping = False
        self.draw()

    def stopping(self) -> None:
        """Says that the turn has been told to stop."""
        self._is_stopping = True
        self.draw()

    def draw(self) -> None:
        """Draws the line again."""
        parts = [Content.styled(" Loupe ", "bold reverse")]
        if self._busy_since is not None:
            seconds = int(time.monotonic() - self._busy_since)
            running = f"{self._words('header.running')} {seconds} s"
            said = self._words("stopping") if self._is_stopping else running
            parts.append(Content.styled(f"● {said}", "bold $text-warning"))
        if self._opened:
            parts.append(Content.styled(f"● {self._opened}", "bold $text-warning"))
        parts += map(Content, self._about())
        self.update(Content(" │ ").join(parts))

    def _about(self) -> list[str]:
        words, session = self._words, self._session
        if session is None:
            return [words("header.opening", name=self._what) if self._what else words("header.no_batch")]
        loaded = words("header.loaded" if session.is_model_loaded else "header.not_loaded")
        model = words("header.model", name=short_name(session.model_name))
        count = words("header.images", count=len(session.batch))
        return [self._what, count, session.recipe.name, f"{model} ({loaded})"]


def short_name(model: str) -> str:
    """Returns the end of a model string, which tells models apart where there is little room."""
    return re.split(r"[/\\#]", model.rstrip("/\\#"))[-1]
