from __future__ import annotations

from agent.events import GoodKept, ToolFinished, ToolStarted
from agent.lots import Lots

ALL = ["img_001", "img_002", "img_003"]


def test_an_image_goes_on_record_once_with_each_lot() -> None:
    lots = Lots()
    assert lots.named("", ALL) == []
    assert lots.named("A-17", ["img_002"]) == ["img_002"]
    assert lots.named("A-17", ALL) == ["img_001", "img_003"]
    assert lots.named("B", ["img_002"]) == ["img_002"]
    assert lots.current == "B"


def test_what_earlier_starts_reported_is_known() -> None:
    lots = Lots()
    lots.restore(
        [
            ToolStarted(call=1, tool="write_report", arguments={"lot": "A-17", "ids": ["img_002"]}),
            ToolFinished(call=1, tool="write_report", result={"lot": "A-17"}, seconds=1.0),
            ToolStarted(call=2, tool="write_report", arguments={"lot": "C"}),
            ToolFinished(call=2, tool="write_report", error="the disk is full", seconds=1.0),
        ],
        ALL,
    )
    assert lots.current == "A-17"
    assert lots.named("A-17", ALL) == ["img_001", "img_003"]


def test_after_other_good_parts_all_images_are_new_to_every_lot() -> None:
    report = (
        ToolStarted(call=1, tool="write_report", arguments={"lot": "A-17"}),
        ToolFinished(call=1, tool="write_report", result={"lot": "A-17"}, seconds=1.0),
    )
    lots = Lots()
    lots.restore([*report, GoodKept(image_ids=(), total=8, by="Kim", at="2026")], ALL)
    assert (lots.current, lots.has_reports) == ("A-17", True)
    assert lots.named("A-17", ALL) == ALL
    lots.forget_recorded()
    assert lots.named("A-17", ALL) == ALL
