"""One step of a turn: what the model writes, the tools that its program calls, what came of it."""

from __future__ import annotations

import time

from pydantic import JsonValue
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.markup import escape
from textual.widget import Widget
from textual.widgets import Collapsible, Markdown, ProgressBar, Static
from textual.widgets.markdown import MarkdownStream

from agent.cancelling import TurnCancelled
from agent.events import (
    CodeWritten,
    ImageShown,
    LoadEnd,
    LoadFinished,
    LoadProgress,
    LoadStarted,
    Purpose,
    StepFinished,
    ToolFinished,
    ToolProgress,
    ToolStarted,
)
from tui.chat.error_words import said
from tui.chat.header import short_name
from tui.chat.transcript import CodeFence, given, size_of, table_of
from tui.chat.words import Words

__all__ = ["LoadView", "StepView", "ToolView", "download_line", "load_line", "look_line", "rows_table"]

_LONGEST_OBSERVATION = 4_000
_SHORT_CELL = 10
_QUICK_S = 0.5
_SIGNS = {
    LoadEnd.LOADED: ("✓ ", "$text-success"),
    LoadEnd.FAILED: ("✗ ", "$text-error"),
    LoadEnd.LEFT: ("■ ", "$text-warning"),
}


class ToolView(Vertical):
    """A call of a tool: its progress while it runs, its rows afterwards.

    Args:
        started: The call.
        words: Of the interface.
        is_open: Whether the rows are unfolded.
    """

    def __init__(self, started: ToolStarted, words: Words, *, is_open: bool) -> None:
        super().__init__(classes="tool")
        self._started, self._words, self._is_open = started, words, is_open

    def compose(self) -> ComposeResult:
        """Shows what is called."""
        line = self._words(
            "tool.running", tool=self._started.tool, given=given(dict(self._started.arguments))
        )
        with Horizontal(classes="tool-running"):
            yield Static(Content.assemble(("▸ ", "$accent"), line), classes="tool-line")
            yield ProgressBar(total=None, show_eta=False, classes="tool-bar")

    def progress(self, event: ToolProgress) -> None:
        """Moves the bar."""
        self.query_one(ProgressBar).update(total=event.total, progress=event.done)

    async def finish(self, event: ToolFinished) -> None:
        """Shows what was returned in place of the progress."""
        line = self._words(
            "tool.done",
            tool=event.tool,
            given=given(dict(self._started.arguments)),
            size=self._error_of(event) or size_of(event.result, self._words),
            seconds=event.seconds,
        )
        await self.query(".tool-running").remove()
        table = None if event.error else rows_table(event.result, self._words)
        sign, style = ("✗ ", "$text-error") if event.error else ("✓ ", "$text-success")
        if event.error == TurnCancelled.__name__:
            sign, style = "■ ", "$text-warning"
        if table is None:
            await self.mount(Static(Content.assemble((sign, style), line), classes="tool-line"))
        else:
            title = escape(f"{sign}{line}")
            shown = Static(table, classes="tool-rows", expand=True)
            await self.mount(Collapsible(shown, title=title, collapsed=not self._is_open))

    async def abandon(self) -> None:
        """Ends a call of which no end was told."""
        if running := self.query(".tool-running"):
            called = given(dict(self._started.arguments))
            line = self._words("tool.running", tool=self._started.tool, given=called)
            await running.remove()
            ended = f"{line} · {self._words('turn.cancelled')}"
            await self.mount(Static(Content.assemble(("■ ", "$text-warning"), ended), classes="tool-line"))

    def _error_of(self, event: ToolFinished) -> str:
        if event.error == TurnCancelled.__name__:
            return self._words("turn.cancelled")
        return said(event.error, self._words.language)


class LoadView(Static):
    """A model that is being loaded, and for how long.

    Args:
        started: The load.
        words: Of the interface.
    """

    def __init__(self, started: LoadStarted, words: Words) -> None:
        super().__init__(classes="load", markup=False)
        self._started, self._words = started, words
        self._since = time.monotonic()
        self._download: LoadProgress | None = None

    def on_mount(self) -> None:
        """Counts the seconds."""
        self._tick()
        self._timer = self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        line = load_line(self._started, self._words, int(time.monotonic() - self._since))
        if self._download and self._download.done_mb < self._download.total_mb:
            line = f"{line}\n  {download_line(self._download, self._words)}"
        self.update(Content.assemble(("◌ ", "$accent"), line))

    def progress(self, event: LoadProgress) -> None:
        """Shows how far the download is that it waits for."""
        self._download = event
        self._tick()

    async def finish(self, event: LoadFinished) -> None:
        """Says how it ended; what was there in no time is not worth a line, nor is a test."""
        self._timer.stop()
        is_quick = event.end is LoadEnd.LOADED and event.seconds < _QUICK_S
        if is_quick or not self.ended(event):
            await self.remove()
        else:
            self.update(Content.assemble(_SIGNS[event.end], self.ended(event)))

    def ended(self, event: LoadFinished) -> str:
        """Returns how the load ended; empty for a test."""
        if self._started.purpose is Purpose.SIGHT:
            return ""
        return load_line(self._started, self._words, round(event.seconds), event.end)


def load_line(started: LoadStarted, words: Words, seconds: int, end: LoadEnd | None = None) -> str:
    """Returns which model is loaded, what for, and how that ended; None: it has not."""
    model = short_name(started.model)
    if started.purpose is Purpose.SIGHT:
        return words("load.testing", model=model, seconds=seconds)
    what = words(f"load.{started.purpose.value}", model=model)
    return words(f"load.{end.value if end else 'running'}", what=what, seconds=seconds)


def download_line(event: LoadProgress, words: Words) -> str:
    """Returns what is downloaded, how much of it has come, how fast, and how long the rest will take."""
    rate = event.done_mb / event.seconds if event.seconds > 0 else 0.0
    told = words("load.download", hub_id=event.hub_id, done=event.done_mb, total=event.total_mb)
    if not rate:
        return told
    left_s = round((event.total_mb - event.done_mb) / rate)
    return f"{told} · {words('load.rate', rate=rate, minutes=left_s // 60, seconds=left_s % 60)}"


class StepView(Collapsible):
    """A step, unfolded while it runs.

    Args:
        step: Its number.
        words: Of the interface.
    """

    def __init__(self, step: int, words: Words) -> None:
        self._text = Markdown(classes="step-text")
        self._body = Vertical(self._text, classes="step-body")
        super().__init__(
            self._body, title=words("step.running", step=step), collapsed=False, classes="step running"
        )
        self._step, self._words = step, words
        self._stream: MarkdownStream | None = None
        self._fence = CodeFence()

    async def write(self, text: str) -> None:
        """Shows a piece of what the model is writing."""
        if self._stream is None:
            self._stream = Markdown.get_stream(self._text)
        if shown := self._fence.feed(text):
            await self._stream.write(shown)

    async def show_code(self, event: CodeWritten) -> None:
        """Shows the program as it is run."""
        await self._end_stream()
        thought = f"{event.thought}\n\n" if event.thought else ""
        await self._text.update(f"{thought}```python\n{event.code.rstrip()}\n```")

    async def add(self, widget: Widget) -> None:
        """Shows a call, a look or a decision below what was there."""
        await self._body.mount(widget)

    async def finish(self, event: StepFinished) -> None:
        """Folds the step, unless it failed."""
        await self._end_stream()
        cost = self._words(
            "step.cost",
            seconds=event.usage.seconds,
            read=event.usage.input_tokens,
            written=event.usage.output_tokens,
        )
        title = f"{self._words('step.title', step=self._step)} · {cost}"
        if event.observation.strip():
            seen = event.observation.strip()[:_LONGEST_OBSERVATION]
            await self._body.mount(Static(Content(seen), classes="observation"))
        if event.error:
            title = f"{title} · {self._words('step.error')}"
            error = said(event.error, self._words.language)
            await self._body.mount(Static(Content(error), classes="step-error"))
        self.title = title
        self.remove_class("running")
        self.collapsed = True

    async def abandon(self) -> None:
        """Ends a step that was stopped."""
        if self.has_class("running"):
            await self._end_stream()
            self.title = f"{self._words('step.title', step=self._step)} · {self._words('turn.cancelled')}"
            self.remove_class("running")

    async def _end_stream(self) -> None:
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None


def look_line(event: ImageShown, words: Words) -> Static:
    """Returns the line that tells of a picture before the model."""
    said = words(
        "looked", image=event.image_id, width=event.width_px, height=event.height_px, tokens=event.tokens
    )
    return Static(
        Content.from_markup(f"[$accent @click=screen.show_image('{event.image_id}')]◉ {said}[/]"),
        classes="look",
    )


def rows_table(result: JsonValue, words: Words) -> Table | None:
    """Returns a tool's rows, a line each; None where there are none."""
    columns, rows, left_out = table_of(result)
    if not columns:
        return None
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for place, column in enumerate(columns):
        longest = max(cell_len(text) for text in (column, *(row[place] for row in rows)))
        # Columns that wrap give way first; their texts do not, so that a row stays a line.
        table.add_column(column, no_wrap=longest <= _SHORT_CELL)
    for row in rows:
        table.add_row(*(Text(each, no_wrap=True, overflow="ellipsis") for each in row))
    if left_out:
        table.caption = words("tool.more", count=left_out)
        table.caption_justify = "left"
    return table
