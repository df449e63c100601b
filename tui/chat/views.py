"""How a photograph is looked at: which part of it, how near, and what lies over it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tools.records import BoxXyxyPx

__all__ = ["View"]

_SMALLEST_REGION_PX = 16.0
_MOST_ZOOM = 64.0
_STEP = 1.5  # of the zoom per key or notch of the wheel
_PAN = 0.25  # of the view per arrow key
_MARGIN = 2.2  # of the view around a finding that is zoomed to

PointXyPx = tuple[float, float]
SizeWhPx = tuple[int, int]


@dataclass(frozen=True)
class View:
    """How a photograph is looked at.

    Attributes:
        zoom: 1 shows all of it.
        centre_xy_px: What is in the middle, in pixels of the photograph; None for its own centre.
        has_marks: Draws boxes and outlines.
        has_heat: Lays the suspicion of screening over it.
        chosen: Index of the finding that is drawn thicker; None for none.
    """

    zoom: float = 1.0
    centre_xy_px: PointXyPx | None = None
    has_marks: bool = True
    has_heat: bool = False
    chosen: int | None = None

    def region(self, photo_wh_px: SizeWhPx, size_wh_px: SizeWhPx) -> BoxXyxyPx:
        """Returns the part of a photograph that fills a drawing, moved into the photograph.

        Args:
            photo_wh_px: Size of the photograph.
            size_wh_px: Room for the drawing.
        """
        scale = _whole_scale(photo_wh_px, size_wh_px) * self.zoom
        centre = self.centre_xy_px or _middle(photo_wh_px)
        x_min, x_max = _span(centre[0], size_wh_px[0] / scale, photo_wh_px[0])
        y_min, y_max = _span(centre[1], size_wh_px[1] / scale, photo_wh_px[1])
        return x_min, y_min, x_max, y_max

    def whole(self) -> View:
        """Returns the view of the whole photograph."""
        return replace(self, zoom=1.0, centre_xy_px=None)

    def nearer(self, steps: int, photo_wh_px: SizeWhPx, at_xy_px: PointXyPx | None = None) -> View:
        """Returns a view some steps nearer, or farther away; `at_xy_px` stays where it is on the screen."""
        zoom = min(max(self.zoom * _STEP**steps, 1.0), _MOST_ZOOM)
        if zoom == 1.0:
            return self.whole()
        x, y = self.centre_xy_px or _middle(photo_wh_px)
        at_x, at_y = at_xy_px or (x, y)
        share = self.zoom / zoom
        return replace(self, zoom=zoom, centre_xy_px=(at_x + (x - at_x) * share, at_y + (y - at_y) * share))

    def moved(self, right: int, down: int, region_xyxy_px: BoxXyxyPx) -> View:
        """Returns a view moved by quarters of the region that was shown."""
        x_min, y_min, x_max, y_max = region_xyxy_px
        x = (x_min + x_max) / 2 + right * _PAN * (x_max - x_min)
        y = (y_min + y_max) / 2 + down * _PAN * (y_max - y_min)
        return replace(self, centre_xy_px=(x, y))

    def at_box(self, box_xyxy_px: BoxXyxyPx, photo_wh_px: SizeWhPx, size_wh_px: SizeWhPx) -> View:
        """Returns a view that a box fills for the most part."""
        x_min, y_min, x_max, y_max = box_xyxy_px
        width, height = max(x_max - x_min, 1.0), max(y_max - y_min, 1.0)
        scale = min(size_wh_px[0] / width, size_wh_px[1] / height) / _MARGIN
        zoom = min(max(scale / _whole_scale(photo_wh_px, size_wh_px), 1.0), _MOST_ZOOM)
        return replace(self, zoom=zoom, centre_xy_px=((x_min + x_max) / 2, (y_min + y_max) / 2))

    def at_width(self, photo_wh_px: SizeWhPx, size_wh_px: SizeWhPx) -> View:
        """Returns a view as wide as the photograph, at its top."""
        zoom = size_wh_px[0] / photo_wh_px[0] / _whole_scale(photo_wh_px, size_wh_px)
        return replace(self, zoom=zoom, centre_xy_px=(photo_wh_px[0] / 2, 0.0))


def _whole_scale(photo_wh_px: SizeWhPx, size_wh_px: SizeWhPx) -> float:
    return min(size_wh_px[0] / photo_wh_px[0], size_wh_px[1] / photo_wh_px[1])


def _middle(photo_wh_px: SizeWhPx) -> PointXyPx:
    return photo_wh_px[0] / 2, photo_wh_px[1] / 2


def _span(centre: float, length: float, limit: float) -> tuple[float, float]:
    length = min(limit, max(length, min(_SMALLEST_REGION_PX, limit)))
    start = min(max(centre - length / 2, 0.0), limit - length)
    return start, start + length
