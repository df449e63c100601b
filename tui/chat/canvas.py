"""The canvas: one drawn picture in cells, with the wheel and the clicks on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.chat.graphics import CELL_WH_PX
from tui.chat.halfcell import half_cells, stamped

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Region

    from tui.chat.drawing import Drawing

__all__ = ["Canvas", "Frame"]


class Frame:
    """A drawing made ready for the screen, outside its thread.

    Args:
        drawing: What to show.
        is_cells: Makes half cells of it; else the terminal shows the image itself.
    """

    def __init__(self, drawing: Drawing, *, is_cells: bool) -> None:
        self.drawing = drawing
        self.lines: Sequence[Strip] = stamped(half_cells(drawing.image), drawing.tags) if is_cells else ()


class Canvas(Widget, can_focus=True):
    """Shows a frame in the middle of its room, or a sentence where there is none.

    Args:
        graphics: Widget of textual-image for terminals with pictures of their own; None draws half cells.
    """

    DEFAULT_CSS = """
    Canvas { background: $surface; color: $text-muted; align: center middle; }
    """

    class Turned(Message):
        """The wheel was turned over the picture: `steps` towards it, at a point in px of the photograph."""

        def __init__(self, steps: int, at_xy_px: tuple[float, float]) -> None:
            super().__init__()
            self.steps, self.at_xy_px = steps, at_xy_px

    class Resized(Message):
        """There is another room for the picture."""

    class Pointed(Message):
        """A point of the photograph was clicked, in its px."""

        def __init__(self, at_xy_px: tuple[float, float]) -> None:
            super().__init__()
            self.at_xy_px = at_xy_px

    def __init__(self, graphics: type[Widget] | None = None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._graphics: Any = graphics() if graphics else None
        self._frame: Frame | None = None
        self._text = ""
        self._style = Style.null()

    def compose(self) -> ComposeResult:
        """Mounts the terminal's own pictures, where it has them."""
        if self._graphics is not None:
            yield self._graphics

    @property
    def is_cells(self) -> bool:
        """Whether it draws half cells."""
        return self._graphics is None

    @property
    def room_wh_px(self) -> tuple[int, int]:
        """Pixels that a drawing may have."""
        width, height = (1, 2) if self.is_cells else CELL_WH_PX
        return self.size.width * width, self.size.height * height

    @property
    def frame(self) -> Frame | None:
        """What is shown; None for a sentence."""
        return self._frame

    def say(self, text: str) -> None:
        """Shows a sentence in place of a picture."""
        self._frame, self._text = None, text
        if self._graphics is not None:
            self._graphics.display = False
        self.refresh()

    def show(self, frame: Frame) -> None:
        """Shows a frame."""
        self._frame = frame
        if self._graphics is not None:
            image = frame.drawing.image
            self._graphics.styles.width = max(1, round(image.width / CELL_WH_PX[0]))
            self._graphics.styles.height = max(1, round(image.height / CELL_WH_PX[1]))
            self._graphics.image = image
            self._graphics.display = True
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Returns the lines of a part; the style is the same for all of them."""
        self._style = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Returns a line of the picture between the margins that centre it."""
        style, (width, height) = self._style, self.size
        lines = self._frame.lines if self._frame else ()
        row = y - max(0, (height - len(lines)) // 2)
        if not self._frame and y == height // 2:
            text = Text(self._text, style, justify="center", overflow="ellipsis", no_wrap=True)
            text.align("center", width)
            return Strip(text.render(self.app.console)).adjust_cell_length(width, style).crop(0, width)
        if not 0 <= row < len(lines):
            return Strip.blank(width, style)
        left = max(0, (width - lines[row].cell_length) // 2)
        return Strip.join([Strip.blank(left, style), lines[row]]).adjust_cell_length(width, style)

    def _at(self, event: events.MouseEvent) -> tuple[float, float] | None:
        """The point of the photograph under the mouse; None beside the picture."""
        if self._frame is None:
            return None
        drawing = self._frame.drawing
        room = self.room_wh_px
        cell_width, cell_height = room[0] / self.size.width, room[1] / self.size.height
        x = (event.screen_x - self.region.x + 0.5) * cell_width - (room[0] - drawing.image.width) / 2
        y = (event.screen_y - self.region.y + 0.5) * cell_height - (room[1] - drawing.image.height) / 2
        if not (0 <= x < drawing.image.width and 0 <= y < drawing.image.height):
            return None
        left, top, _, _ = drawing.region_xyxy_px
        return left + x / drawing.scale, top + y / drawing.scale

    def on_resize(self) -> None:
        """Tells that the picture is to be drawn anew."""
        self.post_message(self.Resized())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Goes nearer."""
        self._turn(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Goes away."""
        self._turn(event, -1)

    def _turn(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        if at := self._at(event):
            self.post_message(self.Turned(steps, at))

    def on_click(self, event: events.Click) -> None:
        """Chooses what is under the mouse."""
        if at := self._at(event):
            self.post_message(self.Pointed(at))
