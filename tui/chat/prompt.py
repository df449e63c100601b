"""Where the user writes: several lines, history, completion of commands and image ids."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Paste
from textual.message import Message
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from tui.chat.slash import Completion, complete, dropped_paths
from tui.chat.words import Words

__all__ = ["Prompt", "PromptArea"]


class PromptArea(TextArea):
    """The text itself; Enter sends, Ctrl+J makes a new line in every terminal.

    These two reach it before the keys that were pressed before them, so it queues them behind those.

    Attributes:
        completes: Takes the completion that Enter is meant for, and returns whether there is one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", show=False, priority=True, id="prompt.send"),
        Binding(
            "ctrl+j,shift+enter,alt+enter",
            "newline",
            "New line",
            show=False,
            priority=True,
            id="prompt.newline",
        ),
        Binding("up", "earlier", "Earlier request", show=False, id="prompt.earlier"),
        Binding("down", "later", "Later request", show=False, id="prompt.later"),
        Binding("tab", "complete", "Complete", show=False, id="prompt.complete"),
    ]

    class Entered(Message):
        """Enter was pressed; it comes after the keys before it."""

    class Broken(Message):
        """A new line was asked for; likewise."""

    class Sent(Message):
        """The user sent a text, which is in the prompt no longer."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Moved(Message):
        """An arrow, Tab or Escape was pressed that the completion list may want.

        Attributes:
            key: `up`, `down`, `tab`.
        """

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Dropped(Message):
        """Files or folders were dropped on the terminal, which pastes their paths."""

        def __init__(self, paths: Sequence[str]) -> None:
            super().__init__()
            self.paths = paths

    is_offering = False
    completes: Callable[[], bool] = staticmethod(lambda: False)

    async def _on_paste(self, event: Paste) -> None:
        """Takes dropped files as images to add; every other text is pasted."""
        if not self.text and (paths := dropped_paths(event.text)):
            event.prevent_default()
            event.stop()
            self.post_message(self.Dropped(paths))

    def action_send(self) -> None:
        """Sends, or takes the completion that is highlighted."""
        self.post_message(self.Entered())

    @on(Entered)
    def _enter(self, event: Entered) -> None:
        event.stop()
        if not self.completes():
            self.post_message(self.Sent(self.text))
            self.load_text("")  # at once: the next key belongs to the next request

    def action_newline(self) -> None:
        """Begins a new line."""
        self.post_message(self.Broken())

    @on(Broken)
    def _break(self, event: Broken) -> None:
        event.stop()
        self.insert("\n")

    def action_earlier(self) -> None:
        """Moves up in the completions, the text, or the history."""
        if self.is_offering or self.cursor_location[0] == 0:
            self.post_message(self.Moved("up"))
        else:
            self.action_cursor_up()

    def action_later(self) -> None:
        """Moves down in the completions, the text, or the history."""
        if self.is_offering or self.cursor_location[0] == self.document.line_count - 1:
            self.post_message(self.Moved("down"))
        else:
            self.action_cursor_down()

    def action_complete(self) -> None:
        """Takes a completion, or leaves the prompt where there is none."""
        if self.is_offering:
            self.post_message(self.Moved("tab"))
        else:
            self.screen.focus_next()

    @property
    def before_cursor(self) -> str:
        """The text up to the cursor."""
        return self.get_text_range((0, 0), self.cursor_location)


class Prompt(Vertical):
    """The prompt with its completions above it.

    Args:
        words: Of the interface.
        values: Returns what is offered per kind of argument.
    """

    class Submitted(Message):
        """The user sent a text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, words: Words, values: Callable[[], dict[str, Sequence[str]]]) -> None:
        super().__init__(id="prompt")
        self._words, self._values = words, values
        self._history: list[str] = []
        self._place = 0
        self._draft = ""
        self._offers: list[Completion] = []
        self._offered_for = ""  # the text

    def compose(self) -> ComposeResult:
        """Puts the completions above the text."""
        offers = OptionList(id="offers")
        offers.can_focus = False
        offers.display = False
        yield offers
        yield PromptArea(
            placeholder=self._words("prompt.placeholder"),
            compact=True,
            highlight_cursor_line=False,
            id="prompt-text",
        )

    def on_mount(self) -> None:
        """Lets Enter take a completion."""
        self.area.completes = self._complete

    @property
    def area(self) -> PromptArea:
        """The text area."""
        return self.query_one(PromptArea)

    def write(self, text: str) -> None:
        """Puts a text into the prompt, for the user to change."""
        self.area.load_text(text)
        self.area.move_cursor(self.area.document.end)
        self.area.focus()

    def give_back(self, text: str) -> None:
        """Puts a text back that could not be sent, unless something else was written since."""
        if not self.area.text:
            with self.area.prevent(TextArea.Changed):
                self.write(text)
            self._offer([])

    def add(self, text: str) -> None:
        """Adds a word at the cursor, with spaces around it."""
        before = self.area.before_cursor
        self.area.insert(f"{' ' if before and not before[-1].isspace() else ''}{text} ")
        self.area.focus()

    def remember(self, requests: Iterable[str]) -> None:
        """Takes up what was asked before, for the arrow keys."""
        self._history = [*requests, *self._history]
        self._place = len(self._history)

    def close_offers(self) -> bool:
        """Hides the completions; returns whether there were any."""
        was_open = self.area.is_offering
        self._offer([])
        return was_open

    @on(TextArea.Changed)
    def _look_up(self) -> None:
        self._offer(complete(self.area.before_cursor, self._values()))

    def _offer(self, offers: list[Completion]) -> None:
        self._offers, self._offered_for = offers, self.area.text
        shown = self.query_one(OptionList)
        shown.set_options(
            Option(
                Content.assemble(each.text, (f"  {self._words(each.key)}" if each.key else "", "dim")),
            )
            for each in offers
        )
        shown.display = self.area.is_offering = bool(offers)
        if offers:  # what is whole as it stands is replaced only by what one goes to
            shown.highlighted = None if offers[0].is_other else 0

    @on(PromptArea.Moved)
    def _move(self, event: PromptArea.Moved) -> None:
        if self.area.is_offering:
            if event.key == "tab":
                self._take()
            else:
                shown = self.query_one(OptionList)
                step = -1 if event.key == "up" else 1
                start = -max(step, 0) if shown.highlighted is None else shown.highlighted
                shown.highlighted = (start + step) % len(self._offers)
        elif event.key != "tab":
            self._recall(-1 if event.key == "up" else 1)

    def _recall(self, step: int) -> None:
        if self._place == len(self._history):
            self._draft = self.area.text
        place = min(max(self._place + step, 0), len(self._history))
        if place != self._place:
            self._place = place
            text = self._history[place] if place < len(self._history) else self._draft
            with self.area.prevent(TextArea.Changed):
                self.write(text)
            self._offer([])

    def _take(self) -> None:
        offer = self._offers[self.query_one(OptionList).highlighted or 0]
        row, column = self.area.cursor_location
        self.area.replace(f"{offer.text} ", (row, column - offer.replaces), (row, column))

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take()
        self.area.focus()

    @on(PromptArea.Dropped)
    def _drop(self, event: PromptArea.Dropped) -> None:
        self.write(f"/add {shlex.join(event.paths)}")

    def _complete(self) -> bool:
        """Takes a completion where the word before the cursor wants one; returns whether it does."""
        if self.area.text != self._offered_for:  # keys came faster than they were looked up
            self._look_up()
        text, word = self.area.text.strip(), self.area.before_cursor[-1:].strip()
        is_chosen = self.query_one(OptionList).highlighted is not None
        is_wanted = is_chosen and word and all(offer.text != text for offer in self._offers)
        if is_wanted:
            self._take()
        return bool(is_wanted)

    @on(PromptArea.Sent)
    def _send(self, event: PromptArea.Sent) -> None:
        text = event.text.strip()
        if not text:
            return
        if self._history[-1:] != [text]:
            self._history.append(text)
        self._place, self._draft = len(self._history), ""
        self.post_message(self.Submitted(text))
