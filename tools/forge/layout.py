"""The scene before the picture is taken: what lies where, and the layers that shading needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.forge.camera import Layers, Lighting
from tools.forge.parts import Outline, paint_bench
from tools.forge.textures import FloatImage, Rng, Surface
from tools.forge.truth import Box, TrueNegative

__all__ = ["Scene", "build_layers", "shifted"]

_BENCH_LOBE = 0.6


def shifted(image: FloatImage, xy_px: tuple[float, float], blur_px: float) -> FloatImage:
    """Returns an HxW image blurred and moved, as shadows are."""
    move = np.array([[1, 0, xy_px[0]], [0, 1, xy_px[1]]], np.float32)
    soft = cv2.GaussianBlur(image, (0, 0), blur_px)
    return np.asarray(
        cv2.warpAffine(soft, move, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.float32
    )


@dataclass
class Scene:
    """What the steps of one synthesis share.

    Attributes:
        shape: Height and width in pixels.
        scale: Picture size relative to 640 px.
        taken: HxW, where something already lies.
        negatives: The harmless marks so far.
    """

    shape: tuple[int, int]
    scale: float
    surface: str
    outline: Outline
    layers: Layers
    lighting: Lighting
    part_mask: NDArray[np.bool_]
    taken: NDArray[np.bool_]
    negatives: list[TrueNegative] = field(default_factory=list)

    def free_spot(self, rng: Rng, reach_px: float) -> tuple[float, float] | None:
        """Returns a point of the part at least `reach_px` away from its edges and from what lies there."""
        height, width = self.shape
        reach = int(np.ceil(reach_px))
        if 2 * reach >= min(height, width):
            return None
        for _ in range(60):
            x, y = int(rng.integers(reach, width - reach)), int(rng.integers(reach, height - reach))
            around = (slice(y - reach, y + reach + 1), slice(x - reach, x + reach + 1))
            if self.outline.distance[y, x] < -reach_px and not self.taken[around].any():
                return float(x), float(y)
        return None

    def is_free(self, box: Box) -> bool:
        """Returns whether nothing lies in a box yet."""
        return not self.taken[box[1] : box[3], box[0] : box[2]].any()

    def take(self, box: Box, margin_px: int) -> None:
        """Marks a box and a margin around it as taken."""
        rows = slice(max(0, box[1] - margin_px), box[3] + margin_px)
        self.taken[rows, max(0, box[0] - margin_px) : box[2] + margin_px] = True

    def add_negative(self, type_: str, box: Box) -> None:
        """Notes a harmless mark and takes its place."""
        self.negatives.append(TrueNegative(type_, box))
        self.take(box, 4)


def build_layers(look: Rng, skin: Surface, outline: Outline, shadow_xy: tuple[float, float]) -> Layers:
    """Lays a part of a material on a bench.

    Args:
        look: Decides the bench and how far the part stands above it.
        skin: The material, over the whole picture.
        outline: Where the part is.
        shadow_xy: Unit vector in which shadows fall.
    """
    shape = (skin.height.shape[0], skin.height.shape[1])
    bench_albedo, bench_height = paint_bench(look, shape)
    cover = np.asarray(np.clip(0.5 - outline.distance, 0, 1), np.float32)
    # The part stands some pixels above the bench: it throws a soft shadow, and darkens its own foot.
    lift = look.uniform(7, 20) * min(shape) / 640
    fall = shifted(cover, (lift * shadow_xy[0], lift * shadow_xy[1]), 0.5 * lift)
    foot = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.35 * lift), np.float32)

    def blend(bench: FloatImage | float, part: FloatImage | float) -> FloatImage:
        return np.asarray(bench + cover * (part - bench), np.float32)

    dark = (1 - 0.55 * foot * (1 - cover))[..., None]
    albedo = bench_albedo * dark
    return Layers(
        height=blend(bench_height, skin.height + outline.relief),
        albedo=np.asarray(albedo + cover[..., None] * (skin.albedo - albedo), np.float32),
        gloss=blend(0.03, skin.gloss),
        lobe=np.dstack([blend(_BENCH_LOBE, roughness) for roughness in skin.roughness]),
        tangent_x=np.broadcast_to(np.asarray(skin.tangent[0], np.float32), shape),
        tangent_y=np.broadcast_to(np.asarray(skin.tangent[1], np.float32), shape),
        tint=skin.tint,
        shadow=np.asarray(1 - 0.85 * fall * (1 - cover), np.float32),
    )
