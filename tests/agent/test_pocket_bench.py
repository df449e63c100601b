from __future__ import annotations

import shutil
from pathlib import Path

from agent.workbench import Workbench
from tools.images import Batch
from tools.pipeline.engines import Engines
from tools.recipe.file import load_recipe
from tools.records import Inspection

EXAMPLES = Path(__file__).parents[2] / "examples"


def timeless(inspection: Inspection) -> str:
    """The record without the seconds that were spent on it."""

    def without(value: object) -> object:
        if isinstance(value, dict):
            return {name: without(each) for name, each in value.items() if name != "elapsed_s"}
        return [without(each) for each in value] if isinstance(value, list) else value

    return repr(without(inspection.model_dump(mode="json")))


def test_the_agents_inspections_are_those_of_loupe_inspect(tmp_path: Path) -> None:
    for name in ("cover_001.jpg", "cover_008.jpg", "cover_013.jpg"):
        shutil.copy(EXAMPLES / "batch" / name, tmp_path / name)
    batch = Batch.open([tmp_path])
    engines = Engines(load_recipe(EXAMPLES / "recipes" / "painted-cover.yaml"))
    fixed = [timeless(inspection) for inspection in engines.pipeline().inspect(batch)]
    workbench = Workbench(batch, engines.recipe, out=tmp_path / "out", engines=engines)
    workbench.locate("img_001")
    workbench.measure("img_002")
    assert workbench.screen("img_003")[0]["status"] == "unreadable"
    workbench.inspect("img_002", threshold=0.05)
    workbench.inspect(threshold=engines.recipe.screening.threshold)
    assert [timeless(inspection) for inspection in workbench.inspections()] == fixed
    likeness = workbench.compare("img_001", "img_002")["similarity"]
    assert isinstance(likeness, float)
    assert 0.0 < likeness <= 1.0
