from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tools.shapes import stroke
from tools.measurement.measurer import Measurer
from tools.recipe import DefectType, Part, Recipe
from tools.records import Finding, Origin, Quantity

SIDE_PX = 160
RECIPE = Recipe(
    recipe_version=1,
    name="test",
    part=Part(name="plate"),
    defects={"scratch": DefectType(curvilinear=True)},
)
Box = tuple[float, float, float, float]


def scratched(line: NDArray[np.float64], width: float, contrast: float) -> NDArray[np.uint8]:
    """A noisy grey plate with a line on it."""
    cover = cv2.GaussianBlur(stroke([line], width, SIDE_PX), (0, 0), 0.6)
    noise = np.random.default_rng(5).normal(0, 2, cover.shape)
    return np.repeat(np.clip(140 + contrast * cover + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def located(image: NDArray[np.uint8], box: Box) -> Finding:
    finding = Finding(
        id="img_001-1",
        image_id="img_001",
        type="scratch",
        confidence=0.9,
        box_xyxy_px=box,
        origin=Origin.YOLO,
    )
    return Measurer(RECIPE).measure(image, finding, None)


@pytest.mark.parametrize("loose_px", [1, 4, 8])
@pytest.mark.parametrize("slope", [0.0, 0.04, 0.5])
@pytest.mark.parametrize("contrast", [-60.0, 50.0])
def test_a_loose_box_is_not_filled_with_the_halo_of_the_line(
    loose_px: int, slope: float, contrast: float
) -> None:
    line = np.array([[35.0, 80.0 - 45 * slope], [125.0, 80.0 + 45 * slope]])
    (left, top), (right, bottom) = line.min(axis=0) - 2 - loose_px, line.max(axis=0) + 2 + loose_px
    finding = located(scratched(line, 3.0, contrast), (left, top, right, bottom))
    length = finding.measurement(Quantity.LENGTH)
    assert length is not None
    true = 90 * float(np.hypot(1, slope)) + 3
    assert abs(length.value - true) <= length.uncertainty
    assert length.value == pytest.approx(true, rel=0.1)


BORDERS = [
    pytest.param(((-20, 80), (60, 90)), (0, 76, 65, 95), id="left"),
    pytest.param(((180, 80), (100, 90)), (95, 76, 160, 95), id="right"),
    pytest.param(((80, -20), (90, 60)), (76, 0, 95, 65), id="top"),
    pytest.param(((80, 180), (90, 100)), (76, 95, 95, 160), id="bottom"),
]


@pytest.mark.parametrize(("ends", "box"), BORDERS)
@pytest.mark.parametrize("width", [1.5, 3.0])
@pytest.mark.parametrize("contrast", [-60.0, 50.0])
def test_a_line_that_runs_out_of_the_picture_is_a_lower_bound(
    ends: tuple[tuple[float, float], ...], box: Box, width: float, contrast: float
) -> None:
    finding = located(scratched(np.array(ends, np.float64), width, contrast), box)
    assert finding.contours_px
    assert finding.edge_touching
    length = finding.measurement(Quantity.LENGTH)
    assert length is not None
    assert length.lower_bound


def test_a_line_that_ends_within_the_picture_is_none() -> None:
    line = np.array([[20.0, 80.0], [90.0, 84.0]])
    assert not located(scratched(line, 2.0, -60.0), (16, 76, 94, 88)).edge_touching


@pytest.mark.parametrize("slope", [0.6, 0.9])
def test_a_line_that_meets_an_edge_is_not_measured_along_it(slope: float) -> None:
    line = np.array([[40.0, 50.0], [110.0, 50.0 + 70 * slope]])
    image = scratched(line, 2.0, 50.0).astype(np.int16)
    edge = int(line[1, 1])
    image[edge : edge + 4] += 45
    image[edge + 4 :] -= 12
    box = (34.0, 44.0, 116.0, edge + 8.0)
    length = located(np.clip(image, 0, 255).astype(np.uint8), box).measurement(Quantity.LENGTH)
    assert length is not None
    true = 70 * float(np.hypot(1, slope)) + 2
    assert abs(length.value - true) <= length.uncertainty
    assert length.value == pytest.approx(true, rel=0.12)


def test_where_a_line_goes_on_faintly_both_lengths_are_within_its_uncertainty() -> None:
    line = np.array([[30.0, 84.0], [90.0, 80.0]])
    image = scratched(line, 2.0, 50.0).astype(np.int16)
    image[79:82, 90:140] += 12
    length = located(np.clip(image, 0, 255).astype(np.uint8), (26, 74, 144, 90)).measurement(Quantity.LENGTH)
    assert length is not None
    for true in (62, 110):
        assert abs(length.value - true) <= length.uncertainty
