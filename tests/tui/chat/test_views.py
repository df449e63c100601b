from __future__ import annotations

import pytest

from tui.chat.views import View

PHOTO, ROOM = (200, 100), (100, 80)


def test_the_whole_photograph_is_shown_at_first() -> None:
    assert View().region(PHOTO, ROOM) == (0, 0, 200, 100)


def test_a_zoomed_view_uses_the_room_beside_the_photograph() -> None:
    x_min, y_min, x_max, y_max = View(zoom=2).region(PHOTO, ROOM)
    assert (x_max - x_min, y_max - y_min) == (100, 80)
    assert (x_min + x_max, y_min + y_max) == (200, 100)


@pytest.mark.parametrize("centre", [(-50, -50), (1000, 1000), (0, 100)])
def test_the_view_stays_inside_the_photograph(centre: tuple[float, float]) -> None:
    x_min, y_min, x_max, y_max = View(zoom=4, centre_xy_px=centre).region(PHOTO, ROOM)
    assert x_min >= 0
    assert y_min >= 0
    assert x_max <= 200
    assert y_max <= 100


def test_what_is_under_the_mouse_stays_under_it() -> None:
    view = View(zoom=2, centre_xy_px=(100, 50))
    at = (80.0, 40.0)
    before, after = view.region(PHOTO, ROOM), view.nearer(1, PHOTO, at).region(PHOTO, ROOM)
    for low, place in ((0, at[0]), (1, at[1])):
        shares = [(place - region[low]) / (region[low + 2] - region[low]) for region in (before, after)]
        assert shares[0] == pytest.approx(shares[1])


def test_away_ends_at_the_whole_photograph() -> None:
    assert View(zoom=1.2, centre_xy_px=(3, 3)).nearer(-1, PHOTO) == View()


def test_a_box_that_is_zoomed_to_is_in_the_middle_with_room_around() -> None:
    view = View().at_box((150, 60, 170, 70), PHOTO, ROOM)
    x_min, y_min, x_max, y_max = view.region(PHOTO, ROOM)
    assert x_min < 150
    assert x_max > 170
    assert y_min < 60
    assert y_max > 70
    assert x_max - x_min < 60


def test_a_view_moves_by_quarters() -> None:
    view = View(zoom=2)
    region = view.region(PHOTO, ROOM)
    moved = view.moved(1, 0, region).region(PHOTO, ROOM)
    assert moved[0] - region[0] == 25
