"""Puts defects, harmless marks and the scale marker into a scene, each where it can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Camera, shade, to_display
from tools.forge.defects import Flaw, draw_flaw
from tools.forge.layout import Scene, shifted
from tools.forge.negatives import (
    draw_aruco,
    draw_dust,
    draw_glare,
    draw_label,
    press_tool_mark,
    turned_print,
)
from tools.forge.textures import FloatImage, Rng

__all__ = ["add_aruco", "add_defect", "add_flat_negatives", "add_loose_negatives"]

_ARUCO_SIDES_MM = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0)
_ARUCO_SIDE_PX = (72, 140)

# A defect counts as visible from this contrast in display units, and this many times what hides it.
_LEAST_CONTRAST = 0.05
_LEAST_SNR = 1.1
_STRENGTHS = (1.0, 1.5, 2.2)


def _is_visible(flaw: Flaw, clean: FloatImage, flawed: FloatImage, camera: Camera) -> bool:
    """Returns whether a careful eye sees the difference above noise and texture of the same coarseness."""
    blur = max(camera.blur_px, 0.4)
    before = to_display(clean, camera)
    change = cv2.GaussianBlur(to_display(flawed, camera) - before, (0, 0), blur)
    contrast = float(np.sqrt(np.mean(np.square(np.abs(change).max(axis=-1)[flaw.mask]))))
    texture = cv2.cvtColor(before, cv2.COLOR_RGB2GRAY)
    grain = max(blur, flaw.grain_px)
    band = cv2.GaussianBlur(texture, (0, 0), grain) - cv2.GaussianBlur(texture, (0, 0), 3 * grain + 2)
    hiding = float(np.std(band)) + 0.008
    return contrast >= _LEAST_CONTRAST and contrast >= _LEAST_SNR * hiding


def _fits(scene: Scene, flaw: Flaw) -> bool:
    """Returns whether the whole defect lies on free ground of the part, off its edges and the picture's."""
    height, width = scene.shape
    rows, columns = np.nonzero(flaw.mask)
    if rows.size == 0:
        return False
    top, left = flaw.window[0].start, flaw.window[1].start
    if rows.min() + top < 2 or columns.min() + left < 2:
        return False
    if rows.max() + top >= height - 2 or columns.max() + left >= width - 2:
        return False
    free = (scene.outline.distance[flaw.window] < -2.5) & ~scene.taken[flaw.window]
    return bool(free[flaw.mask].all())


def add_defect(scene: Scene, rng: Rng, type_: str, light: FloatImage, camera: Camera) -> Flaw | None:
    """Draws a defect where there is room, as strong as it must be to be seen.

    Args:
        scene: Where; its layers stay as they are.
        rng: Decides where and how.
        type_: One of `tools.forge.truth.DEFECT_TYPES`.
        light: HxWx3, the picture so far; changed in place.
        camera: What the eye sees it through.

    Returns:
        The defect; None where there was no room or no way to make it visible.
    """
    for _ in range(20):
        centre = scene.free_spot(rng, 9 * scene.scale)
        if centre is None:
            return None
        flaw = draw_flaw(type_, rng, centre, scene.shape, scene.surface, scene.scale)
        if not _fits(scene, flaw):
            continue
        for strength in _STRENGTHS:
            layers = scene.layers.cut(flaw.window)
            flaw.work_in(layers, strength)
            flawed = shade(layers, scene.lighting, flaw.window)
            if _is_visible(flaw, light[flaw.window], flawed, camera):
                light[flaw.window] = flawed
                return flaw
    return None


def add_flat_negatives(scene: Scene, rng: Rng, kinds: Sequence[str]) -> None:
    """Adds a label and tool marks, where they are among `kinds`: they belong to the surface."""
    if "label" in kinds:
        sticker = draw_label(rng)
        width = rng.uniform(90, 190) * scene.scale
        size = (width, width * sticker.shape[0] / sticker.shape[1])
        spot = scene.free_spot(rng, float(np.hypot(*size)) / 2)
        # Stuck on by hand along the part, and upright, as people read.
        turn = (scene.outline.angle_rad + np.pi / 2) % np.pi - np.pi / 2 + rng.normal(0, 0.06)
        sheet = turned_print(sticker, spot, size, turn, scene.shape) if spot else None
        if sheet:
            sheet.lay_on(scene.layers, rng.uniform(0.03, 0.2), 0.4, scene.lighting.shadow_xy)
            scene.add_negative("label", sheet.box_xyxy_px)
    if "tool mark" in kinds and (spot := scene.free_spot(rng, 50 * scene.scale)):
        scene.add_negative("tool mark", press_tool_mark(rng, scene.layers, spot, scene.scale))


def _add_glare(scene: Scene, rng: Rng, light: FloatImage, white: float) -> None:
    gloss = scene.layers.gloss
    usual = float(np.mean(gloss[scene.part_mask]))
    if usual < 0.08:  # cloth and the like mirror nothing
        return
    for _ in range(6):
        spot = scene.free_spot(rng, 12 * scene.scale)
        if spot is None:
            return
        glow = draw_glare(rng, scene.shape, spot, scene.scale)
        if not scene.is_free(glow.box_xyxy_px):
            continue
        window = glow.window
        sheen = np.clip(gloss[window] / usual, 0.4, 1.6) * scene.part_mask[window]
        light[window] += np.asarray(white * glow.amount * sheen, np.float32)[..., None]
        scene.add_negative("glare", glow.box_xyxy_px)
        return


def _add_dust(scene: Scene, rng: Rng, light: FloatImage, white: float) -> None:
    spot = scene.free_spot(rng, 20 * scene.scale)
    dust = draw_dust(rng, scene.shape, spot, scene.scale) if spot else None
    if dust is None or not scene.is_free(dust.box_xyxy_px):
        return
    fall = (1.5 * scene.lighting.shadow_xy[0], 1.5 * scene.lighting.shadow_xy[1])
    below = light[dust.window] * (1 - 0.35 * shifted(dust.amount, fall, 1.2))[..., None]
    colour = white * rng.uniform(0.3, 0.6) * np.array([1, 0.97, 0.92])
    light[dust.window] = below + (0.8 * dust.amount)[..., None] * (colour - below)
    scene.add_negative("dust", dust.box_xyxy_px)


def add_loose_negatives(
    scene: Scene, rng: Rng, kinds: Sequence[str], light: FloatImage, camera: Camera
) -> None:
    """Adds glare and dust to the light, where they are among `kinds`: they lie above the surface.

    Args:
        scene: Where; notes what was added.
        rng: Decides where and how.
        kinds: Of `tools.forge.truth.HARD_NEGATIVES`.
        light: HxWx3, the picture so far; changed in place.
        camera: Its exposure says what is white.
    """
    white = 1 / camera.exposure
    if "glare" in kinds:
        _add_glare(scene, rng, light, white)
    if "dust" in kinds:
        for _ in range(int(rng.integers(1, 4))):
            _add_dust(scene, rng, light, white)


def _lies_flat(scene: Scene, x: float, y: float, reach: int, on_part: bool) -> bool:
    """Returns whether a card fits there, wholly on the bench or (if allowed) wholly on the part."""
    around = (slice(int(y) - reach, int(y) + reach), slice(int(x) - reach, int(x) + reach))
    part: NDArray[np.bool_] = scene.part_mask[around]
    if scene.taken[around].any():
        return False
    return bool(part.all()) if on_part else not part.any()


def add_aruco(scene: Scene, rng: Rng, mm_per_px: float) -> float | None:
    """Lays a marker card on the bench, or on the part where the bench has no room.

    Returns:
        The marker's side in mm; None where there was no room.
    """
    low, high = (side * scene.scale for side in _ARUCO_SIDE_PX)
    sides = [side for side in _ARUCO_SIDES_MM if low <= side / mm_per_px <= high]
    if not sides:
        return None
    side_mm = float(rng.choice(sides))
    card_px = side_mm / mm_per_px * 8 / 6
    reach = int(card_px * 0.72) + 6
    picture = draw_aruco(int(rng.integers(50)))
    for attempt in range(40):
        x = rng.uniform(reach, scene.shape[1] - reach)
        y = rng.uniform(reach, scene.shape[0] - reach)
        if not _lies_flat(scene, x, y, reach, on_part=attempt >= 25):
            continue
        turn = rng.uniform(-np.pi, np.pi)
        card = turned_print(picture, (x, y), (card_px, card_px), turn, scene.shape)
        if card:
            card.lay_on(scene.layers, 0.03, 0.5, scene.lighting.shadow_xy)
            scene.take(card.box_xyxy_px, 4)
            return side_mm
    return None
