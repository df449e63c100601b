"""The part of the report that shows why: each photograph not accepted, and a gallery of the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import PurePosixPath

from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from reports.decisions import changed_note
from reports.deferral import Deferred
from reports.edition import Edition
from reports.flowables import (
    Anchor,
    AnnotatedPicture,
    Chip,
    MissingPicture,
    PageReference,
    VerdictBadge,
    heading,
    subheading,
)
from reports.fonts import elide, esc, shorten
from reports.photo_row import height_of, magnified, photo_row
from reports.pictures import MAX_CROPS, Evidence
from reports.styles import (
    BODY,
    CAPTION,
    CELL,
    CONTENT_HEIGHT,
    CONTENT_WIDTH,
    NO_PADDING,
    NOTE,
    RULE,
    SUBHEADING,
)
from reports.tables import grid
from tools.images.reasons import reason_text
from tools.overriding import is_changed, rule_judged
from tools.records import Finding, Inspection, Quantity, Verdict

__all__ = ["accepted_section", "anchor_key", "not_accepted_section"]

_BLOCK_GAP = 6.0
_HALF_PAGE = CONTENT_HEIGHT / 2 - _BLOCK_GAP
_GALLERY_COLUMNS = 8
_FEW = 2  # findings; up to so many nothing is told on another page than the photograph
_SHORT_TABLE = 10  # findings; a table up to this long fits on one page with its photograph


def anchor_key(inspection: Inspection) -> str:
    """Where the page of an inspection is bookmarked."""
    return f"image-{inspection.image.id}"


def not_accepted_section(edition: Edition, evidence: Mapping[str, Evidence]) -> Iterator[Flowable]:
    """An overview with page numbers, then one block per photograph that was not accepted."""
    words = edition.words
    yield from heading("not-accepted", words("not_accepted"))
    if not edition.not_accepted:
        yield Paragraph(esc(words("all_accepted" if edition.accepted else "no_yield")), BODY)
        return
    yield from _overview(edition)
    left_out = sum(max(0, len(i.findings) - MAX_CROPS) for i in edition.not_accepted)
    if left_out:
        yield Paragraph(esc(words("crops_left_out", limit=MAX_CROPS, count=left_out)), NOTE)
    yield Paragraph(esc(words("photo_caption")), NOTE)
    yield from changed_note(edition, edition.not_accepted)
    for inspection in edition.not_accepted:
        yield Deferred(partial(_block, edition, inspection, evidence[inspection.image.id]))


def _overview(edition: Edition) -> list[Flowable]:
    words = edition.words
    widths = [46.0, 118.0, 72.0, 44.0, CONTENT_WIDTH - 310, 30.0]
    rows: list[list[object]] = [
        [words(key) for key in ("image", "name", "verdict", "findings", "reason", "page")]
    ]
    for inspection in edition.not_accepted:
        rows.append(
            [
                inspection.image.id,
                elide(inspection.image.name, widths[1] - 7, 7.8),
                VerdictBadge(inspection.judgement.verdict, edition.verdict_on(inspection), small=True),
                str(len(edition.counting(inspection))),
                Paragraph(esc(shorten(inspection.judgement.reason(edition.language))), CELL),
                PageReference(anchor_key(inspection)),
            ]
        )
    return grid(rows, widths, right=(5,))


def _block(edition: Edition, inspection: Inspection, evidence: Evidence) -> Iterator[Flowable]:
    """Half a page for one finding, growing with their number."""
    head = _block_head(edition, inspection)
    table = _findings_table(edition, inspection.findings)
    below = [*_more_views(edition, inspection, evidence), *_descriptions(edition, inspection)]
    gap = Spacer(0, 2)
    room = _HALF_PAGE - height_of([*head, gap, *table, *below])
    opening = [*head, photo_row(edition, inspection, evidence, room), gap]
    yield Spacer(0, _BLOCK_GAP)
    if len(inspection.findings) <= _FEW:
        yield KeepTogether([*opening, *table, *below])
        return
    short = len(inspection.findings) <= _SHORT_TABLE
    yield KeepTogether([*opening, *(table if short else ())])
    if not short:
        yield from table
    yield from below


def _block_head(edition: Edition, inspection: Inspection) -> list[Flowable]:
    """Which photograph it is, the verdict on it, and why."""
    image = inspection.image
    title = Table(
        [
            [
                Paragraph(esc(f"{image.id} · {elide(image.name, 330, 10)}"), SUBHEADING),
                VerdictBadge(inspection.judgement.verdict, edition.verdict_on(inspection)),
            ]
        ],
        colWidths=[CONTENT_WIDTH - 90, 90],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("ALIGN", (1, 0), (1, 0), "RIGHT"),
            ("LINEABOVE", (0, 0), (-1, 0), 0.8, RULE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
        ],
    )
    return [
        Anchor(anchor_key(inspection), f"{image.id} · {elide(image.name, 220, 9)}", 1),
        title,
        Paragraph(esc(inspection.judgement.reason(edition.language)), BODY),
    ]


def _more_views(edition: Edition, inspection: Inspection, evidence: Evidence) -> Iterator[Flowable]:
    views = [
        magnified(edition, inspection, number, crop) for number, crop in enumerate(evidence.crops, start=1)
    ][1:]
    rest = iter(views)
    while pair := list(islice(rest, 2)):
        cells = [pair[0], pair[1] if len(pair) > 1 else ""]
        width = CONTENT_WIDTH / 2
        yield Table(
            [cells],
            colWidths=[width, width],
            style=[*NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 5)],
        )


def _findings_table(edition: Edition, findings: Sequence[Finding]) -> list[Flowable]:
    """Measured values with their uncertainty; the further lines of a cell belong to its first."""
    if not findings:
        return []
    words = edition.words
    header: list[object] = [
        words(key)
        for key in ("number", "defect_type", "place_centre", "length", "width", "area", "confidence")
    ]
    rows: list[list[object]] = [header]
    for number, finding in enumerate(findings, start=1):
        tilt = edition.value(finding, Quantity.ORIENTATION)
        diameter = edition.value(finding, Quantity.EQUIVALENT_DIAMETER)
        zone = finding.zone or "", words("not_counted") if edition.is_ignored(finding) else ""
        rows.append(
            [
                Chip(number, edition.type_colour(finding.type)),
                _lines(
                    edition.type_name(finding.type),
                    edition.severity(finding.severity, finding.severity_level),
                ),
                _lines(edition.place(finding) or words("none"), *zone, *edition.centre(finding)),
                _lines(
                    edition.value(finding, Quantity.LENGTH) or words("none"),
                    words("oriented", value=tilt) if tilt else "",
                ),
                _width(edition, finding),
                _lines(
                    edition.value(finding, Quantity.AREA) or words("none"),
                    f"Ø {diameter}" if diameter else "",
                ),
                _lines(edition.confidence(finding), words(f"origin.{finding.origin}")),
            ]
        )
    return grid(rows, [24, 80, 80, 84, 88, 88, CONTENT_WIDTH - 444])


def _width(edition: Edition, finding: Finding) -> Paragraph:
    """The width that a limit is held against, and below it the largest one of a line."""
    words, widest = edition.words, edition.value(finding, Quantity.MAX_WIDTH)
    width = edition.value(finding, Quantity.WIDTH) or words("none")
    return _lines(width, words("widest", value=widest) if widest else "")


def _lines(first: str, *more: str) -> Paragraph:
    small = (f'<br/><font size="6.6" color="#5B6673">{esc(shorten(line))}</font>' for line in more if line)
    return Paragraph(esc(shorten(first)) + "".join(small), CELL)


def _descriptions(edition: Edition, inspection: Inspection) -> Iterator[Flowable]:
    said = [(str(n), f.description) for n, f in enumerate(inspection.findings, start=1)]
    # Of the whole it only counts what the table and the facts show, unless there is nothing else to say.
    told = said if any(description for _, description in said) else [("", inspection.description)]
    for number, description in told:
        if description is None:
            continue
        text = esc(description.text(edition.language))
        yield Paragraph(f"<b>{number}</b>&nbsp; {text}" if number else text, BODY)


def accepted_section(edition: Edition, evidence: Mapping[str, Evidence]) -> Iterator[Flowable]:
    """Thumbnails of accepted photographs, and what was found on them within the limits."""
    words, accepted = edition.words, edition.accepted
    if not accepted:
        return
    shown = [i for i in accepted if i.image.id in evidence]
    key = "gallery_note" if len(shown) == len(accepted) else "gallery_cut"
    yield from heading("accepted", words("accepted"))
    yield Paragraph(esc(words.for_count(key, len(accepted), shown=len(shown))), NOTE)
    yield from changed_note(edition, shown)
    width = CONTENT_WIDTH / _GALLERY_COLUMNS
    cells = [_thumbnail(edition, i, evidence[i.image.id], width - 5) for i in shown]
    cells += [[]] * (-len(cells) % _GALLERY_COLUMNS)
    yield Table(
        [cells[i : i + _GALLERY_COLUMNS] for i in range(0, len(cells), _GALLERY_COLUMNS)],
        colWidths=[width] * _GALLERY_COLUMNS,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
            *NO_PADDING,
            ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ],
    )
    yield from _accepted_findings(edition)


def _thumbnail(
    edition: Edition, inspection: Inspection, evidence: Evidence, side_pt: float
) -> list[Flowable]:
    image = inspection.image
    picture: Flowable
    if evidence.whole:
        picture = AnnotatedPicture(evidence.whole, side_pt, side_pt)
    else:
        picture = MissingPicture(reason_text(evidence.reason, edition.language), side_pt, side_pt)
    title = edition.marked(image.id, is_changed(inspection.judgement))
    name = elide(PurePosixPath(image.name).name, side_pt, CAPTION.fontSize)
    lines = f"<b>{esc(title)}</b><br/>{esc(name)}"
    return [picture, Paragraph(lines, CAPTION)]


def _accepted_findings(edition: Edition) -> Iterator[Flowable]:
    """What accepted parts show: what the rules let pass, and apart from it what somebody did."""
    by_rule = [i for i in edition.accepted if rule_judged(i) is Verdict.ACCEPT]
    by_decision = [i for i in edition.accepted if rule_judged(i) is not Verdict.ACCEPT]
    yield from _passed_findings(edition, "within_limits", by_rule)
    yield from _passed_findings(edition, "accepted_by_decision", by_decision)


def _passed_findings(edition: Edition, title: str, inspections: Sequence[Inspection]) -> Iterator[Flowable]:
    """A row per finding that counts; nothing where there are none."""
    words = edition.words
    rows: list[list[object]] = [
        [words(k) for k in ("image", "defect_type", "place", "length", "width", "area")]
    ]
    for inspection in inspections:
        for finding in edition.counting(inspection):
            rows.append(
                [
                    inspection.image.id,
                    elide(edition.type_name(finding.type), 84, CELL.fontSize),
                    _lines(edition.place(finding) or words("none"), finding.zone or ""),
                    edition.value(finding, Quantity.LENGTH),
                    _width(edition, finding),
                    edition.value(finding, Quantity.AREA),
                ]
            )
    if len(rows) > 1:
        yield from subheading(words(title))
        if note := words.get(f"{title}_note", ""):
            yield Paragraph(esc(note), NOTE)
        yield from grid(rows, [60, 90, 80, 88, 88, CONTENT_WIDTH - 406])
