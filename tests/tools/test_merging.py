from __future__ import annotations

import pytest

from tools.merging import Detection, merge_views

VIEW = (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("other_box", "kept"),
    [
        ((10.0, 10.0, 50.0, 50.0), ["dent"]),
        ((12.0, 12.0, 52.0, 52.0), ["dent"]),
        ((30.0, 30.0, 70.0, 70.0), ["dent", "stain"]),
        ((60.0, 60.0, 90.0, 90.0), ["dent", "stain"]),
    ],
    ids=["same place", "nearly", "a corner shared", "apart"],
)
def test_two_types_that_claim_one_place_are_one_finding(
    other_box: tuple[float, float, float, float], kept: list[str]
) -> None:
    dent, stain = Detection("dent", 0.8, (10.0, 10.0, 50.0, 50.0)), Detection("stain", 0.6, other_box)
    merged = merge_views([(VIEW, [stain, dent])], (100, 100), iou=0.5)
    assert [detection.type for detection in merged] == kept


def test_one_type_seen_in_two_views_is_one_finding() -> None:
    first = Detection("dent", 0.8, (10.0, 10.0, 50.0, 50.0))
    again = Detection("dent", 0.7, (11.0, 10.0, 51.0, 50.0))
    assert merge_views([(VIEW, [first]), (VIEW, [again])], (100, 100), iou=0.5) == [first]
