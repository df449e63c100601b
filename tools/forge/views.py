"""Square views of a synthesised photograph, as screening will take them, with what is visible inside each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.forge.augment import developed
from tools.forge.phrases import LABELS
from tools.forge.training_set import Mark, Photo, tight_box
from tools.forge.truth import DEFECT_TYPES, HARD_NEGATIVES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MARK_TYPES", "View", "views_of_photo"]

MARK_TYPES = (*DEFECT_TYPES, *HARD_NEGATIVES)

# Sides as fractions of the shorter side (the whole, and the recipe's windows), and how often each is taken.
_FRACTIONS, _ODDS = (1.0, 0.5, 0.25), (0.08, 0.2, 0.72)
_TRIES = 6  # before a view of which nobody could say what it shows is left out
# Sizes at the model's input from which a defect is there to be seen, and below which it is not.
_SEEN_PX, _UNSEEN_PX = 7.0, 2.5
_SEEN_MARK_PX = 8.0
_PLAIN_PX, _SEEN_WIDTH_PX = 25.0, 0.35

Window = tuple[int, int, int]


@dataclass(frozen=True)
class View:
    """One crop at the model's input size.

    Attributes:
        pixels: uint8 RGB of shape (side, side, 3).
        state: What it shows, shape (labels,), sums to 1 over `tools.forge.phrases.LABELS`.
        patches: Which marks lie in which patch, float32 of shape (grid, grid, marks) over `MARK_TYPES`.
    """

    pixels: NDArray[np.uint8]
    state: NDArray[np.float32]
    patches: NDArray[np.float32]


def _window(photo: Photo, part: float, rng: np.random.Generator) -> Window:
    """Chooses (left, top, side); most are aimed at something, so that rare things are seen often."""
    width, height = photo.size_px
    fraction = float(rng.choice(_FRACTIONS, p=_ODDS))
    side = round(min(width, height) * min(fraction * float(np.exp(rng.uniform(-0.15, 0.15))), 1.0) * part)
    left, top = rng.uniform(0, width - side + 1), rng.uniform(0, height - side + 1)
    aim = rng.random()
    aims = photo.defects if aim < 0.5 else [m for m in photo.marks if not m.is_defect] if aim < 0.7 else []
    if aims:
        box = aims[int(rng.integers(len(aims)))].box_xyxy_px
        left = (box[0] + box[2]) / 2 - side * rng.uniform(0.05, 0.95)
        top = (box[1] + box[3]) / 2 - side * rng.uniform(0.05, 0.95)
    return int(np.clip(left, 0, width - side)), int(np.clip(top, 0, height - side)), side


def _defect_is_seen(mark: Mark, mask: NDArray[np.bool_], window: Window, model_px: int) -> bool | None:
    """Returns whether a defect is visible in a window; None where people would not agree."""
    left, top, side = window
    inside = mask[top : top + side, left : left + side]
    box, scale = tight_box(inside), model_px / side
    if box is None:
        return False
    area = float(np.count_nonzero(inside))
    longer = max(box[2] - box[0], box[3] - box[1]) * scale
    width = area * scale**2 / max(longer, 1.0)
    share = area / max(float(np.count_nonzero(mask)), 1.0)
    if longer < _UNSEEN_PX or share < 0.03:
        return False
    if width >= _SEEN_WIDTH_PX and ((share >= 0.4 and longer >= _SEEN_PX) or longer >= _PLAIN_PX):
        return True
    return None


def _box_share(mark: Mark, window: Window) -> float:
    left, top, side = window
    x_min, y_min, x_max, y_max = mark.box_xyxy_px
    across = max(min(x_max, left + side) - max(x_min, left), 0)
    down = max(min(y_max, top + side) - max(y_min, top), 0)
    return across * down / max((x_max - x_min) * (y_max - y_min), 1)


def _longer_side(mark: Mark) -> int:
    x_min, y_min, x_max, y_max = mark.box_xyxy_px
    return max(x_max - x_min, y_max - y_min)


def _state(
    photo: Photo, masks: list[NDArray[np.bool_]], window: Window, px: int
) -> NDArray[np.float32] | None:
    """Returns the target over the labels; None where a defect is there and hardly to be seen."""
    seen = [_defect_is_seen(d, mask, window, px) for d, mask in zip(photo.defects, masks, strict=True)]
    types = {defect.type for defect, visible in zip(photo.defects, seen, strict=True) if visible}
    state = np.zeros(len(LABELS), dtype=np.float32)
    if not types and None in seen:
        return None
    if not types:
        scale = px / window[2]
        types = {
            mark.type
            for mark in photo.marks
            if not mark.is_defect
            and _box_share(mark, window) >= 0.4
            and scale * _longer_side(mark) >= _SEEN_MARK_PX
        }
        # A harmless mark leaves the part good, so some of the target stays with `normal`.
        state[LABELS.index("normal")] = 0.25 if types else 1.0
    share = (1.0 - state.sum()) / max(len(types), 1)
    for kind in types:
        state[LABELS.index(kind)] = share
    return state


def _patches(photo: Photo, masks: list[NDArray[np.bool_]], window: Window, grid: int) -> NDArray[np.float32]:
    import cv2

    left, top, side = window
    inside = (slice(top, top + side), slice(left, left + side))
    result = np.zeros((grid, grid, len(MARK_TYPES)), dtype=np.float32)
    layers = [(defect.type, mask[inside], 0.012) for defect, mask in zip(photo.defects, masks, strict=True)]
    for mark in photo.marks:
        if not mark.is_defect:
            x_min, y_min, x_max, y_max = mark.box_xyxy_px
            cover = np.zeros(photo.size_px[::-1], dtype=bool)
            cover[max(y_min, 0) : y_max, max(x_min, 0) : x_max] = True
            layers.append((mark.type, cover[inside], 0.3))
    for kind, layer, least in layers:
        shares = cv2.resize(layer.astype(np.float32), (grid, grid), interpolation=cv2.INTER_AREA)
        channel = result[..., MARK_TYPES.index(kind)]
        np.maximum(channel, shares >= least, out=channel)
    return result


def views_of_photo(
    photo: Photo, count: int, rng: np.random.Generator, *, side_px: int, grid: int, part: float = 1.0
) -> list[View]:
    """Returns up to `count` views of one photograph, each in one of eight orientations and another light.

    Args:
        photo: A photograph with its truth.
        count: How many to try for.
        rng: Chooses windows, orientations and light.
        side_px: The model's input size.
        grid: Patches along a side.
        part: Side of the views in a full view's; below 1 they show less, as large as in a full view.
    """
    import cv2

    image, masks = photo.pixels(), photo.masks()
    views: list[View] = []
    for _ in range(count * _TRIES):
        if len(views) == count:
            break
        window = _window(photo, part, rng)
        state = _state(photo, masks, window, side_px)
        if state is None:
            continue
        left, top, side = window
        crop = image[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > side_px else cv2.INTER_CUBIC
        pixels = np.asarray(cv2.resize(crop, (side_px, side_px), interpolation=method), dtype=np.uint8)
        patches = _patches(photo, masks, window, grid)
        quarters, mirrored = int(rng.integers(4)), slice(None, None, int(rng.choice([-1, 1])))
        pixels = np.ascontiguousarray(np.rot90(pixels, quarters)[:, mirrored])
        patches = np.ascontiguousarray(np.rot90(patches, quarters)[:, mirrored])
        views.append(View(developed(pixels, rng), state, patches))
    return views
