from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.shapes import arc, patch, stroke
from tools.measurement.measurer import Measurer, measure_mask
from tools.measurement.outlines import length_spread
from tools.measurement.segmentation import segment_defect
from tools.recipe import DefectType, Part, Recipe, Zone
from tools.records import Finding, Measurement, Origin, Quantity, Scale, ScaleSource, Unit

POSES = [(0.0, (0.0, 0.0)), (0.0, (0.5, 0.25)), (0.4, (0.3, -0.2)), (0.785, (0.0, 0.1)), (1.2, (-0.4, 0.45))]
RECIPE = Recipe(
    recipe_version=1,
    name="test",
    part=Part(name="plate"),
    defects={"stain": DefectType(), "crack": DefectType(curvilinear=True)},
    zones=(Zone(name="rim", polygon=((0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5))),),
)


def by_quantity(measurements: tuple[Measurement, ...]) -> dict[Quantity, Measurement]:
    return {measurement.quantity: measurement for measurement in measurements}


def finding(kind: str, box: tuple[float, float, float, float]) -> Finding:
    return Finding(
        id="img_001-1", image_id="img_001", type=kind, confidence=0.9, box_xyxy_px=box, origin=Origin.YOLO
    )


def photograph(
    cover: NDArray[np.float32], at: tuple[int, int], size: tuple[int, int] = (160, 160)
) -> NDArray[np.uint8]:
    """A noisy grey plate, unevenly lit, with something dark on it."""
    height, width = size
    light = 150 + 20 * np.linspace(0, 1, width)[None] + np.zeros((height, 1))
    full = np.zeros(size, np.float32)
    full[at[1] : at[1] + cover.shape[0], at[0] : at[0] + cover.shape[1]] = cover
    noisy = light - 70 * cv2.GaussianBlur(full, (0, 0), 0.6) + np.random.default_rng(2).normal(0, 2, size)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize(
    ("kind", "length", "width"),
    [
        ("rectangle", 10, 4),
        ("rectangle", 40, 12),
        ("rectangle", 120, 3),
        ("ellipse", 10, 4),
        ("ellipse", 40, 12),
        ("ellipse", 30, 24),
    ],
)
def test_a_patch_is_measured_within_its_uncertainty_and_near_the_truth(
    kind: str, length: float, width: float, pose: tuple[float, tuple[float, float]]
) -> None:
    cover = patch(kind, length, width, *pose)
    measured = by_quantity(measure_mask(cover).sizes)
    area = length * width * (1 if kind == "rectangle" else np.pi / 4)
    true = {
        Quantity.LENGTH: length,
        Quantity.WIDTH: width,
        Quantity.AREA: area,
        Quantity.EQUIVALENT_DIAMETER: np.sqrt(4 * area / np.pi),
    }
    for quantity, value in true.items():
        assert abs(measured[quantity].value - value) <= measured[quantity].uncertainty
    assert measured[Quantity.WIDTH].value == pytest.approx(width, abs=0.2)
    assert measured[Quantity.LENGTH].value == pytest.approx(length, abs=0.5)
    assert measured[Quantity.AREA].value == pytest.approx(area, rel=0.02)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_bias_over_poses_is_under_a_tenth_of_a_pixel(kind: str) -> None:
    rng = np.random.default_rng(5)
    errors = []
    for angle in rng.uniform(0, np.pi, 24):
        shift = (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5))
        measured = by_quantity(measure_mask(patch(kind, 40, 12, angle, shift)).sizes)
        errors.append((measured[Quantity.LENGTH].value - 40, measured[Quantity.WIDTH].value - 12))
    assert np.all(np.abs(np.mean(errors, axis=0)) < 0.1)


def test_a_plain_mask_is_as_large_as_its_pixels_and_less_certain() -> None:
    mask = np.zeros((20, 30), bool)
    mask[5:9, 8:18] = True
    measured = by_quantity(measure_mask(mask).sizes)
    assert measured[Quantity.WIDTH].value == pytest.approx(4.0)
    assert measured[Quantity.AREA].value == 40.0
    soft = by_quantity(measure_mask(mask.astype(np.float32)).sizes)
    assert measured[Quantity.WIDTH].uncertainty > soft[Quantity.WIDTH].uncertainty


@pytest.mark.parametrize("width", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("pose", [(0.0, 40.0), (0.7, 40.3), (2.1, 39.6)])
def test_an_arc_is_measured_along_its_curve(width: float, pose: tuple[float, float]) -> None:
    line = arc(28, pose[0], 2.4, (pose[1], 40.2))
    measured = by_quantity(measure_mask(stroke([line], width, 80), curvilinear=True).sizes)
    true = 28 * 2.4 + width
    assert measured[Quantity.LENGTH].value == pytest.approx(true, rel=0.02)
    assert abs(measured[Quantity.LENGTH].value - true) <= measured[Quantity.LENGTH].uncertainty
    assert measured[Quantity.WIDTH].value == pytest.approx(width, abs=0.1)
    assert measured[Quantity.MAX_WIDTH].value == pytest.approx(width, abs=0.25)


@pytest.mark.parametrize("angle", [0.0, 0.35, 0.785])
def test_a_line_one_pixel_wide_has_its_width(angle: float) -> None:
    along = 40 * np.array([np.cos(angle), np.sin(angle)])
    line = np.array([60.3, 60.4]) + np.stack([-along, along])
    measured = by_quantity(measure_mask(stroke([line], 1.0, 120), curvilinear=True).sizes)
    assert measured[Quantity.WIDTH].value == pytest.approx(1.0, abs=0.1)
    assert measured[Quantity.LENGTH].value == pytest.approx(81, abs=1.2)
    apart = measured[Quantity.ORIENTATION].value + np.degrees(angle)
    assert abs((apart + 90) % 180 - 90) < 1


@pytest.mark.parametrize("curvilinear", [False, True])
@pytest.mark.parametrize(
    ("start", "end", "angle_deg"),
    [
        pytest.param((20, 60), (100, 60), 0, id="level"),
        pytest.param((30, 90), (90, 30), 45, id="rises to the right"),
        pytest.param((60, 20), (60, 100), 90, id="upright"),
        pytest.param((30, 30), (90, 90), 135, id="falls to the right"),
    ],
)
def test_orientations_are_told_counter_clockwise_from_the_x_axis(
    curvilinear: bool, start: tuple[int, int], end: tuple[int, int], angle_deg: float
) -> None:
    mask = np.zeros((120, 120), np.uint8)
    cv2.line(mask, start, end, 1, 5)
    measured = by_quantity(measure_mask(mask.astype(bool), curvilinear=curvilinear).sizes)
    assert (measured[Quantity.ORIENTATION].value - angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=1.5)


def test_a_diagonal_of_even_width_is_not_eaten_up_by_its_skeleton() -> None:
    along = 40 * np.array([np.cos(0.8024), np.sin(0.8024)])
    line = np.array([50.37, 50.27]) + np.stack([-along, along])
    measured = by_quantity(measure_mask(stroke([line], 4.0, 100), curvilinear=True).sizes)
    assert measured[Quantity.LENGTH].value == pytest.approx(84, abs=1)


def test_a_branched_crack_is_as_long_as_its_longest_way_and_names_its_branch() -> None:
    trunk = np.array([[15.0, 60.0], [60.0, 60.0], [105.0, 60.0]])
    branch = np.array([[60.0, 60.0], [78.0, 88.0]])
    measured = by_quantity(measure_mask(stroke([trunk, branch], 2.0, 120), curvilinear=True).sizes)
    assert measured[Quantity.LENGTH].value == pytest.approx(92, abs=1)
    assert "1 branch, 12" in measured[Quantity.LENGTH].method
    assert measured[Quantity.WIDTH].value == pytest.approx(2.0, abs=0.15)


def test_an_interrupted_scratch_is_measured_from_end_to_end() -> None:
    left, right = np.array([[10.0, 40.0], [40.0, 40.0]]), np.array([[50.0, 40.0], [80.0, 40.0]])
    measured = by_quantity(measure_mask(stroke([left, right], 2.0, 90), curvilinear=True).sizes)
    assert measured[Quantity.LENGTH].value == pytest.approx(72, abs=1)


def test_stated_uncertainty_covers_nine_of_ten() -> None:
    rng = np.random.default_rng(7)
    covered = []
    for kind in ("rectangle", "ellipse"):
        for _ in range(25):
            width = rng.uniform(4, 20)
            length = width * rng.uniform(1.3, 4)
            shift = (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5))
            measured = by_quantity(measure_mask(patch(kind, length, width, rng.uniform(0, 3.1), shift)).sizes)
            for quantity, true in ((Quantity.LENGTH, length), (Quantity.WIDTH, width)):
                covered.append(abs(measured[quantity].value - true) <= measured[quantity].uncertainty)
    assert np.mean(covered) >= 0.9


def test_a_scale_turns_pixels_into_millimetres_and_adds_its_uncertainty() -> None:
    cover = patch("ellipse", 40, 12, 0.3, (0, 0))
    scale = Scale(mm_per_px=0.1, source=ScaleSource.RECIPE, relative_uncertainty=0.1)
    pixels, millimetres = (
        by_quantity(measure_mask(cover).sizes),
        by_quantity(measure_mask(cover, scale=scale).sizes),
    )
    length = millimetres[Quantity.LENGTH]
    assert (length.unit, millimetres[Quantity.AREA].unit) == (Unit.MM, Unit.MM2)
    assert length.value == pytest.approx(pixels[Quantity.LENGTH].value * 0.1)
    assert millimetres[Quantity.AREA].value == pytest.approx(pixels[Quantity.AREA].value * 0.01)
    assert length.uncertainty > 0.1 * length.value


@pytest.mark.parametrize("curvilinear", [False, True])
def test_a_homography_straightens_what_is_seen_askew(curvilinear: bool) -> None:
    squeeze = (0.1, 0.0, 3.0, 0.0, 0.2, -4.0, 0.0, 0.0, 1.0)
    scale = Scale(mm_per_px=0.14, source=ScaleSource.CHESSBOARD, homography=squeeze)
    upright = patch("rectangle", 30, 6, np.pi / 2, (0.2, 0.1))
    measured = by_quantity(
        measure_mask(upright, curvilinear=curvilinear, scale=scale, offset_xy=(50, 70)).sizes
    )
    longest = 6.0 if curvilinear else np.hypot(6.0, 0.6)
    assert measured[Quantity.LENGTH].value == pytest.approx(longest, rel=0.02)
    assert measured[Quantity.WIDTH].value == pytest.approx(0.6, rel=0.04)
    assert measured[Quantity.AREA].value == pytest.approx(3.6, rel=0.01)


def test_an_empty_mask_has_no_size() -> None:
    assert measure_mask(np.zeros((9, 9), np.float32)).sizes == ()
    assert measure_mask(np.zeros((9, 9), bool), curvilinear=True).sizes == ()


def test_a_stain_is_found_in_its_box_and_measured() -> None:
    cover = patch("ellipse", 40, 24, 0.5, (0, 0))
    image = photograph(cover, (90, 80))
    box = (92.0, 86.0, 137.0, 126.0)
    measured = Measurer(RECIPE).measure(image, finding("stain", box), None)
    sizes = by_quantity(measured.measurements)
    assert sizes[Quantity.LENGTH].value == pytest.approx(40, rel=0.06)
    assert sizes[Quantity.WIDTH].value == pytest.approx(24, rel=0.08)
    assert sizes[Quantity.AREA].value == pytest.approx(cover.sum(), rel=0.1)
    assert sizes[Quantity.LENGTH].unit is Unit.PX
    assert measured.box_xyxy_px == box
    assert (measured.place, measured.zone, measured.edge_touching) == ("right", None, False)
    assert measured.provenance[-1].parameters["method"] == "patch"
    assert len(measured.contours_px) == 1


@pytest.mark.parametrize(("width", "angle"), [(3.0, 0.0), (3.0, 0.7), (5.0, 0.4), (9.0, 2.2)])
def test_a_narrow_patch_in_a_picture_is_no_wider_than_it_is(width: float, angle: float) -> None:
    cover = patch("rectangle", 60, width, angle, (0.2, 0.1))
    image = photograph(cover, (40, 40))
    rows, columns = np.nonzero(cover)
    box = (columns.min() + 37.0, rows.min() + 37.0, columns.max() + 44.0, rows.max() + 44.0)
    sizes = by_quantity(Measurer(RECIPE).measure(image, finding("stain", box), None).measurements)
    assert sizes[Quantity.WIDTH].value == pytest.approx(width, abs=0.35)
    assert sizes[Quantity.LENGTH].value == pytest.approx(60, abs=1.5)
    assert sizes[Quantity.AREA].value == pytest.approx(60 * width, rel=0.08)


def lit(height: NDArray[np.float64], contrast: float) -> NDArray[np.uint8]:
    """A grey plate with relief, the light coming from the right."""
    slope = cv2.GaussianBlur(np.gradient(height, axis=1), (0, 0), 0.7)
    noisy = 140 + contrast * slope + np.random.default_rng(3).normal(0, 1.5, height.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_a_groove_lies_between_its_flanks() -> None:
    along = 45 * np.array([np.sin(0.2), np.cos(0.2)])
    cover = stroke([np.array([80.0, 80.0]) + np.stack([-along, along])], 3.0, 160)
    rows, columns = np.nonzero(cover)
    box = (columns.min() - 2.0, rows.min() - 2.0, columns.max() + 3.0, rows.max() + 3.0)
    segment = segment_defect(lit(-cv2.GaussianBlur(cover, (0, 0), 0.6), 90), box, curvilinear=True)
    x, y = segment.offset_xy
    true = cover[y : y + segment.soft.shape[0], x : x + segment.soft.shape[1]] >= 0.5
    found = segment.soft >= 0.5
    assert np.count_nonzero(true & found) / np.count_nonzero(true | found) > 0.6


@pytest.mark.parametrize("angle", [0.3, 1.1])
@pytest.mark.parametrize(
    ("width", "blur", "sharpening", "within"),
    [(1.6, 0.5, 0.7, 0.3), (3.0, 1.2, 0.7, 0.3), (1.4, 1.1, 0.0, 1.1)],
)
def test_a_line_is_about_as_wide_as_before_the_lens_blurred_it_and_within_what_is_stated(
    width: float, blur: float, sharpening: float, within: float, angle: float
) -> None:
    along = 40 * np.array([np.cos(angle), np.sin(angle)])
    cover = stroke([np.array([80.0, 80.0]) + np.stack([-along, along])], width, 160)
    seen = cv2.GaussianBlur(cover, (0, 0), blur)
    seen += sharpening * (seen - cv2.GaussianBlur(seen, (0, 0), 1.2))
    grey = 110 + 60 * seen + np.random.default_rng(6).normal(0, 2, cover.shape)
    image = np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    rows, columns = np.nonzero(cover)
    box = (columns.min() - 4.0, rows.min() - 4.0, columns.max() + 5.0, rows.max() + 5.0)
    sizes = by_quantity(Measurer(RECIPE).measure(image, finding("crack", box), None).measurements)
    assert sizes[Quantity.WIDTH].value == pytest.approx(width, abs=within)
    assert abs(sizes[Quantity.WIDTH].value - width) <= sizes[Quantity.WIDTH].uncertainty


def test_a_dent_goes_on_where_light_runs_along_its_edge() -> None:
    rows, columns = np.mgrid[:160, :160] + 0.5
    apart = np.hypot((columns - 80) / 24, (rows - 80) / 24)
    bowl = -cv2.GaussianBlur(12 * np.clip(1 - apart**2, 0, None), (0, 0), 1.5)
    dent = Measurer(RECIPE).measure(lit(bowl, 60), finding("stain", (54.0, 54.0, 106.0, 106.0)), None)
    sizes = by_quantity(dent.measurements)
    for quantity, true in ((Quantity.LENGTH, 48), (Quantity.WIDTH, 48), (Quantity.AREA, np.pi * 24**2)):
        assert abs(sizes[quantity].value - true) <= sizes[quantity].uncertainty
    assert sizes[Quantity.AREA].value == pytest.approx(np.pi * 24**2, rel=0.1)


def test_an_edge_in_doubt_and_an_end_in_doubt_add_to_what_they_bound() -> None:
    blob, line = patch("rectangle", 40, 12, 0.3, (0, 0)), stroke([arc(28, 0, 2.4, (40, 40.2))], 2.0, 80)
    for mask, curvilinear, edge_px, end_px, touched in (
        (blob, False, 2.0, 0.0, {Quantity.LENGTH, Quantity.WIDTH, Quantity.AREA}),
        (line, True, 0.5, 0.0, {Quantity.WIDTH, Quantity.MAX_WIDTH, Quantity.AREA}),
        (line, True, 0.0, 3.0, {Quantity.LENGTH}),
    ):
        sure = by_quantity(measure_mask(mask, curvilinear=curvilinear).sizes)
        unsure = by_quantity(
            measure_mask(mask, curvilinear=curvilinear, edge_doubt_px=edge_px, end_doubt_px=end_px).sizes
        )
        for quantity in (Quantity.LENGTH, Quantity.WIDTH, Quantity.MAX_WIDTH, Quantity.AREA):
            if quantity in sure:
                grown = unsure[quantity].uncertainty > 1.3 * sure[quantity].uncertainty
                assert grown == (quantity in touched), quantity


@pytest.mark.parametrize(("width", "least"), [(38.0, 0.5), (20.0, 0.0)])
def test_a_roundish_patch_has_no_sure_direction_of_length(width: float, least: float) -> None:
    outline = np.argwhere(patch("rectangle", 40, width, 0.2, (0, 0)) > 0.5).astype(np.float64)
    assert length_spread(outline, 4.0) >= least
    assert length_spread(outline, 0.05) < 1


def test_a_large_patch_is_measured_from_a_smaller_picture() -> None:
    cover = patch("ellipse", 300, 240, 0.3, (0, 0))
    image = photograph(cover, (50, 50), (460, 460))
    rows, columns = np.nonzero(cover)
    box = (columns.min() + 50.0, rows.min() + 50.0, columns.max() + 51.0, rows.max() + 51.0)
    sizes = by_quantity(Measurer(RECIPE).measure(image, finding("stain", box), None).measurements)
    assert sizes[Quantity.LENGTH].value == pytest.approx(300, rel=0.02)
    assert sizes[Quantity.AREA].value == pytest.approx(float(cover.sum()), rel=0.02)


def candidate(kind: str, box: tuple[float, float, float, float]) -> Finding:
    return finding(kind, box).model_copy(update={"origin": Origin.SCREENING})


@pytest.mark.parametrize("kind", ["stain", "unclassified"])
def test_a_candidates_region_becomes_the_one_place_that_stands_out(kind: str) -> None:
    cover = patch("ellipse", 22, 16, 0.5, (0, 0))
    image = photograph(cover, (120, 90), (240, 240))
    measured = Measurer(RECIPE).measure(image, candidate(kind, (40.0, 30.0, 220.0, 210.0)), None)
    x0, y0, x1, y1 = measured.box_xyxy_px
    assert 110 < x0 < 130 < 138 < x1 < 160
    assert 80 < y0 < 100 < 108 < y1 < 130
    assert by_quantity(measured.measurements)[Quantity.LENGTH].value == pytest.approx(22, rel=0.1)


@pytest.mark.parametrize(
    ("box", "zone", "has_size"),
    [((5.0, 5.0, 235.0, 235.0), None, False), ((60.0, 36.0, 204.0, 180.0), "plate", True)],
    ids=["a region around the zone", "a region in the zone"],
)
def test_a_mark_in_an_ignored_zone_is_not_why_a_region_around_it_was_proposed(
    box: tuple[float, float, float, float], zone: str | None, has_size: bool
) -> None:
    cover = patch("ellipse", 22, 16, 0.5, (0, 0))
    image = photograph(cover, (120, 90), (240, 240))
    plate = Zone(name="plate", polygon=((0.25, 0.15), (0.85, 0.15), (0.85, 0.75), (0.25, 0.75)), ignore=True)
    measurer = Measurer(RECIPE.model_copy(update={"zones": (plate,)}))
    measured = measurer.measure(image, candidate("stain", box), None)
    assert (measured.zone, bool(measured.measurements)) == (zone, has_size)
    assert (measured.box_xyxy_px == box) is not has_size


def test_a_candidate_on_the_parts_own_edge_has_neither_outline_nor_size() -> None:
    image = photograph(np.zeros((1, 1), np.float32), (0, 0), (240, 240))
    image[105:130, 120:] = 20  # a cut-out of the part comes in from the right
    box = (40.0, 30.0, 220.0, 210.0)
    measured = Measurer(RECIPE).measure(image, candidate("stain", box), None)
    assert (measured.contours_px, measured.measurements, measured.box_xyxy_px) == ((), (), box)
    assert measured.provenance[-1].parameters["method"] == "unsegmented"
    assert (measured.place, measured.zone) == ("centre", None)


def test_a_candidate_on_even_texture_has_neither_outline_nor_size() -> None:
    grain = np.random.default_rng(4).normal(120, 25, (200, 200, 3))
    image = np.clip(cv2.GaussianBlur(grain, (0, 0), 1.5), 0, 255).astype(np.uint8)
    measured = Measurer(RECIPE).measure(image, candidate("crack", (10.0, 10.0, 190.0, 190.0)), None)
    assert (measured.contours_px, measured.measurements) == ((), ())


def test_a_crack_is_found_in_its_box_and_measured_along_its_line() -> None:
    cover = stroke([arc(30, 0.2, 2.0, (45, 45))], 2.0, 90)
    image = photograph(cover, (20, 20))
    box = (44.0, 65.0, 98.0, 99.0)
    measured = Measurer(RECIPE).measure(image, finding("crack", box), None)
    sizes = by_quantity(measured.measurements)
    assert sizes[Quantity.LENGTH].value == pytest.approx(62, rel=0.05)
    assert sizes[Quantity.WIDTH].value == pytest.approx(2.0, abs=0.6)
    assert measured.provenance[-1].parameters["method"] == "ridge"


@pytest.mark.parametrize(("kind", "quantities"), [("stain", 4), ("crack", 1)])
def test_where_nothing_stands_out_the_box_is_measured(kind: str, quantities: int) -> None:
    image = np.full((160, 160, 3), 128, np.uint8)
    measured = Measurer(RECIPE).measure(image, finding(kind, (20.0, 30.0, 60.0, 50.0)), None)
    assert measured.contours_px == ()
    assert measured.provenance[-1].parameters["method"] == "box"
    length = measured.measurement(Quantity.LENGTH)
    assert length is not None
    assert length.method == "box"
    assert length.uncertainty > 0.25 * length.value
    assert len(measured.measurements) == quantities
    assert (measured.place, measured.zone) == ("upper-left", "rim")


def test_a_defect_that_runs_out_of_the_picture_is_a_lower_bound() -> None:
    cover = patch("ellipse", 40, 24, 0.0, (0, 0))[:, 24:]
    image = photograph(cover, (0, 60))
    measured = Measurer(RECIPE).measure(image, finding("stain", (0.0, 72.0, 22.0, 96.0)), None)
    assert measured.edge_touching
    assert all(m.lower_bound for m in measured.measurements if m.quantity is not Quantity.ORIENTATION)


def test_a_detectors_outline_guides_the_segmentation() -> None:
    first, second = patch("ellipse", 16, 14, 0.0, (0, 0)), patch("ellipse", 20, 12, 0.0, (0, 0))
    both = np.zeros((60, 80), np.float32)
    both[10 : 10 + first.shape[0], 5 : 5 + first.shape[1]] = first
    both[10 : 10 + second.shape[0], 45 : 45 + second.shape[1]] = second
    image = photograph(both, (40, 40))
    hint = tuple((float(x), float(y)) for x, y in [(48, 54), (66, 54), (66, 72), (48, 72)])
    given = finding("stain", (48.0, 52.0, 114.0, 74.0)).model_copy(update={"contours_px": (hint,)})
    area = Measurer(RECIPE).measure(image, given, None).measurement(Quantity.AREA)
    assert area is not None
    assert area.value == pytest.approx(float(first.sum()), rel=0.2)


@pytest.mark.parametrize(
    "box", [(-5.0, -5.0, 3.0, 3.0), (159.5, 159.5, 160.0, 160.0), (0.0, 0.0, 160.0, 160.0)]
)
@pytest.mark.parametrize("kind", ["stain", "crack"])
def test_odd_boxes_are_survived(box: tuple[float, float, float, float], kind: str) -> None:
    image = photograph(patch("ellipse", 30, 20, 0.2, (0, 0)), (60, 60))
    measured = Measurer(RECIPE).measure(image, finding(kind, box), None)
    assert measured.measurements
    assert all(np.isfinite([m.value, m.uncertainty]).all() for m in measured.measurements)


def test_a_branched_line_of_more_than_a_thousand_pixels_names_its_length_in_plain_digits() -> None:
    mask = np.zeros((60, 1500), bool)
    mask[28:31, 20:1480] = True
    mask[10:30, 700:703] = True
    method = by_quantity(measure_mask(mask, curvilinear=True).sizes)[Quantity.LENGTH].method
    whole = re.fullmatch(r".+, 1 branch, (\d+) px in all", method)
    assert whole is not None
    assert int(whole[1]) == pytest.approx(1480, abs=20)


@pytest.mark.parametrize("side", range(4))
@pytest.mark.parametrize("short_px", [8, 16, 24, 32])
def test_a_patch_that_goes_on_beyond_a_narrow_box_is_within_its_uncertainty(side: int, short_px: int) -> None:
    grey = np.full((400, 400), 150, np.float32)
    cv2.circle(grey, (200, 200), 40, 60, -1, cv2.LINE_AA)
    noisy = cv2.GaussianBlur(grey, (0, 0), 0.7) + np.random.default_rng(0).normal(0, 3, grey.shape)
    image_rgb = np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    box = [160.0, 160.0, 241.0, 241.0]
    box[side] += short_px if side < 2 else -short_px
    recipe = Recipe(recipe_version=1, name="test", part=Part(name="plate"), defects={"stain": DefectType()})
    x0, y0, x1, y1 = box
    sizes = by_quantity(
        Measurer(recipe).measure(image_rgb, finding("stain", (x0, y0, x1, y1)), None).measurements
    )
    for quantity, true in ((Quantity.LENGTH, 81), (Quantity.WIDTH, 81), (Quantity.AREA, np.pi / 4 * 81**2)):
        assert abs(sizes[quantity].value - true) <= sizes[quantity].uncertainty
