"""Surfaces: the height, colour and gloss that make steel look like steel and cloth like cloth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SURFACES", "FloatImage", "Rng", "Surface", "fractal", "paint_surface", "smooth_noise", "streaks"]

FloatImage = NDArray[np.float32]
Rng = np.random.Generator
Shape = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Surface:
    """What a material does to light, one value per pixel.

    Attributes:
        height: HxW, in pixels, towards the camera.
        albedo: HxWx3, linear RGB.
        gloss: HxW, weight of the mirror-like part of the reflection.
        roughness: Lobe width along and across the grain (Ward's alpha).
        tangent: Unit vector (x, y) of the grain, as two scalars or two HxW fields.
        tint: Colour of the highlight, linear RGB (metals colour it, dielectrics do not).
    """

    height: FloatImage
    albedo: FloatImage
    gloss: FloatImage
    roughness: tuple[float, float]
    tangent: tuple[FloatImage | float, FloatImage | float]
    tint: tuple[float, float, float]


def smooth_noise(rng: Rng, shape: Shape, cell_px: float) -> FloatImage:
    """Returns noise of about unit deviation whose grains are `cell_px` wide."""
    height, width = shape
    small = rng.standard_normal(
        (max(2, round(height / cell_px) + 2), max(2, round(width / cell_px) + 2)), dtype=np.float32
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def fractal(rng: Rng, shape: Shape, cell_px: float, octaves: int, gain: float = 0.5) -> FloatImage:
    """Returns a sum of octaves of `smooth_noise`, the coarsest first, of about unit deviation."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += np.float32(gain**octave) * smooth_noise(rng, shape, max(cell_px / 2**octave, 1.0))
    norm = np.sqrt(sum(gain ** (2 * octave) for octave in range(octaves)))
    return np.asarray(total / np.float32(norm), np.float32)


def streaks(rng: Rng, shape: Shape, angle_rad: float, length_px: float) -> FloatImage:
    """Returns noise drawn out to `length_px` along a direction, as grinding leaves it."""
    height, width = shape
    side = int(np.ceil(np.hypot(height, width))) + 2
    small = rng.standard_normal((side, max(4, round(side / length_px))), dtype=np.float32)
    wide = cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), -np.degrees(angle_rad), 1.0)
    turn[:, 2] += ((width - side) / 2, (height - side) / 2)
    turned = cv2.warpAffine(
        wide, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(turned, np.float32)


def _flat(shape: Shape, colour: tuple[float, float, float] | FloatImage) -> FloatImage:
    return np.full((*shape, 3), np.asarray(colour, np.float32), np.float32)


def _vary(albedo: FloatImage, variation: FloatImage) -> FloatImage:
    return np.asarray(np.clip(albedo * (1 + variation)[..., None], 0.0, 1.0), np.float32)


def _brushed_steel(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    fine = streaks(rng, shape, angle, look.uniform(60, 160))
    long = streaks(rng, shape, angle, look.uniform(200, 500))
    waves = fractal(rng, shape, 180, 2)
    lines = (0.8 * fine + 0.4 * long).astype(np.float32)
    base = look.uniform(0.3, 0.5)
    warm = look.uniform(-0.03, 0.04)
    albedo = _vary(_flat(shape, (base + warm, base, base - warm)), 0.16 * lines + 0.02 * waves)
    return Surface(
        (look.uniform(0.03, 0.09) * lines + 1.5 * waves).astype(np.float32),
        albedo,
        np.clip(0.6 + 0.16 * lines, 0.05, 1.3).astype(np.float32),
        (0.12, look.uniform(0.35, 0.6)),
        (float(np.cos(angle)), float(np.sin(angle))),
        (1.0, 0.99, 0.96),
    )


def _cast_aluminium(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    grain = fractal(rng, shape, look.uniform(4, 9), 3, 0.7)
    waves = fractal(rng, shape, 120, 2)
    pits = np.clip(smooth_noise(rng, shape, 3.0) - 2.6, 0, 1.0)
    base = look.uniform(0.32, 0.5)
    albedo = _vary(_flat(shape, (base, base, base * 1.02)), 0.07 * grain + 0.05 * waves - 0.5 * pits)
    return Surface(
        (look.uniform(0.12, 0.4) * grain + 1.6 * waves - 1.2 * pits).astype(np.float32),
        albedo,
        np.clip(0.45 + 0.1 * grain, 0.05, 1.0).astype(np.float32),
        (0.4, 0.4),
        (1.0, 0.0),
        (1.0, 1.0, 1.0),
    )


_PAINTS = (
    (0.05, 0.09, 0.22),
    (0.02, 0.2, 0.3),
    (0.35, 0.03, 0.03),
    (0.03, 0.18, 0.07),
    (0.6, 0.38, 0.03),
    (0.62, 0.62, 0.6),
    (0.2, 0.21, 0.22),
    (0.04, 0.04, 0.045),
    (0.55, 0.2, 0.03),
    (0.42, 0.45, 0.42),
    (0.5, 0.46, 0.36),
)


def _paint_colour(look: Rng) -> FloatImage:
    colour = np.asarray(_PAINTS[int(look.integers(len(_PAINTS)))], np.float32)
    return np.clip(colour * look.uniform(0.75, 1.3) + look.uniform(0, 0.03, 3), 0.02, 0.8).astype(np.float32)


def _painted_metal(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    peel = fractal(rng, shape, look.uniform(7, 16), 2, 0.4)
    waves = fractal(rng, shape, 200, 2)
    albedo = _vary(_flat(shape, _paint_colour(look)), 0.015 * peel + 0.02 * waves)
    rough = look.uniform(0.14, 0.35)
    return Surface(
        (look.uniform(0.05, 0.2) * peel + 2.0 * waves).astype(np.float32),
        albedo,
        np.full(shape, look.uniform(0.25, 0.55), np.float32),
        (rough, rough),
        (1.0, 0.0),
        (1.0, 1.0, 1.0),
    )


def _plastic(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    matt = look.random() < 0.5
    grain = fractal(rng, shape, 3.5, 2) if matt else fractal(rng, shape, 40, 2)
    waves = fractal(rng, shape, 260, 2)
    flow = streaks(rng, shape, angle, 300)
    flow = cv2.GaussianBlur(flow, (0, 0), 12.0)
    albedo = _vary(_flat(shape, _paint_colour(look)), 0.012 * grain + 0.06 * flow)
    height = ((0.12 if matt else 0.1) * grain + 2.4 * waves).astype(np.float32)
    height += _mould_line(look, shape, angle, centre)
    rough = look.uniform(0.35, 0.55) if matt else look.uniform(0.12, 0.25)
    gloss = np.full(shape, look.uniform(0.12, 0.3) if matt else look.uniform(0.25, 0.45), np.float32)
    return Surface(height, albedo, gloss, (rough, rough), (1.0, 0.0), (1.0, 1.0, 1.0))


def _mould_line(look: Rng, shape: Shape, grain: float, centre: Point) -> FloatImage:
    """Returns the slight ridge that the two halves of a mould leave, straight across the part, or nothing."""
    if look.random() < 0.45:
        return np.zeros(shape, np.float32)
    angle, offset = grain + look.uniform(-0.5, 0.5), look.uniform(-0.25, 0.25) * shape[1]
    ys, xs = np.ogrid[: shape[0], : shape[1]]
    away = (xs - centre[0]) * np.sin(angle) - (ys - centre[1]) * np.cos(angle) - offset
    return np.asarray(look.uniform(0.5, 1.1) * np.exp(-((away / look.uniform(2.0, 3.5)) ** 2)), np.float32)


def _fabric(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    period = look.uniform(7.0, 13.0)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    wobble = 1.6 * smooth_noise(rng, shape, 45)
    across = xs * np.float32(np.cos(angle)) + ys * np.float32(np.sin(angle)) + wobble
    along = (
        ys * np.float32(np.cos(angle)) - xs * np.float32(np.sin(angle)) + 1.6 * smooth_noise(rng, shape, 45)
    )
    k = np.float32(np.pi / period)
    warp, weft = np.abs(np.sin(across * k)), np.abs(np.sin(along * k))
    # A thread goes over and under its neighbours by turns; twill shifts the turn by one thread per row.
    step = 2 if look.random() < 0.6 else 4
    over = (np.floor(across * k / np.pi) + np.floor(along * k / np.pi)) % step < step / 2
    weave = np.where(over, np.sqrt(warp) * (0.75 + 0.25 * weft), np.sqrt(weft) * (0.75 + 0.25 * warp))
    weave = cv2.GaussianBlur(weave.astype(np.float32), (0, 0), 0.8)
    fibre = fractal(rng, shape, 3.0, 2)
    colour = _paint_colour(look) * 0.9 + 0.03
    second = colour * look.uniform(0.75, 1.2) if look.random() < 0.5 else colour
    albedo = np.where(over[..., None], colour, second).astype(np.float32)
    albedo = _vary(albedo, 0.08 * fibre + 0.55 * (weave - 0.85) + 0.03 * fractal(rng, shape, 150, 2))
    height = (1.5 * weave + 0.15 * fibre + 2.5 * fractal(rng, shape, 190, 2)).astype(np.float32)
    return Surface(height, albedo, np.full(shape, 0.03, np.float32), (0.6, 0.6), (1.0, 0.0), (1.0, 1.0, 1.0))


def _rubber(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    grain = fractal(rng, shape, look.uniform(3.0, 6.0), 3, 0.6)
    waves = fractal(rng, shape, 150, 2)
    base = look.uniform(0.02, 0.07)
    warm, rough = look.uniform(0.93, 1.1), look.uniform(0.3, 0.5)
    albedo = _vary(_flat(shape, (base * warm, base, base / warm)), 0.06 * grain + 0.08 * waves)
    return Surface(
        (look.uniform(0.04, 0.12) * grain + 1.8 * waves).astype(np.float32),
        albedo,
        np.clip(look.uniform(0.04, 0.1) + 0.006 * grain, 0.01, 0.4).astype(np.float32),
        (rough, rough),
        (1.0, 0.0),
        (1.0, 1.0, 1.0),
    )


_ANODISED = ((0.05, 0.05, 0.06), (0.04, 0.1, 0.35), (0.4, 0.04, 0.05), (0.45, 0.45, 0.46), (0.5, 0.3, 0.08))


def _anodised(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    grain = fractal(rng, shape, 2.5, 2)
    lines = streaks(rng, shape, angle, 90)
    waves = fractal(rng, shape, 220, 2)
    colour = np.asarray(_ANODISED[int(look.integers(len(_ANODISED)))], np.float32) * look.uniform(0.8, 1.25)
    albedo = _vary(_flat(shape, np.clip(colour, 0.03, 0.7)), 0.06 * grain + 0.04 * lines)
    tint = tuple(float(c) for c in np.clip(0.35 + colour, 0, 1))
    return Surface(
        (0.06 * grain + 0.04 * lines + 1.5 * waves).astype(np.float32),
        albedo,
        np.clip(0.4 + 0.06 * grain, 0.05, 1.0).astype(np.float32),
        (0.25, 0.38),
        (float(np.cos(angle)), float(np.sin(angle))),
        (tint[0], tint[1], tint[2]),
    )


def _machined(look: Rng, rng: Rng, shape: Shape, angle: float, centre: Point) -> Surface:
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    dx, dy = xs - np.float32(centre[0]), ys - np.float32(centre[1])
    radius = np.sqrt(dx * dx + dy * dy) + np.float32(1e-3)
    feed = look.uniform(3.0, 6.5)
    rings = rng.standard_normal(int(np.ceil(float(radius.max()))) + 3).astype(np.float32)
    lathe = np.interp(radius.ravel(), np.arange(rings.size), rings).reshape(shape).astype(np.float32)
    lathe = lathe + 0.8 * np.sin(radius * np.float32(2 * np.pi / feed))
    waves = fractal(rng, shape, 200, 2)
    base = look.uniform(0.3, 0.48)
    albedo = _vary(_flat(shape, (base, base * 0.99, base * 0.96)), 0.06 * lathe + 0.015 * waves)
    return Surface(
        (look.uniform(0.04, 0.1) * lathe + 0.8 * waves).astype(np.float32),
        albedo,
        np.clip(0.65 + 0.06 * lathe, 0.1, 1.2).astype(np.float32),
        (0.1, look.uniform(0.35, 0.55)),
        (-dy / radius, dx / radius),
        (1.0, 0.98, 0.94),
    )


Painter = Callable[[Rng, Rng, Shape, float, Point], Surface]

SURFACES: dict[str, Painter] = {
    "brushed_steel": _brushed_steel,
    "cast_aluminium": _cast_aluminium,
    "painted_metal": _painted_metal,
    "plastic": _plastic,
    "fabric": _fabric,
    "rubber": _rubber,
    "anodised": _anodised,
    "machined": _machined,
}


def paint_surface(
    key: str, look: Rng, rng: Rng, shape: Shape, angle_rad: float, centre_xy_px: Point
) -> Surface:
    """Returns a fresh piece of a material.

    Args:
        key: One of `SURFACES`.
        look: Decides colour, finish and coarseness: the same for all parts of one product.
        rng: Decides the grain: another on every part.
        shape: Height and width in pixels.
        angle_rad: Direction of the grain.
        centre_xy_px: Where turned rings are centred.
    """
    return SURFACES[key](look, rng, shape, angle_rad, centre_xy_px)
