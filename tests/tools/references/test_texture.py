from __future__ import annotations

import numpy as np
import pytest

from tools.references.texture import texture_features


@pytest.mark.parametrize(
    ("size", "grid"), [((256, 256), (32, 32)), ((300, 600), (32, 64)), ((40, 33), (39, 32))]
)
def test_covers_the_picture_with_about_square_cells(size: tuple[int, int], grid: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    features = texture_features(image, side_px=256, cell_px=8)
    assert features.shape[:2] == grid
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_stronger_light_changes_less_than_another_texture(part) -> None:
    image = part(1)
    brighter = (image.astype(np.float32) * 1.15).clip(0, 255).astype(np.uint8)
    other = np.random.default_rng(2).integers(0, 256, image.shape, dtype=np.uint8)
    plain, lit, foreign = (texture_features(each, 128, 8) for each in (image, brighter, other))
    assert np.abs(lit - plain).mean() < 0.15 * np.abs(foreign - plain).mean()


def test_only_cells_about_a_line_change_much() -> None:
    plain = np.full((128, 128, 3), 150, np.uint8)
    lined = plain.copy()
    lined[62:65, :] = 60
    change = np.abs(texture_features(lined, 128, 8) - texture_features(plain, 128, 8)).mean(axis=(1, 2))
    assert change[7:9].min() > 3 * change[[0, 1, 14, 15]].max()
