from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.tools.references.conftest import drawn_part
from tools.errors import Cancelled, UsageError
from tools.images import Batch
from tools.localization.localizer import Localizer, Look
from tools.recipe import References, Zone
from tools.recipe.file import load_recipe
from tools.records import (
    Finding,
    HeatMap,
    ImageRecord,
    Origin,
    Provenance,
    Screening,
    ScreeningStatus,
    Source,
)
from tools.references.backbones import TextureBackbone
from tools.references.keeping import GoodParts
from tools.references.templates import Templates
from tools.screening.combined import CombinedScreener
from tools.screening.fusion import UNFAMILIAR, UNNOTED, at_threshold
from tools.screening.screener import Screener, with_threshold
from tools.voices import BAD_TEMPLATE, NO_TEMPLATE, OUTDATED, OWN, TOO_FEW, was_asked

Picture = tuple[ImageRecord, NDArray[np.uint8]]
RECIPE = load_recipe()
TEXTURE = TextureBackbone(side_px=128)
GOOD, SCRATCHED = range(1, 13), (60, 61)


class FakeWords:
    """Finds every image as suspect as it is told to."""

    def __init__(self, suspicion: float) -> None:
        self.suspicion = suspicion
        self.provenance = Provenance(tool="screening", model="words")

    def screen(
        self, images: Iterable[Picture], *, cancel: threading.Event | None = None
    ) -> Iterator[Screening]:
        for record, _ in images:
            if cancel is not None and cancel.is_set():
                return
            yield Screening(
                image_id=record.id,
                scores={"scratch": 0.8, "normal": 0.2},
                suspicion=self.suspicion,
                label="scratch" if self.suspicion > 0.92 else "normal",
                status=ScreeningStatus.SUSPECT if self.suspicion > 0.96 else ScreeningStatus.CLEAR,
                threshold=0.92,
                review_band=0.04,
                provenance=self.provenance,
            )


class FakeDetector:
    """Is as sure of a defect in each image as it is told to be."""

    provenance = Provenance(tool="localization", model="detector")

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence
        self.asked = 0

    def look(self, images: Iterable[Picture], *, cancel: threading.Event | None = None) -> Iterator[Look]:
        for record, _ in images:
            self.asked += 1
            findings = (self.finding(record.id),) if self.confidence >= 0.25 else ()
            yield Look(findings, self.confidence)

    def locate(
        self, images: Iterable[Picture], *, cancel: threading.Event | None = None
    ) -> Iterator[tuple[Finding, ...]]:
        return (look.findings for look in self.look(images, cancel=cancel))

    def finding(self, image_id: str) -> Finding:
        return Finding(
            id=f"{image_id}-1",
            image_id=image_id,
            type="dent",
            confidence=self.confidence,
            box_xyxy_px=(0, 0, 8, 8),
            origin=Origin.YOLO,
            provenance=(self.provenance,),
        )


def detector(confidence: float) -> Localizer:
    fake: Any = FakeDetector(confidence)
    return fake  # type: ignore[no-any-return]


def words(suspicion: float) -> Screener:
    fake: Any = FakeWords(suspicion)
    return fake  # type: ignore[no-any-return]


def batch_of(folder: Path, *numbers: int) -> Batch:
    folder.mkdir()
    for number in numbers:
        picture = drawn_part(number, scratched=number >= 60, shift_px=(number % 5 - 2, number % 3 - 1))
        Image.fromarray(picture).save(folder / f"part_{number:02d}.png")
    return Batch.open([folder])


def screened(screener: CombinedScreener, batch: Batch) -> list[Screening]:
    return list(screener.screen([(record, batch.load(record.id)) for record in batch.records]))


def without_seconds(screening: Screening) -> Screening:
    sources = tuple(each.model_copy(update={"elapsed_s": 0.0}) for each in screening.sources)
    return screening.model_copy(update={"sources": sources})


@pytest.fixture(scope="module")
def good_batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return batch_of(tmp_path_factory.mktemp("good") / "parts", *GOOD[:8])


@pytest.fixture(scope="module")
def test_batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return batch_of(tmp_path_factory.mktemp("test") / "parts", 41, 42, *SCRATCHED)


@pytest.fixture(scope="module")
def mixed_batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return batch_of(tmp_path_factory.mktemp("mixed") / "parts", *GOOD, *SCRATCHED)


def with_good_parts(good_batch: Batch, suspicion: float, folder: Path) -> CombinedScreener:
    recipe = RECIPE.loaded_from(folder / "plate.yaml")
    parts = GoodParts(recipe)
    parts.add(good_batch, words(suspicion), detector(0.6))
    return CombinedScreener(words(suspicion), recipe, good=parts.load())


def test_good_parts_decide_where_words_are_lost(good_batch: Batch, test_batch: Batch, tmp_path: Path) -> None:
    screenings = screened(with_good_parts(good_batch, 0.99, tmp_path), test_batch)
    statuses = [screening.status for screening in screenings]
    assert statuses[2:] == [ScreeningStatus.SUSPECT] * 2
    assert ScreeningStatus.SUSPECT not in statuses[:2]
    by_words, by_good = screenings[0].sources
    assert (by_words.source, by_words.decided, by_words.remark) == (Source.WORDS, False, UNFAMILIAR)
    assert (by_good.source, by_good.decided, by_good.compared_with) == (Source.REFERENCES, True, 8)
    assert "8 good images are too few" in by_good.remark


def test_a_good_part_that_is_inspected_itself_is_said_to_be_one(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    screener = with_good_parts(good_batch, 0.99, tmp_path)
    for batch, is_own in ((good_batch, True), (test_batch, False)):
        assert {each.sources[1].remark == OWN for each in screened(screener, batch)} == {is_own}


def test_words_count_where_good_parts_are_clear_to_them(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    screener = with_good_parts(good_batch, 0.3, tmp_path)
    assert all(each.sources[0].decided for each in screened(screener, test_batch))


def test_words_of_another_model_are_not_taken_for_those_of_the_good_parts(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    screener = with_good_parts(good_batch, 0.3, tmp_path)
    other = FakeWords(0.3)
    other.provenance = Provenance(tool="screening", model="other words")
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    changed = CombinedScreener(cast(Any, other), recipe, good=GoodParts(recipe).load())
    assert screened(screener, test_batch)[0].sources[0].decided
    by_words = screened(changed, test_batch)[0].sources[0]
    assert (by_words.decided, by_words.remark) == (False, UNNOTED)
    assert [UNNOTED in each.plan(test_batch.records) for each in (screener, changed)] == [False, True]


@pytest.mark.parametrize("suspicion", [0.99, 0.3], ids=["lost before", "known before"])
def test_words_that_did_not_see_each_good_part_do_not_know_them(
    good_batch: Batch, test_batch: Batch, tmp_path: Path, suspicion: float
) -> None:
    with_good_parts(good_batch, suspicion, tmp_path)
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    other: Any = FakeWords(0.1)
    other.provenance = Provenance(tool="screening", model="other words")
    parts = GoodParts(recipe)
    parts.add(batch_of(tmp_path / "one more", 20), other, detector(0.6))
    (by_words, _), *_ = (
        each.sources for each in screened(CombinedScreener(other, recipe, good=parts.load()), test_batch)
    )
    assert (by_words.decided, by_words.remark) == (False, UNNOTED)
    parts.rebuild(other, detector(0.6))
    (by_words, _), *_ = (
        each.sources for each in screened(CombinedScreener(other, recipe, good=parts.load()), test_batch)
    )
    assert (by_words.decided, by_words.remark) == (True, "")


def test_each_source_but_words_tells_the_seconds_it_took(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    with_good_parts(good_batch, 0.3, tmp_path)
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    least = recipe.screening.model_copy(update={"detector_from": 0.0})
    recipe = recipe.model_copy(update={"screening": least})
    good = GoodParts(recipe).load()
    screener = CombinedScreener(words(0.3), recipe, good=good, detector=detector(0.1))
    for screening in screened(screener, test_batch):
        spent = {each.source: each.elapsed_s > 0 for each in screening.sources}
        assert spent == {Source.WORDS: False, Source.REFERENCES: True, Source.DETECTOR: True}


@pytest.mark.parametrize(
    ("suspicion", "confidence", "asked", "status"),
    [
        (0.4, 0.9, 0, ScreeningStatus.CLEAR),
        (0.95, 0.02, 4, ScreeningStatus.CLEAR),
        (0.95, 0.2, 4, ScreeningStatus.UNSURE),
        (0.8, 0.9, 4, ScreeningStatus.SUSPECT),
    ],
    ids=[
        "words are in no doubt",
        "the detector calms words",
        "the detector sees something",
        "the detector sees what words suspect",
    ],
)
def test_a_detector_is_heard_where_words_are_in_doubt(
    test_batch: Batch, suspicion: float, confidence: float, asked: int, status: ScreeningStatus
) -> None:
    fake: Any = FakeDetector(confidence)
    screenings = screened(CombinedScreener(words(suspicion), RECIPE, detector=fake), test_batch)
    assert fake.asked == asked
    assert {each.status for each in screenings} == {status}
    expected = [Source.WORDS, Source.DETECTOR] if asked else [Source.WORDS]
    assert [[said.source for said in each.sources] for each in screenings] == [expected] * 4


def test_a_detector_is_not_heard_on_parts_that_words_do_not_know(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    known = with_good_parts(good_batch, 0.99, tmp_path)
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    fake: Any = FakeDetector(0.0)
    screener = CombinedScreener(words(0.99), recipe, good=GoodParts(recipe).load(), detector=fake)
    both = [[without_seconds(each) for each in screened(by, test_batch)] for by in (screener, known)]
    assert both[0] == both[1]
    assert fake.asked == 0


def test_the_scale_of_good_parts_stays_when_the_recipe_s_threshold_moves(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    before = screened(with_good_parts(good_batch, 0.99, tmp_path), test_batch)
    looser = RECIPE.model_copy(
        update={"screening": RECIPE.screening.model_copy(update={"threshold": 0.99})}
    ).loaded_from(tmp_path / "plate.yaml")
    after = screened(CombinedScreener(words(0.99), looser, good=GoodParts(looser).load()), test_batch)
    assert [each.suspicion for each in after] == [each.suspicion for each in before]


def test_a_suspect_image_has_findings_where_it_is_unlike(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    screener = with_good_parts(good_batch, 0.99, tmp_path)
    pictures = [(record, test_batch.load(record.id)) for record in test_batch.records]
    clear, *_, suspect = screener.screen(pictures)
    assert screener.located(pictures[0], clear) == ()
    found = screener.located(pictures[-1], suspect)
    assert {finding.origin for finding in found} == {Origin.REFERENCE}
    assert {finding.type for finding in found} == {"unclassified"}
    x_min, y_min, x_max, y_max = found[0].box_xyxy_px
    assert x_min < 93
    assert x_max > 65
    assert y_min < 93
    assert y_max > 29


@pytest.mark.parametrize(("confidence", "is_heard"), [(0.59, False), (0.61, True)])
def test_a_detector_is_heard_where_it_is_surer_than_of_any_good_part(
    good_batch: Batch, test_batch: Batch, tmp_path: Path, confidence: float, is_heard: bool
) -> None:
    screener = with_good_parts(good_batch, 0.99, tmp_path)
    picture = (test_batch.records[0], test_batch.load("img_001"))
    (screening,) = screener.screen([picture])
    found = (FakeDetector(confidence).finding("img_001"),)
    assert screener.located(picture, screening, found) == (found if is_heard else ())


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked in screening", "asked for places only"])
def test_a_detector_that_changed_since_it_saw_the_good_parts_is_not_heard(
    good_batch: Batch, test_batch: Batch, tmp_path: Path, is_asked: bool
) -> None:
    with_good_parts(good_batch, 0.3, tmp_path)
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    other = FakeDetector(0.99)
    other.provenance = Provenance(tool="localization", model="another")
    seen: list[Any] = [other, detector(0.99)] if is_asked else [None, None]
    picture = (test_batch.records[0], test_batch.load("img_001"))
    for fake, made_by in zip(seen, (other, FakeDetector(0.99)), strict=True):
        screener = CombinedScreener(words(0.95), recipe, good=GoodParts(recipe).load(), detector=fake)
        (screening,) = screener.screen([picture])
        is_other = made_by is other
        finding = made_by.finding("img_001")
        assert (finding in screener.located(picture, screening, (finding,))) is not is_other
        said = screening.source(Source.DETECTOR)
        assert (said is not None) is is_asked
        if said is not None:
            assert (said.decided, said.remark) == ((False, OUTDATED) if is_other else (True, ""))
    assert other.asked == 0


def test_a_detector_that_did_not_see_each_good_part_is_not_heard(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    with_good_parts(good_batch, 0.3, tmp_path)
    recipe = RECIPE.loaded_from(tmp_path / "plate.yaml")
    other = FakeDetector(0.6)
    other.provenance = Provenance(tool="localization", model="another")
    heard = []
    for batch in (test_batch, good_batch):
        GoodParts(recipe).add(batch, words(0.3), cast(Any, other))
        screener = CombinedScreener(words(0.3), recipe, good=GoodParts(recipe).load())
        heard.append(screener.hears(other.provenance))
    assert heard == [False, True]


def test_a_region_does_not_reach_into_an_ignored_zone(
    good_batch: Batch, test_batch: Batch, tmp_path: Path
) -> None:
    plain = with_good_parts(good_batch, 0.99, tmp_path)
    left = Zone(name="plate", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ignore=True)
    recipe = plain._recipe.model_copy(update={"zones": (left,)})
    screener = CombinedScreener(words(0.99), recipe, good=plain._good)
    heat = HeatMap(rows=1, columns=4, values=(0.02, 0.99, 0.98, 0.02))
    suspect = screened(plain, test_batch)[-1].model_copy(update={"heat_map": heat})
    record = test_batch.records[-1]
    picture = record, test_batch.load(record.id)
    quarter = record.width_px / 4
    for each, first, last in ((plain, 1, 3), (screener, 2, 3)):
        (region,) = each.located(picture, suspect)
        assert region.box_xyxy_px == (first * quarter, 0, last * quarter, record.height_px)


def test_the_odd_ones_of_a_batch_stand_out_where_words_are_lost(mixed_batch: Batch) -> None:
    screener = CombinedScreener(words(0.99), RECIPE, backbones=[TEXTURE])
    screener.prepare(mixed_batch)
    screenings = screened(screener, mixed_batch)
    by_batch = [screening.source(Source.BATCH) for screening in screenings]
    assert all(each and each.decided and each.compared_with == 13 for each in by_batch)
    suspicions = [screening.suspicion for screening in screenings]
    assert max(suspicions[:12]) < min(suspicions[12:])


@pytest.mark.parametrize(("suspicion", "is_asked"), [(0.2, False), (0.76, True), (0.95, True)])
def test_the_batch_is_asked_where_words_find_its_parts_not_plainly_clear(
    mixed_batch: Batch, suspicion: float, is_asked: bool
) -> None:
    screener = CombinedScreener(words(suspicion), RECIPE, backbones=[TEXTURE])
    screener.prepare(mixed_batch)
    said = screened(screener, mixed_batch)[0].source(Source.BATCH)
    assert (said is not None) is is_asked


def test_words_decide_alone_in_a_batch_that_they_know(mixed_batch: Batch) -> None:
    screener = CombinedScreener(words(0.3), RECIPE, backbones=[TEXTURE])
    screener.prepare(mixed_batch)
    for screening in screened(screener, mixed_batch):
        assert (screening.suspicion, screening.sources) == (0.3, ())


def test_few_images_are_not_held_against_each_other(test_batch: Batch) -> None:
    screener = CombinedScreener(words(0.99), RECIPE, backbones=[TEXTURE])
    screener.prepare(test_batch)
    for screening in screened(screener, test_batch):
        by_words, by_batch = screening.sources
        assert (by_words.decided, screening.suspicion) == (True, 0.99)
        assert (by_batch.decided, by_batch.remark, by_batch.compared_with) == (False, TOO_FEW, 0)
        assert not was_asked(by_batch)


def test_a_stop_leaves_the_batch_unprepared(mixed_batch: Batch) -> None:
    screener = CombinedScreener(words(0.99), RECIPE, backbones=[TEXTURE])
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        screener.prepare(mixed_batch, cancel=cancel)
    screener.prepare(mixed_batch)
    assert screened(screener, mixed_batch)[0].source(Source.BATCH)


def with_template(folder: Path, template: str, suspicion: float = 0.99) -> CombinedScreener:
    settings: Mapping[str, Any] = {"references": References(template=template)}
    recipe = RECIPE.model_copy(update=settings).loaded_from(folder / "plate.yaml")
    return CombinedScreener(words(suspicion), recipe, templates=Templates(recipe))


@pytest.mark.parametrize("template", ["golden.png", "{stem}.png"])
def test_every_difference_to_a_template_is_a_finding(tmp_path: Path, template: str) -> None:
    Image.fromarray(drawn_part(3)).save(tmp_path / template.format(stem="part"))
    screener = with_template(tmp_path, template)
    record = ImageRecord(id="img_001", name="lot/part.jpg", width_px=160, height_px=120)
    same, other = (record, drawn_part(4)), (record, drawn_part(4, scratched=True))
    clear, suspect = screener.screen([same, other])
    assert (clear.status, suspect.status) == (ScreeningStatus.CLEAR, ScreeningStatus.SUSPECT)
    assert suspect.sources[1].source is Source.TEMPLATE
    found = screener.located(other, suspect)
    assert found
    assert all(finding.provenance[0].tool == "template" for finding in found)
    assert [model.tool for model in screener.models] == ["screening", "template"]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_no_threshold_changes_what_a_template_says(tmp_path: Path, threshold: float) -> None:
    Image.fromarray(drawn_part(3)).save(tmp_path / "golden.png")
    screener = with_template(tmp_path, "golden.png")
    record = ImageRecord(id="img_001", name="part.jpg", width_px=160, height_px=120)
    pictures = [(record, drawn_part(4, scratched=scratched)) for scratched in (False, True)]
    statuses = [at_threshold(each, threshold, RECIPE).status for each in screener.screen(pictures)]
    assert statuses == [ScreeningStatus.CLEAR, ScreeningStatus.SUSPECT]


@pytest.mark.parametrize("suspicion", [0.01, 0.99])
@pytest.mark.parametrize(("content", "remark"), [(None, NO_TEMPLATE), (b"no picture", BAD_TEMPLATE)])
def test_words_that_know_no_part_do_not_stand_in_for_a_template(
    tmp_path: Path, content: bytes | None, remark: str, suspicion: float
) -> None:
    screener = with_template(tmp_path, "{stem}.png", suspicion)
    if content is not None:
        (tmp_path / "part.png").write_bytes(content)
    record = ImageRecord(id="img_001", name="part.jpg", width_px=160, height_px=120)
    (screening,) = screener.screen([(record, drawn_part(4))])
    assert (screening.status, screening.label) == (ScreeningStatus.UNSURE, "unknown")
    assert [(each.decided, each.remark) for each in screening.sources] == [
        (False, UNFAMILIAR),
        (False, remark),
    ]
    assert not was_asked(screening.sources[1])
    assert with_threshold(screening, 0.5, RECIPE).status is ScreeningStatus.UNSURE


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.jpg", "b.jpg"], "against their template"),
        (["a.jpg", "c.jpg"], "1 of 2 have none"),
        (["c.jpg", "d.jpg"], "no image has one"),
    ],
)
def test_images_without_a_template_are_told_at_the_start(tmp_path: Path, names: list[str], said: str) -> None:
    for name in ("a", "b"):
        Image.fromarray(drawn_part(3)).save(tmp_path / f"{name}.png")
    records = [ImageRecord(id=name, name=name) for name in names]
    plan = with_template(tmp_path, "{stem}.png").plan(records)
    assert said in plan
    assert ("`references.template`" in plan) is (said != "against their template")


def test_a_template_for_all_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        with_template(tmp_path, "golden.png")


@pytest.mark.parametrize(
    ("backbones", "images", "said"),
    [([TEXTURE], 12, "held against each other"), ([TEXTURE], 11, "12 are needed"), ([], 99, "words alone")],
)
def test_a_batch_is_told_what_it_is_held_against(
    backbones: list[TextureBackbone], images: int, said: str
) -> None:
    records = [ImageRecord(id=str(number), name=f"{number}.png") for number in range(images)]
    assert said in CombinedScreener(words(0.3), RECIPE, backbones=backbones).plan(records)
