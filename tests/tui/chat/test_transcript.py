from __future__ import annotations

from io import StringIO

import pytest
from pydantic import JsonValue
from rich.console import Console

from agent.events import (
    Answer,
    CodeWritten,
    Decision,
    Event,
    Outcome,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from tools.records import Language, Verdict
from tui.chat.steps import rows_table
from tui.chat.transcript import CodeFence, cell, given, markdown_of, table_of
from tui.chat.words import Words

EVENTS: list[Event] = [
    TurnStarted(turn=1, request="is it | fine?", at="2026-01-01T00:00:00+00:00"),
    CodeWritten(turn=1, step=1, thought="I screen.", code="rows = screen()"),
    ToolStarted(call=1, tool="screen"),
    ToolFinished(call=1, tool="screen", result=[{"id": "img_001", "label": "a|b", "suspicion": 0.123456}]),
    Decision(image_id="img_001", verdict=Verdict.REJECT, reason="bent", by="Kim", at="2026"),
    Answer(turn=1, text="**No**", unverified=("no result says so",)),
    TurnFinished(turn=1, outcome=Outcome.ANSWERED, artifacts=("out/report.pdf",)),
]


def test_a_conversation_is_written_with_programs_results_and_decisions() -> None:
    written = markdown_of(EVENTS, Words())
    assert "```python\nrows = screen()\n```" in written
    assert "| id | label | suspicion |\n| --- | --- | --- |\n| img_001 | a\\|b | 0.1235 |" in written
    assert "img_001: open → reject, by Kim: bent" in written
    assert "not verified: no result says so" in written
    assert "out/report.pdf" in written


def test_a_conversation_is_written_in_korean() -> None:
    assert "img_001: 미정 → 불합격, Kim: bent" in markdown_of(EVENTS, Words(Language.KO))


def test_a_decision_of_the_agent_is_told_as_the_agents() -> None:
    decided = Decision(image_id="img_001", verdict=Verdict.REJECT, reason="bent", by="agent", at="2026")
    assert "img_001: open → reject, by agent: bent" in markdown_of([decided], Words())
    assert "img_001: 미정 → 불합격, 에이전트: bent" in markdown_of([decided], Words(Language.KO))


def test_that_an_image_was_named_as_a_good_part_is_said_in_the_language_of_the_reader() -> None:
    good = Decision(
        image_id="img_001",
        verdict=Verdict.ACCEPT,
        reason="named as a good part",
        by="Kim",
        at="2026",
        named_good=True,
    )
    assert "img_001: 미정 → 합격, Kim: 양품으로 등록" in markdown_of([good], Words(Language.KO))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        (0.123456, "0.1235"),
        (30_000.0, "30000"),
        (28_431.4, "28431"),
        (999.96, "1000"),
        (0.000123456, "0.0001235"),
        ([1.0, 2.5], "1, 2.5"),
        ("a\nb", "a b"),
        ({"a": 1}, '{"a": 1}'),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_a_value_is_short(value: JsonValue, expected: str) -> None:
    assert cell(value) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ""),
        ({"ids": ["img_001", "img_002"], "threshold": 0.5}, "img_001, img_002, threshold=0.5"),
        ({"ids": ["img_001", "img_002", "img_003"]}, "img_001 … 3"),
        ({"id": "img_001", "region": None}, "img_001"),
    ],
)
def test_arguments_are_told_in_a_line(arguments: dict[str, JsonValue], expected: str) -> None:
    assert given(arguments) == expected


def test_rows_beyond_the_limit_are_counted() -> None:
    columns, rows, left_out = table_of([{"id": f"img_{n}"} for n in range(45)])
    assert (columns, len(rows), left_out) == (["id"], 40, 5)


@pytest.mark.parametrize(
    "pieces", [["I look.\n<code>\nx < 3\n</code> end"], list("I look.\n<code>\nx < 3\n</code> end")]
)
def test_code_tags_become_fences_however_the_text_arrives(pieces: list[str]) -> None:
    fence = CodeFence()
    shown = "".join(fence.feed(piece) for piece in pieces)
    assert shown == "I look.\n\n```python\n\nx < 3\n\n```\n end"


def test_ids_and_verdicts_stay_whole_beside_long_reasons() -> None:
    rows: JsonValue = [{"id": "img_001", "verdict": "accept", "reason": "x" * 80, "findings": ["img_001-1"]}]
    table = rows_table(rows, Words())
    assert table is not None
    written = StringIO()
    Console(width=50, file=written).print(table)
    _, line = written.getvalue().splitlines()
    assert "accept" in line
    assert "img_001-1" in line
    assert "…" in line
