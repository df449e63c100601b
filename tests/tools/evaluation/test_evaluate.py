from __future__ import annotations

import hashlib
import json
import threading

import numpy as np
import pytest
from PIL import Image

from tools.errors import Cancelled, UsageError
from tools.evaluation.evaluate import (
    evaluate,
    pipeline_findings,
    pipeline_rates,
    recipe_for_evaluation,
)
from tools.evaluation.figures import Evaluation
from tools.evaluation.labelled_sets import read_labelled_set
from tools.evaluation.sources import source_figures
from tools.evaluation.table import render_text
from tools.images import Batch
from tools.pipeline.stages import unreadable
from tools.recipe import DefectType, Part, Recipe
from tools.records import (
    Finding,
    HeatMap,
    ImageRecord,
    Inspection,
    Judgement,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Source,
    SourceScore,
    Unit,
    Verdict,
)
from tools.voices import TOO_FEW

RECIPE = Recipe(
    recipe_version=1,
    name="plates",
    part=Part(name="plate"),
    defects={"scratch": DefectType(ko="스크래치", synonyms=("scuff",)), "dent": DefectType()},
)
BOX = (10.0, 10.0, 30.0, 20.0)
ONE = pytest.approx(1.0)


class FakeScreener:
    """Suspicion is the grey value as a percentage, in the heat map at the left; draws two ahead."""

    provenance = Provenance(tool="screening", model="fake")

    def __init__(self, references=()):
        known = Provenance(tool="references", parameters={"references": list(references)})
        self.models = (self.provenance, known) if references else (self.provenance,)

    def prepare(self, batch, *, cancel=None):
        self.prepared = len(batch)

    def screen(self, images, *, cancel=None):
        batch = []
        for record, image_rgb in images:
            batch.append((record, image_rgb))
            if len(batch) == 2:
                yield from map(self._screening, batch)
                batch = []
        yield from map(self._screening, batch)

    def _screening(self, item):
        record, image_rgb = item
        suspicion = round(float(image_rgb.mean()) / 100, 2)
        return Screening(
            image_id=record.id,
            scores={"scratch": suspicion, "normal": 1 - suspicion},
            suspicion=suspicion,
            label="scratch" if suspicion >= 0.5 else "normal",
            status=ScreeningStatus.UNSURE,
            threshold=0.5,
            heat_map=HeatMap(rows=1, columns=2, values=(suspicion, 0.0)),
            provenance=self.provenance,
        )


class FakeLocalizer:
    """Finds what a table says of a file name: (type, box, confidence)."""

    provenance = Provenance(tool="localization", model="fake")

    def __init__(self, table):
        self._table = table

    def locate(self, images, *, cancel=None):
        for record, _ in images:
            yield tuple(
                Finding(
                    id=f"{record.id}-{number}", image_id=record.id, type=kind, confidence=confidence,
                    box_xyxy_px=box, origin=Origin.YOLO, provenance=(self.provenance,),
                )
                for number, (kind, box, confidence) in enumerate(self._table.get(record.name, ()), start=1)
            )  # fmt: skip


class FakeMeasurer:
    """Says 110 px wherever there is no scale, else 110 px in mm."""

    def measure(self, image_rgb, finding, scale):
        value, unit = (110.0, Unit.PX) if scale is None else (110.0 * scale.mm_per_px, Unit.MM)
        length = Measurement(quantity=Quantity.LENGTH, value=value, unit=unit, uncertainty=0.0, method="fake")
        return finding.model_copy(update={"measurements": (length,)})


def write_set(folder, rows):
    """Writes a COCO set from (grey value, label, [(class, box xyxy, truth)], extra image fields)."""
    images, annotations, names = [], [], []
    for number, (grey, label, defects, extra) in enumerate(rows, start=1):
        name = f"{number}.png"
        Image.new("RGB", (40, 30), (grey, grey, grey)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": 40, "height": 30, "label": label} | extra)
        for kind, (x_min, y_min, x_max, y_max), truth in defects:
            names.extend([kind] if kind not in names else [])
            box = [x_min, y_min, x_max - x_min, y_max - y_min]
            annotations.append({"image_id": number, "category_id": names.index(kind), "bbox": box} | truth)
    categories = [{"id": number, "name": name} for number, name in enumerate(names)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(document), encoding="utf-8")
    return read_labelled_set(folder)


def run(labelled, table=None, **options):
    return evaluate(labelled, RECIPE, FakeScreener(), FakeLocalizer(table or {}), FakeMeasurer(), **options)


@pytest.fixture
def five(tmp_path):
    return write_set(
        tmp_path,
        [
            (10, "good", [], {}),
            (60, "good", [], {}),
            (40, "defect", [("scuff", BOX, {"length_px": 100.0})], {}),
            (80, "defect", [("rust", BOX, {})], {}),
            (99, "uncertain", [], {}),
        ],
    )


def test_screening_figures(five):
    evaluation = run(five)
    figures = evaluation.screening
    assert (evaluation.good, evaluation.defect, evaluation.uncertain) == (2, 2, 1)
    assert figures.auroc == 0.75
    assert figures.average_precision == pytest.approx(1 / 2 + 1 / 2 * 2 / 3)
    assert (figures.rates.escape.count, figures.rates.escape.total, figures.rates.escape.value) == (1, 2, 0.5)
    assert figures.rates.overkill.value == 0.5
    assert figures.rates.overkill.lower == pytest.approx(0.0945, abs=1e-4)
    assert figures.proposed_threshold == pytest.approx(0.25)
    assert figures.proposed_rates.escape.value == 0.0
    assert figures.proposed_rates.overkill.value == 0.5
    assert figures.confusion == {
        "good": {"normal": 1, "scratch": 1},
        "rust": {"scratch": 1},
        "scratch": {"normal": 1},
    }


def test_localization_counts_names_only_where_they_map(five):
    table = {"3.png": [("scratch", BOX, 0.9)], "4.png": [("dent", BOX, 0.8)], "1.png": [("dent", BOX, 0.1)]}
    figures = run(five, table).localization
    assert figures.types == {"rust": None, "scuff": "scratch"}
    assert (figures.images, figures.any_type.boxes, figures.any_type.map50) == (4, 2, ONE)
    assert (figures.by_type.boxes, figures.by_type.map50) == (1, ONE)
    assert (figures.recall.value, figures.precision.value) == (1.0, 1.0)


def test_findings_below_the_confidence_count_for_map_alone(five):
    figures = run(five, {"3.png": [("scratch", BOX, 0.1)], "4.png": [("dent", BOX, 0.8)]}).localization
    assert figures.any_type.map50 == ONE
    assert (figures.recall.value, figures.precision.value) == (0.5, 1.0)


def test_the_detector_is_asked_for_all_it_has():
    assert recipe_for_evaluation(RECIPE).localization.confidence < 0.01
    assert recipe_for_evaluation(RECIPE).localization.iou == RECIPE.localization.iou


@pytest.mark.parametrize(
    ("truth", "extra", "error"),
    [
        pytest.param({"length_px": 100.0}, {}, 0.1, id="px without a scale"),
        pytest.param(
            {"length_mm": 22.0, "length_px": 1.0}, {"mm_per_px": 0.1}, -0.5, id="mm with the set's scale"
        ),
        pytest.param({"length_px": 100.0}, {"mm_per_px": 0.1}, 0.1, id="px with the set's scale"),
        pytest.param({"length_mm": 22.0}, {}, None, id="mm without any scale"),
        pytest.param({"width_px": 4.0}, {}, None, id="a quantity that was not measured"),
        pytest.param({}, {}, None, id="no truth"),
    ],
)
def test_measurement_errors(tmp_path, truth, extra, error):
    labelled = write_set(tmp_path, [(40, "defect", [("scratch", BOX, truth)], extra)])
    figures = run(labelled, {"1.png": [("dent", BOX, 0.9)]}).measurement
    if error is None:
        assert figures == ()
    else:
        length, of_scratches = figures
        assert of_scratches == length.model_copy(update={"type": "scratch"})
        assert (length.type, length.quantity, length.count) == (None, Quantity.LENGTH, 1)
        assert length.bias == pytest.approx(error)
        assert length.median == length.percentile_90 == pytest.approx(abs(error))


def test_only_overlapping_findings_are_measured(tmp_path):
    labelled = write_set(tmp_path, [(40, "defect", [("scratch", BOX, {"length_px": 100.0})], {})])
    assert run(labelled, {"1.png": [("scratch", (0.0, 0.0, 12.0, 12.0), 0.9)]}).measurement == ()


def test_defect_images_without_boxes_are_not_false_alarms(tmp_path):
    rows = [(40, "defect", [("dent", BOX, {})], {}), (70, "defect", [], {}), (10, "good", [], {})]
    found = {"1.png": [("dent", BOX, 0.5)], "2.png": [("dent", BOX, 0.9)]}
    evaluation = run(write_set(tmp_path, rows), found)
    assert (evaluation.unlocated, evaluation.localization.images) == (1, 2)
    assert evaluation.localization.any_type.map50 == ONE


def test_defect_images_without_boxes_are_counted_where_they_were_screened(tmp_path):
    rows = [(40, "defect", [("dent", BOX, {})], {}), *[(grey, "defect", [], {}) for grey in (60, 70, 80)]]
    labelled = write_set(tmp_path, [*rows, (10, "good", [], {})])
    labelled.images[1].path.write_bytes(b"no image")
    known = [hashlib.sha256(labelled.images[2].path.read_bytes()).hexdigest()]
    evaluation = evaluate(labelled, RECIPE, FakeScreener(known), FakeLocalizer({}), FakeMeasurer())
    assert (evaluation.unlocated, evaluation.localization.images) == (1, 2)
    assert "; 1 defect image without boxes left out" in render_text(evaluation)


@pytest.mark.parametrize(
    ("label", "auroc", "escape", "overkill"), [("good", None, None, 0.0), ("defect", None, 1.0, None)]
)
def test_one_class_alone_gives_no_nan(tmp_path, label, auroc, escape, overkill):
    evaluation = run(write_set(tmp_path, [(40, label, [], {})]))
    assert evaluation.screening.auroc is auroc
    assert evaluation.screening.rates.escape.value == escape
    assert evaluation.screening.rates.overkill.value == overkill
    assert evaluation.localization is None
    assert "NaN" not in evaluation.model_dump_json()
    assert "undefined" in render_text(evaluation)


def test_unreadable_images_are_named_and_left_out(five):
    five.images[0].path.write_bytes(b"no image")
    evaluation = run(five)
    assert evaluation.unreadable == ("1.png",)
    assert evaluation.screening.rates.overkill.total == 1
    assert evaluation.localization.images == 3


def test_what_is_left_out_is_named_by_its_place_in_the_set(tmp_path):
    for number, name in enumerate(("good/1.png", "bent/1.png", "bent/lot/1.png", "cut/1.png")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (number, number, number)).save(tmp_path / name)
    (tmp_path / "empty").mkdir()
    for name in ("bent/1.png", "cut/1.png"):
        (tmp_path / name).write_bytes(b"no image")
    known = [hashlib.sha256((tmp_path / "bent/lot/1.png").read_bytes()).hexdigest()]
    labelled = read_labelled_set(tmp_path)
    evaluation = evaluate(labelled, RECIPE, FakeScreener(known), FakeLocalizer({}), FakeMeasurer())
    assert evaluation.unreadable == ("bent/1.png", "cut/1.png")
    assert evaluation.misnamed == ("bent/lot/1.png",)
    assert evaluation.empty_classes == ("empty",)
    text = render_text(evaluation)
    assert "left out: bent/1.png, cut/1.png" in text
    assert "bent/lot/1.png left out: labelled a defect" in text
    assert "folders without a photograph: empty" in text


def test_known_references_are_no_test(five):
    known = hashlib.sha256(five.images[1].path.read_bytes()).hexdigest()
    screener = FakeScreener([known])
    evaluation = evaluate(five, RECIPE, screener, FakeLocalizer({}), FakeMeasurer())
    assert screener.prepared == 4
    assert (evaluation.good, evaluation.references, evaluation.screening.auroc) == (1, 1, 1.0)
    assert evaluation.localization.images == 3
    assert "1 good image left out: it serves as a good part" in render_text(evaluation)


def test_what_was_screened_is_counted_and_a_defect_among_the_good_parts_is_named(tmp_path):
    rows = [(10, "good", [], {}), (10, "good", [], {}), (20, "good", [], {}), (30, "good", [], {})]
    labelled = write_set(tmp_path, [*rows, (80, "defect", [], {}), (90, "defect", [], {})])
    labelled.images[3].path.write_bytes(b"no image")
    known = [hashlib.sha256(labelled.images[n].path.read_bytes()).hexdigest() for n in (0, 4)]
    evaluation = evaluate(labelled, RECIPE, FakeScreener(known), FakeLocalizer({}), FakeMeasurer())
    assert (evaluation.good, evaluation.defect, evaluation.references) == (1, 1, 2)
    assert (evaluation.unreadable, evaluation.misnamed) == (("4.png",), ("5.png",))
    text = render_text(evaluation)
    assert "1 good, 1 defect" in text
    assert "5.png left out: labelled a defect, and yet a good part of the recipe" in text


def test_what_is_too_small_to_inspect_is_left_out(tmp_path):
    labelled = write_set(tmp_path, [(10, "good", [], {}), (20, "good", [], {})])
    Image.new("RGB", (40, 15)).save(labelled.images[0].path)
    evaluation = run(labelled)
    assert (evaluation.good, evaluation.unreadable) == (1, ("1.png",))


@pytest.mark.parametrize(
    ("source", "advice"),
    [(Source.BATCH, "`references.overkill`"), (Source.TEMPLATE, "every difference"), (Source.DETECTOR, "")],
)
def test_no_threshold_is_proposed_that_would_change_nothing(five, source, advice):
    class Deciding(FakeScreener):
        def _screening(self, item):
            screening = super()._screening(item)
            words = score(Source.WORDS, screening.suspicion, decided=not advice)
            said = (words, score(source, screening.suspicion))
            return screening.model_copy(update={"sources": said})

    evaluation = evaluate(five, RECIPE, Deciding(), FakeLocalizer({}), FakeMeasurer())
    assert (evaluation.screening.proposed_threshold is None) is bool(advice)
    assert evaluation.screening.unmoved == ((source,) if advice else ())
    text = render_text(evaluation)
    assert ("no threshold is proposed" in text) is bool(advice)
    assert advice in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_heat_maps_are_held_against_masks(tmp_path):
    outline = {"segmentation": [[0, 0, 20, 0, 20, 30, 0, 30]], "area": 600}
    rows = [
        (10, "good", [], {}),
        (80, "defect", [("dent", (0, 0, 20, 30), outline)], {}),
        (90, "defect", [("dent", BOX, {})], {}),
    ]
    pixels = run(write_set(tmp_path, rows)).pixels
    assert (pixels.images, pixels.regions, pixels.threshold) == (2, 1, RECIPE.screening.threshold)
    assert pixels.auroc.value > 0.95
    assert "pixel AUROC" in render_text(run(read_labelled_set(tmp_path)))


def score(source, value, decided=True):
    return SourceScore(source=source, score=value, suspicion=value, decided=decided)


@pytest.fixture
def sourced():
    """Words see the first defect, references the second, the detector decides nothing."""
    rows = [(0.1, 0.1, False), (0.2, 0.3, False), (0.9, 0.2, True), (0.1, 0.8, True)]
    screenings = [
        Screening(
            image_id=f"img_{number}",
            scores={},
            suspicion=max(words, references),
            label="normal",
            status=ScreeningStatus.UNSURE,
            threshold=0.5,
            sources=(
                score(Source.WORDS, words),
                score(Source.REFERENCES, references),
                score(Source.DETECTOR, 0.0, decided=False),
            ),
            provenance=FakeScreener.provenance,
        )
        for number, (words, references, _) in enumerate(rows)
    ]
    return screenings, [is_defect for *_, is_defect in rows]


def test_sources_alone_and_what_each_adds(sourced):
    words, references, detector = source_figures(*sourced)
    assert [each.source for each in (words, references, detector)] == ["words", "references", "detector"]
    assert (words.auroc.value, references.auroc.value) == (0.625, 0.75)
    assert (words.adds.value, references.adds.value, detector.adds.value) == (0.25, 0.375, 0.0)
    assert (words.images, words.decided, detector.decided) == (4, 4, 0)
    assert words.adds.lower <= 0.25 <= words.adds.upper


def test_sources_in_the_table(five, sourced):
    text = render_text(run(five).model_copy(update={"sources": tuple(source_figures(*sourced))}))
    assert "references alone: AUROC 0.750" in text
    assert "adds +0.375" in text
    assert "detector   alone: AUROC 0.500 (0.500 to 0.500); did not decide" in text
    assert max(map(len, text.splitlines())) <= 110


def test_what_was_not_asked_has_no_figures(sourced):
    screenings, truth = sourced
    few = score(Source.BATCH, 0.0, decided=False).model_copy(update={"remark": TOO_FEW})
    told = [each.model_copy(update={"sources": (*each.sources[:2], few)}) for each in screenings]
    assert [each.source for each in source_figures(told, truth)] == [Source.WORDS, Source.REFERENCES]


def test_a_source_alone_adds_nothing_that_could_be_told(sourced):
    screenings, truth = sourced
    alone = [each.model_copy(update={"sources": each.sources[:1]}) for each in screenings]
    assert list(source_figures(alone, truth)) == []
    assert next(source_figures(screenings, [True] * 4)).adds is None


def test_nothing_readable(tmp_path):
    labelled = write_set(tmp_path, [(40, "good", [], {})])
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(UsageError, match="could be read"):
        run(labelled)


def test_boxes_of_another_size_are_refused(tmp_path):
    labelled = write_set(tmp_path, [(40, "defect", [("dent", BOX, {})], {"width": 30, "height": 40})])
    with pytest.raises(UsageError, match="40x30"):
        run(labelled)


def test_progress_runs_to_the_end_and_cancel_stops(five):
    seen = []
    run(five, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 8) for number in range(1, 9)]
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        run(five, progress=lambda done, total: cancel.set(), cancel=cancel)


def test_json_round_trip_and_table(five):
    table = {"3.png": [("scratch", BOX, 0.9)]}
    evaluation = run(five, table)
    evaluation = evaluation.model_copy(update={"pipeline": evaluation.screening.rates})
    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation
    text = render_text(evaluation)
    for words in (
        "AUROC 0.750",
        "escape   50.0% (1 of 2;",
        "scuff = scratch",
        "rust = no type",
        "+10.0%",
        "Verdicts",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 110


def inspection_of(path, verdict):
    record = ImageRecord(id="img_001", name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    return Inspection(
        image=record, judgement=Judgement(verdict=verdict, rule="r", reason_en="", reason_ko="")
    )


def test_pipeline_rates_count_review_as_flagged(five):
    verdicts = [Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT, Verdict.ACCEPT, Verdict.REJECT]
    pairs = zip(five.images, verdicts, strict=True)
    inspections = [inspection_of(image.path, verdict) for image, verdict in pairs]
    rates = pipeline_rates(five, inspections)
    assert (rates.escape.count, rates.escape.total) == (1, 2)
    assert (rates.overkill.count, rates.overkill.total) == (1, 2)
    assert pipeline_rates(five, inspections[:1]).escape.value is None


def test_what_cannot_be_opened_is_in_no_rate(five):
    inspections = [inspection_of(image.path, Verdict.ACCEPT) for image in five.images]
    five.images[0].path.unlink()
    assert pipeline_rates(five, inspections).overkill.total == 1
    assert pipeline_findings(five, inspections).images == 3


def test_what_could_not_be_read_is_in_no_rate(tmp_path):
    generator = np.random.default_rng(1)
    for name, size in ((name, size) for name in ("good", "scratch") for size in (64, 64, 64, 8)):
        number = len(list(tmp_path.glob("*/*")))
        file = tmp_path / name / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(file)
        if number % 4 == 0:
            file.write_bytes(file.read_bytes()[:2_000])
    labelled = read_labelled_set(tmp_path)
    accepted = Judgement(verdict=Verdict.ACCEPT, rule="r", reason_en="", reason_ko="")
    inspections = [
        unreadable(record, RECIPE) if image is None else Inspection(image=record, judgement=accepted)
        for record, image in Batch.open([image.path for image in labelled.judged]).stream()
    ]
    rates = pipeline_rates(labelled, inspections)
    assert (rates.escape.count, rates.escape.total) == (2, 2)
    assert (rates.overkill.count, rates.overkill.total) == (0, 2)


@pytest.mark.parametrize(
    ("found", "ap33", "ap50"),
    [
        pytest.param({2: BOX, 3: BOX}, 1.0, 1.0, id="both"),
        pytest.param({2: BOX, 3: (10.0, 10.0, 30.0, 13.0)}, 0.505, 0.505, id="one too narrow"),
        pytest.param({2: BOX, 3: (10.0, 10.0, 30.0, 14.5)}, 1.0, 0.505, id="one rather narrow"),
        pytest.param({}, 0.0, 0.0, id="none"),
    ],
)
def test_findings_of_all_sources_are_held_against_the_boxes(five, found, ap33, ap50):
    inspections = [inspection_of(image.path, Verdict.REVIEW) for image in five.images]
    for number, box in found.items():
        finding = Finding(
            id="f", image_id="img_001", type="unclassified", confidence=0.7, box_xyxy_px=box,
            origin=Origin.REFERENCE,
        )  # fmt: skip
        inspections[number] = inspections[number].model_copy(update={"findings": (finding,)})
    figures = pipeline_findings(five, inspections)
    assert (figures.images, figures.boxes, figures.findings) == (4, 2, len(found))
    assert (figures.ap33, figures.ap50) == (pytest.approx(ap33, abs=1e-3), pytest.approx(ap50, abs=1e-3))
    text = render_text(run(five).model_copy(update={"findings": figures}))
    assert f"AP at IoU 0.33 {ap33:.3f}" in text
    assert pipeline_findings(five, inspections[:1]) is None
