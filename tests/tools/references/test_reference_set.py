from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tools.errors import ModelError, OutputError, UsageError
from tools.records import ImageRecord
from tools.references import framing, reference_set
from tools.references.backbones import TextureBackbone
from tools.references.options import Notes, ReferenceOptions
from tools.references.reference_set import ReferenceSet
from tools.references.storing import FILE_NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

TEXTURE = TextureBackbone(side_px=128, cell_px=8)
SMALL = ReferenceOptions(max_patches=600)
FREE = ReferenceOptions(max_patches=600, rigid=False)


@pytest.fixture(scope="module", params=[SMALL, FREE], ids=["rigid", "free"])
def made(request, parts) -> ReferenceSet:
    return ReferenceSet.build(parts(6), TEXTURE, request.param)


@pytest.fixture(scope="module")
def free(parts) -> ReferenceSet:
    return ReferenceSet.build(parts(3), TEXTURE, FREE)


def test_finds_out_whether_parts_lie_over_each_other(parts) -> None:
    assert ReferenceSet.build(parts(4), TEXTURE, SMALL).frame is not None
    generator = np.random.default_rng(1)
    surfaces = [
        (ImageRecord(id=str(n), name=str(n)), generator.integers(0, 256, (96, 96, 3), dtype=np.uint8))
        for n in range(4)
    ]
    assert ReferenceSet.build(surfaces, TEXTURE, SMALL).frame is None


def test_parts_of_which_too_many_lie_otherwise_are_not_laid_over_each_other(parts) -> None:
    upright = parts(5)
    turned = [(record, np.ascontiguousarray(image[::-1, ::-1])) for record, image in parts(3, first=20)]
    assert ReferenceSet.build([*upright, *turned[:1]], TEXTURE, SMALL).frame is not None
    assert ReferenceSet.build([*upright, *turned], TEXTURE, SMALL).frame is None


def test_the_frame_is_what_most_lie_over_best(parts, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [image for _, image in parts(4)]
    # How well each lies over each: the second suits the most, but one odd part not at all.
    fits = [[1.0, 0.8, 0.8, 0.8], [0.95, 1.0, 0.95, 0.5], [0.7, 0.7, 1.0, 0.7]]

    class Measured:
        def __init__(self, number: int) -> None:
            self.number = number

        @classmethod
        def of(cls, picture: NDArray[np.uint8]) -> Measured:
            return cls(next(n for n, each in enumerate(pictures) if each is picture))

        def register(self, other: NDArray[np.uint8]) -> SimpleNamespace:
            return SimpleNamespace(correlation=fits[self.number][Measured.of(other).number])

    monkeypatch.setattr(framing, "Frame", Measured)
    frame, fit = framing.frame_of(pictures, SMALL)
    assert (frame.number, fit) == (1, 0.8)  # type: ignore[union-attr]


def test_features_decide_whether_parts_are_rigid_where_edges_leave_it_open(
    parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "_PERHAPS_RIGID", -1.0)
    monkeypatch.setattr(reference_set, "SURELY_RIGID", 1.1)
    assert ReferenceSet.build(parts(4), TEXTURE, SMALL).frame is not None
    scattered = [
        (record, np.roll(image, (37 * number, 53 * number), axis=(0, 1)))
        for number, (record, image) in enumerate(parts(4))
    ]
    assert ReferenceSet.build(scattered, TEXTURE, SMALL).frame is None


def test_a_scratched_part_is_above_the_threshold_and_good_ones_are_below(made, parts) -> None:
    good = [each.score for each in made.score(parts(6, first=50))]
    bad = [each.score for each in made.score(parts(6, first=60, scratched=True))]
    assert max(good) < 0.5 < min(bad)


@pytest.mark.parametrize("first", [31, 32, 40])
def test_naming_a_false_alarm_good_is_heard_however_many_good_parts_there_are(parts, first, tmp_path) -> None:
    before = ReferenceSet.build(parts(first), TEXTURE, ReferenceOptions(rigid=True))
    alarm = parts(1, first=60, scratched=True)
    assert next(before.score(alarm)).score > 0.5
    after = before.add(alarm)
    assert next(after.score(alarm)).score < 0.1
    assert after.compared == 32
    after.save(tmp_path)
    again = ReferenceSet.load(tmp_path, TEXTURE)
    assert (again.calibration, again.compared) == (after.calibration, 32)
    assert next(again.score(alarm)).score < 0.1


def test_of_up_to_32_good_parts_all_are_compared_in_their_order(parts) -> None:
    made = ReferenceSet.build(parts(32), TEXTURE, ReferenceOptions(rigid=True))
    assert (made.compared, made.calibration.compared) == (32, ())


@pytest.mark.parametrize("rigid", [True, False])
def test_a_small_overkill_is_observed_among_as_many_good_parts_as_it_takes(
    parts, monkeypatch: pytest.MonkeyPatch, rigid: bool
) -> None:
    monkeypatch.setattr(reference_set, "_MAX_LEFT_OUT", 4)
    options = ReferenceOptions(rigid=rigid, overkill=0.1, max_patches=600)
    for count, images, remark in ((8, 8, "with 9 it would be observed"), (12, 9, "")):
        made = ReferenceSet.build(parts(count), TEXTURE, options)
        assert made.calibration.images == images
        assert made.calibration.remark.endswith(remark)
    assert remark == made.calibration.remark


def test_the_heat_lies_on_the_scratch(made, parts) -> None:
    for (_, image), score in zip(
        parts(3, first=61, scratched=True), made.score(parts(3, first=61, scratched=True)), strict=True
    ):
        heat = np.array(score.heat_map.values).reshape(score.heat_map.rows, score.heat_map.columns)
        row, column = np.unravel_index(heat.argmax(), heat.shape)
        x = (column + 0.5) * image.shape[1] / score.heat_map.columns
        y = (row + 0.5) * image.shape[0] / score.heat_map.rows
        # The scratch runs from (66, 30) to (92, 92), shifted by at most 2 px.
        assert abs((y - 30) / 62 * 26 + 66 - x) < 14
        assert 20 < y < 104


def test_a_set_scores_the_same_after_it_was_stored(made, parts, tmp_path) -> None:
    made.save(tmp_path / "references")
    again = ReferenceSet.load(tmp_path / "references", TEXTURE)
    expected = list(made.score(parts(2, first=70)))
    for before, after in zip(expected, again.score(parts(2, first=70)), strict=True):
        assert after.score == pytest.approx(before.score, abs=0.01)
    assert again.calibration == made.calibration
    assert again.provenance == made.provenance


def test_a_stored_set_serves_no_other_backbone(free, tmp_path) -> None:
    free.save(tmp_path)
    with pytest.raises(ModelError, match="were made with texture"):
        ReferenceSet.load(tmp_path, TextureBackbone(side_px=256))


@pytest.mark.parametrize("content", [b"", b"no tensors at all", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_file_is_told_as_such(tmp_path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(UsageError, match="damaged"):
        ReferenceSet.load(tmp_path, TEXTURE)


def test_a_set_of_a_later_version_is_refused_in_clear_words(free, tmp_path) -> None:
    free.save(tmp_path)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes().replace(rb"{\"version\":1", rb"{\"version\":9"))
    with pytest.raises(UsageError, match="written by another version") as refused:
        ReferenceSet.load(tmp_path, TEXTURE)
    assert refused.value.hint == "build the references again"


def test_no_set_is_no_set(tmp_path) -> None:
    with pytest.raises(UsageError, match="no references"):
        ReferenceSet.load(tmp_path, TEXTURE)


def test_a_folder_that_cannot_be_written_is_told(free, tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        free.save(tmp_path / "file")


def test_images_come_and_go(free, parts) -> None:
    more = free.add(parts(5))
    assert [each.name for each in more.references] == ["1.png", "2.png", "3.png", "4.png", "5.png"]
    fewer = more.remove(["1.png", "4.png"])
    assert [each.name for each in fewer.references] == ["2.png", "3.png", "5.png"]
    assert fewer.calibration.images == 3
    with pytest.raises(UsageError, match=r"not among the references: 9\.png"):
        fewer.remove(["9.png"])
    with pytest.raises(UsageError, match="no reference would be left"):
        fewer.remove(["2.png", "3.png", "5.png"])


def test_the_last_rigid_part_that_is_left_still_scores(parts) -> None:
    left = ReferenceSet.build(parts(3), TEXTURE, SMALL).remove(["1.png", "2.png"])
    assert left.frame is not None
    [score] = left.score(parts(1))
    assert list(score.parts) == ["texture"]


def test_what_was_added_is_no_longer_suspicious(free, parts) -> None:
    scratched = parts(4, first=60, scratched=True)
    (before,) = free.score(scratched[:1])
    (after,) = free.add(scratched[1:]).score(scratched[:1])
    assert after.score < before.score


def test_one_good_image_is_enough_to_start_and_says_that_it_guesses(parts) -> None:
    lone = ReferenceSet.build(parts(1), TEXTURE, SMALL)
    assert "guess" in lone.calibration.remark
    (good,), (bad,) = lone.score(parts(1, first=52)), lone.score(parts(1, first=62, scratched=True))
    assert good.score < bad.score


def test_no_image_is_refused() -> None:
    with pytest.raises(UsageError, match="no good image"):
        ReferenceSet.build([], TEXTURE, SMALL)


def test_one_image_of_a_part_that_is_said_to_be_rigid_is_its_frame(parts) -> None:
    lone = ReferenceSet.build(parts(1), TEXTURE, ReferenceOptions(rigid=True))
    assert lone.frame is not None
    good, bad = (
        [each.score for each in lone.score(parts(3, first=50, scratched=scratched))]
        for scratched in (False, True)
    )
    assert max(good) < min(bad)


@pytest.mark.parametrize(
    ("count", "options", "is_settled"),
    [
        (1, SMALL, False),
        (7, SMALL, False),
        (8, SMALL, True),
        (1, SMALL.model_copy(update={"rigid": True}), False),
        (1, SMALL.model_copy(update={"turns": 2}), True),
        (1, FREE, True),
    ],
)
def test_until_when_more_images_may_change_how_they_are_compared(
    parts, count: int, options: ReferenceOptions, is_settled: bool
) -> None:
    assert ReferenceSet.build(parts(count), TEXTURE, options).is_settled is is_settled


def test_a_turned_part_is_known_where_references_are_turned(parts) -> None:
    (record, image) = parts(1, first=55)[0]
    upside_down = [(record, np.ascontiguousarray(image[::-1, ::-1]))]
    plain = ReferenceSet.build(parts(3), TEXTURE, FREE)
    turning = ReferenceSet.build(parts(3), TEXTURE, FREE.model_copy(update={"turns": 2}))
    (strange,), (known,) = plain.score(upside_down), turning.score(upside_down)
    assert known.score < strange.score


def test_an_even_background_can_be_left_out(parts, part) -> None:
    options = FREE.model_copy(update={"foreground": True})
    picture = part(57)
    picture[104:116, 20:140] += 14  # the table is a little brighter there
    record = ImageRecord(id="img_057", name="57.png")
    whole, masked = (ReferenceSet.build(parts(4), TEXTURE, each) for each in (FREE, options))
    (seen,), (unseen,) = whole.score([(record, picture)]), masked.score([(record, picture)])
    assert unseen.score < seen.score
    assert unseen.heat_map.values[0] == unseen.heat_map.values[-1] == 0.0


def test_what_a_rigid_part_lacks_is_no_background(parts, part) -> None:
    options = ReferenceOptions(max_patches=600, rigid=True, layout=False, foreground=True)
    made = ReferenceSet.build(parts(6), TEXTURE, options)
    broken = part(57)
    broken[:, 100:] = part(58)[:, :60][:, :1]  # the table, where the right third of the plate was
    record = ImageRecord(id="img_057", name="57.png")
    (whole,), (score,) = made.score([(record, part(57))]), made.score([(record, broken)])
    heat = np.array(score.heat_map.values).reshape(score.heat_map.rows, score.heat_map.columns)
    assert whole.score < 0.5 < score.score
    assert heat[4:-4, round(heat.shape[1] * 120 / 160)].min() > 0.5
    assert heat[0, 0] == heat[-1, -1] == 0.0


def test_several_backbones_vote(parts) -> None:
    fine = TextureBackbone(side_px=160, cell_px=4)
    fine.name = "fine"
    both = ReferenceSet.build(parts(4), [TEXTURE, fine], FREE)
    (score,) = both.score(parts(1, first=60, scratched=True))
    assert set(score.parts) == {"texture", "fine"}
    assert min(score.parts.values()) <= score.score <= max(score.parts.values())


def test_the_same_picture_counts_once(parts) -> None:
    record, image = parts(1)[0]
    twice = ReferenceSet.build(
        [(record, image), (record.model_copy(update={"id": "img_2"}), image)], TEXTURE, FREE
    )
    assert len(twice.references) == 1
    assert twice.references[0].picture_key == record.sha256


def test_each_page_of_a_file_counts(parts) -> None:
    pages = [
        (record.model_copy(update={"sha256": "a" * 64, "page": page}), image)
        for page, (record, image) in enumerate(parts(3))
    ]
    found = ReferenceSet.build(pages, TEXTURE, FREE)
    assert [each.picture_key for each in found.references] == ["a" * 64, "a" * 64 + "#2", "a" * 64 + "#3"]
    assert len(found.add(pages).references) == 3


def test_a_name_that_is_taken_gets_a_number(free, parts) -> None:
    same_names = [
        (record.model_copy(update={"name": f"{number % 2 + 1}.png"}), image)
        for number, (record, image) in enumerate(parts(3, first=20))
    ]
    more = free.add(same_names)
    names = ["1.png", "2.png", "3.png", "1.png (2)", "2.png (2)", "1.png (3)"]
    assert [each.name for each in more.references] == names
    assert [each.name for each in more.remove(["1.png"]).references] == names[1:]


def test_what_was_noted_of_an_image_goes_with_it(parts) -> None:
    made = ReferenceSet.build(parts(3), TEXTURE, FREE)
    keys = [each.picture_key for each in made.references]
    made.notes = Notes(words=dict.fromkeys(keys, 0.1), alarms=dict.fromkeys(keys, 0.9), words_by="clip")
    left = made.remove(["2.png"]).notes
    assert list(left.words) == list(left.alarms) == [keys[0], keys[2]]
    assert left.words_by == "clip"
