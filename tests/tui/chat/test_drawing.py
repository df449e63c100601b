from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.tui.chat.staging import finding, inspection
from tui.chat.drawing import draw, type_colours
from tui.chat.halfcell import half_cells, stamped
from tui.chat.views import View

PHOTO = Image.new("RGB", (200, 100), (90, 90, 90))
COLOURS = type_colours(["scratch", "dent"])
BOX = (40, 20, 80, 60)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def has(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    return bool((pixels(image) == colour).all(axis=2).any())


@pytest.mark.parametrize("size", [(100, 80), (24, 40), (600, 300), (1, 2)])
def test_a_drawing_keeps_proportions_and_fits(size: tuple[int, int]) -> None:
    image = draw(PHOTO, None, View(), size, {}).image
    assert image.width <= size[0]
    assert image.height <= size[1]
    assert abs(image.width - 2 * image.height) <= 2 or image.height == 1


def test_marks_are_drawn_in_the_colour_of_the_type_with_a_number() -> None:
    drawing = draw(PHOTO, inspection(finding(1, BOX)), View(), (100, 80), COLOURS)
    assert has(drawing.image, COLOURS["scratch"])
    (tag,) = drawing.tags
    assert (tag.number, tag.x_px, tag.y_px) == (1, 18, 8)  # at half size, just outside the box


def test_without_marks_the_photograph_is_bare() -> None:
    known = inspection(finding(1, BOX))
    drawing = draw(PHOTO, known, View(has_marks=False), (100, 80), COLOURS)
    assert not has(drawing.image, COLOURS["scratch"])
    assert drawing.tags == ()


def test_a_finding_outside_the_view_is_not_marked() -> None:
    view = View(zoom=4, centre_xy_px=(190, 90))
    assert draw(PHOTO, inspection(finding(1, BOX)), view, (100, 80), COLOURS).tags == ()


def test_the_chosen_finding_has_a_whole_frame_and_lies_on_top() -> None:
    known = inspection(finding(1, BOX), finding(2, (120, 20, 160, 60), "dent"))
    drawing = draw(PHOTO, known, View(chosen=0), (100, 80), COLOURS)
    assert [(tag.number, tag.is_chosen) for tag in drawing.tags] == [(2, False), (1, True)]
    counts = [int((pixels(drawing.image) == COLOURS[name]).all(axis=2).sum()) for name in COLOURS]
    assert counts[0] > counts[1]


def test_heat_glows_where_screening_was_suspicious() -> None:
    drawing = draw(PHOTO, inspection(), View(has_heat=True), (100, 80), COLOURS)
    shown = pixels(drawing.image)
    assert np.ptp(shown[0, 0]) == 0
    red, green, _ = shown[-1, -1]
    assert red > green + 50


def test_a_large_drawing_has_its_numbers_painted() -> None:
    drawing = draw(PHOTO, inspection(finding(1, BOX)), View(), (800, 400), COLOURS)
    assert drawing.tags == ()


def test_two_pixels_make_a_cell() -> None:
    image = Image.fromarray(np.array([[[252, 0, 0]], [[0, 252, 0]], [[0, 0, 252]]], np.uint8))
    upper, lower = half_cells(image)
    (segment,) = upper
    assert segment.text == "▀"
    assert segment.style is not None
    assert segment.style.color is not None
    assert segment.style.color.triplet == (252, 0, 0)
    assert segment.style.bgcolor is not None
    assert segment.style.bgcolor.triplet == (0, 252, 0)
    (last,) = lower
    assert last.style is not None
    assert last.style.bgcolor is None


def test_cells_of_one_colour_are_one_segment() -> None:
    (line,) = half_cells(Image.new("RGB", (30, 2), (8, 8, 8)))
    assert len(list(line)) == 1
    assert line.cell_length == 30


@pytest.mark.parametrize("box", [BOX, (0, 0, 10, 10), (190, 90, 200, 100), (0, 0, 200, 100)])
def test_numbers_are_written_over_the_cells_and_never_beside_them(box: tuple[int, int, int, int]) -> None:
    drawing = draw(PHOTO, inspection(finding(1, box)), View(chosen=0), (100, 80), COLOURS)
    lines = stamped(half_cells(drawing.image), drawing.tags)
    assert {line.cell_length for line in lines} == {100}
    assert any("▸1" in line.text for line in lines)
