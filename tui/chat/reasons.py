"""Asks why a verdict is decided: usual reasons by number, or words of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tools.glossary import label_name, word
from tools.records import Language, Verdict
from tui.chat.view_words import VERDICT_LOOKS, VIEW_WORDS, ViewWords

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from tools.recipe import Recipe

__all__ = ["ReasonScreen", "usual_reasons"]

_MOST = 9  # reasons that a digit chooses


def usual_reasons(verdict: Verdict, language: Language, recipe: Recipe | None = None) -> list[str]:
    """Returns why people decide so, the most usual first; what looks like a defect is named by the recipe."""
    words = ViewWords(language)
    reasons = [words(key) for key in VIEW_WORDS if key.startswith(f"{verdict}.") and key[-1].isdigit()]
    if verdict is Verdict.ACCEPT and recipe:
        names = (label_name(recipe, name, language) for name in recipe.hard_negatives)
        reasons += [words("accept.only", name=name.replace("_", " ")) for name in names]
    return reasons[:_MOST]


class ReasonScreen(ModalScreen[str]):
    """Returns the reason; empty where the user thought better of it.

    Args:
        verdict: The new verdict.
        what: What it is about, e.g. `img_004` or `3 images`.
        language: Of the words.
        recipe: Names what looks like a defect and is none.
    """

    DEFAULT_CSS = """
    ReasonScreen { align: center bottom; background: $background 40%; }
    ReasonScreen > Vertical { width: 76; max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
        background: $surface; border: round $accent; }
    ReasonScreen .title { text-style: bold; }
    ReasonScreen .keys { color: $text-muted; }
    ReasonScreen OptionList { height: auto; max-height: 10; border: none; padding: 0; background: $surface; }
    ReasonScreen OptionList:focus { border: none; }
    ReasonScreen Input { border: none; height: 1; padding: 0; background: $boost; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Cancel", show=False, id="reason.cancel"),
    ]

    def __init__(self, verdict: Verdict, what: str, language: Language, recipe: Recipe | None = None) -> None:
        super().__init__()
        self._verdict, self._what, self._words = verdict, what, ViewWords(language)
        self._reasons = usual_reasons(verdict, language, recipe)

    def compose(self) -> ComposeResult:
        """Shows the question, the usual reasons, a line to type in, and the keys."""
        words, (sign, colour) = self._words, VERDICT_LOOKS[self._verdict]
        asked = words("why", verdict=word(self._verdict, words.language))
        with Vertical():
            yield Static(
                Content.assemble((f"{sign} {asked}", f"bold {colour}"), f"  {self._what}"), classes="title"
            )
            yield OptionList(
                *(Option(Content(f"{number} {each}")) for number, each in enumerate(self._reasons, 1))
            )
            yield Input(placeholder=words("own_reason"), select_on_focus=False)
            yield Static(words("reason_keys", count=len(self._reasons)), classes="keys", markup=False)

    def on_mount(self) -> None:
        """Begins at the most usual reason, so that Enter takes it."""
        options = self.query_one(OptionList)
        options.highlighted = 0
        options.focus()

    def on_key(self, event: events.Key) -> None:
        """Chooses by number while the list has the focus; a letter begins a reason of one's own."""
        if not isinstance(self.focused, OptionList) or event.character is None:
            return
        if event.character.isdecimal():  # int() knows no ²
            if 1 <= int(event.character) <= len(self._reasons):
                self.dismiss(self._reasons[int(event.character) - 1])
        elif event.character.isprintable() and not event.character.isspace():
            own = self.query_one(Input)
            own.focus()
            own.insert_text_at_cursor(event.character)
            event.stop()

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._reasons[event.option_index])

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        if reason := event.value.strip():
            self.dismiss(reason)
