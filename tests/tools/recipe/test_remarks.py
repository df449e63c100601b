from __future__ import annotations

import pytest

from tools.recipe.file import load_recipe
from tools.recipe.problems import parse_recipe
from tools.recipe.remarks import remarks

VALID = "recipe_version: 1\nname: test\npart: {name: plate}\ndefects:\n  scratch: {accept: {}}\n"
POINTS = "scale: {points_px: [[0, 0], [90, 0]], distance_mm: 9"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("screening: {threshold: 0.95}\n", "a band of 0.05 or less"),
        ("screening: {threshold: 0.9}\n", ""),  # up to 1, which the sum reaches
        ("screening: {threshold: 0.7, review_band: 0.3}\n", ""),
        (f"{POINTS}}}\n", "image_size_px"),
        (f"{POINTS}, image_size_px: [100, 80]}}\n", ""),
        ("scale: {mm_per_px: 0.1}\n", ""),
        ("  dent: {}\n", "`dent` has no `accept`, so that none is allowed"),
        ("  dent: {accept: {max_count: 0}}\n", ""),
    ],
)
def test_what_is_seldom_meant_is_remarked(text: str, said: str) -> None:
    found = list(remarks(parse_recipe(VALID + text, "metal.yaml")))
    assert len(found) == bool(said)
    assert all(said in each for each in found)


def test_the_bundled_recipe_is_meant() -> None:
    assert list(remarks(load_recipe())) == []
