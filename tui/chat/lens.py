"""A canvas that draws photographs beside the screen, and goes nearer to them and farther away."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message

from tools.records import Language
from tui.chat.canvas import Canvas, Frame
from tui.chat.darkroom import Darkroom, Order, Photo
from tui.chat.error_words import said
from tui.chat.views import View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.widget import Widget

__all__ = ["Lens"]


class Lens(Canvas):
    """Shows a photograph; decoding and drawing happen in a thread, and the newest wish wins.

    Args:
        graphics: As for `Canvas`.
        language: In which it is told why a photograph cannot be shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "nearer(1)", "Nearer", show=False, id="lens.nearer"),
        Binding("minus", "nearer(-1)", "Farther", show=False, id="lens.farther"),
        Binding("0", "whole", "Whole image", show=False, id="lens.whole"),
        Binding("left", "move(-1, 0)", "Left", show=False, id="lens.left"),
        Binding("right", "move(1, 0)", "Right", show=False, id="lens.right"),
        Binding("up", "move(0, -1)", "Up", show=False, id="lens.up"),
        Binding("down", "move(0, 1)", "Down", show=False, id="lens.down"),
    ]

    class Looked(Message):
        """The photograph is looked at in another way, or was drawn for the first time."""

    class Drawn(Message):
        """A frame is ready, or its photograph cannot be shown."""

        def __init__(self, order: Order, frame: Frame | None, error: str = "") -> None:
            super().__init__()
            self.order, self.frame, self.error = order, frame, error

    def __init__(
        self,
        graphics: type[Widget] | None = None,
        *,
        language: Language = Language.EN,
    ) -> None:
        super().__init__(graphics)
        self._language = language
        self._darkroom = Darkroom(lambda *result: self.post_message(self.Drawn(*result)))
        self._photo: Photo | None = None
        self._view = View()
        self._wanted: Order | None = None

    def on_unmount(self) -> None:
        """Removes what was written for the system's viewer."""
        self._darkroom.close()

    @property
    def photo(self) -> Photo | None:
        """What is shown; None for nothing."""
        return self._photo

    @property
    def photo_wh_px(self) -> tuple[int, int] | None:
        """Size of the photograph; None as long as it is not known."""
        return self._photo.size_wh_px if self._photo else None

    @property
    def view(self) -> View:
        """How the photograph is looked at."""
        return self._view

    def put(self, photo: Photo | None, view: View, text: str = "") -> None:
        """Shows another photograph, or none.

        Args:
            photo: None for none.
            view: How to look at it.
            text: Stands in its place until it is drawn; empty to leave there what is.
        """
        self._photo, self._wanted = photo, None
        if text:
            self.say(text)
        self.look(view)

    def look(self, view: View) -> None:
        """Looks at the photograph in another way."""
        self._view = view
        self.post_message(self.Looked())
        self._draw()

    def look_at(self, box_xyxy_px: tuple[float, float, float, float], view: View) -> None:
        """Goes near to a part of the photograph, where its size is known already."""
        if self.photo_wh_px and all(self.room_wh_px):
            view = view.at_box(box_xyxy_px, self.photo_wh_px, self.room_wh_px)
        self.look(view)

    def open_outside(self, name: str, tell: Callable[[Path | None, str], object]) -> bool:
        """Opens the photograph in full size, marked as it is now, in the system's viewer.

        Args:
            name: Of the file, without its ending.
            tell: Is told the file, or why there is none, in another thread.

        Returns:
            Whether there is a photograph.
        """
        if self._photo:
            self._darkroom.open(name, self._photo, self._view, tell)
        return self._photo is not None

    @on(Canvas.Resized)
    def _on_resized(self) -> None:
        self._draw()

    def _draw(self) -> None:
        size = self.room_wh_px
        if self._photo is None or not all(size):
            return
        order = self._wanted = Order(self._photo, self._view, size)
        if frame := self._darkroom.kept(order):
            self.show(frame)
        else:
            self._darkroom.draw(order, is_cells=self.is_cells)

    @on(Drawn)
    def _on_drawn(self, message: Drawn) -> None:
        message.stop()
        if message.order != self._wanted:
            return
        is_first = self.frame is None
        if message.frame is None:
            self.say(said(message.error, self._language))
            return
        self.show(message.frame)
        if is_first:
            self.post_message(self.Looked())

    @on(Canvas.Turned)
    def _on_turned(self, message: Canvas.Turned) -> None:
        message.stop()
        self._nearer(message.steps, message.at_xy_px)

    def action_nearer(self, steps: int) -> None:
        """Goes nearer to what is in the middle, or farther away."""
        self._nearer(steps, None)

    def _nearer(self, steps: int, at_xy_px: tuple[float, float] | None) -> None:
        if self.photo_wh_px:
            self.look(self._view.nearer(steps, self.photo_wh_px, at_xy_px))

    def action_whole(self) -> None:
        """Shows the whole photograph."""
        self.look(self._view.whole())

    def action_move(self, right: int, down: int) -> None:
        """Moves over a photograph that is not shown whole."""
        if self.frame and self._view.zoom > 1:
            self.look(self._view.moved(right, down, self.frame.drawing.region_xyxy_px))
