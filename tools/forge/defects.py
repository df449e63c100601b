"""Scratches, dents, cracks and contamination: what each does to height, colour and gloss, and its true size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Layers, Window
from tools.forge.textures import smooth_noise

__all__ = ["FLAWS", "Flaw", "draw_flaw", "feret_px"]

FloatImage = NDArray[np.float32]
Points = NDArray[np.float64]
Rng = np.random.Generator

_FINE = 4  # lines are drawn four times finer, then averaged, so that their edges fall between pixels
_MARGIN = 12


@dataclass(frozen=True)
class Flaw:
    """One defect, ready to be worked into the layers at any strength.

    Attributes:
        window: Rows and columns of the picture that the arrays below cover.
        mask: The defect.
        relief: Height in pixels that it adds at strength 1.
        colour: Linear RGB of what lies or shows there, HxWx3.
        cover: How much of that colour, in [0, 1].
        gloss: Factor on the gloss where `cover_gloss` is 1.
        grain_px: Size of its features; texture finer than this does not hide it.
    """

    type: str
    window: Window
    mask: NDArray[np.bool_]
    relief: FloatImage
    colour: FloatImage
    cover: FloatImage
    gloss: float
    cover_gloss: FloatImage
    length_px: float
    width_px: float
    grain_px: float

    def work_in(self, layers: Layers, strength: float) -> None:
        """Changes the layers of the window in place."""
        layers.height += np.float32(strength) * self.relief
        cover = np.minimum(self.cover * np.float32(strength), np.float32(0.96))[..., None]
        layers.albedo += cover * (self.colour - layers.albedo)
        layers.gloss *= 1 + np.float32(self.gloss - 1) * self.cover_gloss


def feret_px(outline: Points) -> tuple[float, float]:
    """Returns the largest and the smallest Feret diameter of a closed outline (Nx2, pixels)."""
    turns = np.linspace(0, np.pi, 180, endpoint=False)
    spans = np.ptp(outline @ np.stack((np.cos(turns), np.sin(turns))), axis=0)
    return float(spans.max()), float(spans.min())


def _window(points: Points, reach_px: float, shape: tuple[int, int]) -> Window:
    pad = int(np.ceil(reach_px)) + _MARGIN
    x0, y0 = np.floor(points.min(axis=0)).astype(int) - pad
    x1, y1 = np.ceil(points.max(axis=0)).astype(int) + pad
    return slice(max(0, int(y0)), min(shape[0], int(y1))), slice(max(0, int(x0)), min(shape[1], int(x1)))


def _size(window: Window) -> tuple[int, int]:
    return window[0].stop - window[0].start, window[1].stop - window[1].start


def _stroke(window: Window, lines: list[tuple[Points, NDArray[np.float64]]]) -> FloatImage:
    """Returns the coverage in [0, 1] of polylines whose width varies from point to point."""
    height, width = _size(window)
    canvas = np.zeros((height * _FINE, width * _FINE), np.uint8)
    origin = np.array([window[1].start, window[0].start])
    for points, widths in lines:
        # Pixel (0, 0) of the fine canvas has its centre at 1/8 px: hence the half pixel taken off.
        fine = np.round(((points - origin) * _FINE - 0.5) * 16).astype(int)
        for (start, end), width_px in zip(zip(fine[:-1], fine[1:], strict=True), widths, strict=False):
            thick = max(1, round(float(width_px) * _FINE))
            a, b = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
            cv2.line(canvas, a, b, 255, thick, cv2.LINE_8, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def _path_length(points: Points) -> float:
    return float(np.sum(np.hypot(*np.diff(points, axis=0).T)))


def _plain(size: tuple[int, int], colour: NDArray[np.float32]) -> FloatImage:
    return np.full((*size, 3), colour, np.float32)


def _scratch(rng: Rng, centre: tuple[float, float], shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A thin groove along an arc, its depth and width varying, its flanks one bright and one dark."""
    length = float(np.exp(rng.uniform(np.log(40), np.log(300)))) * scale
    width = float(np.exp(rng.uniform(np.log(1.3), np.log(3.6)))) * scale
    bend = rng.uniform(-1.2, 1.2)
    t = np.linspace(-0.5, 0.5, max(12, int(length / 4)))
    heading = rng.uniform(0, 2 * np.pi) + bend * t + 0.25 * rng.uniform(-1, 1) * np.sin(2 * np.pi * t * rng.uniform(0.5, 2))
    steps = length / (t.size - 1) * np.stack((np.cos(heading), np.sin(heading)), axis=1)[1:]
    points = np.vstack((np.zeros(2), np.cumsum(steps, axis=0)))
    points += np.asarray(centre) - points[points.shape[0] // 2]
    taper = np.clip((0.5 - np.abs(t)) * 4, 0.1, 1) ** 0.7
    widths = width * taper * (1 + 0.18 * np.interp(t, np.linspace(-0.5, 0.5, 9), rng.standard_normal(9)))
    widths = np.maximum(widths, 1.1 * scale)
    window = _window(points, width, shape)
    cover = _stroke(window, [(points, widths)])
    groove = cv2.GaussianBlur(cover, (0, 0), 0.6 * scale)
    burr = cv2.GaussianBlur(cover, (0, 0), 1.6 * scale)
    uneven = np.clip(1 + 0.35 * smooth_noise(rng, cover.shape, 14 * scale), 0.35, 1.6)
    relief = (-1.9 * groove + 0.7 * burr) * uneven * np.float32(rng.uniform(0.4, 1.1) * scale)
    metal = surface in ("brushed_steel", "machined", "cast_aluminium")
    bare = np.array([0.62, 0.62, 0.6], np.float32) if rng.random() < 0.7 else np.array([0.05, 0.05, 0.05], np.float32)
    if surface in ("plastic", "rubber", "fabric"):
        bare = np.full(3, rng.choice([0.5, 0.03]), np.float32)
    strength = rng.uniform(0.25, 0.5) if metal else rng.uniform(0.35, 0.75)
    return Flaw(
        "scratch", window, cover >= 0.5, relief.astype(np.float32), _plain(cover.shape, bare),
        (cover * np.clip(uneven, 0.4, 1.2) * np.float32(strength)).astype(np.float32), 0.4, cover,
        _path_length(points), float(np.mean(widths)), 1.0 * scale,
    )


def _blob(rng: Rng, radius: float, aspect: float, lobes: float) -> Points:
    """Returns a closed outline around the origin, an ellipse disturbed by a few harmonics."""
    angles = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    radii = np.ones_like(angles)
    for k in range(2, 8):
        radii += lobes / k * rng.standard_normal() * np.cos(k * angles + rng.uniform(0, 2 * np.pi))
    radii = np.maximum(radii, 0.35)
    x, y = radius * radii * np.cos(angles), radius * aspect * radii * np.sin(angles)
    turn = rng.uniform(0, np.pi)
    return np.stack((x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)), axis=1)


def _fill(window: Window, outline: Points) -> FloatImage:
    """Returns the coverage in [0, 1] of a closed outline."""
    height, width = _size(window)
    canvas = np.zeros((height * _FINE, width * _FINE), np.uint8)
    origin = np.array([window[1].start, window[0].start])
    fine = np.round(((outline - origin) * _FINE - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fine], 255, cv2.LINE_8, 4)
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)


def _dent(rng: Rng, centre: tuple[float, float], shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A smooth hollow with a slightly raised rim: one side catches the light, the other loses it."""
    radius = float(np.exp(rng.uniform(np.log(12), np.log(45)))) * scale
    outline = _blob(rng, radius, rng.uniform(0.55, 1.0), 0.06) + np.asarray(centre)
    window = _window(outline, radius * 0.4, shape)
    cover = _fill(window, outline)
    inside = cv2.distanceTransform((cover >= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.distanceTransform((cover < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    rise = np.clip(inside / max(float(inside.max()), 1.0), 0, 1)
    bowl = 1 - (1 - rise) ** 2
    bowl = cv2.GaussianBlur(bowl.astype(np.float32), (0, 0), max(0.8, radius * 0.07))
    rim = np.exp(-((away / (0.22 * radius)) ** 2)) * (cover < 0.5)
    rim = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), max(0.8, radius * 0.06))
    depth = radius * rng.uniform(0.16, 0.42)
    relief = (-depth * bowl + 0.12 * depth * rim).astype(np.float32)
    scuffed = rng.random() < 0.4
    scuff = (np.clip(bowl, 0, 1) * np.float32(0.25 if scuffed else 0.0)).astype(np.float32)
    longest, widest = feret_px(outline)
    colour = _plain(cover.shape, np.full(3, rng.choice([0.04, 0.4]), np.float32))
    return Flaw(
        "dent", window, cover >= 0.5, relief, colour, scuff, 0.8, cover, longest, widest, 0.2 * radius
    )


def _walk(rng: Rng, start: Points, heading: float, length: float, step: float, jag: float) -> Points:
    """Returns a jagged path: each step turns at random, around a heading that wanders slowly."""
    count = max(4, int(length / step))
    wander = np.interp(np.arange(count), np.linspace(0, count, 2 + count // 5), rng.uniform(-0.7, 0.7, 2 + count // 5))
    turns = heading + wander + rng.normal(0, jag, count)
    sizes = step * rng.uniform(0.5, 1.5, count)
    sizes *= length / sizes.sum()
    steps = sizes[:, None] * np.stack((np.cos(turns), np.sin(turns)), axis=1)
    return np.vstack((start, start + np.cumsum(steps, axis=0)))


def _crack(rng: Rng, centre: tuple[float, float], shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A dark jagged line that thins out and branches; branches are shorter than what is left of the trunk."""
    length = float(np.exp(rng.uniform(np.log(40), np.log(230)))) * scale
    width = float(np.exp(rng.uniform(np.log(1.4), np.log(3.0)))) * scale
    step = rng.uniform(2.5, 6.0) * scale
    heading = rng.uniform(0, 2 * np.pi)
    trunk = _walk(rng, np.zeros(2), heading, length, step, rng.uniform(0.35, 0.6))
    trunk += np.asarray(centre) - trunk[trunk.shape[0] // 2]
    count = trunk.shape[0] - 1
    swell = np.interp(np.arange(count), np.linspace(0, count, 7), rng.uniform(0.6, 1.4, 7))
    lines = [(trunk, width * swell * np.linspace(1.1, 0.45, count))]
    for _ in range(int(rng.integers(0, 2 + int(length > 80 * scale) * 2))):
        knot = int(rng.integers(count // 4, max(count // 4 + 1, 3 * count // 4)))
        left = length * (1 - knot / count)
        side = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.5, 1.1)
        branch = _walk(rng, trunk[knot], heading + side, left * rng.uniform(0.2, 0.6), step, 0.45)
        lines.append((branch, np.linspace(0.75, 0.5, branch.shape[0] - 1) * width))
    lines = [(points, np.maximum(widths, 1.1 * scale)) for points, widths in lines]
    window = _window(np.vstack([points for points, _ in lines]), width, shape)
    cover = _stroke(window, lines)
    lip = cv2.GaussianBlur(cover, (0, 0), 1.2 * scale)
    lengths = [_path_length(points) for points, _ in lines]
    means = [float(np.mean(widths)) for _, widths in lines]
    dark = np.array([0.012, 0.01, 0.009], np.float32)
    alpha = np.float32(rng.uniform(0.65, 0.95))
    return Flaw(
        "crack", window, cover >= 0.5, (-1.2 * scale * lip).astype(np.float32), _plain(cover.shape, dark),
        np.minimum(cover * 1.1, 1) * alpha, 0.1, cover,
        lengths[0], float(np.average(means, weights=lengths)), 1.0 * scale,
    )


_STAINS = (
    ((0.10, 0.045, 0.012), 0.55),  # rust
    ((0.22, 0.09, 0.02), 0.6),  # fresh rust
    ((0.02, 0.015, 0.008), 1.6),  # oil: dark and shining
    ((0.10, 0.08, 0.03), 1.5),  # cutting fluid
    ((0.015, 0.015, 0.015), 0.4),  # soot, grease
    ((0.55, 0.52, 0.46), 0.5),  # lime, dried coolant
    ((0.05, 0.10, 0.05), 0.6),  # verdigris
    ((0.12, 0.09, 0.06), 0.4),  # mud
)


def _ragged(rng: Rng, fill: FloatImage, radius: float) -> tuple[FloatImage, Points]:
    """Frays the outline of a filled shape; returns its soft cover and the outline where that crosses one half."""
    soft = max(0.8, radius * rng.uniform(0.04, 0.2))
    inside = cv2.distanceTransform((fill >= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    away = cv2.distanceTransform((fill < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    fray = 0.16 * smooth_noise(rng, fill.shape, max(4.0, radius / 2.2)) + 0.07 * smooth_noise(rng, fill.shape, max(2.0, radius / 6))
    level = (inside - away) / np.float32(soft) + fray * np.float32(radius * rng.uniform(0.2, 1.2) / soft)
    cover = np.asarray(1 / (1 + cv2.exp(np.clip(-2 * level, -30, 30).astype(np.float32))), np.float32)
    fine = cv2.resize(cover, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea)
    keep = cv2.drawContours(np.zeros(fine.shape, np.uint8), [largest], -1, 1, -1)
    cover *= cv2.dilate(cv2.resize(keep, fill.shape[::-1], interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    # A contour runs through pixel centres: half a fine pixel is missing on each side.
    return cover, largest[:, 0].astype(np.float64) / _FINE


def _contamination(rng: Rng, centre: tuple[float, float], shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A stain, drop or smear with soft, ragged edges; oil shines, rust and dirt dull the surface."""
    radius = float(np.exp(rng.uniform(np.log(12), np.log(58)))) * scale
    outline = _blob(rng, radius, rng.uniform(0.3, 1.0), 0.2) + np.asarray(centre)
    window = _window(outline, radius * 0.6, shape)
    cover, edge_px = _ragged(rng, _fill(window, outline), radius)
    size = cover.shape
    colour, gloss = _STAINS[int(rng.integers(len(_STAINS)))]
    blotch = smooth_noise(rng, size, max(3.0, radius / 3)) + 0.6 * smooth_noise(rng, size, max(2.0, radius / 10))
    ring = np.clip(4 * cover * (1 - cover), 0, 1) * np.float32(rng.choice([0.0, 0.4]))
    uneven = 0.06 if gloss > 1 else 0.18
    alpha = cover * np.clip(0.75 + uneven * blotch + ring, 0.25, 1.1) * np.float32(rng.uniform(0.5, 1.0))
    tone = np.asarray(colour, np.float32) * rng.uniform(0.7, 1.4)
    hue = np.clip(tone * (1 + uneven * smooth_noise(rng, size, max(3.0, radius / 5)))[..., None], 0.002, 0.9)
    longest, widest = (feret + 1 / _FINE for feret in feret_px(edge_px))
    swell = 0.8 * cover * scale if gloss > 1 else 0.12 * cover * blotch
    return Flaw(
        "contamination", window, cover >= 0.5, np.asarray(swell, np.float32), hue.astype(np.float32),
        alpha.astype(np.float32), gloss, cover, longest, widest, 0.25 * radius,
    )


FLAWS = {"scratch": _scratch, "dent": _dent, "crack": _crack, "contamination": _contamination}


def draw_flaw(
    type_: str, rng: Rng, centre_xy_px: tuple[float, float], shape: tuple[int, int], surface: str, scale: float
) -> Flaw:
    """Draws a defect of one of `FLAWS` around a point.

    Args:
        shape: Height and width of the picture.
        surface: Key of the material, which decides what shows where it is cut.
        scale: Picture size relative to 640 px.
    """
    return FLAWS[type_](rng, centre_xy_px, shape, surface, scale)
