from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.bench import stages
from tools.localization.localizer import Look
from tools.pipeline.engines import Engines
from tools.recipe import Recipe
from tools.recipe.file import load_recipe
from tools.records import Finding, Origin, Provenance, Screening, ScreeningStatus

EXAMPLES = Path(__file__).parents[2] / "examples"
SECONDS = {"screening": 1, "localization": 10, "measurement": 100, "captioning": 1000}  # an image or region


class FakeTime:
    """Goes on only where a stage says that it works, and adds up for which."""

    def __init__(self) -> None:
        self.spent_s: Counter[str] = Counter()

    def perf_counter(self) -> float:
        return self.spent_s.total()

    def working(self, stage: str, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self.spent_s[stage] += SECONDS[stage]
            yield item


@pytest.fixture
def fake_time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr("tools.evaluation.reading.time", fake)
    return fake


def recipe() -> Recipe:
    loaded = load_recipe(EXAMPLES / "recipes" / "metal-surface.yaml")
    screening = loaded.screening.model_copy(update={"detector_from": 0.0})
    references = loaded.references.model_copy(update={"batch": False})
    return loaded.model_copy(update={"screening": screening, "references": references})


def suspect(image_id: str) -> Screening:
    return Screening(
        image_id=image_id,
        scores={"scratch": 0.9, "normal": 0.1},
        suspicion=0.9,
        label="scratch",
        status=ScreeningStatus.SUSPECT,
        threshold=0.5,
        provenance=Provenance(tool="screening"),
    )


def scratch(image_id: str) -> Finding:
    return Finding(
        id=f"{image_id}-1",
        image_id=image_id,
        type="scratch",
        confidence=0.9,
        box_xyxy_px=(10, 10, 40, 20),
        origin=Origin.YOLO,
    )


def engines(time: FakeTime) -> Engines:
    def screen(images: Iterable[Any], **_: object) -> Iterator[Screening]:
        return (suspect(record.id) for record, _ in time.working("screening", images))

    def look(images: Iterable[Any], **_: object) -> Iterator[Look]:
        return (Look((scratch(record.id),), 0.9) for record, _ in time.working("localization", images))

    def locate(images: Iterable[Any], **_: object) -> Iterator[tuple[Finding, ...]]:
        return (seen.findings for seen in look(images))

    def measure(_: object, finding: Finding, __: object) -> Finding:
        return next(time.working("measurement", [finding]))

    def caption(regions: Iterable[Any], **_: object) -> Iterator[str]:
        return ("a scratch on metal" for _ in time.working("captioning", regions))

    made = Engines(recipe())
    provenance = Provenance(tool="fake")
    vars(made).update(
        words=SimpleNamespace(screen=screen, provenance=provenance),
        localizer=SimpleNamespace(look=look, locate=locate, provenance=provenance),
        measurer=SimpleNamespace(measure=measure),
        captioner=SimpleNamespace(caption=caption, provenance=provenance),
    )
    return made


def test_each_stage_counts_for_itself_alone(tmp_path: Path, fake_time: FakeTime) -> None:
    for number in range(2):
        Image.fromarray(np.full((64, 64, 3), 90 * number, np.uint8)).save(tmp_path / f"part_{number}.png")
    told = list(stages.lines(tmp_path, engines(fake_time)))
    spent_s = fake_time.spent_s
    assert spent_s["localization"] == 40  # two images: asked within screening, and again for the places
    assert set(told) >= {f"{name}: {spent_s[name]:.2f} s" for name in SECONDS}
    assert "reading, wording, judging: 0.00 s" in told
    assert told[-1].startswith(f"2 images, 2 findings: {spent_s.total():.2f} s without loading")


def test_a_stage_that_is_left_out_stays_out(tmp_path: Path, fake_time: FakeTime) -> None:
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "part.png")
    without = engines(fake_time)
    vars(without)["captioner"] = None
    assert not any(line.startswith("captioning") for line in stages.lines(tmp_path, without))
