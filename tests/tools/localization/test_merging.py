from __future__ import annotations

import pytest

from tools.localization.merging import Detection, merge_views, without_rivals
from tools.records import Finding, Origin

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
    dent = Finding(
        id="img_001-1",
        image_id="img_001",
        type="dent",
        confidence=0.8,
        box_xyxy_px=(10.0, 10.0, 50.0, 50.0),
        origin=Origin.YOLO,
    )
    stain = dent.model_copy(update={"id": "img_001-2", "type": "stain", "box_xyxy_px": other_box})
    assert [finding.type for finding in without_rivals((dent, stain), 0.5)] == kept


def test_one_type_seen_in_two_views_is_one_finding() -> None:
    first = Detection("dent", 0.8, (10.0, 10.0, 50.0, 50.0))
    again = Detection("dent", 0.7, (11.0, 10.0, 51.0, 50.0))
    assert merge_views([(VIEW, [first]), (VIEW, [again])], (100, 100), iou=0.5) == [first]
