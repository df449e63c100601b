from __future__ import annotations

import threading
from types import MappingProxyType

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import find_objects, label

from tests.tools.judged import CLEAR, screened
from tools.checkpoints import Checkpoint, Runtime, file_sha256
from tools.errors import ModelError, UntrustedCheckpointError
from tools.glossary import UNCLASSIFIED
from tools.judging import judge
from tools.localization.detectors import Detector, import_ultralytics
from tools.localization.localizer import Localizer, candidate_from_heat_map
from tools.localization.merging import Detection
from tools.recipe import Acceptance, DefectType, Label, Localization, Models, Zone
from tools.records import HeatMap, ImageRecord, Origin, Provenance, Screening, ScreeningStatus, Verdict

MANY = Localization(confidence=0.2, iou=0.5, max_findings=30)


def detect(path, picture, **options):
    detector = Detector(Checkpoint("detector", "random", path), MANY, device="cpu", **options)
    return detector.detect([picture(1, 64, 48)[1]])[0]


def same(found, expected):
    assert len(found) == len(expected) > 3
    assert [d.confidence for d in found] == pytest.approx([d.confidence for d in expected], abs=1e-3)
    assert np.allclose([d.box_xyxy_px for d in found], [d.box_xyxy_px for d in expected], atol=0.05)


def test_safetensors_see_exactly_what_the_pickle_sees(detectors, picture):
    pickled = detect(detectors["detect.pt"], picture, trust=True)
    assert detect(detectors["detect"], picture) == pickled
    assert len(pickled) > 3


def test_colours_and_boxes_are_those_of_yolo_predict(detectors, picture):
    yolo = import_ultralytics().YOLO(detectors["detect.pt"])
    photograph = PIL.Image.fromarray(picture(1, 64, 48)[1])  # which ultralytics knows to be RGB
    limits = {"conf": MANY.confidence, "iou": MANY.iou, "max_det": MANY.max_findings}
    boxes = yolo.predict(photograph, imgsz=64, verbose=False, **limits)[0].boxes
    found = detect(detectors["detect"], picture)
    assert np.allclose([d.box_xyxy_px for d in found], boxes.xyxy, atol=1e-3)
    assert [d.confidence for d in found] == pytest.approx(boxes.conf.tolist(), abs=1e-5)


def test_onnx_sees_what_torch_sees(detectors):
    # No padding in either; and the export takes one image at a time.
    images = list(np.random.default_rng(3).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8))
    both = [
        Detector(Checkpoint("detector", "random", detectors[name]), MANY, device="cpu").detect(images)
        for name in ("detect.onnx", "detect")
    ]
    for by_onnx, by_torch in zip(*both, strict=True):
        same(by_onnx, by_torch)


def test_masks_become_outlines_inside_the_picture(detectors, recipe, picture):
    low = recipe.model_copy(update={"localization": MANY})
    localizer = Localizer(Checkpoint("detector", "random", detectors["segment"]), low)
    (findings,) = localizer.locate([picture(1, 200, 100)])
    outlined = [finding for finding in findings if finding.contours_px]
    assert outlined
    for finding in outlined:
        points = np.concatenate([np.array(outline) for outline in finding.contours_px])
        x_min, y_min, x_max, y_max = finding.box_xyxy_px
        assert points.min(axis=0) == pytest.approx([x_min, y_min], abs=8)  # one cell of the mask, scaled
        assert points.max(axis=0) == pytest.approx([x_max, y_max], abs=8)


def test_a_foreign_pickle_is_not_loaded(detectors, recipe):
    checkpoint = Checkpoint("detector", "best.pt", detectors["detect.pt"])
    with pytest.raises(UntrustedCheckpointError, match=r"detect\.pt") as caught:
        Localizer(checkpoint, recipe)
    digest = file_sha256(detectors["detect.pt"])
    assert f"detector_sha256: {digest}" in caught.value.hint
    assert "--trust-checkpoint" in caught.value.hint
    vouched = recipe.model_copy(update={"models": Models(detector_sha256=digest.upper())})
    assert Localizer(checkpoint, vouched).provenance.weights_sha256 == digest
    wrong = recipe.model_copy(update={"models": Models(detector_sha256="0" * 64)})
    with pytest.raises(UntrustedCheckpointError):
        Localizer(checkpoint, wrong)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"defects": {"scratch": DefectType(prompts=("a scar",)), "dent": DefectType()}}, True),
        ({"defects": {"scratch": DefectType(), "dent": DefectType(), "stain": DefectType()}}, True),
        ({"defects": {"scratch": DefectType(detector_classes=("line",)), "dent": DefectType()}}, False),
        ({"defects": {"scratch": DefectType()}, "hard_negatives": {"dent": Label()}}, False),
    ],
    ids=["prompts", "a type that it does not know", "a class less", "what only looks like a defect"],
)
def test_provenance_tells_what_the_classes_are_taken_for(detectors, recipe, change, is_same):
    checkpoint = Checkpoint("detector", "random", detectors["detect"])
    before, after = (
        Localizer(checkpoint, each).provenance.parameters["meanings_sha256"]
        for each in (recipe, recipe.model_copy(update=change))
    )
    assert len(before) == 64
    assert (before == after) is is_same


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.yaml").unlink(),
        lambda folder: (folder / "model.yaml").write_text("task: pose\nnames: {0: a}\nimgsz: 64\n"),
        lambda folder: (folder / "model.safetensors").write_bytes(b"no tensors"),
        lambda folder: (folder / "model.safetensors").unlink(),
    ],
)
def test_damaged_checkpoints_are_model_errors(detectors, recipe, tmp_path, damage):
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(detectors["detect"], folder)
    damage(folder)
    with pytest.raises(ModelError):
        Localizer(Checkpoint("detector", "broken", folder), recipe)


def test_a_description_of_a_network_runs_no_code(detectors, recipe, tmp_path):
    import shutil

    shutil.copytree(detectors["detect"], tmp_path / "evil")
    description = tmp_path / "evil" / "model.yaml"
    mark = tmp_path / "was here"
    description.write_text(description.read_text() + f'activation: open({str(mark)!r}, "w")\n')
    with pytest.raises(ModelError):
        Localizer(Checkpoint("detector", "evil", tmp_path / "evil"), recipe)
    assert not mark.exists()


def test_ultralytics_leaves_no_trace(detectors, tmp_path, monkeypatch):
    import torch

    before, threads = PIL.Image.open, torch.get_num_threads()
    monkeypatch.chdir(tmp_path)
    import_ultralytics()
    Detector(Checkpoint("detector", "random", detectors["detect"]), MANY, device="cpu")
    assert PIL.Image.open is before
    assert PIL.Image.open.__module__ == "PIL.Image"
    assert torch.get_num_threads() == threads
    assert list(tmp_path.iterdir()) == []


class ColourDetector:
    """Stands in for the network: each red region is a `Scratch`, green a `dust`, blue a `hole`."""

    names = MappingProxyType({0: "Scratch", 1: "dust", 2: "hole"})
    image_size_px, device, is_half, fixed_batch = 64, "cpu", False, None

    def __init__(self, checkpoint, settings, **_):
        self.file = checkpoint.path
        self.batches = []

    def detect(self, images_rgb):
        assert len({image.shape for image in images_rgb}) == 1
        self.batches.append(len(images_rgb))
        return [[*self._regions(image)] for image in images_rgb]

    def _regions(self, image):
        for channel, name in self.names.items():
            regions, _ = label(image[..., channel] == 255)
            for rows, columns in find_objects(regions):
                box = (float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))
                outline = ((box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3]))
                yield Detection(name, 0.5 + 0.1 * channel, box, (outline,))


@pytest.fixture
def located(monkeypatch, recipe, tmp_path):
    """Localizes coloured boxes in a black picture of a size; returns the findings."""
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)

    def run(size_px, boxes, **settings):
        changed = recipe.model_copy(update={"localization": Localization(**settings)})
        image = np.zeros((size_px[1], size_px[0], 3), np.uint8)
        for channel, (x_min, y_min, x_max, y_max) in boxes:
            image[y_min:y_max, x_min:x_max, channel] = 255
        record = ImageRecord(id="img_003", name="a.png", width_px=size_px[0], height_px=size_px[1])
        localizer = Localizer(Checkpoint("detector", "colour", weights), changed)
        return next(localizer.locate([(record, image)]))

    return run


@pytest.mark.parametrize("box", [(300, 40, 310, 44), (20, 60, 380, 70), (45, 0, 55, 150), (0, 0, 400, 150)])
def test_tiles_find_each_defect_once_at_its_place(located, box):
    (finding,) = located((400, 150), [(0, box)])
    assert finding.box_xyxy_px == box
    assert (finding.id, finding.type, finding.origin) == ("img_003-1", "scratch", Origin.YOLO)
    ((*corners,),) = finding.contours_px
    assert np.min(corners, axis=0) == pytest.approx(box[:2], abs=0.51)
    assert np.max(corners, axis=0) == pytest.approx(box[2:], abs=0.51)


def test_tiles_keep_neighbours_apart(located):
    boxes = [(50, 20, 60, 100), (70, 20, 80, 100), (200, 60, 210, 64)]
    assert {f.box_xyxy_px for f in located((400, 150), [(0, box) for box in boxes])} == set(boxes)


@pytest.mark.parametrize(
    ("size_px", "settings", "views"),
    [
        ((96, 64), {}, 1),  # exactly 1.5 times the input
        ((97, 64), {}, 1 + 2),
        ((65, 64), {"tile_px": 64}, 1 + 2),
        ((200, 200), {"tile_px": 200}, 1),
    ],
)
def test_only_large_pictures_are_tiled(located, monkeypatch, size_px, settings, views):
    seen = []
    plain = ColourDetector.detect
    monkeypatch.setattr(ColourDetector, "detect", lambda *a: seen.append(len(a[1])) or plain(*a))
    located(size_px, [], **settings)
    assert sum(seen) == views


def test_classes_become_types(located):
    findings = located((64, 64), [(0, (1, 1, 5, 5)), (1, (10, 10, 20, 20)), (2, (30, 30, 40, 40))])
    assert [(f.id, f.type, f.confidence) for f in findings] == [  # dust is a hard negative: no finding
        ("img_003-1", UNCLASSIFIED, pytest.approx(0.7)),
        ("img_003-2", "scratch", pytest.approx(0.5)),
    ]


@pytest.mark.parametrize("name", ["SCRATCH", "scratch ", "s-c_r a t c h", "ｓｃｒａｔｃｈ"])
def test_a_class_is_its_type_however_it_is_spelled(located, monkeypatch, name):
    monkeypatch.setattr(ColourDetector, "names", {0: name})
    (finding,) = located((64, 64), [(0, (1, 1, 5, 5))])
    assert finding.type == "scratch"


def test_no_more_findings_than_allowed(located):
    boxes = [(0, (x, 5, x + 3, 9)) for x in range(0, 60, 6)]
    assert len(located((64, 64), boxes, max_findings=4)) == 4


def test_order_batches_and_cancel(monkeypatch, recipe, picture, tmp_path):
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)
    localizer = Localizer(Checkpoint("detector", "colour", weights), recipe, Runtime(batch_size=2))
    pictures = [picture(1, 50, 50), picture(2, 60, 50), picture(3, 60, 50), picture(4, 60, 50)]
    assert len(list(localizer.locate(pictures))) == 4
    assert localizer._detector.batches == [1, 2, 1]
    cancel = threading.Event()
    seen = 0
    for _ in localizer.locate(pictures, cancel=cancel):
        cancel.set()
        seen += 1
    assert seen == 1


@pytest.mark.parametrize(
    ("device", "fixed", "asked", "expected"),
    [
        ("cpu", None, None, [1, 1, 1, 1]),
        ("cuda:0", None, None, [4]),
        ("cpu", 3, None, [3, 1]),  # an exported network is given its own number at once
        ("cpu", None, 2, [2, 2]),
    ],
)
def test_how_many_views_the_detector_gets_at_once(
    monkeypatch, recipe, picture, tmp_path, device, fixed, asked, expected
):
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)
    monkeypatch.setattr(ColourDetector, "device", device)
    monkeypatch.setattr(ColourDetector, "fixed_batch", fixed)
    localizer = Localizer(Checkpoint("detector", "colour", weights), recipe, Runtime(batch_size=asked))
    list(localizer.locate([picture(number, 50, 50) for number in range(4)]))
    assert localizer._detector.batches == expected


def test_an_image_is_looked_at_once_for_screening_and_for_places(monkeypatch, recipe, picture, tmp_path):
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)
    localizer = Localizer(Checkpoint("detector", "colour", weights), recipe, Runtime(batch_size=2))
    pictures = [
        (record.model_copy(update={"sha256": f"{number:064d}"}), image)
        for number, (record, image) in enumerate(picture(number, 50, 50) for number in range(4))
    ]
    first = list(localizer.locate(pictures[1:3]))
    again = list(localizer.locate(pictures))
    assert again[1:3] == first
    assert localizer._detector.batches == [2, 2]
    changed = pictures[1][0].model_copy(update={"sha256": "f" * 64})
    list(localizer.locate([(changed, pictures[1][1])]))
    assert localizer._detector.batches == [2, 2, 1]
    second_page = pictures[1][0].model_copy(update={"page": 1})
    list(localizer.locate([(second_page, pictures[1][1])]))
    assert localizer._detector.batches == [2, 2, 1, 1]
    assert len(list(localizer.locate(pictures[:2]))) == 2


@pytest.mark.parametrize(("channel", "found", "surest"), [(0, 0, 0.5), (1, 0, 0.0), (2, 1, 0.7)])
def test_what_is_too_weak_for_a_finding_is_heard_and_what_is_no_defect_is_not(
    monkeypatch, recipe, tmp_path, channel, found, surest
):
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    monkeypatch.setattr("tools.localization.localizer.Detector", ColourDetector)
    demanding = recipe.model_copy(update={"localization": Localization(confidence=0.65)})
    localizer = Localizer(Checkpoint("detector", "colour", weights), demanding)
    image = np.zeros((64, 64, 3), np.uint8)
    image[10:20, 10:20, channel] = 255
    record = ImageRecord(id="img_001", name="a.png", width_px=64, height_px=64)
    (look,) = localizer.look([(record, image)])
    assert (len(look.findings), look.surest) == (found, surest)


def test_the_network_is_asked_for_more_than_becomes_findings(monkeypatch, recipe, tmp_path):
    weights = tmp_path / "model.onnx"
    weights.write_bytes(b"weights")
    asked = []

    class Asked(ColourDetector):
        def __init__(self, checkpoint, settings, **_):
            super().__init__(checkpoint, settings)
            asked.append(settings.confidence)

    monkeypatch.setattr("tools.localization.localizer.Detector", Asked)
    for confidence in (0.25, 0.02):
        changed = recipe.model_copy(update={"localization": Localization(confidence=confidence)})
        Localizer(Checkpoint("detector", "colour", weights), changed)
    assert asked == [0.1, 0.02]


def test_findings_carry_no_seconds_of_the_whole_image(located):
    findings = located((64, 64), [(0, (1, 1, 5, 5)), (2, (30, 30, 40, 40))])
    assert [[step.elapsed_s for step in each.provenance] for each in findings] == [[0.0], [0.0]]


def screening_of(status, label, heat=None, score=0.8):
    return Screening(
        image_id="img_001",
        scores={label: score},
        suspicion=0.8,
        label=label,
        status=status,
        threshold=0.5,
        heat_map=heat,
        provenance=Provenance(tool="screening", elapsed_s=0.5),
    )


RECORD = ImageRecord(id="img_001", name="a.png", width_px=400, height_px=200)


def test_a_suspect_gets_a_candidate_where_it_is_hot(recipe):
    values = np.full((4, 8), 0.1)
    values[1, 5:7] = 0.9, 0.8  # one region
    values[3, 0] = 0.88  # as hot, but apart from it
    heat = HeatMap(rows=4, columns=8, values=tuple(values.ravel()))
    finding = candidate_from_heat_map(RECORD, screening_of(ScreeningStatus.SUSPECT, "dent", heat), recipe)
    assert finding.box_xyxy_px == (250, 50, 350, 100)
    assert (finding.id, finding.origin, finding.type) == ("img_001-1", Origin.SCREENING, "dent")
    assert finding.confidence == 0.8
    assert [(step.tool, step.elapsed_s) for step in finding.provenance] == [("screening", 0.0)]


@pytest.mark.parametrize(
    ("elsewhere", "box", "confidence"),
    [(0.6, (350, 150, 400, 200), 0.5), (0.1, (0, 0, 100, 100), 0.8)],
    ids=["beside it", "nothing else is hot"],
)
def test_a_candidate_lies_outside_ignored_zones_where_that_is_hot(recipe, elsewhere, box, confidence):
    left = Zone(name="plate", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)), ignore=True)
    values = np.full((4, 8), 0.1)
    values[:2, :2], values[3, 7] = 0.95, elsewhere
    heat = HeatMap(rows=4, columns=8, values=tuple(values.ravel()))
    screening = screening_of(ScreeningStatus.SUSPECT, "dent", heat)
    finding = candidate_from_heat_map(RECORD, screening, recipe.model_copy(update={"zones": (left,)}))
    assert (finding.box_xyxy_px, finding.confidence) == (box, pytest.approx(confidence))


@pytest.mark.parametrize(
    ("background", "score", "type_", "confidence"),
    [(0.0, 0.8, "dent", 0.8), (0.3, 0.4, UNCLASSIFIED, 0.6), (0.85, 0.8, UNCLASSIFIED, 0.05)],
)
def test_a_candidate_claims_no_more_than_its_place_and_label_stand_out(
    recipe, background, score, type_, confidence
):
    values = np.full((4, 8), background)
    values[1, 5] = 0.9
    values[3, :4] = min(background, 0.7)
    heat = HeatMap(rows=4, columns=8, values=tuple(values.ravel()))
    screening = screening_of(ScreeningStatus.SUSPECT, "dent", heat, score)
    finding = candidate_from_heat_map(RECORD, screening, recipe)
    assert (finding.type, finding.confidence) == (type_, pytest.approx(confidence, abs=0.16))


def test_where_everything_is_hot_nothing_is_claimed(recipe):
    heat = HeatMap(rows=2, columns=2, values=(0.95, 0.9, 1.0, 0.95))
    finding = candidate_from_heat_map(RECORD, screening_of(ScreeningStatus.SUSPECT, "dent", heat), recipe)
    assert (finding.type, finding.confidence) == (UNCLASSIFIED, 0)


def test_without_a_heat_map_the_candidate_is_the_whole_image(recipe):
    finding = candidate_from_heat_map(RECORD, screening_of(ScreeningStatus.SUSPECT, "dust"), recipe)
    assert (finding.box_xyxy_px, finding.type) == ((0, 0, 400, 200), UNCLASSIFIED)


@pytest.mark.parametrize("status", [ScreeningStatus.CLEAR, ScreeningStatus.UNSURE])
def test_only_suspects_get_a_candidate(recipe, status):
    assert candidate_from_heat_map(RECORD, screening_of(status, "dent"), recipe) is None


@pytest.mark.parametrize(
    ("boxes", "most", "verdict"),
    [
        ([(0, (x, y, x + 3, y + 3)) for x in range(0, 150, 6) for y in range(0, 72, 6)], 100, Verdict.REVIEW),
        ([(0, (x, 5, x + 3, 9)) for x in range(0, 60, 6)], 11, Verdict.ACCEPT),
        ([(0, (1, 1, 5, 5)), *((2, (x, 30, x + 3, 34)) for x in range(0, 60, 6))], 11, Verdict.REVIEW),
    ],
    ids=["more than are kept", "fewer", "hard negatives in the place of others"],
)
def test_an_image_of_which_findings_were_left_out_is_not_accepted(located, recipe, boxes, most, verdict):
    found = located((160, 80), boxes, max_findings=most)
    known = {**recipe.defects, "scratch": DefectType(accept=Acceptance(max_count=120))}
    counted = tuple(each.model_copy(update={"type": "scratch"}) for each in found)
    record = ImageRecord(id="img_003", name="a.jpg", width_px=160, height_px=80)
    judgement, _ = judge(record, screened(CLEAR), counted, recipe.model_copy(update={"defects": known}))
    assert judgement.verdict is verdict
    assert (f"{most} places or more" in judgement.reason_en) is (verdict is Verdict.REVIEW)
