"""Regions of a synthesised photograph with a true caption each: what the pocket BLIP learns to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.captioning.captioner import region_of
from tools.forge.augment import developed
from tools.forge.sentences import article
from tools.forge.training_set import Photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.forge.training_set import Box, Mark

__all__ = ["TELLING_WORDS", "Captioned", "captioned_regions"]

# Of a defect caption, what says of which type the defect is.
TELLING_WORDS = ("thin", "scratch", "jagged", "crack", "round", "oval", "dent", "contamination", "stain")

# How often a region is of a defect, of a harmless mark, of nothing, or the whole photograph.
_KINDS, _ODDS = ("defect", "harmless", "nothing", "whole"), (0.68, 0.12, 0.1, 0.1)
_JITTER = 0.12  # of a box's side: a detector's boxes are not exact
_TONE = 7.0  # grey levels from which a mark is called dark or bright
_LONG = 2.2  # spread along over spread across from which a mark has a direction
_ROUND = 1.3  # the same ratio up to which it is called round
_HARMLESS = {
    "dust": ("dust specks", "a few specks of dust", "a loose dust fibre"),
    "glare": ("a patch of glare", "a bright glare reflection", "a bright spot of glare"),
    "label": ("a printed label", "a label with printed text", "a label stuck"),
    "tool mark": ("regular tool marks", "a regular tool mark pattern", "parallel tool marks"),
}


@dataclass(frozen=True)
class Captioned:
    """One region at the model's input size.

    Attributes:
        pixels: uint8 RGB of shape (side, side, 3).
        type: The defect type that the caption must name; empty without a defect.
    """

    pixels: NDArray[np.uint8]
    caption: str
    type: str = ""


def _surface(photo: Photo) -> str:
    """Names the surface without the part's shape, which a region does not show."""
    return f"{photo.material.rpartition(' ')[0] or photo.material} surface"


def _spread(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Returns how much longer than wide a mark is, and the tilt of its long axis in degrees, 0 to 90."""
    ys, xs = np.nonzero(mask)
    if len(xs) < 8:
        return 1.0, 0.0
    values, axes = np.linalg.eigh(np.cov(np.stack([xs, ys])))
    degrees = abs(float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))))
    return float(np.sqrt(values[1] / max(values[0], 0.1))), min(degrees, 180 - degrees)


def _direction(mask: NDArray[np.bool_]) -> str:
    ratio, tilt = _spread(mask)
    if ratio < _LONG:
        return ""
    return "horizontal" if tilt < 25 else "vertical" if tilt > 65 else "diagonal"


def _tone(region: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """Says whether a mark is darker or brighter than what surrounds it."""
    if not mask.any() or mask.all():
        return ""
    grey = region.mean(axis=2)
    difference = float(grey[mask].mean() - np.median(grey[~mask]))
    return "dark" if difference < -_TONE else "bright" if difference > _TONE else ""


def _defect_caption(photo: Photo, mark: Mark, region: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """Says what can be seen of a defect in its region: tone, direction, type, material."""
    words = {
        "scratch": (_tone(region, mask), _direction(mask), "thin scratch"),
        "crack": (_tone(region, mask), _direction(mask), "jagged crack"),
        "dent": ("round" if _spread(mask)[0] < _ROUND else "oval", "dent"),
        "contamination": (_tone(region, mask), "contamination stain"),
    }[mark.type]
    return f"{article(' '.join(word for word in words if word))} on {article(_surface(photo))}"


def _whole_caption(photo: Photo) -> str:
    if not photo.defects:
        return f"{article(photo.material)} without visible defects"
    types = " and ".join(article(each) for each in dict.fromkeys(mark.type for mark in photo.defects))
    return f"{article(photo.material)} with {types}".replace("a contamination", "contamination")


def _jittered(box: Box, rng: np.random.Generator) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = box
    across, down = _JITTER * (x_max - x_min), _JITTER * (y_max - y_min)
    moves = rng.uniform(-1, 1, 4) * (across, down, across, down)
    return x_min + moves[0], y_min + moves[1], x_max + moves[2], y_max + moves[3]


def _empty_box(photo: Photo, rng: np.random.Generator) -> Box | None:
    """Finds a place with no mark in its region; None where the photograph is too full."""
    width, height = photo.size_px
    for _ in range(8):
        side = int(rng.integers(60, 110))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        apart = [
            x - side > b[2] or x + 2 * side < b[0] or y - side > b[3] or y + 2 * side < b[1]
            for b in (mark.box_xyxy_px for mark in photo.marks)
        ]
        if all(apart):
            return x, y, x + side, y + side
    return None


def _one(
    photo: Photo, image: NDArray[np.uint8], masks: list[NDArray[np.bool_]], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], str, str] | None:
    """Returns a region, its caption and its defect type; None where there is none of the chosen kind."""
    kind = str(rng.choice(_KINDS, p=_ODDS))
    quarters, mirrored = int(rng.integers(4)), slice(None, None, int(rng.choice([-1, 1])))

    def turned(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(pixels, quarters)[:, mirrored])

    if kind == "whole":
        return turned(image), _whole_caption(photo), ""
    if kind == "nothing":
        box = _empty_box(photo, rng)
        caption = f"a clean {_surface(photo)} without visible defects"
        return box and (turned(region_of(image, box)), caption, "")
    marks = [mark for mark in photo.marks if mark.is_defect == (kind == "defect")]
    if not marks:
        return None
    number = int(rng.integers(len(marks)))
    mark, around = marks[number], _jittered(marks[number].box_xyxy_px, rng)
    region = turned(region_of(image, around))
    if not mark.is_defect:
        words = _HARMLESS[mark.type]
        return region, f"{words[int(rng.integers(len(words)))]} on {article(_surface(photo))}", ""
    mask = turned(region_of(masks[number].astype(np.uint8), around)) > 0
    return region, _defect_caption(photo, mark, region, mask), mark.type


def captioned_regions(photo: Photo, count: int, rng: np.random.Generator, *, side_px: int) -> list[Captioned]:
    """Returns up to `count` regions of one photograph, turned and under another light, with their captions.

    Args:
        photo: A photograph with its truth.
        count: How many to try for.
        rng: Chooses regions, orientations, light and wording.
        side_px: The model's input size.
    """
    import cv2

    image, masks = photo.pixels(), photo.masks()
    found = [_one(photo, image, masks, rng) for _ in range(count)]
    regions = []
    for pixels, caption, kind in (each for each in found if each):
        method = cv2.INTER_AREA if max(pixels.shape[:2]) > side_px else cv2.INTER_CUBIC
        resized = np.asarray(cv2.resize(pixels, (side_px, side_px), interpolation=method), dtype=np.uint8)
        regions.append(Captioned(developed(resized, rng), caption, kind))
    return regions
