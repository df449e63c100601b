from __future__ import annotations

import cv2
import numpy as np
import pytest

from tools.references.template import TemplateOptions, template_differences


def circuit() -> np.ndarray:
    image = np.zeros((320, 320, 3), np.uint8)
    for number in range(6):
        cv2.line(image, (20, 30 + 50 * number), (300, 30 + 50 * number), (255, 255, 255), 12)
        cv2.circle(image, (40 + 45 * number, 55 + 40 * number), 14, (255, 255, 255), -1)
    return image


def shifted(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    matrix = np.float32([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(image, matrix, (image.shape[1], image.shape[0]), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("shift", [(0, 0), (0.6, -0.5), (4, 3)])
def test_a_good_part_differs_nowhere_however_it_lies(shift: tuple[float, float]) -> None:
    assert template_differences(shifted(circuit(), *shift), circuit()) == ()


@pytest.mark.parametrize("shift", [(0, 0), (3, -2)])
@pytest.mark.parametrize(
    ("box", "grey"), [((150, 170, 162, 180), 255), ((200, 76, 210, 86), 0), ((96, 125, 108, 136), 0)]
)
def test_finds_what_was_added_or_is_missing(
    shift: tuple[float, float], box: tuple[int, int, int, int], grey: int
) -> None:
    image = circuit()
    cv2.rectangle(image, box[:2], (box[2] - 1, box[3] - 1), (grey,) * 3, -1)
    found = template_differences(shifted(image, *shift), circuit())
    assert len(found) == 1
    x_min, y_min, x_max, y_max = found[0].box_xyxy_px
    centre = ((box[0] + box[2]) / 2 + shift[0], (box[1] + box[3]) / 2 + shift[1])
    assert x_min < centre[0] < x_max
    assert y_min < centre[1] < y_max
    assert 0 < found[0].score < 1


def test_the_larger_difference_comes_first_and_a_small_one_can_be_ignored() -> None:
    image = circuit()
    cv2.circle(image, (160, 157), 10, (255, 255, 255), -1)
    cv2.circle(image, (250, 107), 4, (255, 255, 255), -1)
    found = template_differences(image, circuit())
    assert [each.box_xyxy_px[0] > 200 for each in found] == [False, True]
    assert len(template_differences(image, circuit(), TemplateOptions(min_area=1e-3))) == 1


def test_a_short_gap_in_a_thin_line_is_found() -> None:
    template = circuit()
    cv2.rectangle(template, (20, 53), (300, 56), (255, 255, 255), -1)
    image = template.copy()
    cv2.rectangle(image, (180, 53), (183, 56), (0, 0, 0), -1)
    (gap,) = template_differences(image, template)
    assert gap.box_xyxy_px[0] < 182 < gap.box_xyxy_px[2]


def test_a_long_sliver_along_an_edge_matters_less_than_a_small_defect() -> None:
    image = circuit()
    cv2.rectangle(image, (60, 287), (280, 290), (255, 255, 255), -1)
    cv2.rectangle(image, (150, 103), (159, 112), (255, 255, 255), -1)
    first, *slivers = template_differences(image, circuit())
    assert first.box_xyxy_px[1] < 110 < first.box_xyxy_px[3]
    assert max(x_max - x_min for x_min, _, x_max, _ in (each.box_xyxy_px for each in slivers)) > 50


def test_camera_noise_is_no_difference() -> None:
    noise = np.random.default_rng(1).normal(0, 8, (2, 320, 320, 3))
    image, template = (np.clip(circuit() * 0.6 + 50 + each, 0, 255).astype(np.uint8) for each in noise)
    assert template_differences(image, template) == ()


@pytest.mark.parametrize("is_upright", [False, True])
def test_a_picture_longer_than_opencv_bends_at_once_is_compared_all_along(is_upright: bool) -> None:
    generator = np.random.default_rng(0)
    good = cv2.resize(generator.integers(0, 256, (16, 8_250, 3), dtype=np.uint8), (33_000, 64))
    marked = good.copy()
    at = (1_000, 29_990, 32_500)  # the second where two pieces meet
    for x in at:
        cv2.circle(marked, (x, 32), 8, (255, 0, 255), -1)
    if is_upright:
        good, marked = (np.ascontiguousarray(each.swapaxes(0, 1)) for each in (good, marked))
    assert template_differences(good, good) == ()
    along = [each.box_xyxy_px[int(is_upright) :: 2] for each in template_differences(marked, good)]
    assert {x for x in at for start, end in along if start <= x <= end} == set(at)
    assert all(any(x - 20 < start < end < x + 20 for x in at) for start, end in along)


def test_pieces_bend_as_the_whole_does(monkeypatch: pytest.MonkeyPatch) -> None:
    bent, good = shifted(circuit(), 2.5, -1.5), circuit()
    cv2.line(bent, (120, 30), (140, 30), (0, 0, 0), 12)
    whole = template_differences(bent, good)
    monkeypatch.setattr("tools.references.template._BENT_AT_ONCE_PX", 70)
    pieces = template_differences(bent, good)
    assert whole
    assert [each.box_xyxy_px for each in pieces] == [each.box_xyxy_px for each in whole]
    assert [each.score for each in pieces] == pytest.approx([each.score for each in whole], abs=1e-6)
