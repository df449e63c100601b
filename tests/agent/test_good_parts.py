from __future__ import annotations

import pytest

from agent.events import Event, GoodKept, Inspected, Note
from agent.good_parts import inspected_since_good_kept
from tools.records import ImageRecord, Inspection, Judgement, Verdict


def inspected(number: int) -> Inspected:
    judgement = Judgement(verdict=Verdict.ACCEPT, rule="x", reason_en="", reason_ko="")
    image = ImageRecord(id=f"img_{number:03d}", name=f"{number}.jpg")
    return Inspected(inspection=Inspection(image=image, judgement=judgement))


KEPT = GoodKept(image_ids=("img_001",), total=1, by="agent", at="2026-11-21T20:00:00+00:00")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([inspected(1), Note(text="x"), inspected(2)], ["img_001", "img_002"]),
        ([inspected(1), KEPT], []),
        ([inspected(1), KEPT, inspected(2), KEPT, inspected(3)], ["img_003"]),
    ],
)
def test_what_was_inspected_before_good_parts_were_kept_holds_no_longer(
    events: list[Event], expected: list[str]
) -> None:
    assert [each.image.id for each in inspected_since_good_kept(events)] == expected
