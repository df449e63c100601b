"""One photograph from one seed: a part on a bench, its defects and its harmless marks, all known."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum, auto
from typing import TypedDict

import cv2
import numpy as np

from tools.errors import UsageError
from tools.forge.camera import Camera, choose_camera, choose_lighting, develop, shade
from tools.forge.defects import Flaw
from tools.forge.layout import Scene, build_layers
from tools.forge.parts import PART_SHAPES, place_part
from tools.forge.placing import add_aruco, add_defect, add_flat_negatives, add_loose_negatives
from tools.forge.sentences import noun_of, sentences
from tools.forge.textures import SURFACES, FloatImage, Rng, paint_surface
from tools.forge.truth import DEFECT_TYPES, HARD_NEGATIVES, Box, Sample, TrueDefect, place_of

__all__ = ["Options", "synthesize"]

_SHAPE_ODDS = (0.3, 0.3, 0.1, 0.1, 0.1, 0.1)
_CLOTH_SHAPE_ODDS = (0.65, 0.35, 0.0, 0.0, 0.0, 0.0)
_DEFECT_ODDS = (0.27, 0.24, 0.24, 0.25)
_CLOTH_DEFECT_ODDS = (0.3, 0.08, 0.2, 0.42)
_NEGATIVE_ODDS = (0.3, 0.15, 0.17, 0.17)
_ARUCO_ODDS = 1 / 6
_MM_PER_PX = (0.04, 0.25)


class Options(TypedDict, total=False):
    """What `synthesize` takes besides the seed."""

    size_px: tuple[int, int]
    defect_rate: float
    material: str | None
    with_aruco: bool | None
    defects: Sequence[str] | None
    part_shape: str | None
    mm_per_px: float | None
    series: int | None


class _Stream(IntEnum):
    """One stream of random numbers per question, so that one answer given does not change the others."""

    PRODUCT = auto()
    GRAIN = auto()
    POSE = auto()
    STATION = auto()
    ARUCO = auto()
    MARKS = auto()
    DEFECTS = auto()
    DUST = auto()
    CAMERA = auto()
    NOISE = auto()
    WORDS = auto()


def _check(material: str | None, part_shape: str | None, defects: Sequence[str] | None) -> None:
    for what, value, known in (
        ("material", material, tuple(SURFACES)),
        ("part shape", part_shape, PART_SHAPES),
        *(("defect type", kind, DEFECT_TYPES) for kind in defects or ()),
    ):
        if value is not None and value not in known:
            raise UsageError(f"unknown {what} {value!r}", f"one of: {', '.join(known)}")


def _choose_defects(rng: Rng, surface: str, rate: float) -> tuple[str, ...]:
    """Returns no type for one part of the seeds, one to three for the rest."""
    if rng.random() >= rate:
        return ()
    odds = _CLOTH_DEFECT_ODDS if surface == "fabric" else _DEFECT_ODDS
    count = int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08]))
    return tuple(str(kind) for kind in rng.choice(DEFECT_TYPES, size=count, p=odds))


def _choose_negatives(rng: Rng) -> list[str]:
    return [kind for kind, odds in zip(HARD_NEGATIVES, _NEGATIVE_ODDS, strict=True) if rng.random() < odds]


def _truth(flaw: Flaw, scene: Scene, mm_per_px: float, part_box: Box) -> TrueDefect:
    mask = np.zeros(scene.shape, bool)
    mask[flaw.window] = flaw.mask
    ys, xs = np.nonzero(mask)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    area = float(np.count_nonzero(mask))
    return TrueDefect(
        type=flaw.type,
        mask=mask,
        box_xyxy_px=box,
        length_mm=flaw.length_px * mm_per_px,
        width_mm=flaw.width_px * mm_per_px,
        area_mm2=area * mm_per_px**2,
        length_px=flaw.length_px,
        width_px=flaw.width_px,
        area_px2=area,
        place=place_of(box, part_box),
    )


def _add_defects(
    scene: Scene, rng: Rng, types: Sequence[str], light: FloatImage, camera: Camera, mm_per_px: float
) -> tuple[TrueDefect, ...]:
    left, top, width, height = cv2.boundingRect(scene.part_mask.astype(np.uint8))
    truths: list[TrueDefect] = []
    for type_ in types:
        flaw = add_defect(scene, rng, type_, light, camera)
        if flaw:
            truths.append(_truth(flaw, scene, mm_per_px, (left, top, left + width, top + height)))
            scene.take(truths[-1].box_xyxy_px, 6)
    return tuple(truths)


def _set_up(
    seed: int, series: int, shape: tuple[int, int], material: str | None, part_shape: str | None
) -> tuple[Scene, str]:
    """Lays a clean part on a lit bench; returns the scene and the part's noun."""
    product = np.random.default_rng([series, _Stream.PRODUCT])
    station = np.random.default_rng([series, _Stream.STATION])
    grain = np.random.default_rng([seed, _Stream.GRAIN])
    pose = np.random.default_rng([seed, _Stream.POSE])
    drawn = str(product.choice(list(SURFACES)))
    surface = material or drawn
    cloth = surface == "fabric"
    drawn = str(product.choice(PART_SHAPES, p=_CLOTH_SHAPE_ODDS if cloth else _SHAPE_ODDS))
    kind = part_shape or drawn
    outline = place_part(product, pose, shape, kind, soft=cloth)
    angle = outline.angle_rad + float(product.choice([0.0, np.pi / 2])) + pose.normal(0, 0.02)
    skin = paint_surface(surface, product, grain, shape, angle, outline.centre_xy_px)
    lighting = choose_lighting(station, shape)
    scene = Scene(
        shape=shape,
        scale=min(shape) / 640,
        surface=surface,
        outline=outline,
        layers=build_layers(station, skin, outline, lighting.shadow_xy),
        lighting=lighting,
        part_mask=outline.distance < 0,
        taken=np.zeros(shape, bool),
    )
    return scene, noun_of(surface, kind)


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
    series: int | None = None,
) -> Sample:
    """Makes one photograph of a part; the same arguments give the same bytes.

    Args:
        seed: Decides whatever the other arguments leave open.
        size_px: Width and height.
        defect_rate: Share of seeds that get one to three defects, where `defects` is not given.
        material: Key of `tools.forge.textures.SURFACES`; None lets the seed choose.
        with_aruco: Whether a marker lies there, if there is room; None lets the seed choose (one in six).
        defects: Exactly these types, but for any that finds no room or cannot be made visible.
        part_shape: One of `tools.forge.parts.PART_SHAPES`; None lets the seed choose.
        mm_per_px: Scale; None lets the seed choose between 0.04 and 0.25.
        series: Seed of product, bench, lamps and camera, shared by the photographs of one series; None
            makes every seed its own series.

    Raises:
        UsageError: An unknown material, part shape or defect type.
    """
    _check(material, part_shape, defects)
    stream = {question: np.random.default_rng([seed, question]) for question in _Stream}
    family = seed if series is None else series
    scene, noun = _set_up(seed, family, (size_px[1], size_px[0]), material, part_shape)
    eye = np.random.default_rng([family, _Stream.CAMERA])
    drawn = float(np.round(np.exp(eye.uniform(*np.log(_MM_PER_PX))), 4))
    scale = drawn if mm_per_px is None else mm_per_px
    if with_aruco is None:
        with_aruco = stream[_Stream.ARUCO].random() < _ARUCO_ODDS
    aruco_side_mm = add_aruco(scene, stream[_Stream.ARUCO], scale) if with_aruco else None
    kinds = _choose_negatives(stream[_Stream.MARKS])
    add_flat_negatives(scene, stream[_Stream.MARKS], kinds)
    light = shade(scene.layers, scene.lighting, (slice(None), slice(None)))
    camera = choose_camera(eye, light, scene.part_mask, scene.scale)
    if defects is None:
        defects = _choose_defects(stream[_Stream.DEFECTS], scene.surface, defect_rate)
    truths = _add_defects(scene, stream[_Stream.DEFECTS], defects, light, camera, scale)
    add_loose_negatives(scene, stream[_Stream.DUST], kinds, light, camera)
    return Sample(
        seed=seed,
        image_rgb=develop(stream[_Stream.NOISE], light, camera),
        part_mask=scene.part_mask,
        material=noun,
        surface=scene.surface,
        defects=truths,
        negatives=tuple(scene.negatives),
        mm_per_px=scale,
        aruco_side_mm=aruco_side_mm,
        sentences_en=sentences(noun, truths, scene.negatives, stream[_Stream.WORDS]),
    )
