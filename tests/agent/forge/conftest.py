from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from PIL import Image

from agent.forge.cases import make_case
from agent.forge.simulated import SimulatedSteps
from agent.forge.trajectories import Stage
from agent.models.pictures import Picture

MakeStage = Callable[..., Stage]


def grey(label: str) -> Picture:
    return Picture(label, Image.new("RGB", (112, 84), (90, 120, 90)))


@pytest.fixture
def make_stage() -> MakeStage:
    def make(count: int = 5, seed: int = 4, **options: bool) -> Stage:
        return Stage(SimulatedSteps(make_case(random.Random(seed), count)), grey, **options)

    return make
