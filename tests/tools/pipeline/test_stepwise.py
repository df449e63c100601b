from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import Cancelled, ImageError
from tools.images import Batch
from tools.pipeline.fixed import Pipeline
from tools.pipeline.stepwise import Stepwise
from tools.recipe import FixedScale, Recipe
from tools.recipe.file import load_recipe
from tools.records import Inspection, ScreeningStatus, Source, SourceScore, Verdict

SUSPECT, UNSURE = ScreeningStatus.SUSPECT, ScreeningStatus.UNSURE
COUNT = 20  # more than one chunk
STATUSES = {"img_002": SUSPECT, "img_003": UNSURE, "img_005": SUSPECT, "img_018": SUSPECT}
FOUND = ["img_001", "img_002", "img_003", "img_018"]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return write_batch(tmp_path_factory.mktemp("batch"), COUNT)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe().model_copy(update={"scale": FixedScale(mm_per_px=0.1)})


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds are all that two runs may differ in."""
    monkeypatch.setattr("tools.timing.time", SimpleNamespace(perf_counter=lambda: 0.0))


def engines_of(recipe: Recipe) -> FakeEngines:
    return FakeEngines(recipe, STATUSES, FOUND)


def by_the_pipeline(batch: Batch, recipe: Recipe) -> list[Inspection]:
    engines = engines_of(recipe).as_engines
    pipeline = Pipeline(recipe, engines.screener, engines.localizer, engines.measurer)
    return list(pipeline.inspect(batch))


def test_the_pipeline_hands_out_the_same_embeddings(batch: Batch, recipe: Recipe) -> None:
    engines = engines_of(recipe).as_engines
    embeddings: dict[str, NDArray[np.float32]] = {}
    pipeline = Pipeline(recipe, engines.screener, engines.localizer, engines.measurer)
    for inspection in pipeline.inspect(batch, embeddings=embeddings):
        assert inspection.image.id in embeddings
    steps = Stepwise(batch, engines)
    assert np.array_equal(embeddings["img_020"], steps.embedding("img_020"))


ASKED = {
    "nothing": [],
    "one screened": [("screen", ["img_002"])],
    "a clear one located": [("locate", ["img_001"])],
    "measured, then all located": [("measure", ["img_002", "img_018"]), ("locate", None)],
    "some inspected": [("inspect", ["img_005"]), ("screen", None), ("measure", None)],
}


@pytest.mark.parametrize("before", ASKED.values(), ids=ASKED)
def test_inspections_are_the_pipelines_whatever_was_asked_before(
    batch: Batch, recipe: Recipe, before: list[tuple[str, list[str] | None]]
) -> None:
    ids = [record.id for record in batch.records]
    steps = Stepwise(batch, engines_of(recipe).as_engines)
    for name, asked in before:
        getattr(steps, name)(asked or ids)
    inspections = steps.inspect(ids)
    assert [i.model_dump_json() for i in inspections.values()] == [
        i.model_dump_json() for i in by_the_pipeline(batch, recipe)
    ]
    looked = [i.image.id for i in inspections.values() if i.provenance]
    assert looked == list(STATUSES)


@pytest.mark.parametrize("before", ASKED.values(), ids=ASKED)
def test_each_engine_sees_an_image_once_and_suspects_in_the_pipelines_company(
    batch: Batch, recipe: Recipe, before: list[tuple[str, list[str] | None]]
) -> None:
    ids = [record.id for record in batch.records]
    engines = engines_of(recipe)
    steps = Stepwise(batch, engines.as_engines)
    for _ in range(2):
        for name, asked in [*before, ("inspect", None)]:
            getattr(steps, name)(asked or ids)
    assert sorted(engines.screener.companies) == [ids[:16], ids[16:]]
    assert {"img_002", "img_003", "img_005"} in map(set, engines.localizer.companies)
    assert sorted(engines.localizer.shown) == sorted(set(engines.localizer.shown))
    assert len(engines.measurer.measured) == len(set(engines.measurer.measured))


def test_what_is_known_of_a_batch_holds_for_all_who_ask_the_same_engines(
    batch: Batch, recipe: Recipe
) -> None:
    ids = [record.id for record in batch.records]
    engines = engines_of(recipe)
    first = Stepwise(batch, engines.as_engines).inspect(ids)
    shown = list(engines.localizer.shown)
    assert Stepwise(batch, engines.as_engines).inspect(ids) == first
    assert engines.localizer.shown == shown
    engines.forget_good_parts()
    Stepwise(batch, engines.as_engines).inspect(ids)
    assert len(engines.localizer.shown) == 2 * len(shown)


@pytest.mark.parametrize("what", ["screen", "locate", "measure", "inspect"])
def test_what_an_earlier_session_inspected_is_gone_on_with(batch: Batch, recipe: Recipe, what: str) -> None:
    ids = [record.id for record in batch.records]
    fresh, resumed = (Stepwise(batch, engines_of(recipe).as_engines) for _ in range(2))
    resumed.recall(by_the_pipeline(batch, recipe))
    fresh.inspect(ids)
    for asked in (["img_002"], ["img_001", "img_005"], ids):
        assert getattr(resumed, what)(asked) == getattr(fresh, what)(asked)


def test_what_an_earlier_session_screened_is_not_looked_at_again(batch: Batch, recipe: Recipe) -> None:
    engines = engines_of(recipe)
    resumed = Stepwise(batch, engines.as_engines)
    resumed.recall(by_the_pipeline(batch, recipe))
    resumed.screen([record.id for record in batch.records])
    assert not hasattr(engines.screener, "prepared")
    resumed.locate(["img_001"])
    assert engines.screener.prepared is batch


def test_another_threshold_is_another_opinion_without_another_look(batch: Batch, recipe: Recipe) -> None:
    engines = engines_of(recipe)
    steps = Stepwise(batch, engines.as_engines)
    assert steps.inspect(["img_005"])["img_005"].judgement.verdict is Verdict.REVIEW
    screening = steps.screen(["img_005", "img_001"], threshold=0.95)["img_005"]
    found = (screening.threshold, screening.status, screening.label)
    assert found == (0.95, ScreeningStatus.CLEAR, "normal")
    assert steps.screen(["img_005"])["img_005"].status is SUSPECT
    strict = steps.inspect(["img_001"], threshold=0.05)["img_001"]
    assert (strict.judgement.verdict, len(strict.findings)) == (Verdict.ACCEPT, 1)
    assert strict.screening
    assert strict.screening.threshold == 0.05
    assert len(engines.screener.companies) == 1


def test_a_damaged_image_is_told_and_ends_nothing(tmp_path: Path, recipe: Recipe) -> None:
    batch = write_batch(tmp_path, 3)
    whole = (tmp_path / "part_2.png").read_bytes()
    (tmp_path / "part_2.png").write_bytes(whole[:60] + b"\0" * (len(whole) - 60))
    batch = Batch.open([tmp_path])
    steps = Stepwise(batch, engines_of(recipe).as_engines)
    ids = [record.id for record in batch.records]
    assert list(steps.screen(ids)) == ["img_001", "img_003"]
    assert not steps.is_readable("img_002")
    assert steps.records["img_002"].reason
    assert steps.inspect(ids)["img_002"].judgement.rule == "image.unreadable"


@pytest.mark.parametrize("before", ASKED.values(), ids=ASKED)
def test_one_image_that_cannot_be_screened_ends_nothing(
    batch: Batch, recipe: Recipe, before: list[tuple[str, list[str] | None]]
) -> None:
    engines = engines_of(recipe)
    engines.screener.fails_on = "img_002"
    steps = Stepwise(batch, engines.as_engines)
    ids = [record.id for record in batch.records]
    for name, asked in before:
        assert "img_002" not in getattr(steps, name)(asked or ids)
    inspections = steps.inspect(ids)
    assert inspections["img_002"].judgement.rule == "inspection.failed"
    pipeline = Pipeline(recipe, engines.as_engines.screener, engines.as_engines.localizer, engines.measurer)  # type: ignore[arg-type]
    assert list(inspections.values()) == list(pipeline.inspect(batch))
    with pytest.raises(ImageError, match="no such size"):
        steps.seen("img_002")
    with pytest.raises(ImageError, match="no such size"):
        Stepwise(batch, engines.as_engines).seen("img_002")


@pytest.mark.parametrize("first", ["locate", "measure", "inspect"])
def test_one_image_that_cannot_be_located_ends_nothing(batch: Batch, recipe: Recipe, first: str) -> None:
    engines = engines_of(recipe)
    engines.localizer.fails_on = "img_002"
    steps = Stepwise(batch, engines.as_engines)
    ids = [record.id for record in batch.records]
    getattr(steps, first)(ids)
    looked = engines.localizer.shown.count("img_002")
    inspections = steps.inspect(ids)
    assert engines.localizer.shown.count("img_002") == looked  # once together, once alone, and never again
    assert inspections["img_002"].error == "ValueError: no such box"
    assert "img_002" not in steps.locate(ids)
    pipeline = Pipeline(recipe, engines.as_engines.screener, engines.as_engines.localizer, engines.measurer)  # type: ignore[arg-type]
    assert [each.judgement for each in inspections.values()] == [
        each.judgement for each in pipeline.inspect(batch)
    ]


def test_another_threshold_moves_the_sources_whose_scale_begins_there(batch: Batch, recipe: Recipe) -> None:
    engines = engines_of(recipe)
    steps = Stepwise(batch, engines.as_engines)
    known = steps.screen(["img_005"])["img_005"]
    like = SourceScore(source=Source.TEMPLATE, score=0.0, suspicion=0.1, decided=True)
    steps.recall(
        [
            by_the_pipeline(batch, recipe)[4].model_copy(
                update={"screening": known.model_copy(update={"suspicion": 0.1, "sources": (like,)})}
            )
        ]
    )
    for threshold in (0.05, 0.3, 0.9):
        assert steps.screen(["img_005"], threshold=threshold)["img_005"].status is ScreeningStatus.CLEAR


def test_one_image_that_cannot_be_measured_ends_nothing(batch: Batch, recipe: Recipe) -> None:
    engines = FakeEngines(recipe, STATUSES, FOUND, fails_on="img_002")
    steps = Stepwise(batch, engines.as_engines)
    measured = steps.measure(["img_002", "img_003"])
    assert [bool(measured[i][0].measurements) for i in ("img_002", "img_003")] == [False, True]
    assert steps.inspect(["img_002"])["img_002"].judgement.rule == "inspection.failed"


def test_cancelling_keeps_what_is_complete(batch: Batch, recipe: Recipe) -> None:
    cancel, engines = threading.Event(), engines_of(recipe)
    steps = Stepwise(batch, engines.as_engines, cancel)
    ids = [record.id for record in batch.records]

    def progress(done: int, total: int) -> None:
        cancel.set()

    with pytest.raises(Cancelled):
        steps.screen(ids, progress=progress)
    cancel.clear()
    told: list[tuple[int, int]] = []
    assert list(steps.screen(ids, progress=lambda done, total: told.append((done, total)))) == ids
    assert engines.screener.companies == [ids[:16], ids[16:]]
    assert told == [(16, 20), (20, 20)]
