from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tools.errors import CalibrationError
from tools.measurement.calibration import resolve_scale
from tools.recipe import ArucoScale

MODULES = 6


def sticker(
    side_px: int, margin: float, behind: int, *, blur_px: float = 0.8, white: int = 240
) -> NDArray[np.uint8]:
    """A marker with a margin of so many modules on a part of one grey."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    marker = cv2.aruco.generateImageMarker(dictionary, 3, side_px)
    edge = side_px // 2
    grey = np.full((2 * side_px, 2 * side_px), behind, np.float32)
    wide = round(margin * side_px / MODULES)
    grey[edge - wide : edge + side_px + wide, edge - wide : edge + side_px + wide] = white
    grey[edge : edge + side_px, edge : edge + side_px] = np.where(marker > 0, white, 15)
    noise = np.random.default_rng(1).normal(0, 2, grey.shape)
    seen = np.clip(cv2.GaussianBlur(grey, (0, 0), blur_px) + noise, 0, 255).astype(np.uint8)
    return np.repeat(seen[..., None], 3, axis=2)


@pytest.mark.parametrize("behind", [20, 60, 128, 200, 240, 255])
@pytest.mark.parametrize("margin", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2])
@pytest.mark.parametrize("side_px", [60, 240])
def test_what_lies_behind_the_white_margin_does_not_move_the_edges(
    side_px: int, margin: float, behind: int
) -> None:
    white = 200 if behind == 255 else 240
    scale = resolve_scale(ArucoScale(aruco_side_mm=20), sticker(side_px, margin, behind, white=white))
    assert scale is not None
    error = scale.mm_per_px / (20 / side_px) - 1
    assert abs(error) <= scale.relative_uncertainty


@pytest.mark.parametrize("side_px", [60, 120, 240])
@pytest.mark.parametrize("blur_px", [0.6, 1.5])
def test_a_sharp_marker_with_a_module_of_white_is_as_sure_as_its_corners(
    side_px: int, blur_px: float
) -> None:
    scale = resolve_scale(ArucoScale(aruco_side_mm=20), sticker(side_px, 1.0, 128, blur_px=blur_px))
    assert scale is not None
    assert abs(scale.mm_per_px / (20 / side_px) - 1) <= 0.1 / side_px
    assert scale.relative_uncertainty <= 0.5 / side_px


def test_a_blurred_marker_with_little_white_says_that_it_is_less_sure() -> None:
    wide, narrow = (
        resolve_scale(ArucoScale(aruco_side_mm=20), sticker(90, margin, 128, blur_px=2.0))
        for margin in (1.2, 0.4)
    )
    assert wide is not None
    assert narrow is not None
    assert narrow.relative_uncertainty > 2 * wide.relative_uncertainty


@pytest.mark.parametrize("margin", [0.05, 0.1])
def test_a_marker_without_a_white_margin_is_refused(margin: float) -> None:
    with pytest.raises(CalibrationError, match="no white margin") as caught:
        resolve_scale(ArucoScale(aruco_side_mm=20), sticker(240, margin, 128))
    assert "small squares" in caught.value.hint


def encoded(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """What sRGB writes for light in [0, 1], in [0, 255]."""
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(255 * curve, np.float32)


def photograph(side_px: int, *, blur_px: float, exposure: float, srgb: bool) -> NDArray[np.uint8]:
    """A marker of linear light, blurred by the lens before the sensor clips it and the camera writes it."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    marker = np.where(cv2.aruco.generateImageMarker(dictionary, 3, 4 * side_px) > 0, 0.85, 0.04)
    around = np.pad(marker, 4 * side_px // MODULES, constant_values=0.85)
    scene = np.pad(around, 2 * side_px, constant_values=0.2).astype(np.float32)
    small = cv2.resize(scene, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    light = np.clip(exposure * cv2.GaussianBlur(small, (0, 0), blur_px), 0, 1)
    grey = encoded(light) if srgb else 255 * light
    noisy = grey + np.random.default_rng(1).normal(0, 2, grey.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("side_px", [60, 150, 240])
@pytest.mark.parametrize(
    ("blur_px", "exposure", "srgb"),
    [(1.2, 1.0, True), (1.6, 1.0, True), (0.6, 1.4, False), (1.2, 1.4, False)],
)
def test_the_curve_of_a_photograph_and_clipped_white_stay_within_the_uncertainty(
    side_px: int, blur_px: float, exposure: float, srgb: bool
) -> None:
    image_rgb = photograph(side_px, blur_px=blur_px, exposure=exposure, srgb=srgb)
    scale = resolve_scale(ArucoScale(aruco_side_mm=20), image_rgb)
    assert scale is not None
    assert abs(scale.mm_per_px / (20 / side_px) - 1) <= scale.relative_uncertainty
