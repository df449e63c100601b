"""The report inside the app: written with its progress shown, then read page by page."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import ProgressBar, Static

from agent.events import (
    LoadFinished,
    LoadProgress,
    LoadStarted,
    Outcome,
    ToolFinished,
    ToolProgress,
    TurnFinished,
)
from tools.errors import LoupeError
from tools.records import Language
from tui.chat.darkroom import Photo
from tui.chat.error_words import in_a_line, said
from tui.chat.hints import KeyHints
from tui.chat.lens import Lens
from tui.chat.newest import Newest
from tui.chat.opening import open_file
from tui.chat.pages import Pages
from tui.chat.steps import LoadView
from tui.chat.view_words import ViewWords
from tui.chat.views import View
from tui.chat.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from agent.session import Session

__all__ = ["ReportScreen"]

_BESIDE_CELLS = 72  # from this width on the text stands beside the page
_HINTS = (
    ("pagedown", "PgDn", "key.next_page"),
    ("pageup", "PgUp", "key.previous_page"),
    ("z", "z", "key.width"),
    ("t", "t", "key.text"),
    ("o", "o", "key.open"),
    ("b", "b", "key.rebuild"),
    ("q", "q", "key.quit"),
)


class ReportScreen(Screen[None]):
    """Writes the report of a session and shows it; or shows one that was written already.

    Args:
        session: Writes the report, as a turn of its own.
        language: Of the words and of the report.
        lot: Of the batch; empty keeps the one that was named before.
        path: A report that is there already; None writes it.
        graphics: As for `PicturePanel`.
    """

    DEFAULT_CSS = """
    ReportScreen { layout: vertical; }
    ReportScreen > .title { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap;
        text-overflow: ellipsis; }
    ReportScreen > .building { display: none; height: 1fr; align: center middle; }
    ReportScreen > .building > * { width: auto; max-width: 96%; }
    ReportScreen > .building > Static { width: 96%; text-align: center; margin: 1 0 0 0; }
    ReportScreen.-building > .building { display: block; }
    ReportScreen > .pages { layout: horizontal; height: 1fr; }
    ReportScreen.-building > .pages { display: none; }
    ReportScreen > .pages > * { width: 1fr; height: 1fr; }
    ReportScreen > .pages > VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; }
    ReportScreen > .pages > VerticalScroll > Static { height: auto; }
    ReportScreen.-narrow > .pages > VerticalScroll { display: none; }
    ReportScreen.-switched > .pages > VerticalScroll { display: none; }
    ReportScreen.-narrow.-switched > .pages > VerticalScroll { display: block; }
    ReportScreen.-narrow.-switched > .pages > Lens { display: none; }
    ReportScreen > KeyHints { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pagedown,n,space", "turn(1)", "Next page", id="report.next"),
        Binding("pageup,p", "turn(-1)", "Previous page", id="report.previous"),
        Binding("z", "zoom", "Fit width", id="report.zoom"),
        Binding("t", "text", "Text", id="report.text"),
        Binding("o", "open", "Open", id="report.open"),
        Binding("b", "build", "Write again", id="report.build"),
        Binding("q,escape", "leave", "Return", id="report.close"),
    ]

    class Progress(Message):
        """The report is being written."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

    class Loading(Message):
        """A model that the report needs is loaded first, or was."""

        def __init__(self, event: LoadStarted | LoadProgress | LoadFinished) -> None:
            super().__init__()
            self.event = event

    class Built(Message):
        """The report is written and open, or could not be."""

        def __init__(self, pages: Pages | None, error: str = "", *, is_stopped: bool = False) -> None:
            super().__init__()
            self.pages, self.error, self.is_stopped = pages, error, is_stopped

    class Read(Message):
        """What a page says was read."""

        def __init__(self, index: int, text: str) -> None:
            super().__init__()
            self.index, self.text = index, text

    def __init__(
        self,
        session: Session,
        *,
        language: Language = Language.EN,
        lot: str = "",
        path: Path | None = None,
        graphics: type[Widget] | None = None,
    ) -> None:
        super().__init__()
        self._session, self._words, self._lot, self._path = session, ViewWords(language), lot, path
        self._title = Static(classes="title", markup=False)
        self._said = Static(markup=False)
        self._bar = ProgressBar(show_eta=False)
        self._lens = Lens(graphics, language=language)
        self._text = Static(markup=False)
        self._keys = KeyHints()
        self._reader = Newest("loupe-report")
        self._pages: Pages | None = None
        self._load: LoadView | None = None
        self._index = 0
        self._is_building = False

    def compose(self) -> ComposeResult:
        """Shows the progress, then the page with its text, and the keys."""
        yield self._title
        with Vertical(classes="building"):
            yield self._bar
            yield self._said
        with Container(classes="pages"):
            yield self._lens
            with VerticalScroll():
                yield self._text
        yield self._keys

    def on_mount(self) -> None:
        """Opens the report, or begins to write it."""
        self._keys.tell([(key, shown, self._words(doing)) for key, shown, doing in _HINTS])
        self._lens.focus()
        if self._path is None:
            self.action_build()
        else:
            self._begin(partial(self._opened, self._path))

    def on_unmount(self) -> None:
        """Closes the file."""
        if self._pages:
            self._pages.close()

    def on_resize(self, event: events.Resize) -> None:
        """Shows page and text side by side where there is room."""
        self.set_class(event.size.width < _BESIDE_CELLS, "-narrow")

    # Writing it.

    def action_build(self) -> None:
        """Writes the report again, with what was decided since."""
        if not self._is_building:
            self._begin(self._build)

    def _begin(self, job: Callable[[], None]) -> None:
        self._is_building = True
        self.query(LoadView).remove()
        self.add_class("-building")
        self._title.update(Content.styled(self._words("report_title"), "bold"))
        self._bar.display = True
        self._bar.update(total=None, progress=0)
        self._said.update(f"{self._words('report_building')}\n{self._words('report_stop')}")
        self._in_thread(job)

    @staticmethod
    def _in_thread(job: Callable[[], None]) -> None:
        threading.Thread(target=job, name="loupe-report", daemon=True).start()

    def _build(self) -> None:
        """Writes the report, in a thread; the session's own turn does the work."""
        arguments = {"language": self._words.language.value} | ({"lot": self._lot} if self._lot else {})
        path, error, outcome = None, "", Outcome.FAILED
        try:
            for event in self._session.use("write_report", arguments, self._words("report_request")):
                match event:
                    case ToolProgress(done=done, total=total):
                        self.post_message(self.Progress(done, total))
                    case LoadStarted() | LoadProgress() | LoadFinished():
                        self.post_message(self.Loading(event))
                    case ToolFinished(result={"report": str(written)}):
                        path = Path(written)
                    case TurnFinished(outcome=outcome, error=problem):
                        error = said(problem, self._words.language)
        except LoupeError as failure:
            error = in_a_line(failure, self._words.language)
        if path:
            self._opened(path)
        else:
            self.post_message(self.Built(None, error, is_stopped=outcome is Outcome.CANCELLED))

    def _opened(self, path: Path) -> None:
        """Opens a report, in a thread."""
        try:
            self.post_message(self.Built(Pages(path)))
        except LoupeError as failure:
            self.post_message(self.Built(None, in_a_line(failure, self._words.language)))

    @on(Progress)
    def _on_progress(self, message: Progress) -> None:
        message.stop()
        self._bar.update(total=message.total, progress=message.done)
        steps = self._words("report_steps", done=message.done, total=message.total)
        self._said.update(f"{self._words('report_building')} {steps}\n{self._words('report_stop')}")

    @on(Loading)
    async def _on_loading(self, message: Loading) -> None:
        message.stop()
        if isinstance(message.event, LoadStarted):
            self._load = LoadView(message.event, Words(self._words.language))
            await self.query_one(".building").mount(self._load)
        elif self._load is None:
            return
        elif isinstance(message.event, LoadProgress):
            self._load.progress(message.event)
        else:
            await self._load.finish(message.event)

    @on(Built)
    def _on_built(self, message: Built) -> None:
        message.stop()
        self._is_building = False
        if message.pages is None:
            self._bar.display = False
            failed = self._words("report_stopped" if message.is_stopped else "report_failed")
            self._said.update(f"{failed}\n{message.error}".strip())
            return
        if self._pages:
            self._pages.close()
        self._pages = message.pages
        self._index = min(self._index, message.pages.count - 1)
        self.remove_class("-building")
        self._show()

    # Reading it.

    def _show(self) -> None:
        if self._pages is None:
            return
        pages, index, words = self._pages, self._index, self._words
        place = words("page_of", page=index + 1, total=pages.count)
        self._title.update(
            Content.assemble((words("report_title"), "bold"), f"  {place} · {pages.path.name}")
        )
        photo = Photo(partial(pages.picture, index), None, ())
        self._lens.put(photo, View(), words("drawing"))
        self._text.update("")
        self._reader.submit(partial(self._read, pages, index))

    def _read(self, pages: Pages, index: int) -> None:
        try:
            self.post_message(self.Read(index, pages.text(index)))
        except LoupeError as failure:
            self.post_message(self.Read(index, said(failure.message, self._words.language)))

    @on(Read)
    def _on_read(self, message: Read) -> None:
        message.stop()
        if message.index == self._index:
            self._text.update(message.text)

    def action_turn(self, steps: int) -> None:
        """Turns to the next or the previous page."""
        if self._pages:
            index = min(max(self._index + steps, 0), self._pages.count - 1)
            if index != self._index:
                self._index = index
                self._show()

    def action_zoom(self) -> None:
        """Fits the page's width, beginning at its top; and back to the whole page."""
        photo = self._lens.photo_wh_px
        if self._lens.view.zoom > 1 or photo is None:
            self._lens.action_whole()
        else:
            self._lens.look(View().at_width(photo, self._lens.room_wh_px))

    def action_text(self) -> None:
        """Shows or hides the page's text; in a narrow window in place of its picture."""
        self.toggle_class("-switched")

    def action_open(self) -> None:
        """Opens the PDF in the system's viewer."""
        if self._pages is None:
            return
        try:
            open_file(self._pages.path)
        except LoupeError as error:
            self.notify(in_a_line(error, self._words.language), severity="error")
        else:
            self.notify(self._words("opened", path=self._pages.path))

    def action_leave(self) -> None:
        """Stops the writing; else returns."""
        if self._is_building:
            self._session.cancel()
        else:
            self.dismiss()
