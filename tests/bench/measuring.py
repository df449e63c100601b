"""Errors of measured sizes on drawn shapes, against OpenCV's `minAreaRect(findContours)`.

Twice: with the shape's mask given to both, and from a picture of it, where OpenCV finds it by Otsu's
threshold. The shapes have one length by any definition: a rectangle's calliper length is its diagonal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tools.measurement.measurer import Measurer, measure_mask
from tools.recipe import DefectType, Part, Recipe
from tools.records import Finding, Measurement, Origin, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE_PX = 160
_FINE = 8  # sub-pixels along a pixel's side when a shape is drawn
_SHAPES = 24  # of each kind
_NAMES = ("length", "width", "area")

Sizes = tuple[float, float, float]


class Shape(NamedTuple):
    """A drawn defect: the share of each pixel that it covers, and its true length, width and area in px."""

    cover: NDArray[np.float64]
    true: Sizes
    curvilinear: bool


def lines() -> Iterator[str]:
    """Paints shapes dark on bright with noise and blur, and gives both methods the same mask or box."""
    measurer = Measurer(
        Recipe(
            recipe_version=1,
            name="bench",
            part=Part(name="shape"),
            defects={"spot": DefectType(), "line": DefectType(curvilinear=True)},
        )
    )
    for name, draw in (("bar", _bar), ("ellipse", _ellipse), ("curved line", _arc)):
        rng = np.random.default_rng(7)
        given, seen = [], []
        for _ in range(_SHAPES):
            shape = draw(rng)
            image_rgb, box = _photograph(shape.cover, rng), _box(shape.cover)
            plain = _of_contour((shape.cover >= 0.5).astype(np.uint8))
            given.append((_of_mask(shape), plain, shape.true))
            seen.append((_of_picture(measurer, image_rgb, box, shape), _of_otsu(image_rgb, box), shape.true))
        yield from _rows(f"{name}, mask given", np.array(given))
        yield from _rows(f"{name}, from a picture", np.array(seen))


def _rows(title: str, sizes: NDArray[np.float64]) -> Iterator[str]:
    """Takes sizes of shape (shapes, [Loupe, OpenCV, truth], [length, width, area])."""
    errors = np.abs(sizes[:, :2] - sizes[:, 2:]) / sizes[:, 2:]
    for quantity, (ours, theirs) in zip(_NAMES, np.median(errors, axis=0).T, strict=True):
        yield (
            f"{title}, {quantity}: median error Loupe {ours:.1%}, OpenCV {theirs:.1%}: "
            f"{ours / theirs:.2f} of OpenCV's"
        )


def _of_mask(shape: Shape) -> Sizes:
    return _sizes(measure_mask(shape.cover.astype(np.float32), curvilinear=shape.curvilinear).sizes)


def _of_picture(
    measurer: Measurer, image_rgb: NDArray[np.uint8], box: tuple[int, int, int, int], shape: Shape
) -> Sizes:
    finding = Finding(
        id="img_001-1",
        image_id="img_001",
        type="line" if shape.curvilinear else "spot",
        confidence=1.0,
        box_xyxy_px=box,
        origin=Origin.HUMAN,
    )
    return _sizes(measurer.measure(image_rgb, finding, None).measurements)


def _sizes(measurements: tuple[Measurement, ...]) -> Sizes:
    values = {measurement.quantity: measurement.value for measurement in measurements}
    return values[Quantity.LENGTH], values[Quantity.WIDTH], values[Quantity.AREA]


def _of_otsu(image_rgb: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Sizes:
    x_min, y_min, x_max, y_max = box
    grey = cv2.cvtColor(image_rgb[y_min:y_max, x_min:x_max], cv2.COLOR_RGB2GRAY)
    _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    return _of_contour(dark)


def _of_contour(mask: NDArray[np.uint8]) -> Sizes:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    _, sides, _ = cv2.minAreaRect(largest)
    return max(sides), min(sides), cv2.contourArea(largest)


# -- drawing -------------------------------------------------------------------------------------------


def _placed(rng: np.random.Generator) -> tuple[float, float, float]:
    """A centre anywhere within a pixel, and any angle."""
    x, y = _SIDE_PX / 2 + rng.uniform(-0.5, 0.5, 2)
    return float(x), float(y), float(rng.uniform(0, np.pi))


def _bar(rng: np.random.Generator) -> Shape:
    """A bar with round ends."""
    length, width = float(rng.uniform(12, 90)), float(rng.uniform(3, 9))
    x, y, angle = _placed(rng)

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.hypot(np.maximum(np.abs(u) - (length - width) / 2, 0.0), v) <= width / 2

    area = (length - width) * width + np.pi / 4 * width * width
    return Shape(_cover(inside, x, y, angle), (length, width, area), False)


def _ellipse(rng: np.random.Generator) -> Shape:
    length = float(rng.uniform(8, 60))
    width = length * float(rng.uniform(0.4, 0.95))
    x, y, angle = _placed(rng)

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (2 * u / length) ** 2 + (2 * v / width) ** 2 <= 1

    return Shape(_cover(inside, x, y, angle), (length, width, np.pi / 4 * length * width), False)


def _arc(rng: np.random.Generator) -> Shape:
    radius, sweep = float(rng.uniform(30, 60)), float(rng.uniform(0.8, 2.0))
    width = float(rng.uniform(1.5, 4))
    x, y, angle = _placed(rng)

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (np.abs(np.hypot(u, v) - radius) <= width / 2) & (np.abs(np.arctan2(v, u)) <= sweep / 2)

    length = radius * sweep
    return Shape(_cover(inside, x, y, angle), (length, width, length * width), True)


def _cover(
    inside: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]],
    x: float,
    y: float,
    angle: float,
) -> NDArray[np.float64]:
    axis = (np.arange(_SIDE_PX * _FINE) + 0.5) / _FINE
    dx, dy = axis[None, :] - x, axis[:, None] - y
    fine = inside(dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle))
    return fine.reshape(_SIDE_PX, _FINE, _SIDE_PX, _FINE).mean(axis=(1, 3))


def _photograph(cover: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    blurred = cv2.GaussianBlur(170.0 - 90.0 * cover, (0, 0), 0.7)
    noisy = blurred + rng.normal(0.0, 3.0, cover.shape)
    return np.repeat(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _box(cover: NDArray[np.float64], margin_px: int = 3) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(cover)
    x_min, y_min = int(xs.min()) - margin_px, int(ys.min()) - margin_px
    return x_min, y_min, int(xs.max()) + 1 + margin_px, int(ys.max()) + 1 + margin_px
