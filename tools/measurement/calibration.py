"""From something of known size in a picture to millimetres per pixel, with the uncertainty of that.

A scale holds in the plane in which it was calibrated: what lies nearer to the camera looks larger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.errors import CalibrationError
from tools.measurement.dictionaries import is_dictionary, known_dictionaries
from tools.measurement.lenses import homography_between, map_points, worst_lens_error
from tools.measurement.marker_edges import MarkerFit, fit_marker
from tools.measurement.outlines import signed_area
from tools.measurement.scale_reasons import ScaleReason
from tools.recipe import ArucoScale, ChessboardScale, FixedScale, ScaleSpec, TwoPointScale
from tools.records import Scale, ScaleSource

if TYPE_CHECKING:
    from cv2.aruco import Dictionary
    from numpy.typing import NDArray

    from tools.records import PointPx

__all__ = [
    "ChessboardCalibration",
    "area_factor",
    "calibrate_from_chessboard",
    "calibrate_two_points",
    "map_points",
    "mm_per_px_at",
    "resolve_scale",
]

_CORNER_UNCERTAINTY_PX = 0.1  # standard, of one corner where two fitted edges of a marker meet
_MIN_MARKER_SIDE_PX = 12.0
# Below this a calibration claims more than lens and target can keep.
_SMALLEST_RELATIVE_UNCERTAINTY = 0.001


class ChessboardCalibration(NamedTuple):
    """What a chessboard says about the plane it lies in.

    Attributes:
        homography: Row-major 3x3 from pixels (x, y) to millimetres, origin at the first inner corner.
        mm_per_px: At the centre of the board.
        relative_uncertainty: Expanded (k=2), as a fraction of a length.
        rms_px: Root mean square distance of the corners from where the homography puts them.
    """

    homography: tuple[float, ...]
    mm_per_px: float
    relative_uncertainty: float
    rms_px: float


def resolve_scale(spec: ScaleSpec | None, image_rgb: NDArray[np.uint8]) -> Scale | None:
    """Returns the scale that a recipe's section means for one image; None where the recipe has none.

    Args:
        spec: The recipe's section.
        image_rgb: HxWx3; a marker is sought in it, otherwise at most its size is checked.

    Raises:
        CalibrationError: The marker is not in the image, or the calibration belongs to another image size.
    """
    match spec:
        case None:
            return None
        case FixedScale():
            return Scale(
                mm_per_px=spec.mm_per_px,
                source=ScaleSource.RECIPE,
                relative_uncertainty=spec.uncertainty_percent / 100,
                detail=spec.detail,
            )
        case TwoPointScale():
            if spec.image_size_px is not None:
                _refuse_other_size(spec.image_size_px, image_rgb)
            return calibrate_two_points(spec.points_px, spec.distance_mm, spec.point_uncertainty_px)
        case ArucoScale():
            return _scale_from_marker(spec, image_rgb)
        case ChessboardScale():
            _refuse_other_size(spec.image_size_px, image_rgb)
            return Scale(
                mm_per_px=spec.mm_per_px,
                source=ScaleSource.CHESSBOARD,
                relative_uncertainty=spec.uncertainty_percent / 100,
                homography=spec.homography,
                detail=spec.detail,
            )


def _refuse_other_size(size_px: tuple[int, int], image_rgb: NDArray[np.uint8]) -> None:
    """Refuses a picture of another size (width, height) than the one that was calibrated."""
    height, width = image_rgb.shape[:2]
    if (width, height) != size_px:
        raise CalibrationError(
            ScaleReason.OTHER_SIZE.format(calibrated=f"{size_px[0]}x{size_px[1]}", size=f"{width}x{height}"),
            "Calibrate again with a photograph of this size.",
        )


def calibrate_two_points(
    points_px: tuple[PointPx, PointPx], distance_mm: float, point_uncertainty_px: float = 1.0
) -> Scale:
    """Returns the scale given by two points of known distance.

    Args:
        points_px: Two points (x, y).
        distance_mm: Their distance.
        point_uncertainty_px: Standard uncertainty of one point along the line.

    Raises:
        CalibrationError: The points are too close together to say anything.
    """
    distance_px = float(np.hypot(points_px[1][0] - points_px[0][0], points_px[1][1] - points_px[0][1]))
    relative_uncertainty = 2 * np.sqrt(2) * point_uncertainty_px / distance_px if distance_px else 1.0
    if relative_uncertainty >= 0.5:
        raise CalibrationError(
            ScaleReason.POINTS_TOO_CLOSE.format(distance=f"{distance_px:.1f}"),
            "Choose two points as far apart as the picture allows.",
        )
    return Scale(
        mm_per_px=distance_mm / distance_px,
        source=ScaleSource.TWO_POINTS,
        relative_uncertainty=float(relative_uncertainty),
        detail=f"two points {distance_px:.1f} px apart, {distance_mm:g} mm",
    )


def _scale_from_marker(spec: ArucoScale, image_rgb: NDArray[np.uint8]) -> Scale:
    """Averages over the markers in the picture that the recipe means."""
    markers = _fit_markers(image_rgb, spec)
    quads = [marker.corners for _, marker in markers]
    sides_px = np.array([_side_px(quad) for quad in quads])
    # Seen askew, a marker's sides differ; so then does the scale from place to place.
    skew = max(float(np.ptp(_edges_px(quad)) / _side_px(quad)) for quad in quads)
    spread = float(np.std(sides_px) / np.mean(sides_px))
    corners = _CORNER_UNCERTAINTY_PX / float(np.mean(sides_px)) / np.sqrt(len(sides_px))
    edges = max(marker.uncertainty_px for _, marker in markers) / float(np.mean(sides_px))
    relative = 2 * np.sqrt(corners**2 + edges**2 + (skew / (2 * np.sqrt(3))) ** 2 + spread**2)
    ids = ", ".join(str(number) for number in sorted({number for number, _ in markers}))
    return Scale(
        mm_per_px=spec.aruco_side_mm / float(np.mean(sides_px)),
        source=ScaleSource.ARUCO,
        relative_uncertainty=max(float(relative), _SMALLEST_RELATIVE_UNCERTAINTY),
        detail=f"ArUco {spec.dictionary} id {ids}, side {spec.aruco_side_mm:g} mm",
    )


def _fit_markers(image_rgb: NDArray[np.uint8], spec: ArucoScale) -> list[tuple[int, MarkerFit]]:
    """Returns id and place of each marker that the recipe means; those without a white margin not."""
    import cv2

    if not is_dictionary(spec.dictionary):
        raise CalibrationError(
            ScaleReason.NO_DICTIONARY.format(dictionary=spec.dictionary),
            f"Known ones: {', '.join(known_dictionaries())}.",
        )
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, spec.dictionary))
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    meant = _find_markers(grey, dictionary, spec)
    smallest_px = min(_side_px(quad) for _, quad in meant)
    if smallest_px < _MIN_MARKER_SIDE_PX:
        raise CalibrationError(
            ScaleReason.MARKER_TOO_SMALL.format(side=f"{smallest_px:.0f}"),
            "Use a larger marker or a nearer camera.",
        )
    fits = [(number, fit_marker(grey, quad, dictionary.markerSize + 2)) for number, quad in meant]
    fitted = [(number, fit) for number, fit in fits if fit is not None]
    if not fitted:
        raise CalibrationError(
            ScaleReason.NO_MARGIN.value,
            "Leave white around the marker, at least as wide as one of its small squares, evenly lit.",
        )
    return fitted


def _find_markers(
    grey: NDArray[np.uint8], dictionary: Dictionary, spec: ArucoScale
) -> list[tuple[int, NDArray[np.float64]]]:
    """Returns id and corners (4x2, pixels) of each marker that the recipe means; an id may be there twice."""
    import cv2

    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(grey)
    found = [] if ids is None else [int(number) for number in np.ravel(ids)]
    meant = [
        (number, np.asarray(quad, np.float64).reshape(4, 2))
        for number, quad in zip(found, corners, strict=True)
        if spec.marker_id in (None, number)
    ]
    if not meant:
        reason = ScaleReason.NO_MARKER
        if spec.marker_id is not None:
            reason = ScaleReason.OTHER_MARKER if found else ScaleReason.NO_SUCH_MARKER
        others = ", ".join(map(str, found))
        raise CalibrationError(
            reason.format(dictionary=spec.dictionary, id=spec.marker_id, others=others),
            "Check that the whole marker with its white margin is in view, sharp and without glare.",
        )
    return meant


def _edges_px(quad: NDArray[np.float64]) -> NDArray[np.float64]:
    edges: NDArray[np.float64] = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return edges


def _side_px(quad: NDArray[np.float64]) -> float:
    """Returns the side of the square whose area the quadrilateral has."""
    return float(np.sqrt(abs(signed_area(quad))))


def calibrate_from_chessboard(
    image_rgb: NDArray[np.uint8], cols: int, rows: int, square_mm: float
) -> ChessboardCalibration:
    """Finds the homography of the plane in which a chessboard lies.

    Corners by the sector-based detector of Duda and Frese (BMVC 2018), as OpenCV's
    `findChessboardCornersSB`. The uncertainty is the larger of two: the root mean square error of the known
    distances across the board (each row and column of corners), and what the lens may distort anywhere in
    the picture, as far as the board shows it. So it is large where a board fills little of the picture.

    Args:
        image_rgb: HxWx3.
        cols: Inner corners along a row.
        rows: Inner corners along a column.
        square_mm: Side of one square.

    Raises:
        CalibrationError: Fewer than 3x3 inner corners, or no such board in the picture.
    """
    import cv2

    if min(cols, rows) < 3 or square_mm <= 0:
        raise CalibrationError(
            f"A chessboard of {cols}x{rows} inner corners with squares of {square_mm:g} mm cannot calibrate.",
            "Count inner corners, at least 3x3, and give the side of a square in mm.",
        )
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    found, corners = cv2.findChessboardCornersSB(grey, (cols, rows), flags=cv2.CALIB_CB_ACCURACY)
    if not found:
        raise CalibrationError(
            f"No chessboard with {cols}x{rows} inner corners was found in the picture.",
            "Count inner corners, not squares; the whole board must be in view, flat, sharp, without glare.",
        )
    # OpenCV counts from the centre of the first pixel, Loupe from its corner.
    corners_px = np.asarray(corners, np.float64).reshape(-1, 2) + 0.5
    steps = np.stack(np.meshgrid(np.arange(cols), np.arange(rows)), axis=-1).reshape(-1, 2)
    grid_mm = steps.astype(np.float64) * square_mm
    homography = homography_between(corners_px, grid_mm)
    back_px = map_points(np.asarray(np.linalg.inv(homography), np.float64), grid_mm)
    rms_px = float(np.sqrt(np.mean(np.sum((back_px - corners_px) ** 2, axis=1))))
    seen_mm = map_points(homography, corners_px).reshape(rows, cols, 2)
    rows_mm = np.linalg.norm(seen_mm[:, -1] - seen_mm[:, 0], axis=1) / (square_mm * (cols - 1))
    columns_mm = np.linalg.norm(seen_mm[-1] - seen_mm[0], axis=1) / (square_mm * (rows - 1))
    error = float(np.sqrt(np.mean((np.concatenate([rows_mm, columns_mm]) - 1) ** 2)))
    height, width = image_rgb.shape[:2]
    lens = worst_lens_error(corners_px, grid_mm, (width, height))
    return ChessboardCalibration(
        tuple(float(value) for value in homography.ravel()),
        float(np.sqrt(area_factor(homography, corners_px.mean(axis=0)[None])[0])),
        max(2 * error, lens, _SMALLEST_RELATIVE_UNCERTAINTY),
        rms_px,
    )


def mm_per_px_at(scale: Scale, at_px: tuple[float, float]) -> float:
    """Returns how many millimetres a pixel spans along x at a place; with perspective that differs."""
    if scale.homography is None:
        return scale.mm_per_px
    x, y = at_px
    ends_px = np.array([[x - 0.5, y], [x + 0.5, y]])
    start_mm, end_mm = map_points(np.reshape(scale.homography, (3, 3)), ends_px)
    return float(np.linalg.norm(end_mm - start_mm))


def area_factor(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how much a 3x3 homography magnifies areas at points (Nx2): its Jacobian's determinant."""
    depth = points @ homography[2, :2] + homography[2, 2]
    factor: NDArray[np.float64] = np.abs(np.linalg.det(homography) / depth**3)
    return factor
