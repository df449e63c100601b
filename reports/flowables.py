"""The building blocks that ReportLab lacks: annotated pictures, badges, anchors, page references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.colors import Color, white
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, Paragraph

from reports.fonts import BOLD, REGULAR, esc, plain
from reports.pictures import JpegSource, Picture
from reports.statistics import largest_step
from reports.styles import ACCENT, CAPTION, HEADING, INK, PANEL, SUBHEADING, VERDICT_LOOKS
from tools.records import BoxXyxyPx, PointPx, Verdict

__all__ = [
    "Anchor",
    "AnnotatedPicture",
    "CheckBox",
    "Chip",
    "Mark",
    "MissingPicture",
    "PageReference",
    "ScaleBar",
    "VerdictBadge",
    "heading",
    "subheading",
]

_HEADING_NEEDS = 45 * mm  # heading and first lines
_SUBHEADING_NEEDS = 25 * mm
_BAR_LABEL = 6.6
_POINT_STEP_PT = 0.4  # contour points closer than this cannot be told apart in print


@dataclass(frozen=True)
class Mark:
    """A finding as drawn over a picture, in pixels of the photograph.

    Attributes:
        number: Stands in the chip and in the table beside the picture; 0 draws no chip.
        box_xyxy_px: None draws no box.
    """

    number: int
    colour: Color
    box_xyxy_px: BoxXyxyPx | None = None
    outlines_px: tuple[tuple[PointPx, ...], ...] = ()


class AnnotatedPicture(Flowable):  # type: ignore[misc]
    """A photograph with boxes and outlines as vectors over it: sharp at any zoom, its pixels untouched.

    Args:
        picture: What is shown.
        width_pt, height_pt: The largest size; the picture keeps its shape.
        marks: Drawn in this order.
    """

    def __init__(
        self,
        picture: Picture,
        width_pt: float,
        height_pt: float,
        marks: Sequence[Mark] = (),
    ) -> None:
        super().__init__()
        self._picture = picture
        self._marks = marks
        self.hAlign = "LEFT"
        self.pt_per_px = min(width_pt / picture.width_px, height_pt / picture.height_px)
        self.width = picture.width_px * self.pt_per_px
        self.height = picture.height_px * self.pt_per_px

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """The size asked for, whatever is available."""
        return self.width, self.height

    def draw(self) -> None:
        """Draws picture, outlines, boxes and chips, clipped to the picture's frame."""
        canvas = self.canv
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(0, 0, self.width, self.height)
        canvas.clipPath(frame, stroke=0, fill=0)
        canvas.drawImage(JpegSource(self._picture.jpeg), 0, 0, self.width, self.height)
        for mark in self._marks:
            for outline in mark.outlines_px:
                self._draw_outline(canvas, outline, mark.colour)
        for mark in self._marks:
            self._draw_box(canvas, mark)
        canvas.restoreState()

    def _to_page(self, point: PointPx) -> PointPx:
        left, top = self._picture.region_xyxy_px[:2]
        return (point[0] - left) * self.pt_per_px, self.height - (point[1] - top) * self.pt_per_px

    def _draw_outline(self, canvas: Canvas, outline_px: Sequence[PointPx], colour: Color) -> None:
        points = _thinned([self._to_page(point) for point in outline_px])
        if len(points) < 2:
            return
        path = canvas.beginPath()
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
        path.close()
        canvas.setLineJoin(1)
        for width, stroke in ((1.3, white), (0.6, colour)):
            canvas.setLineWidth(width)
            canvas.setStrokeColor(stroke)
            canvas.drawPath(path, stroke=1, fill=0)

    def _draw_box(self, canvas: Canvas, mark: Mark) -> None:
        if mark.box_xyxy_px is None:
            return
        x_min, y_max = self._to_page(mark.box_xyxy_px[:2])
        x_max, y_min = self._to_page(mark.box_xyxy_px[2:])
        canvas.setLineJoin(0)
        for width, stroke in ((2.4, white), (1.2, mark.colour)):
            canvas.setLineWidth(width)
            canvas.setStrokeColor(stroke)
            canvas.rect(x_min, y_min, x_max - x_min, y_max - y_min, stroke=1, fill=0)
        if mark.number:
            side = 9.0
            x = min(max(x_min - 0.6, 0), self.width - side)
            y = min(max(y_max + 0.6, 0), self.height - side)
            _draw_chip(canvas, x, y, side, mark)


def _thinned(points: Sequence[PointPx]) -> list[PointPx]:
    kept = list(points[:1])
    for x, y in points[1:]:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) >= _POINT_STEP_PT:
            kept.append((x, y))
    return kept


def _draw_chip(canvas: Canvas, x: float, y: float, side: float, mark: Mark) -> None:
    canvas.setFillColor(mark.colour)
    canvas.rect(x, y, side, side, stroke=0, fill=1)
    canvas.setFillColor(white)
    size = 6.8 if mark.number < 100 else 4.8
    canvas.setFont(BOLD, size)
    canvas.drawCentredString(x + side / 2, y + side / 2 - 0.36 * size, str(mark.number))


class ScaleBar(Flowable):  # type: ignore[misc]
    """A bar of round length at the magnification of a picture, with its length.

    Args:
        pt_per_px: Magnification of the picture.
        mm_per_px: Scale of the photograph; None draws a bar in pixels.
        longest_pt: The bar is at most this long, and at least two fifths of it.
    """

    def __init__(self, pt_per_px: float, mm_per_px: float | None, longest_pt: float) -> None:
        super().__init__()
        unit_per_px, unit = (mm_per_px, "mm") if mm_per_px else (1.0, "px")
        length = largest_step(longest_pt / pt_per_px * unit_per_px)
        self._bar = length / unit_per_px * pt_per_px
        self._label = f"{length:g} {unit}"
        self.width = self._bar + 4 + stringWidth(self._label, BOLD, _BAR_LABEL)
        self.height = 9.0
        self.hAlign = "RIGHT"

    def draw(self) -> None:
        """Draws the bar and its length to the right of it."""
        self.canv.setFillColor(INK)
        self.canv.rect(0, 3.6, self._bar, 1.8, stroke=0, fill=1)
        self.canv.setFont(BOLD, _BAR_LABEL)
        self.canv.drawString(self._bar + 4, 2.2, self._label)


class MissingPicture(Flowable):  # type: ignore[misc]
    """A plate in place of a picture that could not be loaded, saying why."""

    def __init__(self, reason: str, width_pt: float, height_pt: float) -> None:
        super().__init__()
        self._text = Paragraph(esc(reason), CAPTION)
        self.width, self.height = width_pt, height_pt

    def draw(self) -> None:
        """Draws the plate and as much of the reason as it holds."""
        self.canv.setFillColor(PANEL)
        self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)
        room = (self.width - 8, self.height - 8)
        for part in self._text.split(*room)[:1]:
            _, height = part.wrap(*room)
            part.drawOn(self.canv, 4, self.height - 4 - height)


class Chip(Flowable):  # type: ignore[misc]
    """A finding's number on its type's colour, as it stands in the picture."""

    def __init__(self, number: int, colour: Color) -> None:
        super().__init__()
        self._mark = Mark(number, colour)
        self.width = self.height = 10

    def draw(self) -> None:
        """Draws the square and its number."""
        _draw_chip(self.canv, 0, 0, self.width, self._mark)


class VerdictBadge(Flowable):  # type: ignore[misc]
    """A verdict as a word on its colour, beside a shape of its own."""

    def __init__(self, verdict: Verdict, label: str, *, small: bool = False) -> None:
        super().__init__()
        self._look = VERDICT_LOOKS[verdict]
        self._label = label
        self._size = 7.0 if small else 9.0
        self.height = 1.75 * self._size
        self.width = stringWidth(label, BOLD, self._size) + 2.9 * self._size

    def draw(self) -> None:
        """Draws plate, shape and word."""
        canvas = self.canv
        canvas.setFillColor(self._look.colour)
        canvas.roundRect(0, 0, self.width, self.height, 2.5, stroke=0, fill=1)
        draw_shape(canvas, self._look.shape, 1.05 * self._size, self.height / 2, 0.36 * self._size)
        canvas.setFillColor(white)
        canvas.setFont(BOLD, self._size)
        canvas.drawString(1.95 * self._size, self.height / 2 - 0.36 * self._size, self._label)


def draw_shape(canvas: Canvas, shape: str, x: float, y: float, radius: float) -> None:
    """Draws a verdict's white shape around (x, y)."""
    canvas.setFillColor(white)
    canvas.setStrokeColor(white)
    if shape == "disc":
        canvas.circle(x, y, radius, stroke=0, fill=1)
    elif shape == "triangle":
        path = canvas.beginPath()
        path.moveTo(x, y + radius)
        path.lineTo(x - 1.1 * radius, y - 0.9 * radius)
        path.lineTo(x + 1.1 * radius, y - 0.9 * radius)
        path.close()
        canvas.drawPath(path, stroke=0, fill=1)
    else:
        canvas.setLineWidth(0.5 * radius)
        canvas.line(x - radius, y - radius, x + radius, y + radius)
        canvas.line(x - radius, y + radius, x + radius, y - radius)


class Anchor(Flowable):  # type: ignore[misc]
    """An invisible place that the outline, the table of contents and page references lead to.

    Args:
        key: Unique within the document.
        title: What the outline says.
        level: Depth in the outline; level 0 stands in the table of contents as well.
    """

    def __init__(self, key: str, title: str, level: int) -> None:
        super().__init__()
        self.key, self.title, self.level = key, title, level
        self.keepWithNext = True

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """Takes no room."""
        return 0, 0

    def draw(self) -> None:
        """Tells canvas and document where it is."""
        self.canv.bookmarkHorizontal(self.key, 0, 20)
        self.canv.addOutlineEntry(self.title, self.key, self.level, closed=self.level == 0)
        self.canv._doctemplate.note_anchor(self)


class PageReference(Flowable):  # type: ignore[misc]
    """The number of the page that holds an anchor, as known from the pass before; leads there."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key
        self.height = 9.0

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        """Takes the width of its cell."""
        self.width = width
        return width, self.height

    def draw(self) -> None:
        """Draws the number at the right."""
        canvas = self.canv
        canvas.setFillColor(ACCENT)
        canvas.setFont(REGULAR, 7.8)
        canvas.drawRightString(self.width, 1.5, str(canvas._doctemplate.page_of(self._key)))
        canvas.linkRect("", self._key, (0, 0, self.width, self.height), relative=1, thickness=0)


def heading(key: str, title: str) -> list[Flowable]:
    """A section's heading with its place in contents and outline; never left alone at a page's end.

    It asks for room instead of being kept with what follows: ReportLab would move a long table whole.
    """
    return [CondPageBreak(_HEADING_NEEDS), Anchor(key, title, 0), Paragraph(esc(title), HEADING)]


def subheading(title: str) -> list[Flowable]:
    """A heading within a section, with room below it."""
    return [CondPageBreak(_SUBHEADING_NEEDS), Paragraph(esc(title), SUBHEADING)]


class CheckBox(Flowable):  # type: ignore[misc]
    """An empty box to tick by hand, with its label."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.height = 11.0
        self._label = plain(label)
        self.width = 14 + stringWidth(self._label, REGULAR, 8)

    def draw(self) -> None:
        """Draws box and label."""
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(0.7)
        self.canv.rect(0, 1, 8.5, 8.5, stroke=1, fill=0)
        self.canv.setFillColor(INK)
        self.canv.setFont(REGULAR, 8)
        self.canv.drawString(13, 2.4, self._label)
