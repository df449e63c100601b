"""The report's sections in words and tables: criteria, remarks, how it was made, measurement, signatures."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table

from reports.decisions import changed_note
from reports.edition import Edition
from reports.flowables import CheckBox, heading, subheading
from reports.fonts import elide, esc, shorten
from reports.statistics import content_of, seconds_by_tool, source_uses
from reports.styles import BODY, CAPTION, CELL, CELL_BOLD, CONTENT_WIDTH, NO_PADDING, NOTE, PANEL, RULE
from reports.tables import grid
from reports.words import Words
from tools.digits import plain
from tools.images.reasons import reason_text
from tools.recipe import Acceptance, Recipe
from tools.records import DecidedBy, Inspection, Provenance
from tools.references.calibration import LOST

__all__ = [
    "criteria_section",
    "image_list_section",
    "making_section",
    "measurement_section",
    "remarks_section",
    "signature_section",
    "unreadable_section",
]

_IDS_PER_ROW = 60  # so that no row grows higher than a page


def criteria_section(edition: Edition) -> Iterator[Flowable]:
    """What is acceptable: limits per defect type, and per zone where the recipe has zones."""
    words, recipe = edition.words, edition.report.recipe
    yield from heading("criteria", words("criteria"))
    rows: list[list[object]] = [
        [
            words(k)
            for k in ("defect_type", "zone", "severity", "max_length", "max_width", "max_area", "max_count")
        ]
    ]
    for name, defect in recipe.defects.items():
        severity = edition.severity(defect.severity, defect.severity_level)
        limits = _limits(edition, defect.accept)
        rows.append([_cell(edition.type_name(name)), _general(edition, name), severity, *limits])
    if recipe.references.accept:
        limits = _limits(edition, recipe.references.accept)
        rows.append([_cell(words("unlike_good")), _general(edition), words("none"), *limits])
    for zone in recipe.zones:
        if zone.ignore:
            rows.append([words("none"), _cell(zone.name), _cell(words("zone_ignored")), "", "", "", ""])
        for name, accept in zone.accept.items():
            rows.append([_cell(edition.type_name(name)), _cell(zone.name), "", *_limits(edition, accept)])
    yield from grid(rows, [92, 74, 82, 62, 62, 62, CONTENT_WIDTH - 434], right=(3, 4, 5, 6))
    for key in _criteria_notes(recipe):
        yield Paragraph(esc(words(key, floor=plain(recipe.localization.review_confidence))), NOTE)
    if recipe.report.criteria_source:
        yield Paragraph(esc(words("criteria_source", source=recipe.report.criteria_source)), NOTE)


def _general(edition: Edition, name: str = "") -> str:
    """Where the general criteria of a type hold: not in zones with criteria for it, nor in ignored ones."""
    has_others = any(zone.ignore or name in zone.accept for zone in edition.report.recipe.zones)
    return edition.words("elsewhere" if has_others else "everywhere")


def _criteria_notes(recipe: Recipe) -> Iterator[str]:
    """What a reader must know to apply the criteria: keys of the words for it."""
    yield from ("criteria_reject", "criteria_review", "criteria_accept")
    by_type = [defect.accept for defect in recipe.defects.values()]
    by_zone = [accept for zone in recipe.zones for accept in zone.accept.values()]
    limits = [*by_type, *by_zone, *filter(None, [recipe.references.accept])]
    if any(each.max_width_mm or each.max_width_px for each in limits):
        yield "criteria_width"
    if by_zone:
        yield "criteria_zones"


def _cell(text: str, limit: int = 300) -> Paragraph:
    return Paragraph(esc(shorten(text, limit)), CELL)


def _limits(edition: Edition, accept: Acceptance) -> list[str]:
    words = edition.words

    def limit(*values: tuple[float | None, str]) -> str:
        said = (f"{plain(value)} {unit}" for value, unit in values if value is not None)
        return ", ".join(said) or words("none")

    count = words("none") if accept.max_count is None else str(accept.max_count)
    return [
        limit((accept.max_length_mm, "mm"), (accept.max_length_px, "px")),
        limit((accept.max_width_mm, "mm"), (accept.max_width_px, "px")),
        limit((accept.max_area_mm2, "mm²"), (accept.max_area_px2, "px²")),
        words("none_allowed") if accept.max_count == 0 else count,
    ]


def unreadable_section(edition: Edition) -> Iterator[Flowable]:
    """Files that could not be read, each with its reason; nothing where all could."""
    words = edition.words
    if not edition.unreadable:
        return
    yield from heading("unreadable", words("unreadable_title"))
    rows: list[list[object]] = [[words(key) for key in ("image", "name", "reason")]]
    for inspection in edition.unreadable:
        image = inspection.image
        rows.append([image.id, _cell(image.name), _cell(reason_text(image.reason, edition.language))])
    yield from grid(rows, [50, 190, CONTENT_WIDTH - 240])


def remarks_section(edition: Edition) -> Iterator[Flowable]:
    """What a reader should know beyond the verdicts: flags, overrides, unfinished work."""
    words = edition.words
    yield from heading("remarks", words("remarks"))
    counted = {content_of(each): each.image.id for each in edition.counted}
    images: dict[str, list[str]] = {}
    for inspection in edition.report.inspections:
        for remark in _remarks_on(edition, inspection, counted[content_of(inspection)]):
            images.setdefault(remark, []).append(inspection.image.id)
    rows: list[list[object]] = [[words("remark"), words("images")]]
    for remark, ids in images.items():
        for start in range(0, len(ids), _IDS_PER_ROW):
            rows.append([_cell(remark), _cell(", ".join(ids[start : start + _IDS_PER_ROW]), limit=5000)])
    if len(rows) > 1:
        yield from grid(rows, [260, CONTENT_WIDTH - 260])
    else:
        yield Paragraph(esc(words("no_remarks")), BODY)


def _remarks_on(edition: Edition, inspection: Inspection, counted_id: str) -> Iterator[str]:
    """Remarks on one photograph, of which this copy or another one is counted."""
    words, judgement, duplicate_of = edition.words, inspection.judgement, inspection.image.duplicate_of
    for flag in inspection.flags:
        if not (duplicate_of and duplicate_of in flag):  # said below
            yield edition.flag(flag)
    if inspection.image.id != counted_id:
        yield words("duplicate_left_out", image=duplicate_of or counted_id)
    elif duplicate_of:
        yield words("duplicate", image=duplicate_of)
    if inspection.error:
        yield words("not_completed", reason=inspection.error)
    if judgement.decided_by is not DecidedBy.RULE and judgement.overrides is None:  # else in its own table
        who = edition.decided_by(judgement)
        yield words("overridden", who=who, reason=judgement.reason(edition.language))


def making_section(edition: Edition) -> Iterator[Flowable]:
    """Models with their hashes, settings, seconds and versions."""
    words, run = edition.words, edition.report.run
    yield from heading("how-made", words("how_made"))
    yield Paragraph(esc(words("how_made_text")), BODY)
    yield from subheading(words("models"))
    seconds = seconds_by_tool(edition.report.inspections)
    rows: list[list[object]] = [[words(k) for k in ("task", "model", "weights", "device", "seconds")]]
    for model in run.models:
        device = ", ".join(filter(None, (model.device, model.precision)))
        spent = seconds.pop(model.tool, None)
        rows.append(
            [
                words.get(f"task.{model.tool}", model.tool),
                _cell(model.model or words("none")),
                _hash(model.weights_sha256 or words("none")),
                _cell(device),
                words("none") if spent is None else f"{spent:.1f}",
            ]
        )
    rows += [
        [words.get(f"task.{tool}", tool), words("none"), words("none"), words("none"), f"{spent:.1f}"]
        for tool, spent in seconds.items()
    ]
    if len(rows) > 1:
        yield from grid(rows, [72, 128, 168, 70, CONTENT_WIDTH - 438], right=(4,))
    else:
        yield Paragraph(esc(words("no_models")), BODY)
    yield from _sources(edition)
    yield from _settings(edition)
    versions = {"loupe": run.loupe_version, **run.versions}
    yield from subheading(words("versions"))
    yield Paragraph(esc(", ".join(f"{name} {version}" for name, version in versions.items())), CELL)
    yield Spacer(0, 4)
    yield Paragraph(esc(words("attachments")), NOTE)


def _sources(edition: Edition) -> Iterator[Flowable]:
    """What the photographs were held against; nothing where words alone were asked."""
    words = edition.words
    uses = source_uses(edition.report.inspections)
    if not uses:
        return
    rows: list[list[object]] = [[words(k) for k in ("sources", "asked", "counted", "remark")]]
    for use in uses:
        said = (told for each in use.remarks for told in _source_remarks(words, each))
        remarks = "; ".join(dict.fromkeys(said))
        rows.append([edition.source(use.example), str(use.asked), str(use.counted), _cell(remarks)])
    yield from subheading(words("suspicion_sources"))
    yield from grid(rows, [128, 62, 62, CONTENT_WIDTH - 252], right=(1, 2))
    yield Paragraph(esc(words("sources_note")), NOTE)


def _source_remarks(words: Words, remark: str) -> Iterator[str]:
    """A remark of a source in the words of the report, which leave out the counts of single photographs."""
    if known := words.get(f"source_remark.{remark}", ""):
        yield known
        return
    too_few, lost, _ = remark.partition(LOST)
    if too_few:
        yield words("source_remark")
    if lost:
        yield words("source_remark_lost")


def _settings(edition: Edition) -> Iterator[Flowable]:
    words, recipe = edition.words, edition.report.recipe
    screening, localization = recipe.screening, recipe.localization
    rows: list[list[object]] = [
        [words("setting"), words("value")],
        [words("screening_threshold"), f"{plain(screening.threshold)} ± {plain(screening.review_band)}"],
        [
            words("detector_threshold"),
            f"{plain(localization.confidence)} / {plain(localization.review_confidence)}",
        ],
        [words("detector_iou"), plain(localization.iou)],
    ]
    for model in edition.report.run.models:
        if model.parameters:
            rows.append([words.get(f"task.{model.tool}", model.tool), _cell(_parameters(model), limit=700)])
    yield from subheading(words("settings"))
    yield from grid(rows, [200, CONTENT_WIDTH - 200])


def _parameters(model: Provenance) -> str:
    # Cut where they are long: the attachment has them whole.
    return ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in model.parameters.items()
    )


def _hash(text: str) -> Paragraph:
    return Paragraph(esc(text), CAPTION)


def measurement_section(edition: Edition) -> Iterator[Flowable]:
    """What the numbers mean and how they decide."""
    words = edition.words
    yield from heading("measurement", words("measurement"))
    for key in (
        "measurement_uncertainty",
        "measurement_guard",
        "measurement_bound",
        "measurement_orientation",
        "measurement_centre",
        "measurement_scale",
    ):
        yield Paragraph(esc(words(key)), BODY)


def image_list_section(edition: Edition) -> Iterator[Flowable]:
    """Every file of the batch with the hash that identifies it."""
    words = edition.words
    yield from heading("image-list", words("image_list"))
    rows: list[list[object]] = [[words(key) for key in ("image", "name", "pixels", "verdict", "sha256")]]
    for inspection in edition.report.inspections:
        image = inspection.image
        readable = bool(image.width_px)
        rows.append(
            [
                image.id,
                elide(image.name, 100, 6),
                f"{image.width_px} × {image.height_px}" if readable else words("none"),
                edition.verdict_on(inspection) if readable else words("unreadable"),
                image.sha256 or words("none"),
            ]
        )
    yield from grid(rows, [40, 106, 54, 48, CONTENT_WIDTH - 248], size_pt=6)
    yield from changed_note(edition, [*edition.accepted, *edition.not_accepted])


def signature_section(edition: Edition) -> Iterator[Flowable]:
    """Room for the persons who decide what happens to the lot."""
    words = edition.words
    choices = ("accept", "reject", "rework", "use", "return", "hold")
    ticks = [CheckBox(words(f"disposition.{choice}")) for choice in choices]
    boxes = Table([ticks], colWidths=[tick.width + 16 for tick in ticks], hAlign="LEFT", style=NO_PADDING)
    header = ["", *(Paragraph(esc(words(key)), CAPTION) for key in ("name", "signature", "date"))]
    people = [
        [Paragraph(esc(words(key)), CELL_BOLD), "", "", ""] for key in ("prepared", "checked", "approved")
    ]
    table = Table(
        [header, *people],
        colWidths=[84, 150, 165, CONTENT_WIDTH - 399],
        rowHeights=[14, 30, 30, 30],
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, RULE),
            ("BACKGROUND", (0, 0), (-1, 0), PANEL),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ],
    )
    room, *title = heading("signatures", words("signatures"))
    yield room
    yield KeepTogether(
        [
            *title,
            Paragraph(esc(words("disposition")), CELL_BOLD),
            Spacer(0, 3),
            boxes,
            Spacer(0, 6),
            table,
            Spacer(0, 4),
            Paragraph(esc(words("signature_note")), NOTE),
        ]
    )
