"""Rows that tools hand to programs: small dicts of JSON values, rounded, no contours or heat maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import JsonValue

from tools.records import (
    Finding,
    ImageRecord,
    ImageStatus,
    Inspection,
    Language,
    Quantity,
    Screening,
    Verdict,
)
from tools.wording import stated

if TYPE_CHECKING:
    from agent.events import Decision
    from reports.ledger import PastCase

__all__ = [
    "Row",
    "box_row",
    "case_row",
    "comparison_row",
    "decision_row",
    "finding_row",
    "image_row",
    "inspection_row",
    "located_row",
    "measured_row",
    "screening_row",
    "text_rows",
    "unreadable_row",
]

Row = dict[str, JsonValue]


def image_row(record: ImageRecord, verdict: Verdict | None) -> Row:
    """One image of the batch: id, name, size, verdict so far."""
    row: Row = {"id": record.id, "name": record.name}
    if record.status is ImageStatus.UNREADABLE:
        return {
            **row,
            "width_px": 0,
            "height_px": 0,
            "verdict": verdict and verdict.value,
            "reason": record.reason,
        }
    row |= {"width_px": record.width_px, "height_px": record.height_px, "verdict": verdict and verdict.value}
    return {**row, "duplicate_of": record.duplicate_of} if record.duplicate_of else row


def unreadable_row(record: ImageRecord) -> Row:
    """What a tool says of an image that cannot be read."""
    return {"id": record.id, "status": "unreadable", "reason": record.reason}


def screening_row(screening: Screening) -> Row:
    """Suspicion, label and status of one image."""
    return {
        "id": screening.image_id,
        "suspicion": round(screening.suspicion, 3),
        "label": screening.label,
        "status": screening.status.value,
    }


def located_row(finding: Finding) -> Row:
    """One located finding."""
    return {
        "finding": finding.id,
        "id": finding.image_id,
        "type": finding.type,
        "box_xyxy_px": box_row(finding.box_xyxy_px),
        "confidence": round(finding.confidence, 3),
        "origin": finding.origin.value,
    }


def measured_row(finding: Finding) -> Row:
    """The sizes of one finding, with the digits that the report gives them.

    `uncertainty` is the length's (k=2), the area is in the unit squared.
    """
    length, area = finding.measurement(Quantity.LENGTH), finding.measurement(Quantity.AREA)
    width = finding.measurement(Quantity.WIDTH)
    row: Row = {"finding": finding.id, "id": finding.image_id, "type": finding.type}
    for name, measurement in (("length", length), ("width", width), ("area", area)):
        row[name] = stated(measurement)[0] if measurement else None
    row["unit"] = length.unit.value if length else None
    row["uncertainty"] = stated(length)[1] if length else None
    if length and length.lower_bound:
        row["lower_bound"] = True
    return row


def finding_row(finding: Finding, verdict: Verdict | None) -> Row:
    """All that is known of one finding, with the verdict of its image."""
    row = located_row(finding) | measured_row(finding)
    row |= {"place": finding.place or None, "severity": finding.severity and finding.severity.value}
    return {**row, "verdict": verdict and verdict.value}


def inspection_row(inspection: Inspection, language: Language) -> Row:
    """The verdict of one image with its reason and the ids of its findings."""
    judgement = inspection.judgement
    row: Row = {
        "id": inspection.image.id,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason(language),
        "findings": [finding.id for finding in inspection.findings],
    }
    if judgement.overrides:
        row |= {"decided_by": judgement.decided_name, "rule_verdict": judgement.overrides.verdict.value}
    return row


def text_rows(inspection: Inspection, language: Language) -> Iterator[Row]:
    """The sentence about one image, then those about its findings."""
    if inspection.description:
        yield {"id": inspection.image.id, "finding": None, "text": inspection.description.text(language)}
    for finding in inspection.findings:
        if finding.description:
            text = finding.description.text(language)
            yield {"id": inspection.image.id, "finding": finding.id, "text": text}


def comparison_row(one: Inspection, other: Inspection, similarity: float) -> Row:
    """What differs between two images: verdict, suspicion, and how many findings of which type and size."""
    facts = _facts(one), _facts(other)
    names = dict.fromkeys((*facts[0], *facts[1]))
    return {
        "id": one.image.id,
        "other": other.image.id,
        "similarity": round(similarity, 3),
        "same_content": one.image.picture_key == other.image.picture_key,
        "differences": [
            {"what": name, one.image.id: facts[0].get(name), other.image.id: facts[1].get(name)}
            for name in names
            if facts[0].get(name) != facts[1].get(name)
        ],
    }


def _facts(inspection: Inspection) -> Mapping[str, JsonValue]:
    facts: Row = {"verdict": inspection.judgement.verdict.value, "findings": len(inspection.findings)}
    if inspection.screening:
        facts |= {"suspicion": round(inspection.screening.suspicion, 3), "label": inspection.screening.label}
    for finding in inspection.findings:
        name = f"{finding.type} count"
        facts[name] = int(str(facts.get(name, 0))) + 1
        length = finding.measurement(Quantity.LENGTH)
        if length:
            name = f"longest {finding.type} in {length.unit.value}"
            facts[name] = max(float(str(facts.get(name, 0.0))), stated(length)[0])
    return facts


def decision_row(decision: Decision, rule: Verdict | None) -> Row:
    """A decision on one image, beside what the rules say."""
    return {
        "id": decision.image_id,
        "verdict": decision.verdict.value,
        "before": decision.before and decision.before.value,
        "rule_verdict": rule and rule.value,
        "reason": decision.reason,
        "by": decision.by,
        "at": decision.at,
    }


def case_row(case: PastCase) -> Row:
    """One past case of the ledger."""
    row: Row = {
        "at": case.at,
        "name": case.name,
        "lot": case.lot or None,
        "part": case.part,
        "verdict": case.verdict,
        "types": list(case.types),
        "reason": case.reason,
    }
    return row if case.similarity is None else {**row, "similarity": round(case.similarity, 3)}


def box_row(box: tuple[float, ...]) -> list[JsonValue]:
    """A box rounded to tenths of a pixel."""
    return [round(edge, 1) for edge in box]
