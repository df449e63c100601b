from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest

from reports.exports import write_twins
from tests.reports.builders import finding, inspection, report, report_text
from tools.overriding import AGENT, overridden
from tools.records import Finding, Inspection, Language, Verdict

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


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            Language.EN,
            (
                "Accepted * For review * Rejected Unreadable",
                "* Decided otherwise by an agent or a person: 2 of these verdicts. "
                "By the rules alone: 1 accepted, 0 for review, 2 rejected.",
                "img_002 line/cover_2.jpg For review *",
                "img_001 * cover_1.jpg",
                "120 × 90 Accepted * 0",
            ),
        ),
        (
            Language.KO,
            (
                "합격 * 재검토 * 불합격 판독 불가",
                "* 이 가운데 2건은 에이전트 또는 검사원이 변경한 판정입니다. "
                "규칙만으로는 합격 1장, 재검토 0장, 불합격 2장입니다.",
                "img_002 line/cover_2.jpg 재검토 *",
                "img_001 * cover_1.jpg",
                "120 × 90 합격 * 0",
            ),
        ),
    ],
)
def test_changed_verdicts_are_marked_wherever_they_stand(
    tmp_path: Path, language: Language, said: tuple[str, ...]
) -> None:
    text = text_of((SAVED, DOUBTED, inspection(3)), tmp_path, language)
    for each in said:
        assert each in text
    confirmed = overridden(REJECTED, Verdict.REJECT, "Seen.", by="Kim", at=AT)
    assert "*" not in text_of((confirmed, inspection(2, Verdict.ACCEPT)), tmp_path, language)


@pytest.mark.parametrize(
    ("language", "label", "rule"),
    [
        (Language.EN, "Rule before the override", "Rule that fired"),
        (Language.KO, "변경 전 적용 규칙", "적용 규칙"),
    ],
)
def test_the_rule_of_a_changed_verdict_is_that_before(
    tmp_path: Path, language: Language, label: str, rule: str
) -> None:
    text = text_of((DOUBTED,), tmp_path, language)
    assert label in text
    assert rule not in text.replace(label, "")
    assert label not in text_of((REJECTED,), tmp_path, language)


@pytest.mark.parametrize(
    ("suspicion", "findings", "said"),
    [
        (0.9, (finding("img_002"),), "Suspicious, but what was found is within the limits."),
        (0.9, (), "Suspicious only where findings are not counted."),
        (0.4, (finding("img_002"),), ""),
    ],
)
def test_a_suspicious_photograph_that_the_rules_accepted_is_explained(
    tmp_path: Path, suspicion: float, findings: tuple[Finding, ...], said: str
) -> None:
    made = inspection(2, Verdict.ACCEPT, findings)
    assert made.screening
    screening = made.screening.model_copy(update={"suspicion": suspicion})
    made = made.model_copy(update={"screening": screening})
    text = text_of((overridden(made, Verdict.REJECT, "Odd.", by="Kim", at=AT),), tmp_path, Language.EN)
    assert text.count(f"Accepted: Longer than 5 mm. {said}".strip()) == 2  # beside the photograph, and listed
    assert ("Suspicious" in text) is bool(said)


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
