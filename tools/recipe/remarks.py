"""What a recipe says that holds, and yet is seldom meant: remarks of `loupe recipe check`."""

from __future__ import annotations

from collections.abc import Iterator

from tools.digits import plain
from tools.recipe import Recipe, TwoPointScale

__all__ = ["remarks"]

# Sums such as 0.9 + 0.1 must not pass 1 by a rounding error of the last bit.
_ROUNDING = 1e-9


def remarks(recipe: Recipe) -> Iterator[str]:
    """Yields what somebody should know who wrote the recipe, each a sentence with what to do."""
    threshold, band = recipe.screening.threshold, recipe.screening.review_band
    if threshold + band > 1 + _ROUNDING:
        yield (
            f"nothing can be suspect with a screening.threshold of {plain(threshold)} and a review_band of "
            f"{plain(band)}, only unsure: a band of {plain(round(1 - threshold, 6))} or less leaves room"
        )
    for name, defect in recipe.defects.items():
        if "accept" not in defect.model_fields_set:
            yield f"`{name}` has no `accept`, so that none is allowed; `accept: {{}}` sets no limit"
    if isinstance(recipe.scale, TwoPointScale) and recipe.scale.image_size_px is None:
        yield (
            "the scale is taken to hold for pictures of any size: with `image_size_px: [width, height]` of "
            "the one in which points_px lie, others get no wrong millimetres"
        )
