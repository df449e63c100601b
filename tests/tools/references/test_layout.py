from __future__ import annotations

import numpy as np
import pytest

from tools.references.layout import Layout, View, local_distances


@pytest.fixture(scope="module")
def layout(part) -> Layout:
    return Layout([View.of(part(number)) for number in range(1, 6)])


def without_bar(image: np.ndarray) -> np.ndarray:
    changed = image.copy()
    changed[33:88, 93:108] = image[33:88, 78:93]
    return changed


@pytest.mark.parametrize("kind", ["edge_differences", "shape_differences"])
def test_a_missing_component_shows_in_its_place(layout: Layout, part, kind: str) -> None:
    good, bad = (getattr(layout, kind)(View.of(each)) for each in (part(20), without_bar(part(20))))
    assert bad.max() > 2 * good.max()
    row, column = np.unravel_index(bad.argmax(), bad.shape)
    assert 85 < (column + 0.5) * 160 / bad.shape[1] < 115
    assert 30 < (row + 0.5) * 120 / bad.shape[0] < 90


def test_a_shadow_over_the_part_differs_less_in_shape_than_a_missing_component(layout: Layout, part) -> None:
    shade = np.linspace(0.6, 1.0, 160)[None, :, None]
    shaded = (part(20) * shade).astype(np.uint8)
    missing = layout.shape_differences(View.of(without_bar(part(20)))).max()
    assert layout.shape_differences(View.of(shaded)).max() < missing / 2


@pytest.mark.parametrize("kind", ["edge_differences", "shape_differences"])
def test_a_reference_is_not_compared_with_itself(layout: Layout, part, kind: str) -> None:
    compare = getattr(layout, kind)
    assert compare(View.of(part(2)), without=1).mean() > compare(View.of(part(2))).mean()


def test_distances_reach_as_far_as_asked() -> None:
    generator = np.random.default_rng(1)
    grid = generator.standard_normal((6, 7, 3)).astype(np.float32)
    moved = np.roll(grid, (1, 2), axis=(0, 1))
    inner = (slice(2, 4), slice(3, 4))
    assert local_distances(moved, [grid], reach=2)[inner].max() == 0
    assert local_distances(moved, [grid], reach=1)[inner].min() > 0
    assert local_distances(moved, [grid, moved], reach=0).max() == 0
