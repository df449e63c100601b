from __future__ import annotations

import pytest

from tools.localization.merging import Detection, merge_views, without_doubles, without_rivals
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


@pytest.mark.parametrize(
    ("kind", "shift_px", "count"),
    [("scratch", 0.0, 1), ("scratch", 0.4, 1), ("scratch", 4.0, 2), ("scratch", 200.0, 2), ("stain", 0.0, 2)],
    ids=["the same outline", "nearly", "beside", "apart", "another type"],
)
def test_one_defect_in_two_boxes_is_counted_once_when_it_is_measured(
    kind: str, shift_px: float, count: int
) -> None:
    line = ((463.0, 170.0), (537.0, 178.0), (537.0, 182.0), (463.0, 174.0))
    scratch = Finding(
        id="img_003-1",
        image_id="img_003",
        type="scratch",
        confidence=0.65,
        box_xyxy_px=(463.0, 169.0, 537.0, 182.0),
        contours_px=(line,),
        origin=Origin.YOLO,
    )
    other = scratch.model_copy(
        update={
            "id": "img_003-2",
            "type": kind,
            "box_xyxy_px": (463.0 + shift_px, 168.5, 596.0 + shift_px, 186.0),
            "contours_px": (tuple((x + shift_px / 2, y + shift_px) for x, y in line),),
        }
    )
    boxes_only = other.model_copy(update={"contours_px": ()})
    assert len(without_doubles((scratch, other), 0.5)) == count
    assert len(without_doubles((scratch, boxes_only), 0.5)) == 2


def test_one_type_seen_in_two_views_is_one_finding() -> None:
    first = Detection("dent", 0.8, (10.0, 10.0, 50.0, 50.0))
    again = Detection("dent", 0.7, (11.0, 10.0, 51.0, 50.0))
    assert merge_views([(VIEW, [first]), (VIEW, [again])], (100, 100), iou=0.5) == [first]
