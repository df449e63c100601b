from __future__ import annotations

import numpy as np
import pytest

from tools.localization.regions import beside, finding_at, hot_regions
from tools.records import HeatMap, ImageRecord, Origin, Provenance

RECORD = ImageRecord(id="img_001", name="a.jpg", width_px=100, height_px=50)
BY_GOOD = Provenance(tool="references")


def heat(cells: dict[tuple[int, int], float]) -> HeatMap:
    values = np.full((5, 10), 0.1)
    for place, value in cells.items():
        values[place] = value
    return HeatMap(rows=5, columns=10, values=tuple(values.ravel().tolist()))


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({(1, 2): 0.9, (2, 3): 0.8}, [(20, 10, 40, 30)]),
        ({(0, 0): 0.7, (4, 9): 0.95}, [(90, 40, 100, 50), (0, 0, 10, 10)]),
        ({(3, 5): 0.45}, [(50, 30, 60, 40)]),
        ({(1, 2): 0.9, (1, 3): 0.5, (4, 9): 0.5}, [(20, 10, 40, 20)]),
    ],
    ids=["corners touch", "the strongest first", "none reaches the threshold", "warm around hot"],
)
def test_hot_places(cells: dict[tuple[int, int], float], expected: list[tuple[int, ...]]) -> None:
    assert [box for box, _ in hot_regions(heat(cells), 0.6, (100, 50))] == expected


def test_cells_that_are_left_out_neither_are_hot_nor_join_what_is() -> None:
    values = heat({(1, 2): 0.9, (1, 3): 0.95, (1, 4): 0.9, (4, 9): 0.55})
    cells = np.full((5, 10), True)
    cells[:, 3] = False
    assert [box for box, _ in hot_regions(values, 0.6, (100, 50), cells)] == [
        (20, 10, 30, 20),
        (40, 10, 50, 20),
    ]
    cells[:, :6] = False
    assert hot_regions(values, 0.6, (100, 50), cells) == [((90, 40, 100, 50), 0.55)]


def test_only_the_strongest_places_are_kept() -> None:
    cells = {(row, column): 0.9 for row in (0, 2, 4) for column in (0, 2, 4, 6)}
    assert len(hot_regions(heat(cells), 0.6, (100, 50))) == 5


def test_what_a_detector_found_is_not_found_again() -> None:
    found = finding_at(RECORD, 1, (20, 10, 40, 30), 0.9, BY_GOOD)
    regions = [((15.0, 5.0, 45.0, 35.0), 0.9), ((60.0, 10.0, 70.0, 20.0), 0.8)]
    assert list(beside(regions, [found])) == regions[1:]


def test_a_place_is_a_finding_of_no_type_yet() -> None:
    finding = finding_at(RECORD, 2, (20, 10, 40, 30), 1.2, BY_GOOD)
    assert (finding.id, finding.type, finding.origin) == ("img_001-2", "unclassified", Origin.REFERENCE)
    assert finding.confidence == 1.0
