"""What a careful eye is not fooled by: dust, glare, labels, tool marks, and the ArUco card."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Layers, Window
from tools.forge.textures import FloatImage, Rng
from tools.forge.truth import Box

__all__ = [
    "Glow",
    "Print",
    "draw_aruco",
    "draw_dust",
    "draw_glare",
    "draw_label",
    "press_tool_mark",
    "turned_print",
]

Point = tuple[float, float]
Points = NDArray[np.float64]

_FINE = 4  # sheets are drawn four times finer, then averaged


@dataclass(frozen=True)
class Glow:
    """Something above the surface: an HxW amount of light or cover in a window of the picture."""

    window: Window
    amount: FloatImage
    box_xyxy_px: Box


@dataclass(frozen=True)
class Print:
    """Something flat and printed that lies on the scene: colour (HxWx3, linear), cover (HxW) and where."""

    window: Window
    colour: FloatImage
    cover: FloatImage
    box_xyxy_px: Box

    def lay_on(self, layers: Layers, gloss: float, lift_px: float, shadow_xy: tuple[float, float]) -> None:
        """Covers the layers of the whole picture in place, with the thin shadow of a sheet.

        Args:
            layers: Changed in place.
            gloss: How much the paper shines.
            lift_px: Its thickness.
            shadow_xy: Unit vector in which shadows fall.
        """
        cover, window = self.cover, self.window
        move = np.array([[1, 0, 1.5 * shadow_xy[0]], [0, 1, 1.5 * shadow_xy[1]]], np.float32)
        fall = cv2.warpAffine(cv2.GaussianBlur(cover, (0, 0), 1.5), move, cover.shape[::-1])
        layers.shadow[window] *= 1 - 0.4 * fall * (1 - cover)
        flat = np.float32(np.mean(layers.height[window])) + np.float32(lift_px)
        for part, value in ((layers.height, flat), (layers.gloss, np.float32(gloss))):
            part[window] += cover * (value - part[window])
        layers.albedo[window] += cover[..., None] * (self.colour - layers.albedo[window])
        layers.lobe[window] += cover[..., None] * (np.float32(0.3) - layers.lobe[window])


def _window_around(centre: Point, reach_px: float, shape: tuple[int, int]) -> Window:
    """Returns the part of the picture within `reach_px` of a point, in each direction."""
    x, y, reach = round(centre[0]), round(centre[1]), int(np.ceil(reach_px))
    rows = slice(max(0, y - reach), min(shape[0], y + reach))
    return rows, slice(max(0, x - reach), min(shape[1], x + reach))


def _box_of(seen: NDArray[np.bool_], window: Window) -> Box:
    """Returns the box (maximum excluded) of what is True, in the picture."""
    ys, xs = np.nonzero(seen)
    top, left = window[0].start, window[1].start
    return left + int(xs.min()), top + int(ys.min()), left + int(xs.max()) + 1, top + int(ys.max()) + 1


def turned_print(
    picture: FloatImage, centre: Point, size_px: tuple[float, float], angle_rad: float, shape: tuple[int, int]
) -> Print | None:
    """Lays a printed sheet on the scene.

    Args:
        picture: hxwx3, linear RGB.
        centre: Where its middle comes to lie, (x, y) in pixels.
        size_px: Width and height that it gets.
        angle_rad: By how much it is turned.
        shape: Height and width of the scene.

    Returns:
        None where it would leave the scene.
    """
    half = np.hypot(*size_px) / 2 + 3
    x0, y0, side = int(centre[0] - half), int(centre[1] - half), int(2 * half) + 2
    if x0 < 0 or y0 < 0 or x0 + side > shape[1] or y0 + side > shape[0]:
        return None
    rows, columns = picture.shape[:2]
    along = np.array([np.cos(angle_rad), np.sin(angle_rad)]) * size_px[0] / columns * _FINE
    down = np.array([-np.sin(angle_rad), np.cos(angle_rad)]) * size_px[1] / rows * _FINE
    turn = np.zeros((2, 3))
    turn[:, 0], turn[:, 1] = along, down
    middle = (np.asarray(centre) - (x0, y0)) * _FINE - 0.5
    turn[:, 2] = middle - along * (columns - 1) / 2 - down * (rows - 1) / 2
    canvas = (side * _FINE, side * _FINE)
    sheet = np.dstack((picture, np.ones((rows, columns, 1), np.float32)))
    fine = cv2.warpAffine(sheet, turn, canvas, flags=cv2.INTER_NEAREST)
    small = np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    cover = small[..., 3]
    window = (slice(y0, y0 + side), slice(x0, x0 + side))
    colour = small[..., :3] / np.maximum(cover, np.float32(1e-3))[..., None]
    return Print(window, np.asarray(colour, np.float32), cover, _box_of(cover > 0.5, window))


def draw_aruco(marker_id: int) -> FloatImage:
    """Returns a DICT_4X4_50 marker on a white card one cell wider on each side (8x8 cells, 64x64 px)."""
    book = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    card = np.full((8, 8), 255, np.uint8)
    card[1:7, 1:7] = cv2.aruco.generateImageMarker(book, marker_id, 6)
    ink = np.where(np.kron(card, np.ones((8, 8))) > 0, 0.5, 0.03)
    return np.repeat(ink[..., None], 3, axis=2).astype(np.float32)


_WORDS = ("LOT", "PART NO", "QC", "MADE IN", "REV", "SERIAL", "MODEL", "DATE", "INSP", "TYPE", "PASS", "OK")
_PAPERS = ((0.78, 0.78, 0.76), (0.7, 0.55, 0.06), (0.5, 0.5, 0.52), (0.1, 0.2, 0.5))


def draw_label(rng: Rng) -> FloatImage:
    """Returns a printed sticker: lines of text, often a barcode, on white, yellow, silver or blue paper."""
    rows, columns = int(rng.integers(90, 150)), int(rng.integers(150, 260))
    paper = np.asarray(_PAPERS[int(rng.integers(len(_PAPERS)))])
    ink = 0.02 if paper.mean() > 0.3 else 0.8
    plate = np.zeros((rows, columns), np.uint8)
    bars = rng.random() < 0.65
    for y in range(26, rows - (44 if bars else 8), 24):
        word = f"{_WORDS[int(rng.integers(len(_WORDS)))]} {int(rng.integers(10, 99999))}"
        size = float(rng.uniform(0.5, 0.75))
        cv2.putText(plate, word, (8, y), cv2.FONT_HERSHEY_SIMPLEX, size, 255, 2, cv2.LINE_AA)
    if bars:
        code = np.repeat(rng.integers(0, 2, (columns - 20) // 3), 3).astype(np.uint8) * 255
        plate[rows - 36 : rows - 8, 10 : 10 + code.size] = code
    if rng.random() < 0.5:
        cv2.rectangle(plate, (3, 3), (columns - 4, rows - 4), 255, 2)
    share = (plate.astype(np.float32) / np.float32(255))[..., None]
    return np.asarray(paper * (1 - share) + ink * share, np.float32)


def press_tool_mark(rng: Rng, layers: Layers, centre: Point, scale: float) -> Box:
    """Presses regular marks into the layers: milling chatter in parallel arcs, or the knurl of a clamp.

    Args:
        rng: Decides which, how large and how deep.
        layers: Changed in place.
        centre: Where, (x, y) in pixels.
        scale: Picture size relative to 640 px.

    Returns:
        The box of the marks.
    """
    clamp = rng.random() < 0.4
    half_w = scale * (rng.uniform(14, 26) if clamp else rng.uniform(28, 70))
    half_h = scale * (rng.uniform(10, 18) if clamp else rng.uniform(18, 45))
    window = _window_around(centre, float(np.hypot(half_w, half_h)) + 3, layers.height.shape)
    ys, xs = np.mgrid[window].astype(np.float32)
    dx, dy, angle = xs - np.float32(centre[0]), ys - np.float32(centre[1]), rng.uniform(0, np.pi)
    u, v = np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
    inside = np.clip(half_w - np.abs(u), 0, 2) * np.clip(half_h - np.abs(v), 0, 2) / 4
    k = 2 * np.pi / (rng.uniform(4.5, 9.0) * scale)
    bow = rng.uniform(150, 500) * scale
    wave = np.sin(k * u) * np.sin(k * v) if clamp else np.sin(k * (np.hypot(u + bow, v) - bow))
    depth = rng.uniform(0.25, 0.6) * scale
    layers.height[window] += (inside * (depth * wave - (0.4 if clamp else 0.0))).astype(np.float32)
    layers.albedo[window] *= (1 + 0.1 * inside * wave)[..., None].astype(np.float32)
    return _box_of(inside > 0.5, window)


def draw_glare(rng: Rng, shape: tuple[int, int], centre: Point, scale: float) -> Glow:
    """Returns the mirror image of a lamp (round) or of a window (square), as light in display units."""
    a, b = rng.uniform(22, 70) * scale, rng.uniform(12, 38) * scale
    window = _window_around(centre, 2.2 * a, shape)
    ys, xs = np.mgrid[window].astype(np.float32)
    dx, dy, angle = xs - np.float32(centre[0]), ys - np.float32(centre[1]), rng.uniform(0, np.pi)
    u, v = (np.cos(angle) * dx + np.sin(angle) * dy) / a, (np.cos(angle) * dy - np.sin(angle) * dx) / b
    power = 2 if rng.random() < 0.6 else 6
    spot = np.exp(-(np.abs(u) ** power + np.abs(v) ** power))
    light = np.asarray(spot * rng.uniform(0.7, 2.2), np.float32)
    return Glow(window, light, _box_of(spot > 0.25, window))


def _fibre(rng: Rng, start: Points, scale: float) -> Points:
    """Returns a short curled path."""
    length, t = rng.uniform(12, 32) * scale, np.linspace(0, 1, 24)
    curl = rng.uniform(2.0, 5.5) * float(rng.choice([-1.0, 1.0]))
    heading = rng.uniform(0, 2 * np.pi) + curl * t + rng.uniform(-1, 1) * t**2
    steps = length / t.size * np.stack((np.cos(heading), np.sin(heading)), axis=1)
    return np.asarray(start + np.cumsum(steps, axis=0))


def draw_dust(rng: Rng, shape: tuple[int, int], centre: Point, scale: float) -> Glow | None:
    """Returns the cover of a few specks and perhaps some fibres around a point; None if all fell off."""
    spread = rng.uniform(12, 45) * scale
    window = _window_around(centre, 2 * spread + 36 * scale, shape)
    middle = np.asarray(centre) - (window[1].start, window[0].start)
    canvas = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
    for _ in range(int(rng.integers(3, 12))):
        x, y = np.round((middle + rng.normal(0, spread / 2, 2)) * 16).astype(int).tolist()
        radius, bright = int(rng.uniform(0.5, 1.4) * scale * 16), int(rng.integers(150, 256))
        cv2.circle(canvas, (x, y), radius, bright, -1, cv2.LINE_AA, 4)
    for _ in range(int(rng.integers(0, 3))):
        path = _fibre(rng, middle + rng.normal(0, spread / 3, 2), scale)
        thick = max(1, round(scale))
        cv2.polylines(canvas, [np.round(path * 16).astype(np.int32)], False, 200, thick, cv2.LINE_AA, 4)
    if not (canvas > 40).any():
        return None
    return Glow(window, canvas.astype(np.float32) / np.float32(255), _box_of(canvas > 40, window))
