from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

from agent.log import SessionHeader, SessionLog
from tests.tui.chat import staging
from tools.records import (
    DecidedBy,
    Finding,
    ImageRecord,
    ImageStatus,
    Inspection,
    Judgement,
    Measurement,
    Origin,
    Quantity,
    Unit,
    Verdict,
)
from tui.chat.batch import BatchPanel
from tui.chat.board import FILTERS, ORDERS, Row, counts, row_of, visible
from tui.chat.recents import recent_sessions, remember
from tui.chat.words import Words


def inspection(
    image_id: str, verdict: Verdict, *findings: Finding, by: DecidedBy = DecidedBy.RULE
) -> Inspection:
    judgement = Judgement(verdict=verdict, rule="r", reason_en="e", reason_ko="k", decided_by=by)
    record = ImageRecord(id=image_id, name=f"{image_id}.jpg", width_px=9, height_px=9)
    return Inspection(image=record, findings=findings, judgement=judgement)


def finding(number: int, kind: str, level: int, length: float) -> Finding:
    measured = Measurement(
        quantity=Quantity.LENGTH, value=length, unit=Unit.MM, uncertainty=0.1, method="fake"
    )
    return Finding(
        id=f"img_001-{number}",
        image_id="img_001",
        type=kind,
        confidence=0.9,
        box_xyxy_px=(0, 0, 1, 1),
        origin=Origin.YOLO,
        severity_level=level,
        measurements=(measured,),
    )


def test_a_row_tells_the_worst_finding_with_its_size_and_who_decided() -> None:
    seen = inspection(
        "img_001", Verdict.REJECT, finding(1, "dent", 2, 9), finding(2, "crack", 5, 1.234), by=DecidedBy.HUMAN
    )
    row = row_of(seen.image, 0, seen, Verdict.REJECT)
    assert (row.mark, row.finding, row.size, row.state) == ("reject", "crack", "1.23 mm", "human")


@pytest.mark.parametrize(
    ("status", "verdict", "mark", "state"),
    [
        (ImageStatus.READABLE, None, "undecided", "none"),
        (ImageStatus.READABLE, Verdict.ACCEPT, "accept", "human"),
        (ImageStatus.UNREADABLE, None, "unreadable", "none"),
        (ImageStatus.UNREADABLE, Verdict.REJECT, "reject", "human"),
    ],
)
def test_an_image_without_an_inspection(
    status: ImageStatus, verdict: Verdict | None, mark: str, state: str
) -> None:
    row = row_of(ImageRecord(id="img_001", name="a", status=status), 0, None, verdict)
    assert (row.mark, row.state) == (mark, state)


@pytest.mark.parametrize(("by", "state"), [("agent", "agent"), ("Kim", "human"), ("", "human")])
def test_an_image_that_was_only_decided_on_is_whose_decision_it_was(by: str, state: str) -> None:
    record = ImageRecord(id="img_001", name="a", width_px=9, height_px=9)
    assert row_of(record, 0, None, Verdict.REJECT, by).state == state
    assert row_of(record, 0, None, None, by).state == "none"


def test_a_large_area_is_written_out() -> None:
    area = Measurement(
        quantity=Quantity.AREA, value=1_250_000, unit=Unit.PX2, uncertainty=10_000, method="fake"
    )
    seen = inspection(
        "img_001", Verdict.REJECT, finding(1, "dent", 2, 9).model_copy(update={"measurements": (area,)})
    )
    assert row_of(seen.image, 0, seen, Verdict.REJECT).size == "1250000 px²"


def test_an_image_that_cannot_be_decoded_counts_as_unreadable_until_somebody_decides() -> None:
    record = ImageRecord(id="img_001", name="a", width_px=9, height_px=9)
    damaged = record.model_copy(update={"status": ImageStatus.UNREADABLE})
    ruled = inspection("img_001", Verdict.REVIEW).model_copy(update={"image": damaged})
    assert row_of(record, 0, ruled, Verdict.REVIEW).mark == "unreadable"
    decided = inspection("img_001", Verdict.REJECT, by=DecidedBy.HUMAN).model_copy(update={"image": damaged})
    assert row_of(record, 0, decided, Verdict.REJECT).mark == "reject"


def test_rows_are_filtered_counted_and_sorted() -> None:
    verdicts = [Verdict.ACCEPT, Verdict.REJECT, Verdict.REVIEW, None]
    rows = {}
    for place, verdict in enumerate(verdicts):
        record = ImageRecord(id=f"img_{place}", name="dcba"[place])
        seen = inspection(record.id, verdict) if verdict else None
        rows[record.id] = row_of(record, place, seen, verdict)
    assert [row.image_id for row in visible(rows.values(), "all", "verdict")] == [
        "img_1",
        "img_2",
        "img_3",
        "img_0",
    ]
    assert visible(rows.values(), "all", "name")[0].image_id == "img_3"
    assert [row.image_id for row in visible(rows.values(), "review", "batch")] == ["img_2"]
    assert counts(rows) == {
        "all": 4,
        "reject": 1,
        "review": 1,
        "accept": 1,
        "unreadable": 0,
        "undecided": 1,
    }
    assert set(counts(rows)) == set(FILTERS)
    assert set(ORDERS) == {"batch", "verdict", "suspicion", "name"}


def test_sessions_are_remembered_newest_first_and_once(tmp_path: Path) -> None:
    header = SessionHeader(
        loupe_version="0", started_at="2026", images=("a",), recipe_sha256="r", batch_sha256="b", model="m"
    )
    for name in ("one", "two"):
        SessionLog(tmp_path / name, header).close()
    for name in ("one", "gone", "two", "one"):
        remember(tmp_path / name)
    (tmp_path / "two" / "session.jsonl").write_bytes(b"damaged\n")
    assert [each.folder.name for each in recent_sessions()] == ["one"]


@pytest.mark.parametrize("width", [30, 46, 80])
def test_every_filter_is_in_reach_whatever_the_width(width: int) -> None:
    board = BatchPanel(Words())

    async def steps(pilot: Any) -> None:
        board.fill([Row(f"i{n}", "", "accept", "", "", "rule", 0, n) for n in range(1_000)], {})
        await pilot.pause()
        line = str(board.query_one("#filters", Static).render())
        assert len(line) <= width
        assert all(sign in line for sign in "∑✗?✓!·")

    staging.play(board, steps, (width, 20))
