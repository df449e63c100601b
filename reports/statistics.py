"""The figures of a batch that a report shows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.evaluation.metrics import wilson_interval
from tools.records import ImageStatus, Inspection, Quantity, Source, SourceScore, Unit, Verdict
from tools.voices import was_asked

__all__ = [
    "Bar",
    "Lengths",
    "SourceUse",
    "Tally",
    "bin_edges",
    "content_of",
    "distinct",
    "is_inspected",
    "largest_step",
    "lengths",
    "nice_step",
    "pareto",
    "seconds_by_tool",
    "source_uses",
    "tally",
]


_VERDICTS = tuple(Verdict)


def is_inspected(inspection: Inspection) -> bool:
    """Whether the image could be read; only such images count for the yield."""
    return inspection.image.status is ImageStatus.READABLE


def content_of(inspection: Inspection) -> str:
    """What all copies of a photograph have in common: the id of the first."""
    return inspection.image.duplicate_of or inspection.image.id


def distinct(inspections: Iterable[Inspection]) -> list[Inspection]:
    """Leaves one of those with the same content: one photograph, one count.

    Where they disagree it is one that somebody decided, else one with the gravest verdict.
    """
    inspections = list(inspections)
    by_content: dict[str, Inspection] = {}
    for inspection in inspections:
        kept = by_content.setdefault(content_of(inspection), inspection)
        if _weight(inspection) > _weight(kept):
            by_content[content_of(inspection)] = inspection
    return [inspection for inspection in inspections if by_content[content_of(inspection)] is inspection]


def _weight(inspection: Inspection) -> tuple[bool, int]:
    judgement = inspection.judgement
    return judgement.overrides is not None, _VERDICTS.index(judgement.verdict)


@dataclass(frozen=True)
class Tally:
    """How many images ended how."""

    accepted: int
    review: int
    rejected: int
    unreadable: int
    findings: int

    @property
    def inspected(self) -> int:
        """Images that could be read."""
        return self.accepted + self.review + self.rejected

    @property
    def yield_share(self) -> float | None:
        """Accepted images as a share of the inspected; None where none was."""
        return self.accepted / self.inspected if self.inspected else None

    @property
    def yield_interval(self) -> tuple[float, float] | None:
        """95 % Wilson interval of the yield; None where nothing was inspected."""
        return wilson_interval(self.accepted, self.inspected)


def tally(inspections: Iterable[Inspection]) -> Tally:
    """Counts verdicts; an unreadable image counts as such whatever its verdict is."""
    inspections = list(inspections)
    verdicts = Counter(i.judgement.verdict for i in inspections if is_inspected(i))
    return Tally(
        accepted=verdicts[Verdict.ACCEPT],
        review=verdicts[Verdict.REVIEW],
        rejected=verdicts[Verdict.REJECT],
        unreadable=len(inspections) - sum(verdicts.values()),
        findings=sum(len(i.findings) for i in inspections),
    )


@dataclass(frozen=True)
class Bar:
    """One bar of the Pareto chart: a defect type, its count, and the share of all up to here."""

    type: str
    count: int
    cumulative: float


def pareto(inspections: Iterable[Inspection]) -> list[Bar]:
    """Counts the findings per type, the most frequent first, equal ones by name."""
    counts = Counter(finding.type for i in inspections for finding in i.findings)
    total = sum(counts.values())
    bars: list[Bar] = []
    running = 0
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        running += count
        bars.append(Bar(name, count, running / total))
    return bars


@dataclass(frozen=True)
class Lengths:
    """Lengths of one unit, and how many findings have none in it."""

    unit: Unit
    values: tuple[float, ...]
    left_out: int


def lengths(inspections: Iterable[Inspection]) -> Lengths:
    """Gathers the findings' lengths in mm where there are any, else in px; the two never mix."""
    findings = [finding for i in inspections for finding in i.findings]
    measured = [m for m in (f.measurement(Quantity.LENGTH) for f in findings) if m is not None]
    unit = Unit.MM if any(m.unit is Unit.MM for m in measured) else Unit.PX
    values = tuple(m.value for m in measured if m.unit is unit)
    return Lengths(unit, values, len(findings) - len(values))


def nice_step(span: float, parts: int) -> float:
    """The smallest of 1, 2 or 5 times a power of ten of which `parts` cover the span."""
    rough = max(span, 1e-9) / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def largest_step(limit: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is no more than `limit`."""
    power = 10.0 ** math.floor(math.log10(limit))
    return next(factor * power for factor in (10, 5, 2, 1) if factor * power <= limit * (1 + 1e-9))


def bin_edges(values: Sequence[float]) -> list[float]:
    """Round edges from zero that hold all values in at most ten bins; the last edge is above all."""
    step = nice_step(max(values), 10)
    count = math.floor(max(values) / step * (1 + 1e-12)) + 1
    return [round(step * index, 12) for index in range(count + 1)]


def seconds_by_tool(inspections: Iterable[Inspection]) -> dict[str, float]:
    """Adds up the recorded seconds of each kind of seeing over the batch, whoever asked for it."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for inspection in inspections:
        steps = list(inspection.provenance)
        steps += [step for finding in inspection.findings for step in finding.provenance]
        if inspection.screening:
            steps.append(inspection.screening.provenance)
            for score in inspection.screening.sources:
                if score.elapsed_s:  # none of words, and none in records of older versions
                    tool = "localization" if score.source is Source.DETECTOR else str(score.source)
                    seconds[tool] += score.elapsed_s
        for step in steps:
            seconds[step.tool] += step.elapsed_s
    return dict(sorted(seconds.items()))


@dataclass(frozen=True)
class SourceUse:
    """How a source of suspicion took part in a batch.

    Attributes:
        example: What it says of the first photograph that it was asked about, if there is one.
        asked, counted: Photographs that it was asked about, and those in whose suspicion it counts.
        remarks: Each once, in order.
    """

    example: SourceScore
    asked: int
    counted: int
    remarks: tuple[str, ...]


def source_uses(inspections: Iterable[Inspection]) -> list[SourceUse]:
    """Counts each source over the batch, in the order of `Source`; empty where words alone were asked."""
    said: defaultdict[Source, list[SourceScore]] = defaultdict(list)
    for inspection in inspections:
        for score in inspection.screening.sources if inspection.screening else ():
            said[score.source].append(score)
    return [
        SourceUse(
            example=next(filter(was_asked, said[source]), said[source][0]),
            asked=sum(was_asked(score) for score in said[source]),
            counted=sum(score.decided for score in said[source]),
            remarks=tuple(dict.fromkeys(score.remark for score in said[source] if score.remark)),
        )
        for source in Source
        if source in said
    ]
