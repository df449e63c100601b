from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from reports.exports import write_twins
from tests.reports.builders import finding, inspection, report, report_text
from tools.overriding import AGENT, overridden
from tools.records import Inspection, Language, Verdict

AT = "2026-03-04T05:30:00+09:00"
REJECTED = inspection(1, Verdict.REJECT, (finding(),))
SAVED = overridden(REJECTED, Verdict.ACCEPT, "Only dust.", by="김검사", at=AT)
DOUBTED = overridden(inspection(2, Verdict.ACCEPT), Verdict.REVIEW, "Looks odd.", by=AGENT, at=AT)


def text_of(inspections: tuple[Inspection, ...], folder: Path, language: Language) -> str:
    return report_text(report(*inspections, language=language), folder)


@pytest.mark.parametrize(
    ("language", "title", "rule", "agent"),
    [
        (Language.EN, "Verdicts decided otherwise", "Rejected: Longer than 5 mm.", AGENT),
        (Language.KO, "변경된 판정", "불합격: 5 mm보다 깁니다.", "에이전트"),
    ],
)
def test_the_report_says_who_decided_when_and_why_also_of_what_was_accepted(
    tmp_path: Path, language: Language, title: str, rule: str, agent: str
) -> None:
    text = text_of((SAVED, DOUBTED), tmp_path, language)
    for said in (title, rule, "Only dust.", "Looks odd.", "김검사", agent, "2026-03-04 05:30:00 UTC+09:00"):
        assert said in text


@pytest.mark.parametrize("language", [*Language])
def test_what_somebody_accepted_against_the_rules_is_not_within_the_limits(
    tmp_path: Path, language: Language
) -> None:
    within, by_decision = {
        Language.EN: ("Findings within the limits", "Findings on parts accepted by decision"),
        Language.KO: ("한계 이내의 결함", "판정 변경으로 합격한 부품의 결함"),
    }[language]
    text = text_of((SAVED,), tmp_path, language)
    assert by_decision in text
    assert within not in text
    text = text_of((inspection(1, Verdict.ACCEPT, (finding(),)),), tmp_path, language)
    assert within in text
    assert by_decision not in text


@pytest.mark.parametrize(
    ("language", "said", "other"),
    [
        (Language.EN, ("Verdicts confirmed", "inspector (confirmed)"), ("decided otherwise", "(override)")),
        (Language.KO, ("확인된 판정", "검사원 (판정 확인)"), ("변경된 판정", "(변경 판정)")),
    ],
)
def test_a_confirmed_verdict_is_not_told_as_another_one(
    tmp_path: Path, language: Language, said: tuple[str, ...], other: tuple[str, ...]
) -> None:
    text = text_of((overridden(REJECTED, Verdict.REJECT, "Seen.", by="Kim", at=AT),), tmp_path, language)
    assert [each in text for each in (*said, *other)] == [True, True, False, False]


def test_without_decisions_there_is_no_such_section(tmp_path: Path) -> None:
    assert "Verdicts decided otherwise" not in text_of((REJECTED,), tmp_path, Language.EN)


def test_the_twins_keep_the_rules_verdict_beside_the_decision(tmp_path: Path) -> None:
    write_twins(report(SAVED, DOUBTED), tmp_path)
    rows = list(csv.DictReader(StringIO((tmp_path / "findings.csv").read_text(encoding="utf-8-sig"))))
    shown = ("verdict", "rule_verdict", "decided_by", "decided_name", "decided_at", "reason")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("accept", "reject", "human", "김검사", AT, "Only dust."),
        ("review", "accept", "agent", AGENT, AT, "Looks odd."),
    ]
    images = json.loads((tmp_path / "coco.json").read_text(encoding="utf-8"))["images"]
    assert [image["decided_by"] for image in images] == ["human", "agent"]
