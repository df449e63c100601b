"""One turn of the conversation: the request, its steps, the answer and what it cost."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Collapsible, Markdown, Static

from agent.events import (
    Abstained,
    Answer,
    CodeWritten,
    Decision,
    Event,
    ImageShown,
    Inspected,
    LoadEnd,
    LoadFinished,
    LoadProgress,
    LoadStarted,
    Note,
    Outcome,
    StepFinished,
    TextDelta,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnFinished,
)
from tools.records import Language
from tui.chat.error_words import known_parts, said
from tui.chat.steps import LoadView, StepView, ToolView, look_line
from tui.chat.transcript import decision_line
from tui.chat.words import Words

__all__ = ["TurnView"]

_SIGNS = {
    Outcome.ANSWERED: ("✓", "$text-success"),
    Outcome.DECLINED: ("–", "$text-warning"),
    Outcome.FAILED: ("✗", "$text-error"),
    Outcome.CANCELLED: ("■", "$text-warning"),
}


class TurnView(Vertical, can_focus=True):
    """A request and what came of it.

    Args:
        request: What the user asked.
        words: Of the interface.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "Edit and ask again", id="turn.edit", show=False),
        Binding("c", "copy", "Copy the answer", id="turn.copy", show=False),
        Binding("enter", "fold", "Unfold its steps", id="turn.fold", show=False),
    ]

    class Edited(Message):
        """The user wants to ask this again, in other words."""

        def __init__(self, request: str) -> None:
            super().__init__()
            self.request = request

    def __init__(self, request: str, words: Words) -> None:
        super().__init__(classes="turn")
        self.request = request
        self.answer = ""
        self._words = words
        self._steps: dict[int, StepView] = {}
        self._calls: dict[int, ToolView] = {}
        self._loads: dict[int, LoadView] = {}
        self._left = ""
        self._inspected = self._decided = 0

    def compose(self) -> ComposeResult:
        """Shows the request."""
        yield Static(Content.assemble(("❯ ", "bold $accent"), (self.request, "bold")), classes="request")

    async def take(self, event: Event) -> None:
        """Shows an event of this turn."""
        match event:
            case TextDelta():
                await (await self._step(event.step)).write(event.text)
            case CodeWritten():
                await (await self._step(event.step)).show_code(event)
            case ToolStarted() | ToolProgress() | ToolFinished():
                await self._take_call(event)
            case LoadStarted():
                self._loads[event.load] = LoadView(event, self._words)
                await self._add(self._loads[event.load])
            case LoadProgress():
                if load := self._loads.get(event.load):
                    load.progress(event)
            case LoadFinished():
                if load := self._loads.pop(event.load, None):
                    await load.finish(event)
                    # Said again below the turn: its step is folded.
                    self._left = load.ended(event) if event.end is LoadEnd.LEFT else ""
            case ImageShown():
                await self._add(look_line(event, self._words))
            case StepFinished():
                await (await self._step(event.step)).finish(event)
            case Decision():
                self._decided += 1
                line = Content.assemble(("◆ ", "$accent"), decision_line(event, self._words))
                await self._add(Static(line, classes="decision"))
            case Inspected():
                self._inspected += 1
            case Abstained():
                await self._add(Static(Content(self._words("abstained")), classes="note"))
            case Note(text=text):
                note = self._words("note", text=said(text, self._words.language))
                await self._add(Static(Content(note), classes="note"))
            case Answer():
                await self._take_answer(event)
            case TurnFinished():
                await self._finish(event)

    async def _step(self, number: int) -> StepView:
        if number not in self._steps:
            self._steps[number] = StepView(number, self._words)
            await self.mount(self._steps[number])
        return self._steps[number]

    async def _add(self, widget: Widget) -> None:
        """Puts something into the running step, or into the turn where no step runs."""
        running = [step for step in self._steps.values() if step.has_class("running")]
        if running:
            await running[-1].add(widget)
        else:
            await self.mount(widget)

    async def _take_call(self, event: ToolStarted | ToolProgress | ToolFinished) -> None:
        if isinstance(event, ToolStarted):
            # A tool that the user called is the turn's whole result: its rows are unfolded.
            self._calls[event.call] = ToolView(event, self._words, is_open=not self._steps)
            await self._add(self._calls[event.call])
        elif view := self._calls.get(event.call):
            if isinstance(event, ToolProgress):
                view.progress(event)
            else:
                await view.finish(event)

    async def _take_answer(self, event: Answer) -> None:
        self.answer = event.text
        await self.mount(Markdown(_with_its_lines(event.text), classes="answer"))
        for reason in event.unverified:
            line = Content(self._words("unverified", reason=said(reason, self._words.language)))
            await self.mount(Static(line, classes="unverified"))

    async def abandon(self) -> None:
        """Closes a turn that nobody works on any more."""
        await self._close()
        sign, style = _SIGNS[Outcome.CANCELLED]
        line = Content.assemble((sign, style), (f" {self._words('turn.abandoned')}", "$text-muted"))
        await self.mount(Static(line, classes="turn-cost"))

    async def _close(self) -> None:
        """Ends what would look as if it were still running."""
        for step in self._steps.values():
            await step.abandon()
        for call in self._calls.values():
            await call.abandon()

    async def _finish(self, event: TurnFinished) -> None:
        await self._close()
        if event.outcome is Outcome.CANCELLED:
            kept = self._words("turn.kept", inspected=self._inspected, decided=self._decided)
            await self.mount(Static(Content(kept), classes="kept"))
            if self._left:
                await self.mount(Static(Content(self._left), classes="kept"))
        if event.error and event.error not in self.answer:
            await self._tell_error(event.error)
        for path in event.artifacts:
            await self.mount(Static(Content(self._words("turn.written", path=path)), classes="artifact"))
        sign, style = _SIGNS[event.outcome]
        cost = self._words(
            ("turn.seconds", "turn.cost_one")[event.steps] if event.steps < 2 else "turn.cost",
            steps=event.steps,
            seconds=event.usage.seconds,
            tokens=event.usage.input_tokens + event.usage.output_tokens,
        )
        ended = f" {self._words(f'turn.{event.outcome.value}')} · {cost}"
        line = Content.assemble((sign, style), (ended, "$text-muted"))
        await self.mount(Static(line, classes="turn-cost"))

    async def _tell_error(self, error: str) -> None:
        """Shows why a turn failed, and in the words of the interface also where its answer says so."""
        language = self._words.language
        await self.mount(Static(Content(said(error, language)), classes="step-error"))
        if language is Language.KO:
            before, self.answer = self.answer, said(self.answer, language)
            if before == self.answer:  # it was Korean but for the error in it
                for english, korean in known_parts(error):
                    self.answer = self.answer.replace(english.rstrip("."), korean.rstrip("."))
            for shown in self.query(".answer").results(Markdown):
                await shown.update(_with_its_lines(self.answer))

    def action_edit(self) -> None:
        """Puts the request into the prompt again."""
        self.post_message(self.Edited(self.request))

    def action_copy(self) -> None:
        """Copies the answer."""
        if self.answer:
            self.app.copy_to_clipboard(self.answer)
            self.notify(self._words("copied"))

    def action_fold(self) -> None:
        """Unfolds the steps, or a tool's rows where there are none; folds them where all are unfolded."""
        folds: list[Collapsible] = [*self._steps.values()] or [*self.query(Collapsible)]
        is_any_folded = any(fold.collapsed for fold in folds)
        for fold in folds:
            fold.collapsed = not is_any_folded


def _with_its_lines(text: str) -> str:
    """Markdown that breaks where the text does: answers come line by line, and Markdown would join them."""
    return text.replace("\n", "  \n")
