from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.shapes import arc, patch, stroke
from tools.measurement.measurer import Measurer, measure_mask
from tools.recipe import DefectType, Part, Recipe
from tools.records import Centre, Finding, Origin, Quantity, Scale, ScaleSource, Unit

SCALE = Scale(mm_per_px=0.1, source=ScaleSource.RECIPE, relative_uncertainty=0.02)
RECIPE = Recipe(
    recipe_version=1,
    name="test",
    part=Part(name="plate"),
    defects={"stain": DefectType(), "crack": DefectType(curvilinear=True)},
)


class Known(NamedTuple):
    name: str
    mask: NDArray[np.float32] | NDArray[np.bool_]
    xy: tuple[float, float]
    within: float = 0.02
    curvilinear: bool = False


def plain(rows: slice, columns: slice) -> NDArray[np.bool_]:
    mask = np.zeros((20, 30), bool)
    mask[rows, columns] = True
    return mask


def middle_of(cover: NDArray[np.float32], dx: float = 0.0, dy: float = 0.0) -> tuple[float, float]:
    """Where `patch` puts its shape."""
    return cover.shape[1] / 2 + dx, cover.shape[0] / 2 + dy


def arc_centroid(
    radius: float, start: float, turn: float, at: tuple[float, float], width: float
) -> tuple[float, float]:
    """The centroid of an arc's stroke with round ends, by calculus."""
    half = turn / 2
    body = turn * radius * width
    body_out = radius * (1 + width**2 / (12 * radius**2)) * np.sin(half) / half
    caps = np.pi * width**2 / 4
    caps_out = radius * np.cos(half) - 2 * width / (3 * np.pi) * np.sin(half)
    out = (body * body_out + caps * caps_out) / (body + caps)
    return at[0] + out * np.cos(start + half), at[1] + out * np.sin(start + half)


RECTANGLE = patch("rectangle", 40, 12, 0.4, (0.3, -0.2))
ELLIPSE = patch("ellipse", 30, 24, 0.0, (0.0, 0.0))
TWO = stroke([np.array([[10.0, 40.0], [30.0, 40.0]]), np.array([[50.0, 40.0], [70.0, 40.0]])], 2.0, 90)
KNOWN = [
    Known("first pixel", plain(slice(0, 1), slice(0, 1)), (0.5, 0.5), 1e-9),
    Known("plain rectangle", plain(slice(5, 9), slice(8, 18)), (13.0, 7.0), 1e-9),
    Known(
        "L of two rectangles",
        plain(slice(0, 8), slice(0, 4)) | plain(slice(4, 8), slice(4, 12)),
        (5, 5),
        1e-9,
    ),
    Known("plain ring", plain(slice(2, 12), slice(4, 14)) & ~plain(slice(4, 10), slice(6, 12)), (9, 7), 1e-9),
    Known("rectangle", RECTANGLE, middle_of(RECTANGLE, 0.3, -0.2)),
    Known("ellipse", ELLIPSE, middle_of(ELLIPSE)),
    Known("half ellipse at the left edge", ELLIPSE[:, 23:], (4 * 15 / (3 * np.pi), ELLIPSE.shape[0] / 2)),
    Known("half ellipse at the upper edge", ELLIPSE[23:], (ELLIPSE.shape[1] / 2, 4 * 12 / (3 * np.pi))),
    Known("line", stroke([np.array([[20.3, 30.4], [70.3, 50.4]])], 1.0, 90), (45.3, 40.4), 0.02, True),
    Known("interrupted line", TWO, (40, 40), 0.02, True),
    *(
        Known(
            f"arc {width:g} px wide",
            stroke([arc(28, start, 2.4, (40, 40.2))], width, 80),
            arc_centroid(28, start, 2.4, (40, 40.2), width),
            0.1,  # it is drawn with sixteen corners
            True,
        )
        for width in (1.0, 2.0, 4.0)
        for start in (0.0, 0.7, 2.1)
    ),
    Known(
        "line from the left edge",
        stroke([np.array([[-20.0, 30.0], [40.0, 30.0]])], 2.0, 60),
        (20.4, 30.0),  # (80 * 20 + pi / 2 * 40.42) / (80 + pi / 2)
        0.02,
        True,
    ),
]


def centre_of(mask: NDArray[np.float32] | NDArray[np.bool_], **said: object) -> Centre:
    centre = measure_mask(mask, **said).centre  # type: ignore[arg-type]
    assert centre is not None
    return centre


@pytest.mark.parametrize("known", KNOWN, ids=[known.name for known in KNOWN])
def test_the_centre_is_the_centroid_of_what_is_covered(known: Known) -> None:
    centre = centre_of(known.mask, curvilinear=known.curvilinear)
    assert centre.xy_px == pytest.approx(known.xy, abs=known.within)
    assert np.all(np.abs(np.subtract(centre.xy_px, known.xy)) <= centre.uncertainty_xy_px)
    assert (centre.xy_mm, centre.uncertainty_xy_mm) == (None, None)


@pytest.mark.parametrize("known", KNOWN, ids=[known.name for known in KNOWN])
def test_one_factor_turns_the_centre_into_millimetres(known: Known) -> None:
    centre = centre_of(known.mask, curvilinear=known.curvilinear, scale=SCALE, offset_xy=(300, 100))
    assert centre.xy_mm is not None
    assert centre.xy_mm == pytest.approx(np.array(centre.xy_px) * 0.1)
    spread_mm = np.hypot(0.1 * np.array(centre.uncertainty_xy_px), 0.02 * np.array(centre.xy_mm))
    assert centre.uncertainty_xy_mm == pytest.approx(spread_mm)


@pytest.mark.parametrize("known", KNOWN, ids=[known.name for known in KNOWN])
@pytest.mark.parametrize("moved", [(7, 3), (20, 41)])
def test_a_mask_that_is_moved_moves_its_centre_along(known: Known, moved: tuple[int, int]) -> None:
    still = centre_of(known.mask, curvilinear=known.curvilinear)
    in_canvas = np.pad(known.mask, ((moved[1], 5), (moved[0], 5)))
    for centre in (
        centre_of(in_canvas, curvilinear=known.curvilinear),
        centre_of(known.mask, curvilinear=known.curvilinear, offset_xy=moved),
    ):
        assert np.subtract(centre.xy_px, still.xy_px) == pytest.approx(moved)
        assert centre.uncertainty_xy_px == pytest.approx(still.uncertainty_xy_px, rel=0.02)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_shift_by_a_part_of_a_pixel_is_seen(kind: str) -> None:
    rng = np.random.default_rng(5)
    still = np.array(centre_of(patch(kind, 21, 9, 0.4, (0, 0))).xy_px)
    for shift in rng.uniform(-0.5, 0.5, (20, 2)):
        moved = centre_of(patch(kind, 21, 9, 0.4, (shift[0], shift[1])))
        assert np.array(moved.xy_px) - still == pytest.approx(shift, abs=0.02)


def test_an_empty_mask_has_no_centre() -> None:
    assert measure_mask(np.zeros((9, 9), np.float32)).centre is None
    assert measure_mask(np.zeros((9, 9), bool), curvilinear=True).centre is None


def board(matrix: NDArray[np.float64]) -> Scale:
    row_major = tuple(float(value) for value in matrix.ravel())
    return Scale(
        mm_per_px=0.1, source=ScaleSource.CHESSBOARD, relative_uncertainty=0.02, homography=row_major
    )


def lay(turn_deg: float, *, mirrored: bool) -> NDArray[np.float64]:
    """From the plane's frame to that of a board that lies turned and apart, perhaps face down."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    turned = np.array([[cos, -sin, 70.0], [sin, cos, -30.0], [0, 0, 1]])
    return turned @ np.diag([1, -1 if mirrored else 1, 1])


TILTED = np.array([[0.1, 0.01, 3.0], [0.004, 0.12, -4.0], [2e-4, 5e-4, 1.0]])


@pytest.mark.parametrize("curvilinear", [False, True])
@pytest.mark.parametrize("turn_deg", [0, 90, 200])
@pytest.mark.parametrize("mirrored", [False, True])
def test_where_the_board_lay_does_not_change_a_position(
    curvilinear: bool, turn_deg: float, mirrored: bool
) -> None:
    first, second = (
        centre_of(RECTANGLE, curvilinear=curvilinear, scale=board(matrix), offset_xy=(50, 70))
        for matrix in (TILTED, lay(turn_deg, mirrored=mirrored) @ TILTED)
    )
    assert first.xy_mm is not None
    assert second.xy_mm == pytest.approx(first.xy_mm)
    assert second.uncertainty_xy_mm == pytest.approx(first.uncertainty_xy_mm)
    assert second.uncertainty_xy_px == pytest.approx(first.uncertainty_xy_px)


@pytest.mark.parametrize("curvilinear", [False, True], ids=["patch", "line"])
@pytest.mark.parametrize("angle_deg", [0, 40, 90, 150])
@pytest.mark.parametrize("turn_deg", [0, 30, 200])
@pytest.mark.parametrize("mirrored", [False, True], ids=["as seen", "mirrored"])
def test_where_the_board_lay_does_not_change_a_direction(
    curvilinear: bool, angle_deg: float, turn_deg: float, mirrored: bool
) -> None:
    bar = patch("rectangle", 40, 6, np.radians(-angle_deg), (0.2, -0.3))  # counter-clockwise as seen
    scale = board(lay(turn_deg, mirrored=mirrored) @ np.diag([0.1, 0.1, 1]))
    plain, laid = (measure_mask(bar, curvilinear=curvilinear, scale=each) for each in (None, scale))
    for reading in (plain, laid):
        (angle,) = (each.value for each in reading.sizes if each.quantity is Quantity.ORIENTATION)
        assert (angle - angle_deg + 90) % 180 - 90 == pytest.approx(0, abs=2.5)
    for before, after in zip(plain.sizes, laid.sizes, strict=True):
        if after.unit is not Unit.DEG:
            assert after.value == pytest.approx(before.value * (0.01 if after.unit is Unit.MM2 else 0.1))


def test_beyond_the_horizon_of_the_pictures_corner_a_direction_is_that_of_the_pixels() -> None:
    steep = np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.01, -1.0]])  # the horizon lies at y = 100
    bar = patch("rectangle", 40, 6, 0.0, (0, 0))
    for matrix in (steep, lay(30, mirrored=True) @ steep):
        sizes = measure_mask(bar, scale=board(matrix), offset_xy=(50, 300)).sizes
        (angle,) = (each.value for each in sizes if each.quantity is Quantity.ORIENTATION)
        assert (angle + 90) % 180 - 90 == pytest.approx(0, abs=2.5)


def test_a_position_in_a_tilted_plane_is_told_from_the_pictures_corner_along_its_upper_edge() -> None:
    small = patch("ellipse", 6, 6, 0.0, (0, 0))
    spots = [(400, 0), (400, 300), (0, 300)]
    centres = [centre_of(small, scale=board(TILTED), offset_xy=spot) for spot in spots]
    corner = TILTED[:2, 2] / TILTED[2, 2]
    for centre in centres:
        mapped = TILTED @ np.array([*centre.xy_px, 1.0])
        assert centre.xy_mm is not None
        apart = np.linalg.norm(mapped[:2] / mapped[2] - corner)
        assert np.linalg.norm(centre.xy_mm) == pytest.approx(apart, rel=1e-3)
    edge = TILTED @ np.array([[0, 500], [0, 0], [1, 1]], np.float64)
    along = edge[:2, 1] / edge[2, 1] - corner
    centre_mm = np.array(centres[1].xy_mm)
    mapped = TILTED @ np.array([*centres[1].xy_px, 1.0])
    assert centre_mm[0] == pytest.approx(
        (mapped[:2] / mapped[2] - corner) @ along / np.linalg.norm(along), rel=1e-3
    )
    assert centre_mm[1] > 0


def test_beyond_the_horizon_of_the_pictures_corner_there_is_no_position_in_mm() -> None:
    steep = np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.01, -1.0]])  # the horizon lies at y = 100
    below = centre_of(RECTANGLE, scale=board(steep), offset_xy=(50, 300))
    assert (below.xy_mm, below.uncertainty_xy_mm) == (None, None)
    assert below.xy_px == pytest.approx(np.add(middle_of(RECTANGLE, 0.3, -0.2), (50, 300)), abs=0.02)


def test_stated_uncertainty_covers_nine_of_ten_plain_masks() -> None:
    rng = np.random.default_rng(7)
    covered = []
    for kind in ("rectangle", "ellipse"):
        for _ in range(40):
            width, shift = rng.uniform(4, 20), (rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5))
            cover = patch(kind, width * rng.uniform(1.3, 4), width, rng.uniform(0, 3.1), shift)
            centre = centre_of(cover >= 0.5)
            errors = np.abs(np.subtract(centre.xy_px, middle_of(cover, *shift)))
            covered.extend(errors <= centre.uncertainty_xy_px)
    assert np.mean(covered) >= 0.9


@pytest.mark.parametrize(
    ("mask", "curvilinear", "doubt", "x_grows", "y_grows"),
    [
        (stroke([np.array([[15.0, 40.0], [75.0, 40.0]])], 2.0, 90), True, {"end_doubt_px": 3.0}, True, False),
        (stroke([np.array([[40.0, 15.0], [40.0, 75.0]])], 2.0, 90), True, {"end_doubt_px": 3.0}, False, True),
        (stroke([arc(28, 0.0, np.pi / 2, (20, 20))], 2.0, 80), True, {"end_doubt_px": 3.0}, True, True),
        (patch("rectangle", 40, 12, 0.0, (0, 0)), False, {"edge_doubt_px": 2.0}, True, True),
    ],
)
def test_what_is_in_doubt_adds_to_the_coordinates_that_it_moves(
    mask: NDArray[np.float32], curvilinear: bool, doubt: dict[str, float], x_grows: bool, y_grows: bool
) -> None:
    sure = np.array(centre_of(mask, curvilinear=curvilinear).uncertainty_xy_px)
    unsure = np.array(centre_of(mask, curvilinear=curvilinear, **doubt).uncertainty_xy_px)
    assert list(unsure > 1.3 * sure) == [x_grows, y_grows]


def test_a_line_seen_in_a_picture_may_be_one_flank_of_a_groove() -> None:
    line = stroke([np.array([[15.0, 40.0], [75.0, 40.0]])], 3.0, 90)
    given, seen = (centre_of(line, curvilinear=True, noise_to_contrast=noise) for noise in (None, 0.0))
    assert given.uncertainty_xy_px[1] < 1.5
    assert seen.uncertainty_xy_px[1] >= 3.0


def photograph(cover: NDArray[np.float32], at: tuple[int, int]) -> NDArray[np.uint8]:
    full = np.zeros((160, 160), np.float32)
    full[at[1] : at[1] + cover.shape[0], at[0] : at[0] + cover.shape[1]] = cover
    grey = 150 - 70 * cv2.GaussianBlur(full, (0, 0), 0.6) + np.random.default_rng(2).normal(0, 2, full.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def measured(image: NDArray[np.uint8], kind: str, box: tuple[float, float, float, float]) -> Finding:
    found = Finding(
        id="img_001-1", image_id="img_001", type=kind, confidence=0.9, box_xyxy_px=box, origin=Origin.YOLO
    )
    return Measurer(RECIPE).measure(image, found, SCALE)


@pytest.mark.parametrize(
    ("kind", "cover", "at", "true"),
    [
        ("stain", RECTANGLE, (60, 50), middle_of(RECTANGLE, 60.3, 49.8)),
        ("crack", stroke([arc(30, 0.2, 2.0, (45, 45))], 2.0, 90), (20, 20), None),
        ("stain", ELLIPSE[:, 23:], (0, 60), (4 * 15 / (3 * np.pi), 60 + ELLIPSE.shape[0] / 2)),
    ],
)
def test_the_centre_of_a_defect_in_a_picture_lies_within_its_uncertainty(
    kind: str, cover: NDArray[np.float32], at: tuple[int, int], true: tuple[float, float] | None
) -> None:
    xy = true or arc_centroid(30, 0.2, 2.0, (65, 65), 2.0)
    rows, columns = np.nonzero(cover)
    box = (columns.min() + at[0], rows.min() + at[1], columns.max() + at[0] + 1, rows.max() + at[1] + 1)
    centre = measured(photograph(cover, at), kind, tuple(map(float, box))).centre
    assert centre is not None
    assert centre.method == "centroid of pixel coverage"
    assert centre.xy_px == pytest.approx(xy, abs=1.0)
    assert np.all(np.abs(np.subtract(centre.xy_px, xy)) <= centre.uncertainty_xy_px)


@pytest.mark.parametrize("kind", ["stain", "crack"])
def test_where_nothing_stands_out_the_centre_is_that_of_the_box(kind: str) -> None:
    centre = measured(np.full((160, 160, 3), 128, np.uint8), kind, (20.0, 30.0, 60.0, 50.0)).centre
    assert centre is not None
    assert (centre.xy_px, centre.method) == ((40.0, 40.0), "box")
    assert centre.xy_mm == pytest.approx((4.0, 4.0))
    across, down = centre.uncertainty_xy_px
    assert across > 0.15 * 40
    assert 0.15 * 20 < down < across


def test_a_region_in_which_nothing_stands_out_has_no_centre() -> None:
    region = Finding(
        id="img_001-1",
        image_id="img_001",
        type="stain",
        confidence=0.9,
        box_xyxy_px=(10.0, 10.0, 150.0, 150.0),
        origin=Origin.SCREENING,
    )
    assert Measurer(RECIPE).measure(np.full((160, 160, 3), 128, np.uint8), region, None).centre is None
