from __future__ import annotations

import cv2
import numpy as np
import pytest

from tools.references.registration import Frame

CORNERS = np.array([[[25.0, 20.0]], [[135.0, 20.0]], [[135.0, 100.0]], [[25.0, 100.0]]])


def laid_down(
    image: np.ndarray, angle_deg: float, shift_px: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D((79.5, 59.5), angle_deg, 1.0)
    matrix[:2, 2] += shift_px
    moved = cv2.warpAffine(image, matrix[:2], (160, 120), borderMode=cv2.BORDER_REPLICATE)
    return moved, matrix


@pytest.mark.parametrize(
    ("angle_deg", "shift_px"), [(0, (0, 0)), (0, (9, -6)), (4, (3, 2)), (-9, (0, 5)), (2, (-12, 3))]
)
def test_finds_a_part_that_was_laid_down_again(part, angle_deg: float, shift_px: tuple[float, float]) -> None:
    moved, matrix = laid_down(part(2), angle_deg, shift_px)
    found = Frame.of(part(1)).register(moved)
    expected = cv2.perspectiveTransform(CORNERS, matrix)
    actual = cv2.perspectiveTransform(CORNERS, found.to_image)
    assert np.abs(actual - expected).max() < 1.5
    assert found.correlation > 0.8


def test_registering_leaves_the_frame_as_it_was() -> None:
    square = np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    frame = Frame.of(square)
    before = frame.edges.copy()
    frame.register(square)
    np.testing.assert_array_equal(frame.edges, before)


def test_an_image_of_something_else_correlates_little(part) -> None:
    other = np.random.default_rng(6).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    assert Frame.of(part(1)).register(other).correlation < 0.4


@pytest.mark.parametrize("size", [(60, 80), (240, 320), (200, 120)])
def test_an_image_of_another_size_is_laid_at_the_size_of_the_frame(part, size: tuple[int, int]) -> None:
    frame = Frame.of(part(1))
    other = cv2.resize(part(2), (size[1], size[0]))
    assert frame.warped(other, frame.register(other)).shape == (120, 160, 3)


def test_the_same_picture_at_twice_the_size_lies_in_its_place(part) -> None:
    frame = Frame.of(part(1))
    double = cv2.resize(part(2), (320, 240), interpolation=cv2.INTER_LINEAR)
    laid = frame.warped(double, frame.register(double))
    assert np.abs(laid.astype(int) - part(1)).mean() < 8
