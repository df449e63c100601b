"""Scratches, dents, cracks and contamination: what each does to a surface, and how large it truly is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Layers, Window
from tools.forge.textures import FloatImage, Rng, smooth_noise

__all__ = ["Flaw", "calliper_px", "draw_flaw"]

Point = tuple[float, float]
Points = NDArray[np.float64]

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


def calliper_px(outline: Points) -> tuple[float, float]:
    """Returns the long and the short side of a closed outline's (Nx2, pixels) rectangle of least width."""
    turns = np.linspace(0, np.pi, 180, endpoint=False)
    spans = np.ptp(outline @ np.stack((np.cos(turns), np.sin(turns))), axis=0)
    across = int(spans.argmin())
    return float(spans[(across + 90) % 180]), float(spans[across])


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _window(points: Points, reach_px: float, shape: tuple[int, int]) -> Window:
    pad = int(np.ceil(reach_px)) + _MARGIN
    x0, y0 = np.floor(points.min(axis=0)).astype(int) - pad
    x1, y1 = np.ceil(points.max(axis=0)).astype(int) + pad
    return slice(max(0, int(y0)), min(shape[0], int(y1))), slice(max(0, int(x0)), min(shape[1], int(x1)))


def _fine_canvas(window: Window) -> NDArray[np.uint8]:
    rows, columns = window[0].stop - window[0].start, window[1].stop - window[1].start
    return np.zeros((max(rows, 1) * _FINE, max(columns, 1) * _FINE), np.uint8)


def _fine_points(points: Points, window: Window) -> NDArray[np.int32]:
    """Returns points of the picture in sixteenths of a pixel of the fine canvas.

    The centre of the fine canvas' first pixel lies an eighth of a pixel from the corner: hence the half.
    """
    origin = np.array([window[1].start, window[0].start])
    return np.asarray(np.round(((points - origin) * _FINE - 0.5) * 16), np.int32)


def _coverage(canvas: NDArray[np.uint8]) -> FloatImage:
    size = (canvas.shape[1] // _FINE, canvas.shape[0] // _FINE)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)


def _blur(image: FloatImage, sigma_px: float) -> FloatImage:
    return np.asarray(cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), sigma_px), np.float32)


def _drawable(widths: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Rounds widths to what the fine canvas can hold, so that the true width is the drawn one."""
    return np.round(np.maximum(widths, 1.2 * max(scale, 1.0)) * _FINE) / _FINE


def _stroke(window: Window, lines: list[tuple[Points, NDArray[np.float64]]]) -> FloatImage:
    """Returns the coverage in [0, 1] of polylines with one width per segment."""
    canvas = _fine_canvas(window)
    for points, widths in lines:
        for (start, end), width_px in zip(
            pairwise(_fine_points(points, window).tolist()), widths, strict=True
        ):
            # OpenCV's thick lines come out one pixel thicker than asked for.
            thick = max(1, round(float(width_px) * _FINE) - 1)
            cv2.line(canvas, start, end, 255, thick, cv2.LINE_8, 4)
    return _coverage(canvas)


def _fill(window: Window, outline: Points) -> FloatImage:
    """Returns the coverage in [0, 1] of a closed outline."""
    canvas = _fine_canvas(window)
    cv2.fillPoly(canvas, [_fine_points(outline, window)], 255, cv2.LINE_8, 4)
    return _coverage(canvas)


def _path_length(points: Points) -> float:
    return float(np.sum(np.hypot(*np.diff(points, axis=0).T)))


def _mean_width(cover: FloatImage, paths: list[Points]) -> float:
    """Returns the width of lines as drawn: what they cover over how long they are.

    OpenCV's thick lines are not exactly as thick as asked for, and their ends are round.
    """
    return float(cover.sum()) / sum(_path_length(points) for points in paths)


def _plain(size: tuple[int, ...], colour: tuple[float, float, float]) -> FloatImage:
    return np.full((*size, 3), colour, np.float32)


def _arc(rng: Rng, centre: Point, length: float) -> Points:
    """Returns a gently bent path with a slight waver, its middle at `centre`."""
    t = np.linspace(-0.5, 0.5, max(12, int(length / 4)))
    waver = 0.25 * rng.uniform(-1, 1) * np.sin(2 * np.pi * t * rng.uniform(0.5, 2))
    heading = rng.uniform(0, 2 * np.pi) + rng.uniform(-1.2, 1.2) * t + waver
    steps = length / (t.size - 1) * np.stack((np.cos(heading), np.sin(heading)), axis=1)[1:]
    points = np.vstack((np.zeros(2), np.cumsum(steps, axis=0)))
    return np.asarray(points + np.asarray(centre) - points[points.shape[0] // 2])


def _scratch(rng: Rng, centre: Point, shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A thin groove along an arc, its depth and width varying, its flanks one bright and one dark."""
    points = _arc(rng, centre, _log_uniform(rng, 40, 300) * scale)
    count = points.shape[0] - 1
    t = np.linspace(-0.5, 0.5, count)
    taper = np.clip((0.5 - np.abs(t)) * 4, 0.1, 1) ** 0.7
    swell = 1 + 0.18 * np.interp(t, np.linspace(-0.5, 0.5, 9), rng.standard_normal(9))
    widths = _drawable(_log_uniform(rng, 1.3, 3.6) * scale * taper * swell, scale)
    window = _window(points, 4 * scale, shape)
    cover = _stroke(window, [(points, widths)])
    uneven = np.clip(1 + 0.35 * smooth_noise(rng, cover.shape, 14 * scale), 0.35, 1.6)
    groove = -1.9 * _blur(cover, 0.6 * scale) + 0.7 * _blur(cover, 1.6 * scale)
    metal = surface in ("brushed_steel", "machined", "cast_aluminium")
    bare = 0.55 if rng.random() < 0.65 else 0.04
    alpha = rng.uniform(0.25, 0.5) if metal else rng.uniform(0.35, 0.75)
    return Flaw(
        type="scratch",
        window=window,
        mask=cover >= 0.5,
        relief=np.asarray(groove * uneven * rng.uniform(0.4, 1.1) * scale, np.float32),
        colour=_plain(cover.shape, (bare, bare, 0.97 * bare)),
        cover=np.asarray(cover * np.clip(uneven, 0.4, 1.2) * alpha, np.float32),
        gloss=0.4,
        cover_gloss=cover,
        length_px=_path_length(points),
        width_px=_mean_width(cover, [points]),
        grain_px=1.0 * scale,
    )


def _blob(rng: Rng, radius: float, aspect: float, lobes: float) -> Points:
    """Returns a closed outline around the origin, an ellipse disturbed by a few harmonics."""
    angles = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    radii = np.ones_like(angles)
    for k in range(2, 8):
        radii += lobes / k * rng.standard_normal() * np.cos(k * angles + rng.uniform(0, 2 * np.pi))
    radii = radius * np.maximum(radii, 0.35)
    x, y = radii * np.cos(angles), aspect * radii * np.sin(angles)
    turn = rng.uniform(0, np.pi)
    return np.stack((x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)), axis=1)


def _signed_distance(cover: FloatImage) -> FloatImage:
    """Returns the distance to the border of a shape in pixels, positive inside."""
    inside = np.asarray(cover >= 0.5, np.uint8)
    within, beyond = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (inside, 1 - inside))
    return np.asarray(within - beyond, np.float32)


def _dent(rng: Rng, centre: Point, shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A smooth hollow with a slightly raised rim: one side catches the light, the other loses it."""
    radius = _log_uniform(rng, 12, 45) * scale
    outline = _blob(rng, radius, rng.uniform(0.55, 1.0), 0.06) + np.asarray(centre)
    window = _window(outline, radius * 0.4, shape)
    cover = _fill(window, outline)
    distance = _signed_distance(cover)
    rise = np.clip(distance / max(float(distance.max()), 1.0), 0, 1)
    bowl = _blur(1 - (1 - rise) ** 2, max(0.8, radius * 0.07))
    rim = np.where(distance < 0, np.exp(-((distance / np.float32(0.22 * radius)) ** 2)), 0)
    depth = radius * rng.uniform(0.16, 0.42)
    scuff = 0.2 if surface != "fabric" and rng.random() < 0.4 else 0.0
    tone = float(rng.choice([0.04, 0.4]))
    longest, narrowest = calliper_px(outline)
    return Flaw(
        type="dent",
        window=window,
        mask=cover >= 0.5,
        relief=np.asarray(depth * (0.12 * _blur(rim, max(0.8, radius * 0.06)) - bowl), np.float32),
        colour=_plain(cover.shape, (tone, tone, tone)),
        cover=np.asarray(scuff * bowl, np.float32),
        gloss=0.8,
        cover_gloss=cover,
        length_px=longest,
        width_px=narrowest,
        grain_px=0.2 * radius,
    )


def _walk(rng: Rng, start: Points, heading: float, length: float, step: float, jag: float) -> Points:
    """Returns a jagged path: each step turns at random, around a heading that wanders slowly."""
    count = max(4, int(length / step))
    bends = rng.uniform(-0.7, 0.7, 2 + count // 5)
    wander = np.interp(np.arange(count), np.linspace(0, count, bends.size), bends)
    turns = heading + wander + rng.normal(0, jag, count)
    sizes = rng.uniform(0.5, 1.5, count)
    steps = (sizes * length / sizes.sum())[:, None] * np.stack((np.cos(turns), np.sin(turns)), axis=1)
    return np.vstack((start, start + np.cumsum(steps, axis=0)))


def _crack_lines(rng: Rng, centre: Point, scale: float) -> list[tuple[Points, NDArray[np.float64]]]:
    """Returns trunk and branches with their widths; the longest way through a crack is its trunk."""
    length = _log_uniform(rng, 40, 230) * scale
    width, step = _log_uniform(rng, 1.4, 3.0) * scale, rng.uniform(4.0, 8.0) * scale
    heading = rng.uniform(0, 2 * np.pi)
    trunk = _walk(rng, np.zeros(2), heading, length, step, rng.uniform(0.35, 0.55))
    trunk += np.asarray(centre) - trunk[trunk.shape[0] // 2]
    count = trunk.shape[0] - 1
    swell = np.interp(np.arange(count), np.linspace(0, count, 7), rng.uniform(0.6, 1.4, 7))
    lines = [(trunk, _drawable(width * swell * np.linspace(1.1, 0.45, count), scale))]
    for _ in range(int(rng.integers(0, 4 if length > 80 * scale else 2))):
        knot = int(rng.integers(count // 4, max(count // 4 + 1, 3 * count // 4)))
        side = float(rng.choice([-1.0, 1.0])) * rng.uniform(0.6, 1.2)
        reach = length * min(knot, count - knot) / count * rng.uniform(0.35, 0.8)
        branch = _walk(rng, trunk[knot], heading + side, reach, step, 0.4)
        lines.append((branch, _drawable(width * np.linspace(0.75, 0.45, branch.shape[0] - 1), scale)))
    return lines


def _crack(rng: Rng, centre: Point, shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A dark jagged line that thins out and branches."""
    lines = _crack_lines(rng, centre, scale)
    window = _window(np.vstack([points for points, _ in lines]), 4 * scale, shape)
    cover = _stroke(window, lines)
    lengths = [_path_length(points) for points, _ in lines]
    return Flaw(
        type="crack",
        window=window,
        mask=cover >= 0.5,
        relief=np.asarray(-1.2 * scale * _blur(cover, 1.2 * scale), np.float32),
        colour=_plain(cover.shape, (0.012, 0.01, 0.009)),
        cover=np.asarray(np.minimum(cover * 1.1, 1) * rng.uniform(0.65, 0.95), np.float32),
        gloss=0.1,
        cover_gloss=cover,
        length_px=lengths[0],
        width_px=_mean_width(cover, [points for points, _ in lines]),
        grain_px=1.0 * scale,
    )


# Linear RGB, and the factor on the gloss: above 1 for liquids.
_STAINS = (
    ((0.10, 0.045, 0.012), 0.55),  # rust
    ((0.22, 0.09, 0.02), 0.6),  # fresh rust
    ((0.02, 0.015, 0.008), 1.6),  # oil
    ((0.10, 0.08, 0.03), 1.5),  # cutting fluid
    ((0.015, 0.015, 0.015), 0.4),  # soot, grease
    ((0.55, 0.52, 0.46), 0.5),  # lime, dried coolant
    ((0.05, 0.10, 0.05), 0.6),  # verdigris
    ((0.12, 0.09, 0.06), 0.4),  # mud
)


def _ragged(rng: Rng, fill: FloatImage, radius: float) -> tuple[FloatImage, Points]:
    """Frays a filled shape; returns its soft cover and the outline (pixels) where that is one half."""
    soft = max(0.8, radius * rng.uniform(0.04, 0.2))
    coarse = smooth_noise(rng, fill.shape, max(4.0, radius / 2.2))
    small = smooth_noise(rng, fill.shape, max(2.0, radius / 6))
    fray = radius * rng.uniform(0.2, 1.2) * (0.16 * coarse + 0.07 * small)
    level = np.clip((_signed_distance(fill) + fray) * (-2 / soft), -30, 30)
    cover = np.asarray(1 / (1 + np.exp(level)), np.float32)
    fine = cv2.resize(cover, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea)
    # Crumbs that came off the largest piece are wiped away: one stain, one outline.
    keep = _coverage(cv2.drawContours(np.zeros(fine.shape, np.uint8), [largest], -1, 255, -1))
    near = cv2.dilate(keep, np.ones((5, 5), np.uint8))
    return np.asarray(cover * near, np.float32), np.asarray(largest[:, 0], np.float64) / _FINE


def _contamination(rng: Rng, centre: Point, shape: tuple[int, int], surface: str, scale: float) -> Flaw:
    """A stain, drop or smear with soft, ragged edges; liquids shine, rust and dirt dull the surface."""
    radius = _log_uniform(rng, 12, 58) * scale
    outline = _blob(rng, radius, rng.uniform(0.3, 1.0), 0.2) + np.asarray(centre)
    window = _window(outline, radius * 0.6, shape)
    cover, border = _ragged(rng, _fill(window, outline), radius)
    size = (cover.shape[0], cover.shape[1])
    colour, gloss = _STAINS[int(rng.integers(len(_STAINS)))]
    uneven = 0.06 if gloss > 1 else 0.18
    blotch = smooth_noise(rng, size, max(3.0, radius / 3)) + 0.6 * smooth_noise(
        rng, size, max(2.0, radius / 10)
    )
    ring = rng.choice([0.0, 0.4]) * np.clip(4 * cover * (1 - cover), 0, 1)
    alpha = cover * np.clip(0.75 + uneven * blotch + ring, 0.25, 1.1) * rng.uniform(0.5, 1.0)
    shift = 1 + uneven * smooth_noise(rng, size, max(3.0, radius / 5))
    hue = np.asarray(colour) * rng.uniform(0.7, 1.4) * shift[..., None]
    swell = 0.8 * scale * cover if gloss > 1 else 0.12 * cover * blotch
    # A contour joins pixel centres: half a fine pixel is missing on each side.
    longest, narrowest = (side + 1 / _FINE for side in calliper_px(border))
    return Flaw(
        type="contamination",
        window=window,
        mask=cover >= 0.5,
        relief=np.asarray(swell, np.float32),
        colour=np.asarray(np.clip(hue, 0.002, 0.9), np.float32),
        cover=np.asarray(alpha, np.float32),
        gloss=gloss,
        cover_gloss=cover,
        length_px=longest,
        width_px=narrowest,
        grain_px=0.25 * radius,
    )


Drawer = Callable[[Rng, Point, tuple[int, int], str, float], Flaw]

_DRAWERS: dict[str, Drawer] = {
    "scratch": _scratch,
    "dent": _dent,
    "crack": _crack,
    "contamination": _contamination,
}


def draw_flaw(
    type_: str, rng: Rng, centre_xy_px: Point, shape: tuple[int, int], surface: str, scale: float
) -> Flaw:
    """Draws a defect around a point.

    Args:
        type_: One of `tools.forge.truth.DEFECT_TYPES`.
        rng: Decides everything about it.
        centre_xy_px: Its middle.
        shape: Height and width of the picture.
        surface: Key of the material, which decides what shows where it is cut.
        scale: Picture size relative to 640 px.
    """
    return _DRAWERS[type_](rng, centre_xy_px, shape, surface, scale)
