"""The report's list of verdicts that somebody decided: who, when, why, and what the rule had said."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.platypus import Flowable, Paragraph

from reports.edition import Edition
from reports.flowables import heading
from reports.fonts import esc, shorten
from reports.styles import CELL, CONTENT_WIDTH, NOTE
from reports.tables import grid

__all__ = ["decisions_section"]


def decisions_section(edition: Edition) -> Iterator[Flowable]:
    """A row per verdict that an agent or a person decided; nothing where the rules decided all."""
    words = edition.words
    rows: list[list[object]] = [
        [words(key) for key in ("image", "rule_said", "decided", "decided_who", "decided_why")]
    ]
    for inspection in edition.report.inspections:
        judgement = inspection.judgement
        if judgement.overrides is None:
            continue
        rule = judgement.overrides
        said = f"{edition.verdict(rule.verdict)}: {rule.reason(edition.language)}"
        who = f"{edition.decider(judgement)} · {edition.date(judgement.decided_at)}"
        why = judgement.reason(edition.language)
        cells = (said, edition.verdict(judgement.verdict), who, why)
        rows.append([inspection.image.id, *(Paragraph(esc(shorten(cell)), CELL) for cell in cells)])
    if len(rows) == 1:
        return
    yield from heading("decisions", words("decisions"))
    yield Paragraph(esc(words("decisions_note")), NOTE)
    yield from grid(rows, [46, 150, 58, 92, CONTENT_WIDTH - 346])
