"""The batch at the left: a table of images with verdicts, filters, orders and a selection."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import DataTable, Static
from textual.widgets.data_table import RowKey

from tui.chat.board import ALL, FILTERS, ORDERS, UNDECIDED, UNREADABLE, Row, counts, visible
from tui.chat.view_words import VERDICT_LOOKS
from tui.chat.words import Words

__all__ = ["BatchPanel", "badge"]

_LOOKS = {
    **{verdict.value: look for verdict, look in VERDICT_LOOKS.items()},
    UNREADABLE: ("!", "$text-error"),
    UNDECIDED: ("·", "dim"),
    ALL: ("∑", ""),
}
_PAUSE = 10  # times as long as drawing took
# Widths in cells, a space for the gap included; a Korean letter takes two.
_COLUMNS = (
    ("mark", 2),
    ("id", 8),
    ("verdict", 9),
    ("finding", 15),
    ("size", 10),
    ("state", 11),
    ("name", 24),
)


@lru_cache(maxsize=4_096)
def _content(text: str, style: str = "") -> Content:
    """A cell; the same few texts stand in thousands of them."""
    return Content.styled(text, style) if style else Content(text)


def badge(mark: str, words: Words) -> Content:
    """Returns a verdict as sign and word, in its colour."""
    sign, style = _LOOKS[mark]
    return _content(f"{sign} {words(mark)}", style)


class BatchTable(DataTable[Content]):
    """The rows; letters decide."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "panel('toggle')", "Select", id="batch.select", show=False),
        Binding("asterisk", "panel('toggle_all')", "Select all shown", id="batch.select_all", show=False),
        Binding("f", "panel('next_filter')", "Filter", id="batch.filter", show=False),
        Binding("s", "panel('next_order')", "Sort", id="batch.sort", show=False),
        Binding("a", "screen.decide('accept')", "Accept", id="batch.accept", show=False),
        Binding("r", "screen.decide('reject')", "Reject", id="batch.reject", show=False),
        Binding("v", "screen.decide('review')", "To review", id="batch.review", show=False),
        Binding("u", "screen.undo", "Undo", id="batch.undo", show=False),
        Binding("t", "screen.thumbnails", "Thumbnails", id="batch.thumbnails", show=False),
        Binding("m", "screen.mention", "Name it in the chat", id="batch.mention", show=False),
        Binding("w", "screen.walk", "Review mode", id="batch.walk", show=False),
        Binding("enter", "screen.focus_panel('picture')", "Picture", id="batch.open", show=False),
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("home", "scroll_top", "First", show=False),
        Binding("end", "scroll_bottom", "Last", show=False),
    ]

    def _update_dimensions(self, new_rows: Iterable[RowKey]) -> None:
        """Measures no cell: all widths are given, and 5,000 rows would take half a second."""
        super()._update_dimensions(())

    def action_panel(self, name: str) -> None:
        """Has the panel do something."""
        panel = self.query_ancestor(BatchPanel)
        getattr(panel, name)()


class BatchPanel(Vertical):
    """The batch, filtered and sorted; tells which image is highlighted.

    Args:
        words: Of the interface.
    """

    class Highlighted(Message):
        """Another image is under the cursor."""

        def __init__(self, image_id: str) -> None:
            super().__init__()
            self.image_id = image_id

    def __init__(self, words: Words) -> None:
        super().__init__(id="batch")
        self._words = words
        self._rows: dict[str, Row] = {}
        self._shown: list[str] = []
        self._type_words: dict[str, str] = {}
        self.filter = ALL
        self.order = "batch"
        self.selected: set[str] = set()
        self._waits: Timer | None = None
        self._drawing_s = 0.0

    def compose(self) -> ComposeResult:
        """Puts the filters above the table."""
        yield Static(id="filters")
        table = BatchTable(cursor_type="row", cell_padding=0, zebra_stripes=True, id="images")
        for key, width in _COLUMNS:
            label = "" if key == "mark" else self._words(f"column.{key}")
            table.add_column(label, width=width, key=key)
        yield table
        yield Static(id="selection")

    def on_mount(self) -> None:
        """Shows the empty batch."""
        self._draw()

    def on_resize(self) -> None:
        """Names the filters where there is room."""
        self._draw_filters()

    @property
    def table(self) -> BatchTable:
        """The rows."""
        return self.query_one(BatchTable)

    @property
    def current(self) -> str:
        """The image under the cursor; empty for none."""
        row = self.table.cursor_row
        return self._shown[row] if 0 <= row < len(self._shown) else ""

    @property
    def shown(self) -> Sequence[str]:
        """The images that the filter lets through, in their order."""
        return self._shown

    def caption(self, image_id: str) -> Content:
        """Returns an image in a line: whether it is selected, its verdict, id and worst finding."""
        row = self._rows[image_id]
        sign, style = _LOOKS[row.mark]
        finding = self._type_words.get(row.finding, row.finding)
        return Content.assemble(self._marker(image_id), (sign, style), f" {image_id} {finding}")

    def chosen(self) -> list[str]:
        """The selection in batch order, or else the image under the cursor."""
        if self.selected:
            return [image_id for image_id in self._rows if image_id in self.selected]
        return [self.current] if self.current else []

    def fill(self, rows: Iterable[Row], type_words: dict[str, str]) -> None:
        """Shows a batch from the beginning.

        Args:
            rows: One per image, in batch order.
            type_words: What each defect type is called.
        """
        self._rows = {row.image_id: row for row in rows}
        self._type_words = type_words
        self.selected.clear()
        self._draw()

    def change(self, rows: Iterable[Row]) -> None:
        """Shows that some images have changed; the cursor stays on its image."""
        changed = {row.image_id: row for row in rows if self._rows.get(row.image_id) != row}
        if not changed:
            return
        self._rows |= changed
        if self.filter != ALL or self.order != "batch":
            self._draw_later()
            return
        for row in changed.values():
            for (key, _), content in zip(_COLUMNS, self._cells(row), strict=True):
                self.table.update_cell(row.image_id, key, content)
        self._draw_filters()

    def _draw_later(self) -> None:
        """Draws all rows again, with long pauses where that takes long: keys come first."""
        if self._waits is None:
            self._waits = self.set_timer(_PAUSE * self._drawing_s, self._draw)

    def go_to(self, image_id: str) -> None:
        """Puts the cursor on an image, and drops a filter that hides it."""
        if image_id not in self._rows:
            return
        if image_id not in self._shown:
            self.filter = ALL
            self._draw()
        self.table.move_cursor(row=self._shown.index(image_id))

    def set_filter(self, chosen: str) -> None:
        """Shows only what a filter lets through."""
        self.filter = chosen
        self._draw()

    def next_filter(self) -> None:
        """Goes on to the next filter that lets anything through."""
        found = counts(self._rows)
        start = FILTERS.index(self.filter) + 1
        candidates = FILTERS[start:] + FILTERS[:start]
        self.set_filter(next((each for each in candidates if found[each] or each == ALL), ALL))

    def next_order(self) -> None:
        """Goes on to the next order."""
        orders = list(ORDERS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]
        self._draw()

    def toggle(self) -> None:
        """Puts the image under the cursor into the selection, or takes it out, and goes on."""
        if self.current:
            self.toggle_one(self.current)
            self.table.action_cursor_down()

    def toggle_one(self, image_id: str) -> None:
        """Puts an image into the selection, or takes it out."""
        self.selected ^= {image_id}
        self._mark([image_id])

    def toggle_all(self) -> None:
        """Selects all that is shown, or nothing where that is selected."""
        shown = set(self._shown)
        self.selected = set() if shown <= self.selected else self.selected | shown
        self._mark(self._shown)

    def clear_selection(self) -> None:
        """Selects nothing."""
        before, self.selected = self.selected, set()
        self._mark(before)

    def _mark(self, ids: Iterable[str]) -> None:
        shown = set(self._shown)
        for image_id in ids:
            if image_id in shown:
                self.table.update_cell(image_id, "mark", self._marker(image_id))
        self._draw_selection()

    def _marker(self, image_id: str) -> Content:
        return _content("●", "$accent") if image_id in self.selected else _content(" ")

    def _cells(self, row: Row) -> tuple[Content, ...]:
        state = self._words(f"state.{row.state}")
        return (
            self._marker(row.image_id),
            _content(row.image_id),
            badge(row.mark, self._words),
            _content(self._type_words.get(row.finding, row.finding)),
            _content(row.size),
            _content(state, "dim"),
            _content(row.name, "dim"),
        )

    def _draw(self) -> None:
        started = time.monotonic()
        if self._waits is not None:
            self._waits.stop()
            self._waits = None
        current, table = self.current, self.table
        rows = visible(self._rows.values(), self.filter, self.order)
        self._shown = [row.image_id for row in rows]
        with self.app.batch_update(), table.prevent(DataTable.RowHighlighted):
            table.clear()
            for row in rows:
                table.add_row(*self._cells(row), key=row.image_id)
            if current in self._shown:
                table.move_cursor(row=self._shown.index(current))
        self._draw_filters()
        self._draw_selection()
        self._drawing_s = time.monotonic() - started
        if self.current and self.current != current:
            self.post_message(self.Highlighted(self.current))

    def _draw_filters(self) -> None:
        found, room = counts(self._rows), self.size.width
        ways = (self._filters(found, names=FILTERS), self._filters(found, names=(self.filter,)))
        narrow = self._filters(found, names=(self.filter,), margin="")
        line = next((each for each in ways if cell_len(each.plain) <= room), narrow)
        self.query_one("#filters", Static).update(line)

    def _filters(self, found: Mapping[str, int], names: Sequence[str], margin: str = " ") -> Content:
        """The line of filters, with a name for some and only the sign for the others."""
        parts: list[Content] = []
        for each in FILTERS:
            sign, style = _LOOKS[each]
            name = f"{self._words(each)} " if each in names else ""
            looks = f"{style} bold reverse" if each == self.filter else style
            link = f"{looks} @click=screen.filter('{each}')".strip()
            text = f"{margin}{sign}{margin or ' ' * bool(name)}{name}{found[each]}{margin}"
            parts.append(Content.from_markup(f"[{link}]{text}[/]"))
        return Content(" ").join(parts)

    def _draw_selection(self) -> None:
        line = self._words(f"sort.{self.order}")
        if self.selected:
            line = f"{self._words('batch.selected', count=len(self.selected))} · {line}"
        if self._rows and not self._shown:
            line = self._words("batch.nothing")
        self.query_one("#selection", Static).update(line if self._rows else self._words("batch.empty"))

    @on(DataTable.RowHighlighted)
    def _tell(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.row_key.value:
            self.post_message(self.Highlighted(event.row_key.value))

    @on(DataTable.HeaderSelected)
    def _sort_by(self, event: DataTable.HeaderSelected) -> None:
        event.stop()
        orders = {
            "id": "batch",
            "verdict": "verdict",
            "finding": "verdict",
            "size": "suspicion",
            "name": "name",
        }
        self.order = orders.get(str(event.column_key.value), self.order)
        self._draw()
