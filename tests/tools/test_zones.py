from __future__ import annotations

import numpy as np
import pytest

from tools.recipe import Zone
from tools.records import (
    BoxXyxyPx,
    Finding,
    HeatMap,
    Origin,
    Provenance,
    Screening,
    ScreeningStatus,
    Source,
    SourceScore,
)
from tools.zones import cells_to_search, hot_in_ignored_only, is_ignored, placed, zone_of

LEFT = Zone(name="left", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
TOP = Zone(name="top", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)))
NOT_LEFT = LEFT.model_copy(update={"ignore": True})


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ((0, 0, 10, 10), "left"),
        ((0, 80, 200, 90), "left"),
        ((150, 0, 170, 20), "top"),
        ((90, 40, 130, 60), "top"),
        ((150, 60, 170, 80), None),
    ],
    ids=["the first that holds it", "on its border", "of a later zone", "its centre counts", "outside all"],
)
def test_a_box_lies_in_the_zone_that_holds_its_centre(box: BoxXyxyPx, name: str | None) -> None:
    zone = zone_of(box, (200, 100), (LEFT, TOP))
    assert (zone and zone.name) == name


@pytest.mark.parametrize(
    ("box", "origin", "tool", "name"),
    [
        ((0, 0, 180, 100), Origin.YOLO, "localization", "left"),
        ((0, 0, 180, 100), Origin.SCREENING, "screening", "left"),
        ((0, 60, 202, 100), Origin.SCREENING, "screening", None),
        ((0, 60, 200, 100), Origin.YOLO, "localization", "left"),
        ((40, 60, 160, 100), Origin.REFERENCE, "references", None),
        ((40, 60, 160, 100), Origin.REFERENCE, "template", "left"),
        ((40, 10, 160, 20), Origin.REFERENCE, "references", "top"),
        ((10, 60, 90, 100), Origin.REFERENCE, "batch", "left"),
    ],
    ids=[
        "a place by its centre",
        "a region that is mostly in it",
        "a region that is not",
        "a place on the border",
        "half a region",
        "a difference to a template is a place",
        "a region in a zone of its own rules, by its centre",
        "a region within",
    ],
)
def test_a_rough_region_is_in_an_ignored_zone_only_where_that_covers_most_of_it(
    box: BoxXyxyPx, origin: Origin, tool: str, name: str | None
) -> None:
    finding = Finding(
        id="img_001-1",
        image_id="img_001",
        type="dent",
        confidence=0.9,
        box_xyxy_px=box,
        origin=origin,
        provenance=(Provenance(tool=tool),),
    )
    zones = (NOT_LEFT, TOP)
    found = placed(finding, (200, 100), zones)
    assert found.zone == name
    assert is_ignored(found, zones) is (name == "left")


def screened(heat: HeatMap) -> Screening:
    return Screening(
        image_id="img_001",
        scores={},
        suspicion=0.9,
        label="dent",
        status=ScreeningStatus.SUSPECT,
        threshold=0.5,
        review_band=0.1,
        heat_map=heat,
        provenance=Provenance(tool="screening"),
    )


@pytest.mark.parametrize(
    ("source", "suspicion", "decided", "explains"),
    [
        (Source.REFERENCES, 0.41, True, False),
        (Source.REFERENCES, 0.39, True, True),
        (Source.REFERENCES, 0.9, False, True),
        (Source.DETECTOR, 0.9, True, True),
    ],
    ids=["not calm", "calm", "not heard", "whose findings are known"],
)
def test_a_heat_map_says_nothing_of_what_another_source_saw(
    source: Source, suspicion: float, decided: bool, explains: bool
) -> None:
    said = (
        SourceScore(source=Source.WORDS, score=0.9, suspicion=0.9, decided=True),
        SourceScore(source=source, score=0.9, suspicion=suspicion, decided=decided),
    )
    screening = screened(HeatMap(rows=1, columns=4, values=(0.9, 0.0, 0.0, 0.0)))
    assert hot_in_ignored_only(screening.model_copy(update={"sources": said}), (NOT_LEFT,)) is explains


@pytest.mark.parametrize(
    ("inside", "outside", "searched", "explains"),
    [
        (0.9, 0.1, "inside", True),
        (0.1, 0.9, "outside", False),
        (0.9, 0.9, "outside", False),
        (0.9, 0.45, "outside", False),
        (0.42, 0.38, "outside", False),
        (0.3, 0.1, "outside", False),
    ],
    ids=["inside", "outside", "both", "outside too warm", "nearly as hot outside", "nothing is hot"],
)
def test_heat_is_looked_for_outside_ignored_zones_unless_only_they_are_hot(
    inside: float, outside: float, searched: str, explains: bool
) -> None:
    heat = HeatMap(rows=1, columns=4, values=(inside, 0.0, outside, 0.0))
    screening = screened(heat)
    left = np.array([[True, True, False, False]])
    cells = cells_to_search(heat, screening.calm_below, (NOT_LEFT, TOP))
    assert np.array_equal(cells, left if searched == "inside" else ~left)
    assert hot_in_ignored_only(screening, (NOT_LEFT, TOP)) is explains
    assert cells_to_search(heat, screening.calm_below, (LEFT, TOP)).all()
    assert not hot_in_ignored_only(screening, (LEFT, TOP))
    assert not hot_in_ignored_only(screening.model_copy(update={"heat_map": None}), (NOT_LEFT,))


@pytest.mark.parametrize("cell", [0, 1, 2], ids=["in both", "in both, too", "in the ignored one alone"])
@pytest.mark.parametrize("ignored_first", [False, True])
def test_a_cell_belongs_to_the_first_zone_that_holds_it(cell: int, ignored_first: bool) -> None:
    around = Zone(name="around", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)), ignore=True)
    zones = (around, LEFT) if ignored_first else (LEFT, around)
    heat = HeatMap(rows=1, columns=4, values=tuple(0.9 if column == cell else 0.0 for column in range(4)))
    is_left_out = ignored_first or cell == 2
    assert hot_in_ignored_only(screened(heat), zones) is is_left_out
    box = (50 * cell, 0, 50 * cell + 50, 100)
    found = zone_of(box, (200, 100), zones)
    assert found is not None
    assert found.ignore is is_left_out
    assert cells_to_search(heat, 0.4, zones).tolist() == [
        [True] * 4 if ignored_first else [not is_left_out] * 2 + [is_left_out] * 2
    ]
