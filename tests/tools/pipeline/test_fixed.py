from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tools.errors import Cancelled, ModelError
from tools.images import Batch
from tools.pipeline.fixed import Pipeline
from tools.recipe import ArucoScale, Captioning, FixedScale, Recipe
from tools.recipe.file import load_recipe
from tools.records import (
    Finding,
    HeatMap,
    ImageRecord,
    ImageStatus,
    Inspection,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Scale,
    Screening,
    ScreeningStatus,
    Unit,
    Verdict,
)

Picture = NDArray[np.uint8]
CLEAR, UNSURE, SUSPECT = ScreeningStatus.CLEAR, ScreeningStatus.UNSURE, ScreeningStatus.SUSPECT


class FakeScreener:
    """Gives each image the status asked for by id, clear where none was.

    Sets `cancel` after some images, and fails on the image named.
    """

    def __init__(
        self, statuses: Mapping[str, ScreeningStatus], cancel_after: int | None = None, fails_on: str = ""
    ) -> None:
        self.statuses = statuses
        self.cancel_after = cancel_after
        self.fails_on = fails_on

    def prepare(self, batch: Batch, *, cancel: threading.Event | None = None) -> None:
        self.prepared = batch

    def located(self, _: object, __: object, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return found

    def screen(
        self, images: Iterable[tuple[ImageRecord, Picture]], *, cancel: threading.Event
    ) -> Iterator[Screening]:
        for number, (record, _) in enumerate(images):
            if number == self.cancel_after:
                cancel.set()
                return
            if record.id == self.fails_on:
                raise ValueError("no such size")
            status = self.statuses.get(record.id, CLEAR)
            suspicion = {CLEAR: 0.1, UNSURE: 0.5, SUSPECT: 0.9}[status]
            yield Screening(
                image_id=record.id,
                scores={"scratch": suspicion, "normal": 1 - suspicion},
                suspicion=suspicion,
                label="scratch",
                status=status,
                threshold=0.5,
                heat_map=HeatMap(rows=2, columns=2, values=(0.0, 0.0, 0.0, suspicion)),
                provenance=Provenance(tool="screening"),
            )


class FakeLocalizer:
    """Finds one scratch in each image named; remembers what it was shown."""

    provenance = Provenance(tool="localization", model="fake")

    def __init__(self, found_in: Sequence[str] = (), fails_on: str = "") -> None:
        self.found_in, self.fails_on = found_in, fails_on
        self.shown: list[str] = []

    def locate(
        self, images: Iterable[tuple[ImageRecord, Picture]], *, cancel: threading.Event
    ) -> Iterator[tuple[Finding, ...]]:
        for record, _ in images:
            self.shown.append(record.id)
            if record.id == self.fails_on:
                raise ValueError("no such box")
            finding = Finding(
                id=f"{record.id}-1",
                image_id=record.id,
                type="scratch",
                confidence=0.9,
                box_xyxy_px=(10, 10, 40, 20),
                origin=Origin.YOLO,
            )
            yield (finding,) if record.id in self.found_in else ()


class FakeMeasurer:
    """Measures every finding as 0.5 mm, or fails on the image named."""

    def __init__(self, fails_on: str = "") -> None:
        self.fails_on = fails_on

    def measure(self, image_rgb: Picture, finding: Finding, scale: Scale | None) -> Finding:
        if finding.image_id == self.fails_on:
            raise ValueError("contour of nothing")
        unit = Unit.MM if scale else Unit.PX
        length = Measurement(quantity=Quantity.LENGTH, value=0.5, unit=unit, uncertainty=0.01, method="fake")
        width = length.model_copy(update={"quantity": Quantity.WIDTH, "value": 0.1})
        return finding.model_copy(update={"measurements": (length, width)})


class FakeCaptioner:
    provenance = Provenance(tool="captioning", model="fake")

    def __init__(self, first: str, second: str) -> None:
        self.first = first
        self.second = second

    def caption(
        self, regions: Iterable[Picture], *, retry: bool = False, cancel: threading.Event | None = None
    ) -> Iterator[str]:
        for _ in regions:
            yield self.second if retry else self.first


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    rng = np.random.default_rng(0)
    for number in range(1, 5):
        picture = rng.integers(0, 255, (64, 64, 3), np.uint8)
        Image.fromarray(picture).save(tmp_path / f"part_{number}.png")
    return Batch.open([tmp_path])


@pytest.fixture
def recipe() -> Recipe:
    return load_recipe().model_copy(update={"scale": FixedScale(mm_per_px=0.1)})


def pipeline(recipe: Recipe, **seers: Any) -> Pipeline:
    screener = seers.get("screener") or FakeScreener({})
    localizer = seers.get("localizer") or FakeLocalizer()
    measurer = seers.get("measurer") or FakeMeasurer()
    return Pipeline(
        recipe,
        cast(Any, screener),
        cast(Any, localizer),
        cast(Any, measurer),
        cast(Any, seers.get("captioner")),
    )


def by_id(inspections: Iterable[Inspection]) -> dict[str, Inspection]:
    return {inspection.image.id: inspection for inspection in inspections}


def test_only_what_is_not_clear_is_located_and_every_image_has_one_row(batch: Batch, recipe: Recipe) -> None:
    localizer = FakeLocalizer(["img_003"])
    screener = FakeScreener({"img_002": UNSURE, "img_003": SUSPECT})
    inspections = list(pipeline(recipe, screener=screener, localizer=localizer).inspect(batch))
    assert [i.image.id for i in inspections] == ["img_001", "img_002", "img_003", "img_004"]
    assert localizer.shown == ["img_002", "img_003"]
    assert [i.judgement.verdict for i in inspections] == [
        Verdict.ACCEPT,
        Verdict.REVIEW,
        Verdict.ACCEPT,
        Verdict.ACCEPT,
    ]
    assert inspections[2].findings[0].severity is not None
    assert inspections[2].findings[0].description is not None


@pytest.mark.parametrize(("status", "origins"), [(SUSPECT, [Origin.SCREENING]), (UNSURE, []), (CLEAR, [])])
def test_a_suspect_without_finding_keeps_a_candidate(
    batch: Batch, recipe: Recipe, status: ScreeningStatus, origins: list[Origin]
) -> None:
    screener = FakeScreener({"img_001": status})
    inspection = next(pipeline(recipe, screener=screener).inspect(batch))
    assert [finding.origin for finding in inspection.findings] == origins
    assert inspection.judgement.verdict is (Verdict.ACCEPT if status is CLEAR else Verdict.REVIEW)


def test_what_was_looked_at_says_so_once_with_its_seconds_whatever_was_found(
    batch: Batch, recipe: Recipe
) -> None:
    seers = {
        "screener": FakeScreener({"img_001": SUSPECT, "img_002": SUSPECT, "img_003": UNSURE}),
        "localizer": FakeLocalizer(["img_001"]),
        "measurer": FakeMeasurer("img_002"),
    }
    looked = [inspection.provenance for inspection in pipeline(recipe, **seers).inspect(batch)]
    assert [[step.tool for step in steps] for steps in looked] == [["localization"]] * 3 + [[]]
    assert all(step.elapsed_s > 0 for steps in looked for step in steps)


def test_an_image_that_cannot_be_screened_is_a_row_that_says_why(batch: Batch, recipe: Recipe) -> None:
    screener = FakeScreener({"img_003": SUSPECT}, fails_on="img_002")
    inspections = by_id(pipeline(recipe, screener=screener).inspect(batch))
    assert list(inspections) == ["img_001", "img_002", "img_003", "img_004"]
    failed = inspections.pop("img_002")
    assert (failed.judgement.verdict, failed.judgement.rule) == (Verdict.REVIEW, "inspection.failed")
    assert (failed.error, failed.screening, failed.findings) == ("ValueError: no such size", None, ())
    whole = by_id(pipeline(recipe, screener=FakeScreener({"img_003": SUSPECT})).inspect(batch))
    assert {i: each.judgement for i, each in inspections.items()} == {
        i: each.judgement for i, each in whole.items() if i != "img_002"
    }


def test_an_image_that_cannot_be_located_is_a_row_that_says_why(batch: Batch, recipe: Recipe) -> None:
    suspects = dict.fromkeys(("img_001", "img_002", "img_003"), SUSPECT)

    def inspected(fails_on: str = "") -> dict[str, Inspection]:
        localizer = FakeLocalizer(["img_003"], fails_on)
        seers = {"screener": FakeScreener(suspects), "localizer": localizer}
        return by_id(pipeline(recipe, **seers).inspect(batch))

    inspections, whole = inspected("img_002"), inspected()
    assert list(inspections) == list(whole)
    failed = inspections.pop("img_002")
    assert (failed.judgement.rule, failed.error) == ("inspection.failed", "ValueError: no such box")
    assert {i: (each.judgement, each.findings) for i, each in inspections.items()} == {
        i: (each.judgement, each.findings) for i, each in whole.items() if i != "img_002"
    }


def test_an_error_that_a_person_can_act_on_ends_the_batch(batch: Batch, recipe: Recipe) -> None:
    class Refusing(FakeScreener):
        def screen(self, *_: object, **__: object) -> Iterator[Screening]:
            raise ModelError("no memory is left", "take a smaller model")

    with pytest.raises(ModelError):
        list(pipeline(recipe, screener=Refusing({})).inspect(batch))


def test_one_failing_image_is_a_row_that_says_why(batch: Batch, recipe: Recipe) -> None:
    ids = ["img_001", "img_002", "img_003"]
    seers = {
        "screener": FakeScreener(dict.fromkeys(ids, SUSPECT)),
        "localizer": FakeLocalizer(ids),
        "measurer": FakeMeasurer("img_002"),
    }
    inspections = by_id(pipeline(recipe, **seers).inspect(batch))
    assert len(inspections) == 4
    assert inspections["img_002"].judgement.verdict is Verdict.REVIEW
    assert inspections["img_002"].judgement.rule == "inspection.failed"
    assert "contour of nothing" in inspections["img_002"].error
    assert inspections["img_003"].error == ""


def test_an_unreadable_image_is_a_row_for_review(tmp_path: Path, recipe: Recipe) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    inspections = by_id(pipeline(recipe).inspect(Batch.open([tmp_path])))
    assert inspections["img_002"].image.status is ImageStatus.UNREADABLE
    assert inspections["img_002"].judgement.verdict is Verdict.REVIEW
    assert inspections["img_001"].judgement.verdict is Verdict.ACCEPT


def test_a_duplicate_says_of_what(tmp_path: Path, recipe: Recipe) -> None:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 64)).save(tmp_path / name)
    inspections = by_id(pipeline(recipe).inspect(Batch.open([tmp_path])))
    assert inspections["img_001"].flags == ()
    assert inspections["img_002"].flags == ("duplicate of img_001",)


def test_done_images_are_skipped(batch: Batch, recipe: Recipe) -> None:
    inspections = pipeline(recipe).inspect(batch, skip={"img_001", "img_003"})
    assert [i.image.id for i in inspections] == ["img_002", "img_004"]


def test_cancelling_yields_nothing_half_done(batch: Batch, recipe: Recipe) -> None:
    cancel = threading.Event()
    screener = FakeScreener({}, cancel_after=2)
    assert list(pipeline(recipe, screener=screener).inspect(batch, cancel=cancel)) == []


def test_cancelling_between_images_keeps_those_that_are_done(batch: Batch, recipe: Recipe) -> None:
    cancel = threading.Event()
    kept = []
    for inspection in pipeline(recipe).inspect(batch, cancel=cancel):
        kept.append(inspection.image.id)
        cancel.set()
    assert kept == ["img_001"]


def test_cancelling_while_reading_ends_before_a_model_is_asked(
    batch: Batch, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = threading.Event()

    def decoded(*_: object) -> Picture:
        cancel.set()
        return np.zeros((64, 64, 3), np.uint8)

    monkeypatch.setattr("tools.images.batch.decode", decoded)
    screener = FakeScreener({})
    monkeypatch.setattr(screener, "embed", lambda _: pytest.fail("embedded"), raising=False)
    assert list(pipeline(recipe, screener=screener).inspect(batch, cancel=cancel, embeddings={})) == []


def test_cancelling_while_the_batch_is_looked_through_ends_the_inspections(
    batch: Batch, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: object, **__: object) -> None:
        raise Cancelled("reading images was cancelled")

    screener = FakeScreener({})
    monkeypatch.setattr(screener, "prepare", prepare)
    assert list(pipeline(recipe, screener=screener).inspect(batch)) == []


def test_cancelling_a_second_caption_ends_without_a_row(batch: Batch, recipe: Recipe) -> None:
    cancel = threading.Event()

    class Interrupted(FakeCaptioner):
        def caption(
            self, regions: Iterable[Picture], *, retry: bool = False, cancel: threading.Event | None = None
        ) -> Iterator[str]:
            if not retry:
                yield from super().caption(regions)
            elif cancel:
                cancel.set()

    seers = {
        "screener": FakeScreener({"img_001": SUSPECT}),
        "captioner": Interrupted("maybe a scratch on a metal plate", "unused"),
    }
    recipe = recipe.model_copy(update={"captioning": Captioning()})
    assert list(pipeline(recipe, **seers).inspect(batch, cancel=cancel)) == []
    assert cancel.is_set()


def test_a_missing_marker_leaves_pixels_and_says_so(batch: Batch, recipe: Recipe) -> None:
    recipe = recipe.model_copy(update={"scale": ArucoScale(aruco_side_mm=10)})
    seers = {"screener": FakeScreener({"img_001": SUSPECT}), "localizer": FakeLocalizer(["img_001"])}
    inspection = next(pipeline(recipe, **seers).inspect(batch))
    assert inspection.scale is None
    assert inspection.flags[0].startswith("no scale")
    assert {m.unit for m in inspection.findings[0].measurements} == {Unit.PX}
    assert inspection.judgement.verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("first", "second", "verdict", "flags"),
    [
        ("a thin scratch on a metal plate", "unused", Verdict.ACCEPT, ()),
        ("maybe a scratch on a metal plate", "a thin scratch on a metal plate", Verdict.ACCEPT, ()),
        (
            "maybe a scratch on a metal plate",
            "possibly a scratch on a metal plate",
            Verdict.REVIEW,
            ("caption dropped: img_001-1", "image caption dropped"),
        ),
    ],
)
def test_a_caption_that_breaks_the_rules_is_asked_again_then_dropped_for_review(
    batch: Batch, recipe: Recipe, first: str, second: str, verdict: Verdict, flags: tuple[str, ...]
) -> None:
    recipe = recipe.model_copy(update={"captioning": Captioning()})
    seers = {
        "screener": FakeScreener({"img_001": SUSPECT}),
        "localizer": FakeLocalizer(["img_001"]),
        "captioner": FakeCaptioner(first, second),
    }
    inspection = next(pipeline(recipe, **seers).inspect(batch))
    assert inspection.flags == flags
    assert inspection.judgement.verdict is verdict
    steps = [(step.tool, step.model) for step in inspection.provenance]
    assert steps == [("localization", "fake"), ("captioning", "fake")]
