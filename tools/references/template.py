"""What differs between an image and a named picture of the same part without defects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.references.registration import Frame, phase_correlation
from tools.windows import covering_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import BoxXyxyPx

__all__ = ["Difference", "TemplateOptions", "template_differences"]

_NOISE_DEVIATIONS = 6.0
_RIM = 0.012  # of the shorter side
_BLOCKS = 5  # along the shorter side
_MIN_BLOCK_PX = 48
_MIN_RESPONSE = 0.05
_MAX_STRETCH_PX = 8.0
_BENT_AT_ONCE_PX = 30_000  # with what lies around it less than the 32,767 of OpenCV's remap
_BENT_FROM_PX = 16  # around a piece: cubic interpolation may overshoot the stretch


@dataclass(frozen=True)
class TemplateOptions:
    """How an image is compared with its template.

    Attributes:
        tolerance: How far an edge may lie off, as a share of the shorter side; it hides smaller differences.
        min_contrast: Least difference in grey value that counts, of 255.
        min_area: Regions with fewer differing pixels, as a share of the shorter side squared, are ignored.
        margin: Added around each region, as a share of the shorter side: a box should hold the defect's rim.
    """

    tolerance: float = 0.003
    min_contrast: float = 40.0
    min_area: float = 1e-5
    margin: float = 0.012


@dataclass(frozen=True)
class Difference:
    """A region that differs.

    Attributes:
        score: Grows with the region's contrast and thickness, in [0, 1): an edge that lies off leaves a thin
            sliver, long as it may be.
    """

    box_xyxy_px: BoxXyxyPx
    score: float


def template_differences(
    image_rgb: NDArray[np.uint8], template_rgb: NDArray[np.uint8], options: TemplateOptions | None = None
) -> tuple[Difference, ...]:
    """Regions of an image that differ from a defect-free picture of it, strongest first.

    The template is laid over the image first. A pixel differs by how far it lies outside of the grey values
    that the template has within the tolerance, and the template's pixel outside of those of the image, so
    that an edge that lies a little off is no difference.

    Args:
        image_rgb: uint8 of shape (height, width, 3).
        template_rgb: The same view of a good part.
        options: How to compare.
    """
    import cv2

    options = options or TemplateOptions()
    shorter = min(image_rgb.shape[:2])
    reach = max(round(options.tolerance * shorter), 1)
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    expected = _laid_over(grey, image_rgb, template_rgb)
    difference = _difference(grey, expected, reach)
    # The median is 0 on clean scans; on noisy ones the noise raises the bar.
    bar = max(options.min_contrast, _NOISE_DEVIATIONS * float(np.median(difference)))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    # Edges that lie off by more than the tolerance leave slivers; the tolerance has taken as much from a
    # defect, so that more than its own width would take small ones away.
    core = np.ones((max(reach, 2),) * 2, np.uint8)
    differs = cv2.morphologyEx((difference >= bar).astype(np.uint8), cv2.MORPH_OPEN, core)
    depth = cv2.distanceTransform(differs, cv2.DIST_L2, 3)
    joined = cv2.dilate(differs, kernel)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined)
    found = []
    for number in range(1, count):
        x, y, width, height = (int(value) for value in boxes[number, :4])
        if int(differs[y : y + height, x : x + width].sum()) < options.min_area * shorter**2:
            continue
        place = (slice(y, y + height), slice(x, x + width))
        inside = (labels[place] == number) & (differs[place] > 0)
        contrast = float(difference[place][inside].mean()) / 255
        strength = contrast * float(2 * depth[place][inside].max()) ** 2
        grown = round(options.margin * shorter)
        box = _grown((x, y, x + width, y + height), grown, (image_rgb.shape[1], image_rgb.shape[0]))
        found.append(Difference(box, strength / (strength + reach * reach)))
    return tuple(sorted(found, key=lambda each: -each.score))


def _laid_over(
    grey: NDArray[np.float32], image_rgb: NDArray[np.uint8], template_rgb: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """The template's grey values in the place of the image; as it lies where that fits no worse."""
    import cv2

    frame = Frame.of(image_rgb)
    laid = [frame.warped(template_rgb, frame.register(template_rgb))]
    if template_rgb.shape == image_rgb.shape:
        laid.append(template_rgb)
    candidates = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(np.float32) for each in laid]
    return _stretched(grey, min(candidates, key=lambda each: float(np.abs(each - grey).mean())))


def _stretched(grey: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    """The template bent by the few pixels that a scan or lens stretches: phase correlation block by block."""
    import cv2

    height, width = grey.shape
    side = max(min(height, width) // _BLOCKS, _MIN_BLOCK_PX)
    windows = covering_windows(width, height, side, 0.5)
    hann = cv2.createHanningWindow((min(side, width), min(side, height)), cv2.CV_32F)
    shifts = []
    for x0, y0, x1, y1 in windows:
        (dx, dy), response = phase_correlation(expected[y0:y1, x0:x1], grey[y0:y1, x0:x1], hann)
        is_sound = response > _MIN_RESPONSE and max(abs(dx), abs(dy)) <= _MAX_STRETCH_PX
        shifts.append((dx, dy) if is_sound else (0.0, 0.0))
    columns = len({x0 for x0, *_ in windows})
    grid = np.array(shifts, np.float32).reshape(-1, columns, 2)
    steady = np.dstack([cv2.medianBlur(np.ascontiguousarray(grid[..., axis]), 3) for axis in (0, 1)])
    return _bent(expected, cv2.resize(steady, (width, height), interpolation=cv2.INTER_CUBIC))


def _bent(picture: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture with each pixel moved by the flow, in pieces where it is longer than OpenCV can bend.

    Args:
        picture: Grey values.
        flow: How far to the right and down, at most about `_MAX_STRETCH_PX`; shape (height, width, 2).
    """
    import cv2

    height, width = picture.shape
    bent = np.empty_like(picture)
    for x0, y0, x1, y1 in covering_windows(width, height, _BENT_AT_ONCE_PX, 0.0):
        left, top = max(x0 - _BENT_FROM_PX, 0), max(y0 - _BENT_FROM_PX, 0)
        around = picture[top : y1 + _BENT_FROM_PX, left : x1 + _BENT_FROM_PX]
        ys, xs = np.mgrid[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
        right, down = flow[y0:y1, x0:x1, 0], flow[y0:y1, x0:x1, 1]
        bent[y0:y1, x0:x1] = cv2.remap(
            around, xs - right, ys - down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return bent


def _difference(grey: NDArray[np.float32], expected: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """How far each pixel of one is from what the other has around it; 0 at the border."""
    difference = np.maximum(_outside(grey, expected, reach), _outside(expected, grey, reach))
    # What lies this close to the border may have come into view with the last shift.
    rim = max(round(_RIM * min(grey.shape)), 2 * reach)
    inner = np.zeros_like(difference)
    inner[rim:-rim, rim:-rim] = difference[rim:-rim, rim:-rim]
    return inner


def _outside(values: NDArray[np.float32], others: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """How far each value lies outside of the range of the others around it."""
    import cv2

    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    above = values - cv2.dilate(others, kernel)
    below = cv2.erode(others, kernel) - values
    return np.asarray(np.maximum(np.maximum(above, below), 0), dtype=np.float32)


def _grown(box: tuple[int, int, int, int], margin: int, size_px: tuple[int, int]) -> BoxXyxyPx:
    x_min, y_min, x_max, y_max = box
    width, height = size_px
    return (
        float(max(x_min - margin, 0)),
        float(max(y_min - margin, 0)),
        float(min(x_max + margin, width)),
        float(min(y_max + margin, height)),
    )
