from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image

from tests.tui.conftest import Done

Loupe = Callable[..., Done]


def marker_picture(side_px: int = 120) -> np.ndarray:
    picture = np.full((400, 500), 230, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    picture[100 : 100 + side_px, 150 : 150 + side_px] = cv2.aruco.generateImageMarker(dictionary, 7, side_px)
    return picture


def board_picture(square_px: int = 40) -> np.ndarray:
    squares = np.indices((7, 10)).sum(axis=0) % 2 * 255
    board = np.kron(squares, np.ones((square_px, square_px))).astype(np.uint8)
    return np.pad(board, 60, constant_values=255)


@pytest.fixture
def photo(tmp_path: Path) -> Callable[[np.ndarray], Path]:
    def write(picture: np.ndarray) -> Path:
        path = tmp_path / "target.png"
        Image.fromarray(picture).save(path)
        return path

    return write


@pytest.mark.parametrize(
    ("picture", "arguments", "mm_per_px"),
    [
        (marker_picture(), ["--points", "10,20,410,20", "--distance", "100"], 0.25),
        (marker_picture(), ["--aruco-side", "12"], 0.1),
        (board_picture(), ["--chessboard", "9x6", "--square", "10"], 0.25),
    ],
    ids=["points", "marker", "chessboard"],
)
def test_the_scale_lands_in_the_recipe(
    loupe: Loupe,
    photo: Callable[[np.ndarray], Path],
    tmp_path: Path,
    picture: np.ndarray,
    arguments: list[str],
    mm_per_px: float,
) -> None:
    recipe = tmp_path / "recipe.yaml"
    assert loupe("recipe", "new", recipe).exit_code == 0
    done = loupe("calibrate", photo(picture), "--recipe", recipe, *arguments)
    assert (done.exit_code, done.stdout) == (0, "")
    assert float(done.stderr.split(" mm per px")[0]) == pytest.approx(mm_per_px, rel=0.005)
    checked = loupe("recipe", "check", recipe)
    assert (checked.exit_code, checked.stderr) == (0, "")


def test_two_points_hold_for_pictures_of_their_size(
    loupe: Loupe, photo: Callable[[np.ndarray], Path]
) -> None:
    done = loupe("calibrate", photo(marker_picture()), "--points", "0,20,500,20", "--distance", "50")
    assert yaml.safe_load(done.stdout)["scale"]["image_size_px"] == [500, 400]


def test_without_a_recipe_the_section_is_printed(loupe: Loupe, photo: Callable[[np.ndarray], Path]) -> None:
    done = loupe("calibrate", photo(marker_picture()), "--aruco-side", "12")
    assert yaml.safe_load(done.stdout) == {"scale": {"aruco_side_mm": 12.0}}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "exactly one"),
        (["--points", "1,2,3", "--distance", "5"], "cannot be read"),
        (["--points", "1,2,30,4"], "--distance"),
        (["--points", "1,2,2,2", "--distance", "5"], "too close"),
        (["--points", "1,2,30,4", "--distance", "nan"], "--distance is needed, a number above zero"),
        (["--points", "1,2,30,inf", "--distance", "5"], "cannot be read"),
        (
            ["--points", "1,2,501,4", "--distance", "5"],
            "(501, 4) lies outside the picture, which has 500x400",
        ),
        (["--points", "1,2,30,-4", "--distance", "5"], "(30, -4) lies outside the picture"),
        (["--aruco-side", "0"], "above zero"),
        (["--aruco-side", "5", "--dictionary", "DICT_9X9"], "no ArUco dictionary 'DICT_9X9'"),
        (["--aruco-side", "nan"], "above zero"),
        (["--aruco-side", "inf"], "above zero"),
        (["--chessboard", "9x6", "--square", "inf"], "--square is needed, a number above zero"),
        (["--chessboard", "nanx6", "--square", "5"], "cannot be read"),
        (["--chessboard", "9.7x6.9", "--square", "5"], "two whole numbers up to 200"),
        (["--chessboard", "1e12x6", "--square", "5"], "two whole numbers up to 200"),
        (["--chessboard", "9x6"], "--square"),
        (["--chessboard", "nine", "--square", "5"], "cannot be read"),
        (["--chessboard", "9x6", "--square", "5"], "No chessboard"),
        (["--aruco-side", "5", "--chessboard", "9x6"], "exactly one"),
        (["--aruco-side", "5", "--distance", "5"], "--distance goes with --points only"),
        (
            ["--points", "1,2,30,4", "--distance", "5", "--square", "3"],
            "--square goes with --chessboard only",
        ),
        (
            ["--chessboard", "9x6", "--square", "5", "--dictionary", "DICT_5X5_50"],
            "--dictionary goes with --aruco-side only",
        ),
    ],
)
def test_what_is_missing_is_said(
    loupe: Loupe, photo: Callable[[np.ndarray], Path], arguments: list[str], said: str
) -> None:
    done = loupe("calibrate", photo(marker_picture()), *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert "hint:" in done.stderr


@pytest.mark.parametrize(("name", "said"), [("target.png", "does not exist"), (".", "is a folder")])
def test_what_is_no_file_is_called_what_it_is(loupe: Loupe, tmp_path: Path, name: str, said: str) -> None:
    done = loupe("calibrate", tmp_path / name, "--aruco-side", "12")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{tmp_path / name} {said}" in done.stderr
    assert "hint:" in done.stderr


@pytest.mark.parametrize("content", [b"", b"no picture"], ids=["empty", "text"])
def test_a_photograph_that_cannot_be_read_is_named(loupe: Loupe, tmp_path: Path, content: bytes) -> None:
    photograph = tmp_path / "target.png"
    photograph.write_bytes(content)
    done = loupe("calibrate", photograph, "--aruco-side", "12")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{photograph}: the file is" in done.stderr
    assert "hint:" in done.stderr


@pytest.mark.parametrize("recipe", ["metal-surface", "nowhere.yaml"])
def test_a_scale_is_written_only_into_a_recipe_of_ones_own(
    loupe: Loupe, photo: Callable[[np.ndarray], Path], recipe: str
) -> None:
    done = loupe("calibrate", photo(marker_picture()), "--aruco-side", "12", "--recipe", recipe)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"there is no recipe file {recipe}" in done.stderr
    assert "loupe recipe new" in done.stderr


@pytest.mark.parametrize("margin_px", [0, 800])
def test_a_board_that_fills_little_of_the_picture_is_told_to_be_larger(
    loupe: Loupe, photo: Callable[[np.ndarray], Path], margin_px: int
) -> None:
    margins = ((margin_px, margin_px), (margin_px, margin_px), (0, 0))[: board_picture().ndim]
    picture = np.pad(board_picture(), margins, constant_values=255)
    done = loupe("calibrate", photo(picture), "--chessboard", "9x6", "--square", "10")
    assert done.exit_code == 0
    assert ("a board that fills the picture" in " ".join(done.stderr.split())) is (margin_px > 0)
