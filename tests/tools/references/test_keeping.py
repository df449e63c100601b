from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tools.pipeline.test_journal import RUN
from tests.tools.references.conftest import drawn_part
from tests.tools.screening.test_combined import FakeDetector, detector, words
from tools.errors import OutputError, UsageError
from tools.images import Batch
from tools.localization.localizer import Localizer, Look
from tools.pipeline.journal import Journal, refuse_other_run
from tools.recipe import Recipe, References
from tools.recipe.file import load_recipe
from tools.records import ImageRecord, Provenance
from tools.references.backbones import TextureBackbone
from tools.references.keeping import GoodParts, model_key
from tools.references.options import Notes
from tools.references.reference_set import ReferenceSet
from tools.references.storing import FILE_NAME

Add = Callable[..., ReferenceSet]


def lacking(number: int) -> tuple[ImageRecord, np.ndarray[Any, np.dtype[np.uint8]]]:
    """The part without its small bar."""
    picture = drawn_part(number, shift_px=(1, 0))
    picture[33:63, 114:123] = picture[33:63, 124:133]
    return ImageRecord(id=f"img_{number}", name=f"{number}.png"), picture


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "good"
    folder.mkdir()
    for number in range(1, 10):
        picture = drawn_part(number, shift_px=(number % 5 - 2, number % 3 - 1))
        Image.fromarray(picture).save(folder / f"part_{number}.png")
    return folder


@pytest.fixture
def add(tmp_path: Path, photos: Path) -> Add:
    """Adds photographs, by their numbers, to the good parts of a recipe."""

    def added(numbers: range, registration: bool | None = None, name: str = "plate") -> ReferenceSet:
        settings: dict[str, Any] = {"references": References(registration=registration)}
        recipe: Recipe = load_recipe().model_copy(update=settings).loaded_from(tmp_path / f"{name}.yaml")
        batch = Batch.open([photos / f"part_{number}.png" for number in numbers])
        return GoodParts(recipe).add(batch, words(0.3), detector(0.6))[0]

    return added


@pytest.mark.parametrize("registration", [None, True], ids=["the good parts show it", "rigid"])
@pytest.mark.parametrize(
    "portions",
    [
        [range(1, 2), range(2, 9)],
        [range(1, 2), range(1, 9)],
        [range(1, 2), range(2, 3), range(3, 9)],
        [range(1, 5), range(5, 9)],
    ],
    ids=["one first", "one twice", "one and one", "half and half"],
)
def test_one_by_one_they_make_the_same_set_as_at_once(
    add: Add, portions: list[range], registration: bool | None
) -> None:
    at_once = add(range(1, 9), registration, name="at once")
    for portion in portions:
        grown = add(portion, registration)
    assert [each.name for each in grown.references] == [each.name for each in at_once.references]
    assert grown.frame is not None
    assert grown.notes == at_once.notes
    assert grown.provenance == at_once.provenance
    (score,), (expected,) = grown.score([lacking(70)]), at_once.score([lacking(70)])
    assert score == expected
    assert score.score > 0.5


@pytest.mark.parametrize(("registration", "is_rigid"), [(None, False), (True, True), (False, False)])
def test_one_image_is_enough_to_start(add: Add, registration: bool | None, is_rigid: bool) -> None:
    lone = add(range(1, 2), registration)
    assert ((lone.frame is not None), len(lone.references)) == (is_rigid, 1)
    assert "one good image shows no spread" in lone.calibration.remark
    (score,) = lone.score([lacking(70)])
    assert 0.0 <= score.score <= 1.0


def test_the_same_image_twice_does_not_show_that_a_part_is_rigid(add: Add, photos: Path) -> None:
    shutil.copy(photos / "part_1.png", photos / "part_2.png")
    for numbers in (range(1, 3), range(1, 2)):
        found = add(numbers)
        assert (found.frame, len(found.references)) == (None, 1)


def test_good_parts_that_are_gone_stay_and_that_is_said_until_they_are_named_again(
    add: Add, photos: Path, tmp_path: Path
) -> None:
    add(range(1, 2))
    (photos / "part_1.png").rename(tmp_path / "away.png")
    for numbers in (range(2, 9), range(9, 10)):
        found = add(numbers)
        assert (found.frame, len(found.references)) == (None, numbers[-1])
        assert "of the good images 1 can no longer be found" in found.calibration.remark
    (tmp_path / "away.png").rename(photos / "part_1.png")
    found = add(range(1, 2))
    assert found.frame is not None
    assert "no longer" not in found.calibration.remark
    assert [each.name for each in found.references] == [f"part_{number}.png" for number in range(1, 10)]


def test_good_parts_keep_their_names_when_they_are_looked_at_again(tmp_path: Path) -> None:
    parts = GoodParts(load_recipe().loaded_from(tmp_path / "plate.yaml"))
    for number in (1, 2, 3):
        folder = tmp_path / f"day{number}"
        folder.mkdir()
        Image.fromarray(drawn_part(number)).save(folder / "img.png")
        found, new = parts.add(Batch.open([folder]), words(0.3), detector(0.6))
        assert new == 1
    assert [each.name for each in found.references] == ["img.png", "img.png (2)", "img.png (3)"]


WORDS: dict[str, Any] = {
    "threshold": 0.5,
    "review_band": 0.1,
    "temperature": 1.0,
    "unknown_below": None,
    "detector_from": 0.5,
    "prompts_sha256": "a",
}
DETECTOR: dict[str, Any] = {
    "confidence": 0.25,
    "review_confidence": 0.4,
    "iou": 0.5,
    "max_findings": 100,
    "meanings_sha256": "a",
}


@pytest.mark.parametrize(
    ("tool", "parameters", "changed", "is_same"),
    [
        ("screening", WORDS, {"threshold": 0.9, "review_band": 0.2}, True),
        ("screening", WORDS, {"unknown_below": 0.2, "detector_from": None}, True),
        ("screening", WORDS, {"temperature": 2.0}, False),
        ("screening", WORDS, {"prompts_sha256": "b"}, False),
        ("localization", DETECTOR, {"confidence": 0.4, "review_confidence": 0.5, "max_findings": 9}, True),
        ("localization", DETECTOR, {"iou": 0.7}, False),
        ("localization", DETECTOR, {"meanings_sha256": "b"}, False),
    ],
)
def test_what_was_noted_of_good_parts_holds_as_long_as_the_answers_would(
    tool: str, parameters: dict[str, Any], changed: dict[str, Any], is_same: bool
) -> None:
    before, after = (Provenance(tool=tool, parameters=each) for each in (parameters, parameters | changed))
    assert (model_key(before) == model_key(after)) is is_same


def test_the_same_weights_at_another_place_are_the_same_model() -> None:
    here, there = (
        Provenance(tool="localization", model=name, weights_sha256="a" * 64) for name in ("a.pt", "b/a.pt")
    )
    assert model_key(here) == model_key(there)
    assert model_key(here) != model_key(here.model_copy(update={"weights_sha256": "b" * 64}))


@pytest.mark.parametrize("confidence", [0.6, 0.2], ids=["a finding", "too weak for a finding"])
def test_false_alarms_are_noted_also_below_the_limit_of_findings(
    tmp_path: Path, photos: Path, confidence: float
) -> None:
    recipe = load_recipe().loaded_from(tmp_path / "plate.yaml")
    batch = Batch.open([photos / "part_1.png"])
    fake = detector(confidence)
    (look,) = fake.look([(batch.records[0], batch.load("img_001"))])
    assert isinstance(look, Look)
    assert bool(look.findings) is (confidence > 0.25)
    found, _ = GoodParts(recipe).add(batch, words(0.3), fake)
    assert list(found.notes.alarms.values()) == [confidence]


def seen_by(name: str) -> Localizer:
    fake: Any = FakeDetector(0.6)
    fake.provenance = Provenance(tool="localization", model=name)
    return fake  # type: ignore[no-any-return]


def test_a_run_is_not_gone_on_with_after_a_rebuild_that_another_detector_saw(
    tmp_path: Path, photos: Path
) -> None:
    parts = GoodParts(load_recipe().loaded_from(tmp_path / "plate.yaml"))
    parts.add(Batch.open([photos]), words(0.3), seen_by("A"))
    before = (parts.load().provenance,)
    Journal(tmp_path / "run", RUN.model_copy(update={"models": before})).close()
    parts.rebuild(words(0.3), seen_by("A"))
    refuse_other_run(tmp_path / "run", models=(parts.load().provenance,))
    parts.rebuild(words(0.3), seen_by("B"))
    with pytest.raises(OutputError, match="other models, good parts"):
        refuse_other_run(tmp_path / "run", models=(parts.load().provenance,))


def test_where_good_parts_lie_is_no_part_of_what_they_decide() -> None:
    here, there = (Notes(words={"a": 0.5}, paths={"a": path}) for path in ("/here/a.png", "/there/a.png"))
    assert here.sha256 == there.sha256
    assert here.sha256 != here.model_copy(update={"words": {"a": 0.6}}).sha256


@pytest.mark.parametrize("other", ["add", "remove", "rebuild"])
def test_one_at_a_time_changes_the_good_parts(tmp_path: Path, photos: Path, other: str) -> None:
    recipe = load_recipe().loaded_from(tmp_path / "plate.yaml")
    first, second = (Batch.open([photos / f"part_{number}.png"]) for number in (1, 2))
    GoodParts(recipe).add(first, words(0.3), detector(0.6))
    refused = []

    def meanwhile(*_: object) -> None:
        parts = GoodParts(recipe)
        changes: dict[str, Callable[[], object]] = {
            "add": lambda: parts.add(first, words(0.3), detector(0.6)),
            "remove": lambda: parts.remove(["part_1.png"]),
            "rebuild": lambda: parts.rebuild(words(0.3), detector(0.6)),
        }
        with pytest.raises(OutputError, match="another Loupe is changing the good parts in"):
            changes[other]()
        refused.append(other)

    GoodParts(recipe).add(second, words(0.3), detector(0.6), progress=meanwhile)
    assert refused
    assert GoodParts(recipe).index().names == ("part_1.png", "part_2.png")
    GoodParts(recipe).remove(["part_1.png"])  # what was refused holds nothing back
    assert GoodParts(recipe).index().names == ("part_2.png",)


def test_no_folder_is_made_where_there_is_nothing_to_change(tmp_path: Path) -> None:
    parts = GoodParts(load_recipe().loaded_from(tmp_path / "plate.yaml"))
    for change in (lambda: parts.remove(["a"]), lambda: parts.rebuild(words(0.3), detector(0.6))):
        with pytest.raises(UsageError, match="there are no references"):
            change()
    assert not parts.folder.exists()


def test_a_file_whose_name_is_no_utf_8_can_be_a_good_part(tmp_path: Path, photos: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xba\xce.png")
    try:
        shutil.copy(photos / "part_1.png", odd)
    except OSError:
        pytest.skip("this file system takes no such names")
    parts = GoodParts(load_recipe().loaded_from(tmp_path / "plate.yaml"))
    parts.add(Batch.open([odd]), words(0.3), detector(0.6))
    again = parts.rebuild(words(0.3), detector(0.6))
    assert [each.name for each in again.references] == [r"\xba\xce.png"]
    assert list(again.notes.paths.values()) == [str(odd)]


def test_that_good_parts_were_not_found_is_said_until_they_are_named_again_or_removed(
    add: Add, photos: Path, tmp_path: Path
) -> None:
    add(range(1, 4), False)
    for number in (1, 2):
        (photos / f"part_{number}.png").unlink()
    recipe = load_recipe().loaded_from(tmp_path / "plate.yaml")
    held = GoodParts(recipe).folder / FILE_NAME
    loose = ReferenceSet.load(held.parent, TextureBackbone())
    loose.calibration = loose.calibration.model_copy(update={"unseen": 2})
    loose.save(held.parent)
    for name, unseen in (("part_3.png", 2), ("part_1.png", 1)):
        found = GoodParts(recipe).remove([name])
        assert found is not None
        assert found.calibration.unseen == unseen
        assert f"of the good images {unseen} can no longer be found" in found.calibration.remark
