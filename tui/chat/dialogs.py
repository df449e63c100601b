"""Small windows over the workspace: a confirmation, a choice, the help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from tui.chat.keys import KEYS
from tui.chat.slash import COMMANDS
from tui.chat.words import Words

if TYPE_CHECKING:
    from agent.events import Decision

__all__ = ["ApproveDialog", "ChooseDialog", "HelpDialog"]


_MOST_DECISIONS = 4  # that one takes in at a glance


class ApproveDialog(ModalScreen[bool]):
    """Shows what the agent wants to decide; it waits for the answer.

    It comes while somebody may be writing: no key of a text agrees, and what is typed goes on where it began.

    Args:
        decisions: That are proposed together; at least one.
        words: Of the interface.
        draft: What was being written in; None where nothing was.
    """

    DEFAULT_CSS = """
    ApproveDialog .decisions { height: auto; max-height: 45vh; scrollbar-size-vertical: 1; }
    """
    AUTO_FOCUS = ""  # Enter may be meant for the text
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "dismiss(True)", "Agree", show=False, priority=True, id="approve.yes"),
        Binding("escape", "dismiss(False)", "Refuse", show=False, id="approve.no"),
        Binding("up,pageup", "scroll(-1)", "Scroll up", show=False, id="approve.up"),
        Binding("down,pagedown", "scroll(1)", "Scroll down", show=False, id="approve.down"),
    ]

    def __init__(
        self, decisions: Sequence[Decision], words: Words, draft: TextArea | Input | None = None
    ) -> None:
        super().__init__()
        self._decisions, self._words, self._draft = decisions, words, draft

    def compose(self) -> ComposeResult:
        """Shows the first images, both verdicts and the reason of each, and how many more there are."""
        words, count = self._words, len(self._decisions)
        title = words("approve.title") if count == 1 else words("approve.titles", count=count)
        with Vertical(classes="dialog"):
            yield Label(title, classes="dialog-title")
            with VerticalScroll(classes="decisions", can_focus=False):  # whatever they say, the buttons show
                for decision in self._decisions[:_MOST_DECISIONS]:
                    before = words(decision.before.value if decision.before else "undecided")
                    verdict = words(decision.verdict.value)
                    line = words("approve.text", image=decision.image_id, before=before, verdict=verdict)
                    yield Label(Content.styled(line, "bold"))
                    yield Static(Content(decision.why(words.language)))
            if count > _MOST_DECISIONS:
                yield Label(words("approve.more", count=count - _MOST_DECISIONS), classes="dialog-hint")
            with Horizontal(classes="dialog-buttons"):
                yield Button(words("approve.no"), id="no")
                yield Button(words("approve.yes"), variant="primary", id="yes")

    def on_key(self, event: Key) -> None:
        """Passes on what is typed; an Enter behind it is none for a button."""
        if event.is_printable:
            self.set_focus(None)
        if event.is_printable and event.character:
            self._write(event.character)
        elif self._draft is not None and event.key == "backspace":
            self._draft.action_delete_left()

    def on_paste(self, event: Paste) -> None:
        """Passes on what is pasted."""
        self._write(event.text)

    def _write(self, text: str) -> None:
        if isinstance(self._draft, TextArea):
            self._draft.insert(text)
        elif self._draft is not None:
            self._draft.insert_text_at_cursor(text)

    def action_scroll(self, steps: int) -> None:
        """Scrolls reasons that are longer than there is room."""
        self.query_one(".decisions").scroll_relative(y=3 * steps, animate=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class ChooseDialog(ModalScreen[str]):
    """Lets the user choose one of a few things; empty for none.

    Args:
        title: What is chosen.
        choices: Value and text of each.
        words: Of the interface.
        nothing: Said where there is nothing to choose.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Close", show=False)]

    def __init__(
        self, title: str, choices: Sequence[tuple[str, str]], words: Words, nothing: str = ""
    ) -> None:
        super().__init__()
        self._title_text, self._choices, self._words, self._nothing = title, choices, words, nothing

    def compose(self) -> ComposeResult:
        """Shows the choices."""
        with Vertical(classes="dialog"):
            yield Label(Content(self._title_text), classes="dialog-title")
            if not self._choices:
                yield Static(Content(self._nothing))
            yield OptionList(*(Option(Content(text)) for _, text in self._choices), id="choices")
            yield Static(Content(self._words("choose.hint")), classes="dialog-hint")

    def on_mount(self) -> None:
        """Begins at the first."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])


_KEY_CELLS = 22


class HelpDialog(ModalScreen[None]):
    """Explains keys and commands.

    Args:
        words: Of the interface.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close", show=False)]

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def compose(self) -> ComposeResult:
        """Shows a table per place."""
        words = self._words
        with VerticalScroll(classes="dialog wide"):
            yield Static(Content("\n").join(self._lines()))
            yield Static(Content(words("help.close")), classes="dialog-hint")

    def _lines(self) -> Iterator[Content]:
        words = self._words
        yield Content.styled(words("help.title"), "bold")
        for place, keys in KEYS.items():
            yield Content.styled(f"\n{words(f'help.{place}')}", "bold $text-accent")
            for key in keys:
                yield Content.assemble((f"  {key.shown:<{_KEY_CELLS}}", "bold"), words(f"key.{key.word}"))
        yield Content.styled(f"\n{words('help.commands')}", "bold $text-accent")
        for name, each in COMMANDS.items():
            yield Content.assemble((f"  {each.usage:<{_KEY_CELLS}}", "bold"), words(f"slash.{name}"))
