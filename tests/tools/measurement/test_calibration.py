from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.errors import CalibrationError
from tools.measurement.calibration import (
    calibrate_from_chessboard,
    calibrate_two_points,
    map_points,
    mm_per_px_at,
    resolve_scale,
)
from tools.recipe import ArucoScale, ChessboardScale, FixedScale, TwoPointScale
from tools.records import Scale, ScaleSource

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
EMPTY = np.full((60, 80, 3), 200, np.uint8)


def grey_to_rgb(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    noise = np.random.default_rng(1).normal(0, 2, grey.shape)
    blurred = cv2.GaussianBlur(grey, (0, 0), 0.8) + noise
    return np.repeat(np.clip(blurred, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def marker_image(side_px: float, angle_deg: float = 0.0, number: int = 7) -> NDArray[np.uint8]:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    tile = np.pad(cv2.aruco.generateImageMarker(dictionary, number, 480), 80, constant_values=255)
    turn = cv2.getRotationMatrix2D((319.5, 319.5), angle_deg, 4 * side_px / 480)
    turn[:, 2] += np.array([640, 480]) - 319.5
    canvas = cv2.warpAffine(tile, turn, (1280, 960), borderValue=255)
    return grey_to_rgb(cv2.resize(canvas, (320, 240), interpolation=cv2.INTER_AREA).astype(np.float32))


def board_image(view: NDArray[np.float64], cols: int = 8, rows: int = 6) -> NDArray[np.uint8]:
    squares = np.indices((rows + 1, cols + 1)).sum(axis=0) % 2 * 255
    tile = np.pad(np.kron(squares, np.ones((40, 40))).astype(np.uint8), 40, constant_values=255)
    return grey_to_rgb(cv2.warpPerspective(tile, view, (640, 480), borderValue=255).astype(np.float32))


def test_no_scale_in_the_recipe_is_no_scale() -> None:
    assert resolve_scale(None, EMPTY) is None


def test_a_fixed_scale_is_passed_on() -> None:
    scale = resolve_scale(FixedScale(mm_per_px=0.1, uncertainty_percent=2, detail="telecentric"), EMPTY)
    assert scale is not None
    assert (scale.mm_per_px, scale.relative_uncertainty, scale.detail) == (0.1, 0.02, "telecentric")
    assert scale.source is ScaleSource.RECIPE


def test_two_points_give_the_scale_and_its_uncertainty() -> None:
    scale = resolve_scale(TwoPointScale(points_px=((10, 20), (310, 420)), distance_mm=50), EMPTY)
    assert scale is not None
    assert scale.mm_per_px == pytest.approx(0.1)
    assert scale.relative_uncertainty == pytest.approx(2 * np.sqrt(2) / 500)
    assert scale.source is ScaleSource.TWO_POINTS


@pytest.mark.parametrize("end", [(10.0, 10.0), (13.0, 10.0)])
def test_two_points_too_close_are_refused(end: tuple[float, float]) -> None:
    with pytest.raises(CalibrationError, match="too close"):
        calibrate_two_points(((10.0, 10.0), end), 5.0)


@pytest.mark.parametrize(("side_px", "angle_deg"), [(60.0, 0.0), (100.0, 17.0), (140.0, 45.0)])
def test_a_marker_gives_the_scale_within_its_uncertainty(side_px: float, angle_deg: float) -> None:
    scale = resolve_scale(ArucoScale(aruco_side_mm=10), marker_image(side_px, angle_deg))
    assert scale is not None
    true = 10 / side_px
    assert abs(scale.mm_per_px - true) <= scale.relative_uncertainty * true
    assert scale.relative_uncertainty < 0.02
    assert "id 7" in scale.detail


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ArucoScale(aruco_side_mm=10, marker_id=3), "id 3.*shows id 7"),
        (ArucoScale(aruco_side_mm=10, dictionary="DICT_6X6_250"), "No ArUco marker of DICT_6X6_250"),
        (ArucoScale(aruco_side_mm=10, dictionary="DICT_NONE"), "no ArUco dictionary"),
    ],
)
def test_a_marker_that_is_not_there_is_an_error_with_a_hint(spec: ArucoScale, said: str) -> None:
    with pytest.raises(CalibrationError, match=said) as caught:
        resolve_scale(spec, marker_image(100))
    assert caught.value.hint


def test_an_unknown_dictionary_is_told_each_known_one_once() -> None:
    with pytest.raises(CalibrationError) as caught:
        resolve_scale(ArucoScale(aruco_side_mm=10, dictionary="DICT_NONE"), marker_image(100))
    known = caught.value.hint.removeprefix("Known ones: ").removesuffix(".").split(", ")
    assert {"DICT_4X4_50", "DICT_ARUCO_ORIGINAL"} < set(known)
    assert len({getattr(cv2.aruco, name) for name in known}) == len(known)


def test_a_chessboard_seen_askew_gives_true_distances() -> None:
    corners = np.array([[0, 0], [439, 0], [439, 359], [0, 359]], np.float32)
    seen = np.array([[70, 50], [560, 80], [530, 430], [110, 400]], np.float32)
    view = cv2.getPerspectiveTransform(corners, seen)
    calibration = calibrate_from_chessboard(board_image(view), 8, 6, 5.0)
    tile = np.array([[79.5, 79.5], [359.5, 79.5], [359.5, 279.5]])
    pixels = map_points(view, tile) + 0.5
    mapped = map_points(np.array(calibration.homography).reshape(3, 3), pixels)
    assert np.linalg.norm(mapped[1] - mapped[0]) == pytest.approx(35.0, rel=0.002)
    assert np.linalg.norm(mapped[2] - mapped[1]) == pytest.approx(25.0, rel=0.002)
    assert calibration.rms_px < 0.2
    assert calibration.relative_uncertainty < 0.01
    assert 5 / 52 < calibration.mm_per_px < 5 / 35


@pytest.mark.parametrize(("cols", "rows", "said"), [(9, 9, "No chessboard"), (2, 6, "cannot calibrate")])
def test_a_chessboard_that_is_not_there_is_an_error_with_a_hint(cols: int, rows: int, said: str) -> None:
    with pytest.raises(CalibrationError, match=said) as caught:
        calibrate_from_chessboard(np.full((120, 160, 3), 200, np.uint8), cols, rows, 5.0)
    assert caught.value.hint


@pytest.mark.parametrize(
    "spec",
    [
        ChessboardScale(homography=IDENTITY, mm_per_px=1.0, uncertainty_percent=1, image_size_px=(320, 240)),
        TwoPointScale(points_px=((10, 10), (310, 10)), distance_mm=300, image_size_px=(320, 240)),
    ],
    ids=["chessboard", "two points"],
)
def test_a_scale_read_in_a_picture_holds_for_its_image_size_only(
    spec: ChessboardScale | TwoPointScale,
) -> None:
    scale = resolve_scale(spec, np.zeros((240, 320, 3), np.uint8))
    assert scale is not None
    assert scale.mm_per_px == 1.0
    assert scale.homography == getattr(spec, "homography", None)
    with pytest.raises(CalibrationError, match="320x240"):
        resolve_scale(spec, np.zeros((320, 240, 3), np.uint8))


def test_perspective_changes_what_a_pixel_spans() -> None:
    scale = Scale(
        mm_per_px=0.1, source=ScaleSource.CHESSBOARD, homography=(0.1, 0, 0, 0, 0.1, 0, 0.001, 0, 1)
    )
    # By hand: x / 10 / (1 + x / 1000) has the slope 0.1 / (1 + x / 1000)^2.
    assert [mm_per_px_at(scale, (x, 5.0)) for x in (0, 1000)] == pytest.approx([0.1, 0.025], rel=0.01)
    flat = Scale(mm_per_px=0.1, source=ScaleSource.RECIPE)
    assert mm_per_px_at(flat, (1000, 5.0)) == 0.1


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_markers_with_one_id_neither_is_forgotten(order: int) -> None:
    pair = [marker_image(side) for side in (120, 60)][::order]
    scale = resolve_scale(ArucoScale(aruco_side_mm=10), np.hstack(pair))
    assert scale is not None
    for side_px in (120, 60):
        assert abs(scale.mm_per_px - 10 / side_px) <= scale.relative_uncertainty * scale.mm_per_px


def through_a_barrel(
    points: NDArray[np.float64], size_px: tuple[int, int], share: float
) -> NDArray[np.float64]:
    """Where a straight picture's place lies that a lens shows at points (Nx2); drawn in by a share."""
    centre = np.array(size_px) / 2
    off = points - centre
    return centre + off * (1 + share * np.sum(off**2, axis=1, keepdims=True) / np.sum(centre**2))


@pytest.mark.parametrize("square_px", [14, 40, 90])
@pytest.mark.parametrize("at_px", [(600.0, 450.0), (380.0, 300.0)])
def test_what_the_lens_distorts_is_within_a_chessboards_uncertainty_all_over_the_picture(
    square_px: int, at_px: tuple[float, float]
) -> None:
    size = (1200, 900)
    if square_px == 90:
        at_px = (600.0, 450.0)  # fills the picture
    squares = np.indices((7, 9)).sum(axis=0) % 2 * 255
    tile = np.pad(np.kron(squares, np.ones((40, 40))), 40, constant_values=255).astype(np.uint8)
    scale = square_px / 40
    start = np.array(at_px) - scale * np.array(tile.shape[::-1]) / 2
    y, x = np.mgrid[0:900, 0:1200]
    places = np.stack([x.ravel(), y.ravel()], axis=1) + 0.5
    spots = (through_a_barrel(places, size, 0.01) - start) / scale - 0.5
    across, down = (spots[:, i].reshape(900, 1200).astype(np.float32) for i in (0, 1))
    smooth = cv2.GaussianBlur(tile, (0, 0), 0.3 / scale)
    seen = cv2.remap(smooth, across, down, cv2.INTER_LINEAR, borderValue=255).astype(np.float32)
    found = calibrate_from_chessboard(grey_to_rgb(seen), 8, 6, 5.0)
    homography = np.array(found.homography).reshape(3, 3)
    mm_per_px = 5.0 / square_px
    for x0, y0 in (at_px, (10.0, 10.0), (1190.0, 890.0), (10.0, 890.0), (1190.0, 10.0)):
        for step in ((8.0, 0.0), (0.0, 8.0)):
            ends = np.array([(x0, y0), (x0, y0)]) + np.outer((-0.5, 0.5), step)
            stated = np.linalg.norm(np.diff(map_points(homography, ends), axis=0))
            true = mm_per_px * np.linalg.norm(np.diff(through_a_barrel(ends, size, 0.01), axis=0))
            assert abs(stated / true - 1) <= found.relative_uncertainty
