"""What the batch table shows, as plain data: a row per image, filters and orders; no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.digits import plain
from tools.glossary import unit_symbol
from tools.overriding import AGENT
from tools.records import DecidedBy, ImageStatus, Quantity, Verdict
from tools.wording import stated

if TYPE_CHECKING:
    from tools.records import Finding, ImageRecord, Inspection

__all__ = [
    "ALL",
    "FILTERS",
    "ORDERS",
    "UNDECIDED",
    "UNREADABLE",
    "Row",
    "counts",
    "row_of",
    "state_of",
    "visible",
    "worst_finding",
]

UNDECIDED, UNREADABLE, ALL = "undecided", "unreadable", "all"
FILTERS = (ALL, "reject", "review", "accept", UNREADABLE, UNDECIDED)

_ALARM = {
    Verdict.REJECT.value: 0,
    Verdict.REVIEW.value: 1,
    UNREADABLE: 2,
    UNDECIDED: 3,
    Verdict.ACCEPT.value: 4,
}


@dataclass(frozen=True)
class Row:
    """One image as the table shows it.

    Attributes:
        mark: A verdict's value, `unreadable` or `undecided`: what is filtered by.
        finding: The worst finding's type; empty for none.
        size: Its length, or where there is none its area, with the unit.
        state: Who brought the verdict about: `rule`, `agent`, `human` or `none`.
        suspicion: Of screening; -1 where unknown.
    """

    image_id: str
    name: str
    mark: str
    finding: str
    size: str
    state: str
    suspicion: float
    position: int


ORDERS: dict[str, Callable[[Row], tuple[Any, ...]]] = {
    "batch": lambda row: (row.position,),
    "verdict": lambda row: (_ALARM[row.mark], -row.suspicion, row.position),
    "suspicion": lambda row: (-row.suspicion, row.position),
    "name": lambda row: (row.name.lower(), row.position),
}


def row_of(
    record: ImageRecord,
    position: int,
    inspection: Inspection | None,
    verdict: Verdict | None,
    by: str = "",
) -> Row:
    """Returns the row of one image.

    Args:
        record: The image.
        position: In the batch, from 0.
        inspection: What is known of it.
        verdict: That counts, decisions included.
        by: Who decided last; counts where nothing is known of the image.
    """
    mark = verdict.value if verdict else UNDECIDED
    known = inspection.image if inspection else record  # damage may show only when it is decoded
    is_decided = state_of(inspection, verdict, by) in (DecidedBy.HUMAN.value, DecidedBy.AGENT.value)
    if known.status is ImageStatus.UNREADABLE and not is_decided:
        mark = UNREADABLE
    finding = worst_finding(inspection.findings) if inspection else None
    suspicion = inspection.screening.suspicion if inspection and inspection.screening else -1.0
    return Row(
        image_id=record.id,
        name=record.name,
        mark=mark,
        finding=finding.type if finding else "",
        size=_size(finding),
        state=state_of(inspection, verdict, by),
        suspicion=suspicion,
        position=position,
    )


def state_of(inspection: Inspection | None, verdict: Verdict | None, by: str = "") -> str:
    """Returns who brought the verdict about; one without an inspection is that of whoever decided last."""
    if inspection is not None:
        return inspection.judgement.decided_by.value
    if verdict is None:
        return "none"
    return (DecidedBy.AGENT if by == AGENT else DecidedBy.HUMAN).value


def worst_finding(findings: Sequence[Finding]) -> Finding | None:
    """Returns the finding of the highest severity, then the largest, then the surest."""

    def rank(finding: Finding) -> tuple[int, float, float]:
        area = finding.measurement(Quantity.AREA)
        return finding.severity_level or 0, area.value if area else 0.0, finding.confidence

    return max(findings, key=rank, default=None)


def _size(finding: Finding | None) -> str:
    if finding is None:
        return ""
    measured = finding.measurement(Quantity.LENGTH) or finding.measurement(Quantity.AREA)
    if measured is None:
        return ""
    return f"{plain(stated(measured)[0])} {unit_symbol(measured.unit)}"


def visible(rows: Iterable[Row], chosen: str, order: str) -> list[Row]:
    """Returns the rows that a filter lets through, in an order."""
    wanted = (row for row in rows if chosen in (ALL, row.mark))
    return sorted(wanted, key=ORDERS[order])


def counts(rows: Mapping[str, Row]) -> dict[str, int]:
    """Returns how many rows each filter lets through."""
    found = dict.fromkeys(FILTERS, 0)
    for row in rows.values():
        found[row.mark] += 1
    found[ALL] = len(rows)
    return found
