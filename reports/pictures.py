"""Photographs on their way into the PDF: cut, scaled and compressed within a budget of bytes."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from reportlab.lib.utils import ImageReader

from reports.heat import heat_rgb
from reports.source import ImageRgb, ReportInput
from reports.statistics import is_inspected
from tools.errors import Cancelled, ImageError
from tools.records import BoxXyxyPx, Inspection, Screening, Verdict

__all__ = [
    "MAX_CROPS",
    "MAX_THUMBNAILS",
    "Evidence",
    "JpegSource",
    "Picture",
    "PictureBudget",
    "crop_region",
    "gather_evidence",
    "picture",
]

MAX_CROPS = 6  # per photograph: more fill pages that nobody reads; the table has all findings
MAX_THUMBNAILS = 288  # four pages of gallery

_FIGURE_PX = 1000  # longer side: 250 dpi at the width it is printed
_CROP_PX = 400
_THUMBNAIL_PX = 170
_HEAT_PX = 240
# Bytes of a whole report, shared by its pictures, so that 1,000 findings stay below 30 MB together
# with fonts, vectors and attachments.
_FIGURES_BYTES = 13_000_000
_CROPS_BYTES = 8_000_000
_HEATS_BYTES = 3_000_000
_THUMBNAIL_BYTES = 6_000
_LARGEST_FIGURE_BYTES = 400_000
_LARGEST_CROP_BYTES = 80_000
_LARGEST_HEAT_BYTES = 12_000
_QUALITY = 84
_SMALLEST_PX = 64


class JpegSource(ImageReader):  # type: ignore[misc]  # reportlab is untyped
    """A JPEG that ReportLab copies into the PDF without ever decoding it."""

    def __init__(self, jpeg: bytes) -> None:
        self._jpeg = jpeg
        self._dataA = None

    def getRGBData(self) -> bytes:
        """What ReportLab hashes to find the same picture again: the compressed bytes do as well."""
        return self._jpeg

    def jpeg_fh(self) -> BytesIO:
        """The file to copy."""
        return BytesIO(self._jpeg)


@dataclass(frozen=True)
class Picture:
    """A compressed cut of a photograph.

    Attributes:
        region_xyxy_px: The cut in pixels of the photograph.
        jpeg: Its pixels, scaled down where needed.
    """

    region_xyxy_px: BoxXyxyPx
    jpeg: bytes

    @property
    def width_px(self) -> float:
        """Width of the cut in pixels of the photograph."""
        return self.region_xyxy_px[2] - self.region_xyxy_px[0]

    @property
    def height_px(self) -> float:
        """Height of the cut in pixels of the photograph."""
        return self.region_xyxy_px[3] - self.region_xyxy_px[1]


@dataclass(frozen=True)
class PictureBudget:
    """How large each picture of a report may be."""

    figure_bytes: int
    crop_bytes: int
    heat_bytes: int

    @classmethod
    def of(cls, inspections: Sequence[Inspection]) -> PictureBudget:
        """Shares the bytes among the pictures that these inspections will need."""
        shown = [i for i in inspections if is_inspected(i) and i.judgement.verdict is not Verdict.ACCEPT]
        crops = sum(min(len(i.findings), MAX_CROPS) for i in shown)
        return cls(
            figure_bytes=min(_LARGEST_FIGURE_BYTES, _FIGURES_BYTES // max(len(shown), 1)),
            crop_bytes=min(_LARGEST_CROP_BYTES, _CROPS_BYTES // max(crops, 1)),
            heat_bytes=min(_LARGEST_HEAT_BYTES, _HEATS_BYTES // max(len(shown), 1)),
        )

    def figure(self, image_rgb: ImageRgb) -> Picture:
        """The whole photograph for its own page."""
        height, width = image_rgb.shape[:2]
        return picture(image_rgb, (0, 0, width, height), _FIGURE_PX, self.figure_bytes)

    def crop(self, image_rgb: ImageRgb, box_xyxy_px: BoxXyxyPx) -> Picture:
        """A magnified view of one finding."""
        height, width = image_rgb.shape[:2]
        return picture(image_rgb, crop_region(box_xyxy_px, width, height), _CROP_PX, self.crop_bytes)

    def heat(self, image_rgb: ImageRgb, screening: Screening | None) -> Picture | None:
        """The suspicion of each place over the photograph; None where screening made no heat map."""
        if screening is None or screening.heat_map is None:
            return None
        coloured = heat_rgb(image_rgb, screening.heat_map, screening.threshold, _HEAT_PX)
        height, width = coloured.shape[:2]
        return picture(coloured, (0, 0, width, height), _HEAT_PX, self.heat_bytes)

    def thumbnail(self, image_rgb: ImageRgb) -> Picture:
        """The whole photograph for the gallery."""
        height, width = image_rgb.shape[:2]
        return picture(image_rgb, (0, 0, width, height), _THUMBNAIL_PX, _THUMBNAIL_BYTES)


def crop_region(box_xyxy_px: BoxXyxyPx, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """A square around a box with room on all sides, moved into the picture; smaller only where that is."""
    x_min, y_min, x_max, y_max = box_xyxy_px
    side = math.ceil(max(1.4 * max(x_max - x_min, y_max - y_min), _SMALLEST_PX))
    left, right = _span((x_min + x_max) / 2, side, width_px)
    top, bottom = _span((y_min + y_max) / 2, side, height_px)
    return left, top, right, bottom


def _span(centre: float, side: int, limit: int) -> tuple[int, int]:
    side = min(side, limit)
    start = min(max(round(centre - side / 2), 0), limit - side)
    return start, start + side


def picture(
    image_rgb: ImageRgb, region_xyxy_px: tuple[int, int, int, int], longest_px: int, limit_bytes: int
) -> Picture:
    """Cuts and compresses; gives up resolution, not quality, until the bytes fit.

    Args:
        image_rgb: uint8 HxWx3.
        region_xyxy_px: The cut, inside the image.
        longest_px: Upper bound of the result's longer side.
        limit_bytes: Upper bound of its size, kept unless the picture would become tiny.
    """
    left, top, right, bottom = region_xyxy_px
    cut = Image.fromarray(image_rgb[top:bottom, left:right])
    side = min(longest_px, max(cut.size))
    while True:
        jpeg = _encoded(cut, side)
        if len(jpeg) <= limit_bytes or side <= _SMALLEST_PX:
            return Picture(region_xyxy_px, jpeg)
        side = max(_SMALLEST_PX, int(side * min(0.9, 0.97 * math.sqrt(limit_bytes / len(jpeg)))))


def _encoded(cut: Image.Image, side: int) -> bytes:
    if max(cut.size) > side:
        scale = side / max(cut.size)
        size = (max(1, round(cut.width * scale)), max(1, round(cut.height * scale)))
        cut = cut.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = BytesIO()
    cut.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()


@dataclass(frozen=True)
class Evidence:
    """The pictures of one inspection.

    Attributes:
        whole: The photograph, or its thumbnail where the part was accepted; None when it could not be loaded.
        crops: Magnified views of the first findings, in their order; none where the part was accepted.
        heat: The heat map of screening; none where the part was accepted.
        reason: Why the photograph could not be loaded; empty otherwise.
    """

    whole: Picture | None
    crops: tuple[Picture, ...] = ()
    heat: Picture | None = None
    reason: str = ""


def gather_evidence(
    report: ReportInput,
    *,
    advance: Callable[[], None] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Evidence]:
    """Loads each photograph once, in batch order, and keeps only its compressed pictures.

    Args:
        report: The input.
        advance: Called after each inspection.
        cancel: Set by another thread to stop.

    Raises:
        Cancelled: `cancel` was set.
    """
    budget = PictureBudget.of(report.inspections)
    evidence: dict[str, Evidence] = {}
    thumbnails = 0
    for inspection in report.inspections:
        if cancel and cancel.is_set():
            raise Cancelled("The report was cancelled.")
        accepted = inspection.judgement.verdict is Verdict.ACCEPT
        thumbnails += accepted
        if is_inspected(inspection) and not (accepted and thumbnails > MAX_THUMBNAILS):
            evidence[inspection.image.id] = _evidence_of(report, inspection, budget)
        if advance:
            advance()
    return evidence


def _evidence_of(report: ReportInput, inspection: Inspection, budget: PictureBudget) -> Evidence:
    try:
        image_rgb = report.load_image(inspection.image.id)
    except ImageError as error:
        return Evidence(None, reason=error.message)
    if inspection.judgement.verdict is Verdict.ACCEPT:
        return Evidence(budget.thumbnail(image_rgb))
    crops = tuple(budget.crop(image_rgb, f.box_xyxy_px) for f in inspection.findings[:MAX_CROPS])
    return Evidence(budget.figure(image_rgb), crops, budget.heat(image_rgb, inspection.screening))
