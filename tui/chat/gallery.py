"""Thumbnails of the batch on demand: a page of small pictures, decoded beside the screen."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tools.errors import ImageError
from tui.chat.hints import KeyHints
from tui.chat.newest import Newest
from tui.chat.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from textual import events
    from textual.app import ComposeResult

    from tui.chat.batch import BatchPanel

__all__ = ["GalleryScreen"]

_TILE_WH_CELLS = (22, 9)  # a caption and eight lines, which are sixteen pixels
_MARGIN_CELLS = 1
_BARS_CELLS = 2  # the line at the top and the one at the bottom
_HINTS = (
    ("enter", "Enter", "gallery.choose"),
    ("space", "Space", "key.select"),
    ("pagedown", "PgDn", "gallery.next"),
    ("pageup", "PgUp", "gallery.previous"),
    ("q", "q", "gallery.leave"),
)


class _Thumb(Widget):
    """Lines of cells; empty until there are some."""

    lines: Sequence[Strip] = ()

    def render_line(self, y: int) -> Strip:
        """Returns a line of the picture."""
        style = self.rich_style
        line = self.lines[y] if y < len(self.lines) else Strip.blank(0)
        return line.adjust_cell_length(self.size.width, style)


class Tile(Vertical):
    """A thumbnail with its caption; empty where the batch ends before the page does.

    Args:
        place: On the page, from 0.
    """

    DEFAULT_CSS = """
    Tile { padding: 0 1; }
    Tile > Static { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Tile > _Thumb { height: 1fr; }
    Tile.-current { background: $accent 40%; }
    Tile.-current > Static { text-style: bold reverse; }
    """

    class Clicked(Message):
        """A thumbnail was clicked."""

        def __init__(self, place: int) -> None:
            super().__init__()
            self.place = place

    def __init__(self, place: int) -> None:
        super().__init__()
        self._place, self._caption, self._thumb = place, Static(markup=False), _Thumb()

    def compose(self) -> ComposeResult:
        """Puts the caption above the picture."""
        yield self._caption
        yield self._thumb

    def show(self, caption: Content, lines: Sequence[Strip]) -> None:
        """Shows a thumbnail; no lines as long as it is not decoded."""
        self._caption.update(caption)
        self._thumb.lines = lines
        self._thumb.refresh()

    def on_click(self) -> None:
        """Tells which one it is."""
        self.post_message(self.Clicked(self._place))


class GalleryScreen(Screen[str]):
    """Shows the images that the batch table shows, in its order; returns the one that is chosen.

    Args:
        board: Knows what is shown and selected.
        load_small: Decodes an image by id, shrunk to a longest side in pixels; called in a thread.
        words: Of the interface.
    """

    DEFAULT_CSS = """
    GalleryScreen { layout: vertical; }
    GalleryScreen > .title { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap;
        text-overflow: ellipsis; }
    GalleryScreen > Grid { height: 1fr; grid-columns: 22; grid-rows: 9; grid-gutter: 0 1; }
    GalleryScreen > KeyHints { background: $panel; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Left", id="gallery.left"),
        Binding("right", "move(1)", "Right", id="gallery.right"),
        Binding("up", "row(-1)", "Up", id="gallery.up"),
        Binding("down", "row(1)", "Down", id="gallery.down"),
        Binding("pageup,p", "page(-1)", "Previous page", id="gallery.previous"),
        Binding("pagedown,n", "page(1)", "Next page", id="gallery.next"),
        Binding("space", "select", "Select", id="gallery.select"),
        Binding("enter", "choose", "Choose", id="gallery.choose"),
        Binding("escape,q,t", "dismiss('')", "Return", id="gallery.close"),
    ]

    class Decoded(Message):
        """A thumbnail is ready; without lines where the image cannot be read."""

        def __init__(self, image_id: str, lines: Sequence[Strip]) -> None:
            super().__init__()
            self.image_id, self.lines = image_id, lines

    def __init__(
        self, board: BatchPanel, load_small: Callable[[str, int], NDArray[np.uint8]], words: Words
    ) -> None:
        super().__init__()
        self._board, self._load_small, self._words = board, load_small, words
        self._ids = board.shown
        self._place = max(0, self._ids.index(board.current)) if board.current in self._ids else 0
        self._columns = self._rows = 1
        self._lines: dict[str, Sequence[Strip]] = {}
        self._decoding = ""
        self._decoder = Newest("loupe-thumbnails")

    def compose(self) -> ComposeResult:
        """Shows where one is, the thumbnails and the keys."""
        yield Static(classes="title", markup=False)
        yield Grid()
        yield KeyHints()

    def on_mount(self) -> None:
        """Names the keys."""
        self.query_one(KeyHints).tell([(key, shown, self._words(doing)) for key, shown, doing in _HINTS])

    async def on_resize(self, event: events.Resize) -> None:
        """Lays out as many thumbnails as there is room for."""
        width, height = _TILE_WH_CELLS
        self._columns = max(1, (event.size.width + _MARGIN_CELLS) // (width + _MARGIN_CELLS))
        self._rows = max(1, (event.size.height - _BARS_CELLS) // height)
        grid = self.query_one(Grid)
        grid.styles.grid_size_columns = self._columns
        await grid.remove_children()
        await grid.mount_all(Tile(place) for place in range(self._columns * self._rows))
        self._show()

    @property
    def _page(self) -> Sequence[str]:
        """What is in view."""
        count = self._columns * self._rows
        first = self._place // count * count
        return self._ids[first : first + count]

    def _show(self) -> None:
        page = self._page
        tiles = list(self.query(Tile))
        for tile, image_id in zip(tiles, page, strict=False):
            tile.show(self._board.caption(image_id), self._lines.get(image_id, ()))
            tile.set_class(image_id == self._ids[self._place], "-current")
        for tile in tiles[len(page) :]:
            tile.show(Content(""), ())
            tile.remove_class("-current")
        place = self._words("gallery.place", place=self._place + 1 if self._ids else 0, total=len(self._ids))
        title = Content.assemble((self._words("key.thumbnails"), "bold"), f"  {place}")
        self.query_one(".title", Static).update(title)
        self._decode_next()

    def _decode_next(self) -> None:
        """Decodes the first in view that is missing; one at a time, so that a new page is served at once."""
        waiting = next((each for each in self._page if each not in self._lines), "")
        if waiting and waiting != self._decoding:
            self._decoding = waiting
            self._decoder.submit(partial(self._decode, waiting))

    def _decode(self, image_id: str) -> None:
        from PIL import Image

        from tui.chat.halfcell import half_cells

        width, height = _TILE_WH_CELLS[0] - 2, 2 * (_TILE_WH_CELLS[1] - 1)
        lines: Sequence[Strip] = ()
        with contextlib.suppress(ImageError):  # its badge says that it cannot be read
            small = Image.fromarray(self._load_small(image_id, 4 * width))
            small.thumbnail((width, height))
            lines = half_cells(small)
        self.post_message(self.Decoded(image_id, lines))

    @on(Decoded)
    def _on_decoded(self, message: Decoded) -> None:
        message.stop()
        self._lines[message.image_id], self._decoding = message.lines, ""
        if message.image_id in self._page:
            tile = list(self.query(Tile))[self._page.index(message.image_id)]
            tile.show(self._board.caption(message.image_id), message.lines)
        self._decode_next()

    def action_move(self, steps: int) -> None:
        """Goes to another thumbnail."""
        if self._ids:
            self._place = min(max(self._place + steps, 0), len(self._ids) - 1)
            self._show()

    def action_row(self, steps: int) -> None:
        """Goes up or down."""
        self.action_move(steps * self._columns)

    def action_page(self, steps: int) -> None:
        """Goes to another page."""
        self.action_move(steps * self._columns * self._rows)

    def action_select(self) -> None:
        """Puts the image into the selection, or takes it out, and goes on."""
        if self._ids:
            self._board.toggle_one(self._ids[self._place])
            self.action_move(1)
            self._show()

    def action_choose(self) -> None:
        """Returns the image."""
        self.dismiss(self._ids[self._place] if self._ids else "")

    @on(Tile.Clicked)
    def _on_clicked(self, message: Tile.Clicked) -> None:
        message.stop()
        if message.place < len(self._page):
            self.dismiss(self._page[message.place])
