from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from tools.errors import UsageError
from tools.forge.parts import PART_SHAPES
from tools.forge.scene import synthesize
from tools.forge.textures import SURFACES
from tools.forge.truth import DEFECT_TYPES, HARD_NEGATIVES, Sample

SMALL = (320, 320)


def digest(sample: Sample) -> str:
    state = hashlib.sha256(sample.image_rgb.tobytes() + sample.part_mask.tobytes())
    for defect in sample.defects:
        state.update(defect.mask.tobytes())
        state.update(repr((defect.type, defect.length_mm, defect.width_mm, defect.place)).encode())
    state.update(repr((sample.negatives, sample.material, sample.mm_per_px, sample.sentences_en)).encode())
    return state.hexdigest()


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [synthesize(seed, size_px=SMALL, defect_rate=0.8) for seed in range(40)]


def test_same_seed_gives_identical_bytes() -> None:
    assert digest(synthesize(7, size_px=SMALL)) == digest(synthesize(7, size_px=SMALL))


def test_different_seeds_differ(samples: list[Sample]) -> None:
    assert len({digest(sample) for sample in samples}) == len(samples)


def test_image_and_masks_have_the_size_asked_for() -> None:
    sample = synthesize(3, size_px=(400, 240), defects=["contamination"])
    assert sample.image_rgb.shape == (240, 400, 3)
    assert sample.image_rgb.dtype == np.uint8
    assert sample.part_mask.shape == (240, 400)
    assert all(defect.mask.shape == (240, 400) for defect in sample.defects)


def test_masks_lie_on_the_part_and_boxes_are_tight(samples: list[Sample]) -> None:
    for defect, part_mask in ((defect, sample.part_mask) for sample in samples for defect in sample.defects):
        assert defect.mask.any()
        assert not (defect.mask & ~part_mask).any()
        x0, y0, x1, y1 = defect.box_xyxy_px
        assert defect.mask[y0:y1, x0:x1].sum() == defect.mask.sum()
        inside = defect.mask[y0:y1, x0:x1]
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()


def test_defects_of_one_part_do_not_overlap(samples: list[Sample]) -> None:
    for sample in samples:
        stack = np.sum([defect.mask for defect in sample.defects], axis=0)
        assert np.max(stack) <= 1


def test_millimetres_are_pixels_times_the_scale(samples: list[Sample]) -> None:
    for defect, mm in ((defect, sample.mm_per_px) for sample in samples for defect in sample.defects):
        assert defect.area_px2 == defect.mask.sum()
        assert defect.area_mm2 == pytest.approx(defect.mask.sum() * mm**2)
        assert defect.length_mm == pytest.approx(defect.length_px * mm)
        assert defect.width_mm == pytest.approx(defect.width_px * mm)


def test_each_defect_type_and_hard_negative_occurs(samples: list[Sample]) -> None:
    assert {defect.type for sample in samples for defect in sample.defects} == set(DEFECT_TYPES)
    assert {negative.type for sample in samples for negative in sample.negatives} == set(HARD_NEGATIVES)


def test_negatives_keep_off_the_defects(samples: list[Sample]) -> None:
    for sample in samples:
        for negative in sample.negatives:
            x0, y0, x1, y1 = negative.box_xyxy_px
            assert not any(defect.mask[y0:y1, x0:x1].any() for defect in sample.defects)


@pytest.mark.parametrize("type_", DEFECT_TYPES)
@pytest.mark.parametrize("material", SURFACES)
def test_a_defect_asked_for_is_made_and_seen(material: str, type_: str) -> None:
    seed = 100
    bad = synthesize(seed, size_px=SMALL, material=material, defects=[type_], part_shape="close-up")
    good = synthesize(seed, size_px=SMALL, material=material, defects=[], part_shape="close-up")
    assert [defect.type for defect in bad.defects] == [type_]
    change = np.abs(bad.image_rgb.astype(float) - good.image_rgb).max(axis=-1)
    assert change[bad.defects[0].mask].mean() > 6.0


def test_the_clean_twin_differs_only_at_the_defect() -> None:
    bad = synthesize(12, size_px=SMALL, defects=["dent"], part_shape="close-up", material="painted_metal")
    good = synthesize(12, size_px=SMALL, defects=[], part_shape="close-up", material="painted_metal")
    assert bad.negatives == good.negatives
    change = np.abs(bad.image_rgb.astype(int) - good.image_rgb).max(axis=-1)
    near = cv2.dilate(bad.defects[0].mask.astype(np.uint8), np.ones((61, 61), np.uint8)) > 0
    assert change[near].max() > 20
    assert change[~near].max() <= 6


@pytest.mark.parametrize("seed", range(4))
def test_a_part_without_defects_has_none(seed: int) -> None:
    sample = synthesize(seed, size_px=SMALL, defect_rate=0.0)
    assert sample.defects == ()
    assert not any(type_ in " ".join(sample.sentences_en) for type_ in DEFECT_TYPES)


def test_true_sizes_agree_with_the_mask(samples: list[Sample]) -> None:
    for defect in (defect for sample in samples for defect in sample.defects):
        ys, xs = np.nonzero(defect.mask)
        hull = cv2.convexHull(np.stack((xs, ys), axis=1).astype(np.int32))[:, 0].astype(float)
        chord = max(float(np.hypot(*(hull - point).T).max()) for point in hull) + 1
        if defect.type == "crack":
            assert defect.width_px < defect.length_px / 5
        elif defect.type == "scratch":
            # A scratch bends by about a radian: its chord, caps included, is nearly as long as its line.
            assert defect.length_px == pytest.approx(chord, rel=0.15, abs=2 * defect.width_px)
            assert defect.area_px2 == pytest.approx(defect.length_px * defect.width_px, rel=0.15)
        else:
            turns = np.linspace(0, np.pi, 180, endpoint=False)
            spans = np.ptp(hull @ np.stack((np.cos(turns), np.sin(turns))), axis=0) + 1
            assert defect.width_px == pytest.approx(spans.min(), abs=1.5)
            # A round patch is about as narrow in several directions: its length is across one of them.
            along = np.roll(spans, -90)[spans < spans.min() + 1.5]
            assert along.min() - 1.5 <= defect.length_px <= along.max() + 1.5


@pytest.mark.parametrize("seed", [3000, 3003, 3013])
def test_aruco_decodes_with_the_stated_side(seed: int) -> None:
    sample = synthesize(seed, with_aruco=True)
    assert sample.aruco_side_mm is not None
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    book = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    corners, ids, _ = cv2.aruco.ArucoDetector(book, parameters).detectMarkers(
        cv2.cvtColor(sample.image_rgb, cv2.COLOR_RGB2GRAY)
    )
    assert ids is not None
    assert len(ids) == 1
    square = corners[0][0]
    side_px = float(np.mean(np.hypot(*(square - np.roll(square, 1, axis=0)).T)))
    assert side_px * sample.mm_per_px == pytest.approx(sample.aruco_side_mm, rel=0.02)


def test_a_series_shares_product_and_camera_but_not_grain() -> None:
    first, second = (synthesize(seed, size_px=SMALL, series=5, defects=[]) for seed in (1, 2))
    assert (first.material, first.mm_per_px) == (second.material, second.mm_per_px)
    assert abs(first.image_rgb.mean(axis=(0, 1)) - second.image_rgb.mean(axis=(0, 1))).max() < 25
    assert digest(first) != digest(second)


@pytest.mark.parametrize("shape", PART_SHAPES)
def test_each_part_shape_fills_the_picture_usefully(shape: str) -> None:
    sample = synthesize(21, size_px=SMALL, part_shape=shape, material="machined")
    assert 0.2 < sample.part_mask.mean() <= 1.0
    assert sample.material.startswith("machined metal ")


@pytest.mark.parametrize(
    "options", [{"material": "cheese"}, {"part_shape": "blob"}, {"defects": ["scratch", "rot"]}]
)
def test_unknown_names_are_refused_with_the_known_ones(options: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        synthesize(1, **options)  # type: ignore[arg-type]
    assert "one of: " in caught.value.hint
