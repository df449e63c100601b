"""Parts and what they lie on: outlines as signed distances, chamfers, holes, benches."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tools.forge.textures import FloatImage, Rng, fractal, smooth_noise, streaks

__all__ = ["PART_SHAPES", "Outline", "paint_bench", "place_part"]

PART_SHAPES = ("close-up", "plate", "disc", "washer", "flange", "bracket")


@dataclass(frozen=True)
class Outline:
    """Where the part is.

    Attributes:
        distance: HxW signed distance in pixels, negative inside the part; holes are outside.
        relief: HxW height in pixels that the shape itself adds: chamfers, grooves, raised rims.
        centre_xy_px: Centre of the part.
        angle_rad: Its rotation in the picture.
    """

    distance: FloatImage
    relief: FloatImage
    centre_xy_px: tuple[float, float]
    angle_rad: float


def _rounded_box(u: FloatImage, v: FloatImage, half_w: float, half_h: float, radius: float) -> FloatImage:
    """Signed distance of a rounded rectangle (I. Quilez, 2D distance functions)."""
    qx = np.abs(u) - np.float32(half_w - radius)
    qy = np.abs(v) - np.float32(half_h - radius)
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2)
    return np.asarray(outside + np.minimum(np.maximum(qx, qy), 0) - np.float32(radius), np.float32)


def _circle(u: FloatImage, v: FloatImage, x: float, y: float, radius: float) -> FloatImage:
    return np.asarray(np.hypot(u - np.float32(x), v - np.float32(y)) - np.float32(radius), np.float32)


def _frame(
    look: Rng, pose: Rng, shape: tuple[int, int]
) -> tuple[FloatImage, FloatImage, tuple[float, float], float]:
    """Returns part coordinates of every pixel (turned, slightly in perspective), the centre and the turn."""
    height, width = shape
    size = min(height, width)
    middle = np.array([width, height]) / 2 + size * (
        look.uniform(-0.03, 0.03, 2) + pose.uniform(-0.01, 0.01, 2)
    )
    centre = (float(middle[0]), float(middle[1]))
    angle = look.uniform(-0.16, 0.16) if look.random() < 0.75 else look.uniform(-np.pi, np.pi)
    angle += pose.normal(0, 0.015)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    dx, dy = xs - np.float32(centre[0]), ys - np.float32(centre[1])
    tilt_x, tilt_y = look.uniform(-0.05, 0.05, 2) / size
    depth = 1 + np.float32(tilt_x) * dx + np.float32(tilt_y) * dy
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return (cos * dx + sin * dy) / depth, (-sin * dx + cos * dy) / depth, centre, float(angle)


def _holes(look: Rng, u: FloatImage, v: FloatImage, kind: str, half: tuple[float, float]) -> FloatImage:
    """Returns the signed distance to the nearest hole (negative in a hole)."""
    far = np.full(u.shape, 1e4, np.float32)
    small = min(half)
    if kind == "washer":
        return np.minimum(far, _circle(u, v, 0, 0, small * look.uniform(0.32, 0.5)))
    if kind == "flange":
        far = np.minimum(far, _circle(u, v, 0, 0, small * look.uniform(0.22, 0.32)))
        ring, radius = small * look.uniform(0.68, 0.76), small * look.uniform(0.06, 0.1)
        turns = look.uniform(0, np.pi) + np.linspace(0, 2 * np.pi, int(look.integers(4, 9)), endpoint=False)
        for turn in turns:
            far = np.minimum(far, _circle(u, v, ring * np.cos(turn), ring * np.sin(turn), radius))
        return far
    if kind == "bracket":
        for side in (-1, 1):
            away = u - np.float32(side * half[0] * 0.6)
            far = np.minimum(far, _rounded_box(away, v, small * 0.075, half[1] * 0.45, small * 0.075))
    if kind in ("plate", "bracket") and look.random() < 0.7:
        inset, radius = look.uniform(0.11, 0.16) * small, small * look.uniform(0.035, 0.06)
        for x in (-1, 1):
            for y in (-1, 1):
                far = np.minimum(far, _circle(u, v, x * (half[0] - inset), y * (half[1] - inset), radius))
    return far


def _relief(look: Rng, distance: FloatImage, inner: FloatImage, size: int, soft: bool) -> FloatImage:
    """Returns the chamfer along all edges and, on some hard parts, a groove that follows the outline."""
    chamfer = look.uniform(2.0, 6.0) * size / 640
    slope = np.clip(distance + np.float32(chamfer), 0, np.float32(chamfer))
    relief = -np.float32(look.uniform(0.5, 1.0)) * slope
    if look.random() < 0.3 and not soft:
        away = (inner + np.float32(look.uniform(0.06, 0.14) * size)) / np.float32(look.uniform(2.5, 4.5))
        relief = relief + np.float32(look.choice([-1.0, 1.0]) * look.uniform(0.8, 2.0)) * np.exp(-(away**2))
    return np.asarray(cv2.GaussianBlur(np.asarray(relief, np.float32), (0, 0), 0.8), np.float32)


def place_part(look: Rng, pose: Rng, shape: tuple[int, int], kind: str, soft: bool = False) -> Outline:
    """Places a part in a picture.

    Args:
        look: Decides the part's proportions and about how it lies: the same for all parts of one product.
        pose: Decides by how much this one lies differently.
        kind: One of `PART_SHAPES`.
        shape: Height and width of the picture in pixels.
        soft: Whether the part is of cloth: no holes and no grooves then.
    """
    u, v, centre, angle = _frame(look, pose, shape)
    height, width = shape
    size = min(shape)
    if kind == "close-up":
        zero = np.zeros(shape, np.float32)
        return Outline(np.full(shape, -1e4, np.float32), zero, centre, angle)
    if kind in ("disc", "washer", "flange"):
        radius = size * look.uniform(0.36, 0.455)
        half = (radius, radius)
        outer = _circle(u, v, 0, 0, radius)
    else:
        low = 0.24 if kind == "bracket" else 0.33
        half = (width * look.uniform(0.38, 0.46), height * look.uniform(low, 0.45))
        # A turned plate still fits the frame.
        reach = abs(np.cos(angle)) * half[0] + abs(np.sin(angle)) * half[1]
        rise = abs(np.sin(angle)) * half[0] + abs(np.cos(angle)) * half[1]
        fit = min(1.0, 0.455 * width / reach, 0.455 * height / rise)
        half = (half[0] * fit, half[1] * fit)
        outer = _rounded_box(u, v, *half, radius=min(half) * look.uniform(0.04, 0.22))
    distance = outer if soft else np.maximum(outer, -_holes(look, u, v, kind, half))
    return Outline(distance, _relief(look, distance, outer, size, soft), centre, angle)


def paint_bench(rng: Rng, shape: tuple[int, int]) -> tuple[FloatImage, FloatImage]:
    """Returns the albedo (HxWx3, linear RGB) and height (HxW, px) of what the part lies on."""
    kind = str(
        rng.choice(("dark bench", "white table", "conveyor", "foam", "wood"), p=(0.3, 0.2, 0.25, 0.15, 0.1))
    )
    tone = rng.uniform(0.9, 1.1, 3).astype(np.float32)
    waves = fractal(rng, shape, 150, 3)
    if kind == "dark bench":
        grain, base = fractal(rng, shape, 5, 3), rng.uniform(0.02, 0.07)
        shade, height = 1 + 0.15 * grain + 0.12 * waves, 0.25 * grain
    elif kind == "white table":
        grain, base = smooth_noise(rng, shape, 2.5), rng.uniform(0.55, 0.78)
        shade, height = 1 + 0.012 * grain + 0.02 * waves, 0.05 * grain
    elif kind == "conveyor":
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(5, 9)
        ys, xs = np.ogrid[: shape[0], : shape[1]]
        k = 2 * np.pi / pitch
        across, along = np.cos(angle) * xs + np.sin(angle) * ys, np.cos(angle) * ys - np.sin(angle) * xs
        grain = np.sin(k * across) * np.sin(k * along)
        base = rng.uniform(0.08, 0.25)
        shade, height = 1 + 0.08 * grain + 0.08 * waves, 0.35 * grain
    elif kind == "foam":
        cells = fractal(rng, shape, 6, 2)
        base = rng.uniform(0.05, 0.4)
        pores = np.clip(cells - 0.5, 0, 1.5)
        shade, height = 1 - 0.35 * pores + 0.05 * waves, -1.2 * pores
    else:
        lines = streaks(rng, shape, rng.uniform(-0.2, 0.2), 120) * 0.7 + fractal(rng, shape, 40, 2) * 0.3
        base, tone = rng.uniform(0.25, 0.4), np.array([1.25, 0.9, 0.6], np.float32)
        shade, height = 1 + 0.14 * lines + 0.05 * waves, 0.1 * lines
    albedo = np.clip(base * tone * shade[..., None], 0.003, 0.9)
    return np.asarray(albedo, np.float32), np.asarray(height, np.float32)
