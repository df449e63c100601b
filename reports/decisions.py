"""The report's lists of verdicts that somebody changed or confirmed: who, when, why, and the rule's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.platypus import Flowable, Paragraph

from reports.edition import Edition
from reports.flowables import heading
from reports.fonts import esc, shorten
from reports.styles import CELL, CONTENT_WIDTH, NOTE
from reports.tables import grid
from tools.overriding import is_changed
from tools.records import Inspection

__all__ = ["changed_note", "decisions_section"]


def decisions_section(edition: Edition) -> Iterator[Flowable]:
    """A row per verdict that an agent or a person decided; nothing where the rules decided all."""
    decided = [each for each in edition.report.inspections if each.judgement.overrides]
    yield from _listed(edition, "decisions", [i for i in decided if is_changed(i.judgement)])
    yield from _listed(edition, "confirmations", [i for i in decided if not is_changed(i.judgement)])


def changed_note(edition: Edition, shown: Sequence[Inspection]) -> Iterator[Flowable]:
    """What the mark of verdicts decided otherwise means; nothing where none of what is shown has it."""
    if any(is_changed(each.judgement) for each in shown):
        yield Paragraph(esc(edition.words("changed_note")), NOTE)


def _listed(edition: Edition, key: str, inspections: Sequence[Inspection]) -> Iterator[Flowable]:
    """The decisions of one kind under their own title; nothing where there are none."""
    words = edition.words
    rows: list[list[object]] = [
        [words(each) for each in ("image", "rule_said", "decided", "decided_who", "decided_why")]
    ]
    for inspection in inspections:
        judgement = inspection.judgement
        who = f"{edition.decider(judgement)} · {edition.date(judgement.decided_at)}"
        why = judgement.reason(edition.language)
        cells = (edition.rule_said(inspection), edition.verdict(judgement.verdict), who, why)
        rows.append([inspection.image.id, *(Paragraph(esc(shorten(cell)), CELL) for cell in cells)])
    if len(rows) == 1:
        return
    yield from heading(key, words(key))
    yield Paragraph(esc(words(f"{key}_note")), NOTE)
    yield from grid(rows, [46, 150, 58, 92, CONTENT_WIDTH - 346])
