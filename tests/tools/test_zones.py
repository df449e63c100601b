from __future__ import annotations

import pytest

from tools.recipe import Zone
from tools.records import BoxXyxyPx
from tools.zones import zone_of

LEFT = Zone(name="left", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
TOP = Zone(name="top", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)))


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ((0, 0, 20, 10), "left"),
        ((90, 40, 110, 60), "left"),
        ((120, 10, 140, 20), "top"),
        ((90, 0, 200, 20), "top"),
        ((120, 80, 140, 100), None),
    ],
    ids=["the first that holds it", "on its border", "of a later zone", "its centre counts", "outside all"],
)
def test_a_box_lies_in_the_zone_that_holds_its_centre(box: BoxXyxyPx, name: str | None) -> None:
    zone = zone_of(box, (200, 100), (LEFT, TOP))
    assert (zone and zone.name) == name
