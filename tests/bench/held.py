"""Screening with good parts beside screening without, and how long it takes to add eight of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.bench.timing import by_turns
from tools.checkpoints import Runtime, resolve
from tools.forge.scene import synthesize
from tools.records import ImageRecord
from tools.references.backbones import load_backbone
from tools.references.reference_set import ReferenceSet
from tools.screening.combined import CombinedScreener
from tools.screening.screener import Screener

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.recipe import Recipe

_GOOD, _IMAGES, _ROUNDS = 8, 16, 3
_SERIES = 19  # one painted cover, photographed again and again


def lines(recipe: Recipe) -> Iterator[str]:
    """With each backbone; the detector is asked by neither."""
    settings = recipe.screening.model_copy(update={"detector_from": None})
    recipe = recipe.model_copy(update={"screening": settings})
    good = [_photograph(4_330_000 + number) for number in range(_GOOD)]
    images = [_photograph(4_340_000 + number) for number in range(_IMAGES)]
    words = Screener(resolve("clip", recipe.models), recipe, Runtime("cpu"))
    for names in (("texture",), ("texture", "clip")):
        backbones = [load_backbone(name, recipe.models, device="cpu") for name in names]
        began = time.perf_counter()
        parts = ReferenceSet.build(good, backbones)
        built_s = time.perf_counter() - began
        held = CombinedScreener(words, recipe, good=parts)
        race = by_turns(
            lambda: list(words.screen(images)), lambda held=held: list(held.screen(images)), _ROUNDS
        )
        yield (
            f"{' + '.join(names)}: {_GOOD} good parts added in {built_s:.1f} s; screening against them "
            f"{_IMAGES / race.theirs_s:.1f} images/s, by words alone {_IMAGES / race.ours_s:.1f}: "
            f"{race.ratio:.2f} times the time"
        )


def _photograph(seed: int) -> tuple[ImageRecord, NDArray[np.uint8]]:
    image_rgb = synthesize(seed, with_aruco=False, mm_per_px=0.1, series=_SERIES).image_rgb
    height, width = image_rgb.shape[:2]
    return ImageRecord(id=f"img_{seed}", name=f"{seed}.png", width_px=width, height_px=height), image_rgb
