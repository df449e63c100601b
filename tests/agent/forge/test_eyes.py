from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from agent.forge.checkpoint import read
from agent.forge.eyes import _classes, teach_eyes
from agent.forge.sight import Seen
from agent.forge.training import Options
from agent.models.pictures import Picture
from tests.agent.forge.conftest import TINY
from tools.forge.schedule import Budget
from tools.forge.training_set import Photo
from tools.forge.workers import Worker


def test_the_eyes_learn_and_the_language_stays(photos: list[Photo], tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    teach_eyes(Worker(), photos, first, Budget(5, steps=1), Options(size=TINY))
    teach_eyes(Worker(), photos, second, Budget(5, steps=2), Options(start=first))
    before, after = (read(folder)[0].state_dict() for folder in (first, second))
    moved = {name for name, weights in before.items() if not torch.equal(weights, after[name])}
    assert moved
    assert all(".visual." in name for name in moved)


def test_cells_are_told_token_by_token_in_the_order_of_the_tower() -> None:
    covers = np.zeros((8, 12), dtype=np.uint8)  # two rows of three tokens
    covers[0, 4], covers[3, 11], covers[4, 0] = 1, 2, 3
    classes = _classes([Seen(Picture("x", Image.new("RGB", (84, 56))), covers)])
    assert classes.shape == (6, 16)
    places = {(token, cell): int(classes[token, cell]) for token, cell in classes.nonzero().tolist()}
    assert places == {(1, 0): 1, (2, 15): 2, (3, 0): 3}
