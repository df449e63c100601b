"""What a careful eye is not fooled by: dust, glare, labels, tool marks, and the ArUco card."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Layers, Window

__all__ = ["Box", "Print", "draw_aruco", "draw_dust", "draw_glare", "draw_label", "draw_tool_mark", "turned_print"]

FloatImage = NDArray[np.float32]
Rng = np.random.Generator
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Print:
    """Something flat and printed that lies on the scene: colour (HxWx3, linear), cover (HxW) and where."""

    window: Window
    colour: FloatImage
    cover: FloatImage
    box_xyxy_px: Box

    def lay_on(self, layers: Layers, gloss: float, lift_px: float, shadow_xy: tuple[float, float]) -> None:
        """Covers the layers of the whole picture, with the thin shadow of a sheet."""
        cover, window = self.cover, self.window
        move = np.array([[1, 0, 1.5 * shadow_xy[0]], [0, 1, 1.5 * shadow_xy[1]]], np.float32)
        fall = cv2.warpAffine(cv2.GaussianBlur(cover, (0, 0), 1.5), move, cover.shape[::-1])
        layers.shadow[window] *= 1 - 0.4 * fall * (1 - cover)
        flat = np.float32(np.mean(layers.height[window])) + np.float32(lift_px)
        for part, value in ((layers.height, flat), (layers.gloss, np.float32(gloss))):
            part[window] += cover * (value - part[window])
        layers.albedo[window] += cover[..., None] * (self.colour - layers.albedo[window])
        layers.lobe[window] += cover[..., None] * (np.float32(0.3) - layers.lobe[window])


def turned_print(
    picture: FloatImage, centre: tuple[float, float], size: tuple[float, float], angle: float, shape: tuple[int, int]
) -> Print | None:
    """Lays a picture (hxwx3, linear) turned by an angle on the scene; None where it would leave the frame.

    Args:
        size: Width and height that it gets on the scene, in pixels.
    """
    fine = 4
    half = np.hypot(*size) / 2 + 3
    x0, y0 = int(centre[0] - half), int(centre[1] - half)
    side = int(2 * half) + 2
    if x0 < 0 or y0 < 0 or x0 + side > shape[1] or y0 + side > shape[0]:
        return None
    rows, columns = picture.shape[:2]
    cos, sin = np.cos(angle), np.sin(angle)
    sx, sy = size[0] / columns * fine, size[1] / rows * fine
    mid = (np.asarray(centre) - (x0, y0)) * fine - 0.5
    turn = np.array([[cos * sx, -sin * sy, 0], [sin * sx, cos * sy, 0]])
    turn[:, 2] = mid - turn[:, :2] @ np.array([(columns - 1) / 2, (rows - 1) / 2])
    canvas = (side * fine, side * fine)
    colour = cv2.warpAffine(picture, turn, canvas, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(np.ones((rows, columns), np.float32), turn, canvas, flags=cv2.INTER_NEAREST)
    colour = cv2.resize(colour, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.resize(cover, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    ys, xs = np.nonzero(cover > 0.5)
    box = (x0 + int(xs.min()), y0 + int(ys.min()), x0 + int(xs.max()) + 1, y0 + int(ys.max()) + 1)
    return Print((slice(y0, y0 + side), slice(x0, x0 + side)), colour, cover, box)


def draw_aruco(marker_id: int) -> FloatImage:
    """Returns a DICT_4X4_50 marker on a white card one cell wider on each side (8x8 cells, 64x64 px)."""
    book = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    marker = cv2.aruco.generateImageMarker(book, marker_id, 6)
    card = np.full((8, 8), 255, np.uint8)
    card[1:7, 1:7] = marker
    ink = np.where(np.kron(card, np.ones((8, 8))) > 0, 0.75, 0.02).astype(np.float32)
    return np.repeat(ink[..., None], 3, axis=2)


_WORDS = ("LOT", "PART NO", "QC", "MADE IN", "REV", "SERIAL", "MODEL", "DATE", "INSP", "TYPE", "PASS", "OK")


def draw_label(rng: Rng) -> FloatImage:
    """Returns a printed sticker: lines of text, often a barcode, on white, yellow or silver paper."""
    rows, columns = int(rng.integers(90, 150)), int(rng.integers(150, 260))
    paper = np.asarray(((0.78, 0.78, 0.76), (0.7, 0.55, 0.06), (0.5, 0.5, 0.52), (0.1, 0.2, 0.5))[int(rng.integers(4))])
    ink = np.array([0.02, 0.02, 0.025]) if paper.mean() > 0.3 else np.array([0.8, 0.8, 0.8])
    plate = np.zeros((rows, columns), np.uint8)
    y = 26
    bars = rng.random() < 0.65
    while y < rows - (44 if bars else 8):
        word = f"{_WORDS[int(rng.integers(len(_WORDS)))]} {int(rng.integers(10, 99999))}"
        cv2.putText(plate, word, (8, y), cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.5, 0.75)), 255, 2, cv2.LINE_AA)
        y += 24
    if bars:
        code = np.repeat(rng.integers(0, 2, (columns - 20) // 3), 3).astype(np.uint8) * 255
        plate[rows - 36 : rows - 8, 10 : 10 + code.size] = code
    if rng.random() < 0.5:
        cv2.rectangle(plate, (3, 3), (columns - 4, rows - 4), 255, 2)
    share = (plate.astype(np.float32) / np.float32(255))[..., None]
    return (paper * (1 - share) + ink * share).astype(np.float32)


def draw_tool_mark(rng: Rng, layers: Layers, centre: tuple[float, float], scale: float) -> Box | None:
    """Presses regular marks into the layers: milling chatter in parallel arcs, or the knurl of a clamp."""
    clamp = rng.random() < 0.4
    half_w = rng.uniform(14, 26) * scale if clamp else rng.uniform(28, 70) * scale
    half_h = rng.uniform(10, 18) * scale if clamp else rng.uniform(18, 45) * scale
    reach = int(np.hypot(half_w, half_h)) + 3
    x0, y0 = int(centre[0]) - reach, int(centre[1]) - reach
    height, width = layers.height.shape
    if x0 < 0 or y0 < 0 or x0 + 2 * reach > width or y0 + 2 * reach > height:
        return None
    ys, xs = np.mgrid[-reach:reach, -reach:reach].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    u, v = np.cos(angle) * xs + np.sin(angle) * ys, -np.sin(angle) * xs + np.cos(angle) * ys
    inside = np.clip(half_w - np.abs(u), 0, 2) * np.clip(half_h - np.abs(v), 0, 2) / 4
    pitch = rng.uniform(4.5, 9.0) * scale
    if clamp:
        wave = np.sin(u * (2 * np.pi / pitch)) * np.sin(v * (2 * np.pi / pitch))
    else:
        bow = rng.uniform(150, 500) * scale
        wave = np.sin((np.hypot(u + bow, v) - bow) * (2 * np.pi / pitch))
    window = (slice(y0, y0 + 2 * reach), slice(x0, x0 + 2 * reach))
    depth = rng.uniform(0.25, 0.6) * scale
    layers.height[window] += (depth * inside * wave - (0.4 * inside if clamp else 0)).astype(np.float32)
    layers.albedo[window] *= (1 + 0.1 * inside * wave)[..., None].astype(np.float32)
    rows, columns = np.nonzero(inside > 0.5)
    return (
        x0 + int(columns.min()), y0 + int(rows.min()), x0 + int(columns.max()) + 1, y0 + int(rows.max()) + 1,
    )


def draw_glare(rng: Rng, shape: tuple[int, int], centre: tuple[float, float], scale: float) -> tuple[FloatImage, Box]:
    """Returns the light (HxW, display units) of a lamp or a window mirrored in the surface, and its box."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    a, b = rng.uniform(22, 75) * scale, rng.uniform(12, 40) * scale
    dx, dy = xs - np.float32(centre[0]), ys - np.float32(centre[1])
    u, v = (np.cos(angle) * dx + np.sin(angle) * dy) / a, (-np.sin(angle) * dx + np.cos(angle) * dy) / b
    power = 2 if rng.random() < 0.6 else 6
    spot = np.exp(-(np.abs(u) ** power + np.abs(v) ** power)).astype(np.float32)
    rows, columns = np.nonzero(spot > 0.25)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return spot * np.float32(rng.uniform(0.7, 2.2)), box


def _fibre(rng: Rng, centre: tuple[float, float], scale: float) -> NDArray[np.int32]:
    """Returns a short curled path in sixteenths of a pixel."""
    length = rng.uniform(12, 32) * scale
    t = np.linspace(0, 1, 24)
    heading = rng.uniform(0, 2 * np.pi) + rng.uniform(2.0, 5.5) * t * float(rng.choice([-1.0, 1.0])) + rng.uniform(-1, 1) * t**2
    steps = length / 24 * np.stack((np.cos(heading), np.sin(heading)), axis=1)
    return np.round((np.cumsum(steps, axis=0) + np.asarray(centre)) * 16).astype(np.int32)


def draw_dust(
    rng: Rng, shape: tuple[int, int], centre: tuple[float, float], scale: float
) -> tuple[FloatImage, Box]:
    """Returns the cover (HxW) of a few specks and a fibre or two around a point, and their box."""
    cover = np.zeros(shape, np.uint8)
    spread = rng.uniform(12, 45) * scale
    for _ in range(int(rng.integers(3, 12))):
        x, y = np.asarray(centre) + rng.normal(0, 1, 2) * spread / 2
        radius = rng.uniform(0.5, 1.4) * scale
        cv2.circle(cover, (int(x * 16), int(y * 16)), int(radius * 16), int(rng.integers(150, 256)), -1, cv2.LINE_AA, 4)
    for _ in range(int(rng.integers(0, 3))):
        where = np.asarray(centre) + rng.normal(0, 1, 2) * spread / 3
        path = _fibre(rng, (float(where[0]), float(where[1])), scale)
        cv2.polylines(cover, [path], False, 200, max(1, round(scale)), cv2.LINE_AA, 4)
    ys, xs = np.nonzero(cover > 40)
    if xs.size == 0:
        return np.zeros(shape, np.float32), (0, 0, 0, 0)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    return cover.astype(np.float32) / np.float32(255), box
