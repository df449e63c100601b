"""A workbench over four pictures, that the tests of all that it does share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.calls import Calls
from agent.events import Event
from agent.workbench import Workbench
from tests.agent.fakes import FakeEngines, write_batch
from tools.images import Batch
from tools.recipe import FixedScale, Recipe
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus

SUSPECT, UNSURE = ScreeningStatus.SUSPECT, ScreeningStatus.UNSURE


@dataclass
class Bench:
    """A workbench over four pictures, one of them unreadable, with what it told."""

    workbench: Workbench
    engines: FakeEngines
    events: list[Event]
    calls: Calls

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("batch")
    write_batch(folder, 3)
    (folder / "torn.png").write_bytes(b"no picture")
    return Batch.open([folder])


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe().model_copy(update={"scale": FixedScale(mm_per_px=0.1)})


@pytest.fixture
def make(batch: Batch, recipe: Recipe, tmp_path: Path) -> Callable[..., Bench]:
    def made(images: Batch = batch, **options: Any) -> Bench:
        engines = FakeEngines(recipe, {"img_002": SUSPECT, "img_003": UNSURE}, ["img_002", "img_001"])
        events: list[Event] = []
        settings = {"out": tmp_path / "out", "engines": engines.as_engines, "sink": events.append, **options}
        workbench = Workbench(images, recipe, **settings)
        return Bench(workbench, engines, events, Calls(workbench))

    return made


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()
