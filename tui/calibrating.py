"""`loupe calibrate`: from a photograph of a known thing to the scale section of a recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import ImageError, UsageError
from tui.narration import Narrator
from tui.printing import print_out

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.recipe import ScaleSpec

    ImageRgb = npt.NDArray[np.uint8]

__all__ = ["CalibrateOptions", "run_calibrate"]

_MOST_CORNERS = 200  # along a side of a chessboard
_MUCH_PERCENT = 1.0  # from which it is worth saying what would make a scale surer
_ONE_PHOTOGRAPH = "give one photograph of the target"


@dataclass(frozen=True)
class CalibrateOptions:
    """What `loupe calibrate` was given; exactly one target of known size."""

    image: Path
    recipe: Path | None
    points: str
    distance_mm: float | None
    aruco_side_mm: float | None
    dictionary: str
    chessboard: str
    square_mm: float | None


def run_calibrate(options: CalibrateOptions) -> None:
    """Finds the scale, prints its section on stdout or writes it into the recipe.

    Raises:
        UsageError: Not exactly one target, a malformed one, one outside the picture or one with an option of
            another, or no picture.
        CalibrationError: The target is not in the picture.
    """
    from tools.images import decode
    from tools.measurement.calibration import resolve_scale
    from tools.recipe.scale import scale_yaml, write_scale

    narrator = Narrator()
    if not options.image.is_file():
        what = "is a folder" if options.image.is_dir() else "does not exist"
        raise UsageError(f"{options.image} {what}", _ONE_PHOTOGRAPH)
    try:
        image_rgb = decode(options.image)
    except ImageError as error:
        raise UsageError(f"{options.image}: {error.message}", _ONE_PHOTOGRAPH) from error
    spec = _spec(options, image_rgb)
    scale = resolve_scale(spec, image_rgb)
    if scale is not None:
        percent = 100 * scale.relative_uncertainty
        narrator.say(f"{scale.mm_per_px:.6g} mm per px, uncertainty {percent:.2g} % (k=2). {scale.detail}")
        if options.chessboard and percent > _MUCH_PERCENT:
            narrator.say(
                "The lens may distort that much somewhere; a board that fills the picture tells best."
            )
    if options.recipe is None:
        print_out(scale_yaml(spec))
        return
    write_scale(options.recipe, spec)
    narrator.say(f"Written to {options.recipe}.")


def _spec(options: CalibrateOptions, image_rgb: ImageRgb) -> ScaleSpec:
    targets = {
        "--points": bool(options.points),
        "--aruco-side": options.aruco_side_mm is not None,
        "--chessboard": bool(options.chessboard),
    }
    if sum(targets.values()) != 1:
        raise UsageError(
            "give exactly one thing of known size",
            "--points x1,y1,x2,y2 --distance MM, --aruco-side MM, or --chessboard 9x6 --square MM",
        )
    _refuse_strays(options, targets)
    if options.points:
        return _from_points(options, image_rgb)
    if options.chessboard:
        return _from_chessboard(options, image_rgb)
    return _from_marker(options)


def _refuse_strays(options: CalibrateOptions, targets: Mapping[str, bool]) -> None:
    """Refuses what says something of another target than the one given: one of them was not meant."""
    from tools.recipe import ArucoScale

    strays = {
        "--distance": (options.distance_mm is not None, "--points"),
        "--dictionary": (options.dictionary != ArucoScale(aruco_side_mm=1).dictionary, "--aruco-side"),
        "--square": (options.square_mm is not None, "--chessboard"),
    }
    for option, (is_given, target) in strays.items():
        if is_given and not targets[target]:
            raise UsageError(f"{option} goes with {target} only", f"leave out {option}, or give {target}")


def _from_points(options: CalibrateOptions, image_rgb: ImageRgb) -> ScaleSpec:
    from tools.recipe import TwoPointScale

    numbers = _numbers(options.points, ",", 4, "--points", "x1,y1,x2,y2, e.g. 120,80,1420,86")
    distance_mm = _size_mm(options.distance_mm, "--distance", "the distance of the two points in mm")
    first, second = (numbers[0], numbers[1]), (numbers[2], numbers[3])
    height_px, width_px = image_rgb.shape[:2]
    for x, y in (first, second):
        if not (0 <= x <= width_px and 0 <= y <= height_px):
            raise UsageError(
                f"--points: ({x:g}, {y:g}) lies outside the picture, which has {width_px}x{height_px} px",
                "read both points in the photograph that you give, at its full size",
            )
    return TwoPointScale(
        points_px=(first, second), distance_mm=distance_mm, image_size_px=(width_px, height_px)
    )


def _from_marker(options: CalibrateOptions) -> ScaleSpec:
    from tools.recipe import ArucoScale

    side_mm = _size_mm(options.aruco_side_mm, "--aruco-side", "the side of the marker's black square in mm")
    return ArucoScale(aruco_side_mm=side_mm, dictionary=options.dictionary)


def _from_chessboard(options: CalibrateOptions, image_rgb: ImageRgb) -> ScaleSpec:
    from tools.measurement.calibration import calibrate_from_chessboard
    from tools.recipe import ChessboardScale

    form = "inner corners as COLSxROWS, e.g. 9x6"
    columns, rows = _numbers(options.chessboard, "x", 2, "--chessboard", form)
    if not all(side.is_integer() and side <= _MOST_CORNERS for side in (columns, rows)):
        raise UsageError(
            f"--chessboard {options.chessboard}: two whole numbers up to {_MOST_CORNERS} are needed", form
        )
    square_mm = _size_mm(options.square_mm, "--square", "the side of one square in mm")
    found = calibrate_from_chessboard(image_rgb, int(columns), int(rows), square_mm)
    height_px, width_px = image_rgb.shape[:2]
    return ChessboardScale(
        homography=found.homography,
        mm_per_px=found.mm_per_px,
        uncertainty_percent=100 * found.relative_uncertainty,
        image_size_px=(width_px, height_px),
        detail=f"chessboard {options.chessboard} of {square_mm:g} mm, rms {found.rms_px:.2f} px",
    )


def _size_mm(given_mm: float | None, option: str, means: str) -> float:
    if given_mm is None or not 0 < given_mm < math.inf:
        raise UsageError(f"{option} is needed, a number above zero", means)
    return given_mm


def _numbers(text: str, separator: str, count: int, option: str, form: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.lower().split(separator)]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise UsageError(f"{option} {text}: cannot be read", form)
    return numbers
