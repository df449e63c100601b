from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch
from PIL import Image
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge.cases import make_case
from agent.forge.checkpoint import Size, make_model, make_processor
from agent.forge.simulated import SimulatedSteps
from agent.forge.trajectories import Stage
from agent.models.pictures import Picture
from tools.forge.dataset import write_set
from tools.forge.training_set import Photo, read_set

MakeStage = Callable[..., Stage]

TINY = Size(hidden=64, intermediate=64, layers=1, vision_hidden=32, vision_depth=2)


def grey(label: str) -> Picture:
    return Picture(label, Image.new("RGB", (112, 84), (90, 120, 90)))


@pytest.fixture
def make_stage() -> MakeStage:
    def make(count: int = 5, seed: int = 4, **options: bool) -> Stage:
        return Stage(SimulatedSteps(make_case(random.Random(seed), count)), grey, **options)

    return make


@pytest.fixture(scope="session")
def processor() -> Qwen2_5_VLProcessor:
    return make_processor()


@pytest.fixture(scope="session")
def model(processor: Qwen2_5_VLProcessor) -> Qwen2_5_VLForConditionalGeneration:
    torch.manual_seed(0)
    return make_model(processor, TINY).eval()


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    folder = tmp_path_factory.mktemp("set") / "set"
    write_set(folder, 4, 1, size_px=(256, 256), defect_rate=1.0)
    return read_set(folder)
