"""Errors of measured sizes on drawn shapes, against Otsu and `minAreaRect(findContours)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tools.measurement import Measurer
from tools.recipe import Acceptance, DefectType, Part, Recipe
from tools.records import Finding, Origin, Quantity

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDE_PX = 192
_FINE = 16  # sub-pixels along a pixel's side when a shape is drawn
_SHAPES = 24  # of each kind
_NAMES = ("length", "width", "area")

Sizes = tuple[float, float, float]


class Shape(NamedTuple):
    """A drawn defect: the share of each pixel that it covers, and its true length, width and area in px."""

    cover: NDArray[np.float64]
    true: Sizes
    curvilinear: bool


def lines() -> Iterator[str]:
    """Paints shapes dark on bright with noise and blur, and gives both methods the same box."""
    recipe = Recipe(
        recipe_version=1,
        name="bench",
        part=Part(name="shape"),
        defects={
            "spot": DefectType(accept=Acceptance(max_count=0)),
            "line": DefectType(accept=Acceptance(max_count=0), curvilinear=True),
        },
    )
    measurer = Measurer(recipe)
    for name, draw in (("rectangle", _rectangle), ("ellipse", _ellipse), ("curved line", _arc)):
        rng = np.random.default_rng(7)
        ours, theirs = [], []
        for _ in range(_SHAPES):
            shape = draw(rng)
            image_rgb = _photograph(shape.cover, rng)
            box = _box(shape.cover)
            ours.append(_relative(_loupe(measurer, image_rgb, box, shape.curvilinear), shape.true))
            theirs.append(_relative(_plain_opencv(image_rgb, box), shape.true))
        yield from _rows(name, np.array(ours), np.array(theirs))


def _rows(name: str, ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Iterator[str]:
    for column, quantity in enumerate(_NAMES):
        our_error, their_error = (float(np.median(np.abs(e[:, column]))) for e in (ours, theirs))
        yield (
            f"{name}, {quantity}: median error Loupe {our_error:.1%}, OpenCV {their_error:.1%}: "
            f"{their_error / max(our_error, 1e-6):.1f} times as exact"
        )


def _relative(measured: Sizes, true: Sizes) -> list[float]:
    return [(value - truth) / truth for value, truth in zip(measured, true, strict=True)]


def _loupe(
    measurer: Measurer, image_rgb: NDArray[np.uint8], box: tuple[int, int, int, int], curvilinear: bool
) -> Sizes:
    finding = Finding(
        id="img_001-1",
        image_id="img_001",
        type="line" if curvilinear else "spot",
        confidence=1.0,
        box_xyxy_px=box,
        origin=Origin.HUMAN,
    )
    measured = measurer.measure(image_rgb, finding, None)
    taken = [measured.measurement(q) for q in (Quantity.LENGTH, Quantity.WIDTH, Quantity.AREA)]
    length, width, area = (m.value if m else 0.0 for m in taken)
    return length, width, area


def _plain_opencv(image_rgb: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Sizes:
    x_min, y_min, x_max, y_max = box
    grey = cv2.cvtColor(image_rgb[y_min:y_max, x_min:x_max], cv2.COLOR_RGB2GRAY)
    _, dark = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea)
    _, sides, _ = cv2.minAreaRect(largest)
    return max(sides), min(sides), cv2.contourArea(largest)


# -- drawing -------------------------------------------------------------------------------------------


def _placed(rng: np.random.Generator) -> tuple[float, float, float]:
    """A centre anywhere within a pixel, and any angle."""
    x, y = _SIDE_PX / 2 + rng.uniform(-0.5, 0.5, 2)
    return float(x), float(y), float(rng.uniform(0, np.pi))


def _rectangle(rng: np.random.Generator) -> Shape:
    length, width = float(rng.uniform(10, 90)), float(rng.uniform(3, 9))
    x, y, angle = _placed(rng)

    def inside(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
        return (np.abs(u) <= length / 2) & (np.abs(v) <= width / 2)

    return Shape(_cover(inside, x, y, angle), (length, width, length * width), False)


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
