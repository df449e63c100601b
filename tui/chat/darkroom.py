"""Where pictures are decoded and drawn, beside the screen; finished frames are kept for a while."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tools.errors import LoupeError
from tui.chat.canvas import Frame
from tui.chat.drawing import draw, type_colours
from tui.chat.newest import Newest
from tui.chat.opening import open_file

if TYPE_CHECKING:
    from tools.records import Inspection
    from tui.chat.drawing import Drawing
    from tui.chat.views import View

__all__ = ["Darkroom", "Order", "Photo", "PhotoSource"]

_KEPT_FRAMES = 12

PhotoSource = Image.Image | Callable[[], Image.Image]


class Photo:
    """A photograph with what is known of it; decoded when it is first drawn, in the thread that draws.

    Args:
        source: Its pixels, or what loads them.
        inspection: What is known of it; None where nothing is.
        types: Defect types in the order of their colours.
        size_wh_px: Width and height, where they are known before it is decoded.
    """

    def __init__(
        self,
        source: PhotoSource,
        inspection: Inspection | None,
        types: tuple[str, ...],
        size_wh_px: tuple[int, int] | None = None,
    ) -> None:
        self._source, self._inspection, self._size_wh_px = source, inspection, size_wh_px
        self._colours = type_colours(types)
        self._decoded: Image.Image | None = None

    @property
    def size_wh_px(self) -> tuple[int, int] | None:
        """Width and height; None until they are known."""
        if self._decoded:
            return self._decoded.size
        record = self._inspection.image if self._inspection else None
        return (record.width_px, record.height_px) if record and record.width_px else self._size_wh_px

    def decoded(self) -> Image.Image:
        """Returns its pixels, RGB.

        Raises:
            LoupeError, OSError, ValueError: It cannot be read.
        """
        if self._decoded is None:
            image = self._source if isinstance(self._source, Image.Image) else self._source()
            image.load()
            self._decoded = image if image.mode == "RGB" else image.convert("RGB")
        return self._decoded

    def drawn(self, view: View, size_wh_px: tuple[int, int]) -> Drawing:
        """Draws a view of it; raises as `decoded` does."""
        return draw(self.decoded(), self._inspection, view, size_wh_px, self._colours)


@dataclass(frozen=True)
class Order:
    """What is to be drawn: the same order makes the same frame. Photographs are told apart by identity."""

    photo: Photo
    view: View
    size_wh_px: tuple[int, int]


class Darkroom:
    """Draws the newest order, and drops the older ones that still wait.

    Args:
        deliver: Is told, in the darkroom's thread, each order with its frame, or with the reason for none.
    """

    def __init__(self, deliver: Callable[[Order, Frame | None, str], object]) -> None:
        self._deliver = deliver
        self._newest = Newest("loupe-picture")
        self._lock = threading.Lock()
        self._frames: OrderedDict[Order, Frame] = OrderedDict()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def kept(self, order: Order) -> Frame | None:
        """Returns the frame of an earlier order."""
        with self._lock:
            return self._frames.get(order)

    def draw(self, order: Order, *, is_cells: bool) -> None:
        """Takes an order; its frame is delivered unless a newer order comes first."""
        self._newest.submit(partial(self._draw, order, is_cells))

    def _draw(self, order: Order, is_cells: bool) -> None:
        try:
            frame = Frame(order.photo.drawn(order.view, order.size_wh_px), is_cells=is_cells)
        except LoupeError as error:
            self._deliver(order, None, error.message)
        except (OSError, ValueError) as error:
            self._deliver(order, None, str(error))
        else:
            self._keep(order, frame)
            self._deliver(order, frame, "")

    def _keep(self, order: Order, frame: Frame) -> None:
        with self._lock:
            if any(kept.photo is not order.photo for kept in self._frames):
                self._frames.clear()  # they would hold other photographs in memory, 36 MB for 12 megapixels
            self._frames[order] = frame
            while len(self._frames) > _KEPT_FRAMES:
                self._frames.popitem(last=False)

    def open(self, name: str, photo: Photo, view: View, tell: Callable[[Path | None, str], object]) -> None:
        """Writes the whole photograph in full size, marked as in a view, and opens it in the system's viewer.

        Args:
            name: Of the file, without its ending.
            photo: The photograph.
            view: Says what lies over it.
            tell: Is told the file, or why there is none, in another thread.
        """
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="loupe-")
        path = Path(self._folder.name) / f"{name}.png"
        job = partial(self._open, path, photo, replace(view.whole(), chosen=None), tell)
        threading.Thread(target=job, name="loupe-open", daemon=True).start()

    def _open(self, path: Path, photo: Photo, view: View, tell: Callable[[Path | None, str], object]) -> None:
        try:
            photo.drawn(view, photo.decoded().size).image.save(path)
            open_file(path)
        except LoupeError as error:
            tell(None, error.as_text())
        except (OSError, ValueError) as error:
            tell(None, str(error))
        else:
            tell(path, "")

    def close(self) -> None:
        """Removes what was written for the system's viewer."""
        if self._folder:
            self._folder.cleanup()
