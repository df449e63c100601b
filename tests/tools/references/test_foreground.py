from __future__ import annotations

import numpy as np

from tools.references.foreground import foreground


def test_the_part_and_its_outline_count(part) -> None:
    mask = foreground(part(1), (12, 16))
    assert mask is not None
    assert mask[3:9, 4:12].all()
    assert not mask[0].any()
    assert not mask[:, 0].any()


def test_no_background_is_left_out_of_a_picture_full_of_texture() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert foreground(noise, (8, 8)) is None
    assert foreground(np.full((64, 64, 3), 90, np.uint8), (8, 8)) is None
