"""One photograph from one seed: a part on a bench, its defects and its harmless marks, all known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.errors import UsageError
from tools.forge import negatives
from tools.forge.camera import (
    Camera,
    Layers,
    Lighting,
    Window,
    choose_camera,
    choose_lighting,
    develop,
    shade,
    to_display,
)
from tools.forge.defects import Flaw, draw_flaw
from tools.forge.parts import PART_SHAPES, Outline, paint_bench, place_part
from tools.forge.sentences import noun_of, sentences
from tools.forge.textures import SURFACES, paint_surface
from tools.forge.truth import DEFECT_TYPES, HARD_NEGATIVES, Sample, TrueDefect, TrueNegative, place_of

__all__ = ["synthesize"]

FloatImage = NDArray[np.float32]
Rng = np.random.Generator

_SHAPE_ODDS = (0.3, 0.3, 0.1, 0.1, 0.1, 0.1)
_ARUCO_SIDES_MM = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0)
# A defect counts as visible from this contrast in display units, and this many times what hides it.
_LEAST_CONTRAST = 0.05
_LEAST_SNR = 1.1


@dataclass
class _Scene:
    """What the steps of one synthesis share."""

    rng: Rng
    shape: tuple[int, int]
    scale: float
    surface: str
    outline: Outline
    layers: Layers
    lighting: Lighting
    part_mask: NDArray[np.bool_]
    taken: NDArray[np.uint8]  # where something already lies
    negatives: list[TrueNegative] = field(default_factory=list)

    def free_spot(self, reach_px: float) -> tuple[float, float] | None:
        """Returns a point of the part at least `reach_px` away from its edges and from what lies there."""
        height, width = self.shape
        for _ in range(60):
            x, y = int(self.rng.integers(width)), int(self.rng.integers(height))
            r = int(reach_px)
            if x < r or y < r or x + r >= width or y + r >= height:
                continue
            if self.outline.distance[y, x] < -reach_px and not self.taken[y - r : y + r + 1, x - r : x + r + 1].any():
                return float(x), float(y)
        return None

    def take(self, box: negatives.Box, margin: int) -> None:
        self.taken[
            max(0, box[1] - margin) : box[3] + margin, max(0, box[0] - margin) : box[2] + margin
        ] = 1


def _build_layers(rng: Rng, shape: tuple[int, int], surface: str, outline: Outline, shadow_xy: tuple[float, float]) -> Layers:
    grain = outline.angle_rad + float(rng.choice([0.0, np.pi / 2])) + rng.normal(0, 0.03)
    skin = paint_surface(surface, rng, shape, grain, outline.centre_xy_px)
    bench_albedo, bench_height = paint_bench(rng, shape)
    cover = np.clip(0.5 - outline.distance, 0, 1)
    three = cover[..., None]
    # The part stands a few pixels above the bench: it throws a soft shadow, and darkens its own foot.
    lift = rng.uniform(6, 16) * min(shape) / 640
    move = np.array([[1, 0, lift * shadow_xy[0]], [0, 1, lift * shadow_xy[1]]], np.float32)
    fall = cv2.warpAffine(cv2.GaussianBlur(cover, (0, 0), lift * 0.5), move, shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    foot = cv2.GaussianBlur(cover, (0, 0), lift * 0.35)
    shadow = 1 - (0.75 * fall) * (1 - cover)
    dark = 1 - 0.55 * foot * (1 - cover)
    lobe = np.empty((*shape, 2), np.float32)
    lobe[..., 0] = 0.6 + cover * (skin.roughness[0] - 0.6)
    lobe[..., 1] = 0.6 + cover * (skin.roughness[1] - 0.6)
    height = bench_height * (1 - cover) + (skin.height + outline.relief) * cover
    return Layers(
        height.astype(np.float32),
        ((bench_albedo * dark[..., None]) * (1 - three) + skin.albedo * three).astype(np.float32),
        (0.03 * (1 - cover) + skin.gloss * cover).astype(np.float32),
        lobe,
        np.broadcast_to(np.asarray(skin.tangent[0], np.float32), shape),
        np.broadcast_to(np.asarray(skin.tangent[1], np.float32), shape),
        skin.tint,
        shadow.astype(np.float32),
    )


def _visible(flaw: Flaw, clean: FloatImage, flawed: FloatImage, camera: Camera) -> bool:
    """Returns whether a careful eye sees the difference above noise and texture."""
    blur = max(camera.blur_px, 0.4)
    change = cv2.GaussianBlur(to_display(flawed, camera) - to_display(clean, camera), (0, 0), blur)
    change = np.abs(change).max(axis=-1)[flaw.mask]
    texture = cv2.cvtColor(to_display(clean, camera), cv2.COLOR_RGB2GRAY)
    near = cv2.GaussianBlur(texture, (0, 0), max(blur, flaw.grain_px))
    far = cv2.GaussianBlur(texture, (0, 0), max(blur, flaw.grain_px) * 3 + 2)
    hiding = float(np.std(near - far)) + 0.008
    contrast = float(np.sqrt(np.mean(np.square(change)))) if change.size else 0.0
    return contrast >= _LEAST_CONTRAST and contrast >= _LEAST_SNR * hiding


def _add_defect(scene: _Scene, type_: str, light: FloatImage, camera: Camera) -> Flaw | None:
    """Draws a defect where there is room, as strong as it must be to be seen, into layers and light."""
    for _ in range(14):
        centre = scene.free_spot(9 * scene.scale)
        if centre is None:
            return None
        flaw = draw_flaw(type_, scene.rng, centre, scene.shape, scene.surface, scene.scale)
        window: Window = flaw.window
        inside = scene.part_mask[window] & (scene.outline.distance[window] < -2.5) & (scene.taken[window] == 0)
        if not flaw.mask.any() or _cut_off(flaw, scene.shape) or not inside[flaw.mask].all():
            continue
        for strength in (1.0, 1.5, 2.2):
            layers = scene.layers.cut(window)
            flaw.work_in(layers, strength)
            flawed = shade(layers, scene.lighting, window)
            if _visible(flaw, light[window], flawed, camera):
                light[window] = flawed
                return flaw
    return None


def _cut_off(flaw: Flaw, shape: tuple[int, int]) -> bool:
    """Returns whether the defect touches the border of the picture, where its true size would not show."""
    edge = np.zeros(shape, bool)
    edge[flaw.window] = flaw.mask
    return bool(edge[:2].any() or edge[-2:].any() or edge[:, :2].any() or edge[:, -2:].any())


def _add_flat_negatives(scene: _Scene, kinds: Sequence[str], shadow_xy: tuple[float, float]) -> None:
    """Adds labels and tool marks, which belong to the surface."""
    if "label" in kinds:
        sticker = negatives.draw_label(scene.rng)
        width = scene.rng.uniform(90, 190) * scene.scale
        size = (width, width * sticker.shape[0] / sticker.shape[1])
        spot = scene.free_spot(np.hypot(*size) / 2)
        turn = scene.outline.angle_rad + scene.rng.normal(0, 0.06)
        sheet = spot and negatives.turned_print(sticker, spot, size, turn, scene.shape)
        if sheet:
            sheet.lay_on(scene.layers, scene.rng.uniform(0.03, 0.2), 0.4, shadow_xy)
            scene.negatives.append(TrueNegative("label", sheet.box_xyxy_px))
            scene.take(sheet.box_xyxy_px, 4)
    if "tool mark" in kinds:
        spot = scene.free_spot(50 * scene.scale)
        box = negatives.draw_tool_mark(scene.rng, scene.layers, spot, scene.scale) if spot else None
        if box:
            scene.negatives.append(TrueNegative("tool mark", box))
            scene.take(box, 4)


def _add_loose_negatives(scene: _Scene, kinds: Sequence[str], light: FloatImage, camera: Camera) -> None:
    """Adds glare and dust to the light: they lie above the surface."""
    white = np.float32(1.0 / camera.exposure)
    shiny = float(np.mean(scene.layers.gloss[scene.part_mask])) > 0.08
    if "glare" in kinds and shiny and (spot := scene.free_spot(25 * scene.scale)):
        glow, box = negatives.draw_glare(scene.rng, scene.shape, spot, scene.scale)
        sheen = np.clip(scene.layers.gloss / max(float(np.mean(scene.layers.gloss[scene.part_mask])), 1e-3), 0.4, 1.6)
        light += (white * glow * sheen * scene.part_mask)[..., None]
        scene.negatives.append(TrueNegative("glare", box))
        scene.take(box, 4)
    if "dust" in kinds:
        for _ in range(int(scene.rng.integers(1, 4))):
            spot = scene.free_spot(20 * scene.scale)
            if spot is None:
                return
            cover, box = negatives.draw_dust(scene.rng, scene.shape, spot, scene.scale)
            if box[2] == 0 or scene.taken[box[1] : box[3], box[0] : box[2]].any():
                continue
            move = np.array([[1, 0, 1.5], [0, 1, 1.5]], np.float32)
            shadow = cv2.warpAffine(cv2.GaussianBlur(cover, (0, 0), 1.2), move, cover.shape[::-1])
            light *= (1 - 0.35 * shadow)[..., None]
            dust = white * np.float32(scene.rng.uniform(0.3, 0.6)) * np.array([1, 0.97, 0.92], np.float32)
            light += (0.8 * cover)[..., None] * (dust - light)
            scene.negatives.append(TrueNegative("dust", box))
            scene.take(box, 2)


def _add_aruco(scene: _Scene, mm_per_px: float, shadow_xy: tuple[float, float]) -> float | None:
    """Lays a marker card on the scene; returns its side in mm, or None where there was no room."""
    rng, scale = scene.rng, scene.scale
    sides = [s for s in _ARUCO_SIDES_MM if 48 * scale <= s / mm_per_px <= 120 * scale]
    if not sides:
        return None
    side_mm = float(rng.choice(sides))
    card_px = side_mm / mm_per_px * 8 / 6
    reach = card_px / 2 * 1.45 + 4
    height, width = scene.shape
    for attempt in range(40):
        x, y = rng.uniform(reach, width - reach), rng.uniform(reach, height - reach)
        r = int(card_px / 2) + 2
        around = (slice(int(y) - r, int(y) + r), slice(int(x) - r, int(x) + r))
        on_part = scene.part_mask[around]
        # Wholly on the bench or wholly on the part, so that the card lies flat.
        if scene.taken[around].any() or (on_part.any() and not on_part.all()) or (on_part.any() and attempt < 25):
            continue
        turn = rng.uniform(-np.pi, np.pi)
        picture = negatives.draw_aruco(int(rng.integers(50)))
        card = negatives.turned_print(picture, (x, y), (card_px, card_px), turn, scene.shape)
        if card:
            card.lay_on(scene.layers, 0.03, 0.5, shadow_xy)
            scene.take(card.box_xyxy_px, 4)
            return side_mm
    return None


def _truth(flaw: Flaw, scene: _Scene, mm_per_px: float, part_box: negatives.Box) -> TrueDefect:
    mask = np.zeros(scene.shape, bool)
    mask[flaw.window] = flaw.mask
    ys, xs = np.nonzero(mask)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    area = float(np.count_nonzero(mask))
    return TrueDefect(
        flaw.type, mask, box, flaw.length_px * mm_per_px, flaw.width_px * mm_per_px, area * mm_per_px**2,
        flaw.length_px, flaw.width_px, area, place_of(box, part_box),
    )


def _choose_defects(rng: Rng, surface: str, rate: float) -> tuple[str, ...]:
    if rng.random() >= rate:
        return ()
    odds = np.array([0.3, 0.08, 0.2, 0.42] if surface == "fabric" else [0.27, 0.24, 0.24, 0.25])
    count = int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08]))
    return tuple(str(kind) for kind in rng.choice(DEFECT_TYPES, size=count, p=odds))


def _choose_negatives(rng: Rng) -> list[str]:
    return [kind for kind, odds in zip(HARD_NEGATIVES, (0.3, 0.15, 0.17, 0.17), strict=True) if rng.random() < odds]


def _checked(material: str | None, defects: Sequence[str] | None) -> None:
    if material is not None and material not in SURFACES:
        raise UsageError(f"unknown material {material!r}", f"one of: {', '.join(SURFACES)}")
    for kind in defects or ():
        if kind not in DEFECT_TYPES:
            raise UsageError(f"unknown defect type {kind!r}", f"one of: {', '.join(DEFECT_TYPES)}")


def synthesize(
    seed: int,
    *,
    size_px: tuple[int, int] = (640, 640),
    defect_rate: float = 0.5,
    material: str | None = None,
    with_aruco: bool | None = None,
    defects: Sequence[str] | None = None,
    part_shape: str | None = None,
    mm_per_px: float | None = None,
) -> Sample:
    """Makes one photograph of a part; the same arguments give the same bytes.

    Args:
        size_px: Width and height.
        defect_rate: Share of seeds that get one to three defects, where `defects` is not given.
        material: Key of `tools.forge.textures.SURFACES`; None lets the seed choose.
        with_aruco: Whether a marker lies in the picture; None lets the seed choose (one in six). There may
            be no room for it: `aruco_side_mm` says so.
        defects: Exactly these types (one that finds no room or cannot be made visible is left out).
        part_shape: One of `tools.forge.parts.PART_SHAPES`; None lets the seed choose.
        mm_per_px: Scale; None lets the seed choose between 0.04 and 0.25.

    Raises:
        UsageError: An unknown material or defect type.
    """
    _checked(material, defects)
    # One stream per question, so that answering one by an argument leaves the others as they were.
    streams = [np.random.default_rng([seed, index]) for index in range(8)]
    shape = (size_px[1], size_px[0])
    surface = material or str(streams[0].choice(list(SURFACES)))
    kind = part_shape or str(streams[1].choice(PART_SHAPES, p=_SHAPE_ODDS))
    scale_mm = mm_per_px or float(np.round(np.exp(streams[2].uniform(np.log(0.04), np.log(0.25))), 4))
    outline = place_part(streams[1], shape, kind)
    lighting = choose_lighting(streams[3], shape)
    layers = _build_layers(streams[0], shape, surface, outline, lighting.shadow_xy)
    part_mask = outline.distance < 0
    scene = _Scene(
        streams[4], shape, min(shape) / 640, surface, outline, layers, lighting, part_mask, np.zeros(shape, np.uint8)
    )
    aruco_side = None
    if (streams[5].random() < 1 / 6) if with_aruco is None else with_aruco:
        aruco_side = _add_aruco(scene, scale_mm, lighting.shadow_xy)
    kinds = _choose_negatives(streams[6])
    _add_flat_negatives(scene, kinds, lighting.shadow_xy)
    light = shade(layers, lighting, (slice(None), slice(None)))
    camera = choose_camera(streams[7], light, part_mask, scene.scale)
    truths = []
    part_box = cv2.boundingRect(part_mask.astype(np.uint8))
    part_xyxy = (part_box[0], part_box[1], part_box[0] + part_box[2], part_box[1] + part_box[3])
    for type_ in _choose_defects(scene.rng, surface, defect_rate) if defects is None else defects:
        flaw = _add_defect(scene, type_, light, camera)
        if flaw:
            truths.append(_truth(flaw, scene, scale_mm, part_xyxy))
            scene.take(truths[-1].box_xyxy_px, 6)
    _add_loose_negatives(scene, kinds, light, camera)
    image = develop(streams[7], light, camera)
    noun = noun_of(surface, kind)
    return Sample(
        seed, image, part_mask, noun, surface, tuple(truths), tuple(scene.negatives), scale_mm, aruco_side,
        sentences(noun, truths, scene.negatives, streams[2]),
    )
