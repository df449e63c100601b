"""What is seen of an inspection: the photograph with its heat map, beside its facts and a magnified view."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from reports.edition import Edition
from reports.flowables import AnnotatedPicture, Mark, MissingPicture, ScaleBar
from reports.fonts import BOLD, elide, esc, shorten
from reports.heat import HeatLegend
from reports.pictures import Evidence, Picture
from reports.styles import CAPTION, CELL, CELL_BOLD, CONTENT_WIDTH, NO_PADDING
from reports.tables import panel
from tools.digits import beside_threshold
from tools.images.reasons import reason_text
from tools.judging import rule_text
from tools.measurement.calibration import mm_per_px_at
from tools.overriding import is_changed
from tools.records import Inspection, Quantity, Screening, SourceScore
from tools.voices import was_asked

__all__ = ["height_of", "magnified", "photo_row"]

_PHOTO_WIDTH, _PHOTO_HEIGHT = 80 * mm, 84 * mm
_GUTTER = 6 * mm
_HEAT_WIDTH, _HEAT_HEIGHT = 30 * mm, 20 * mm
_SIDE_WIDTH = CONTENT_WIDTH - _PHOTO_WIDTH - _GUTTER
_VIEW_GAP = 2.4 * mm
_VIEW = (_SIDE_WIDTH - _VIEW_GAP) / 2  # side of one magnified view
_LONGEST_BAR = 17 * mm
_LEAST = 0.75  # of its full size: a picture that had to be smaller still to fit is shown in full


def height_of(flowables: Sequence[Flowable], width_pt: float = CONTENT_WIDTH) -> float:
    """Returns how high flowables stand below each other, in points."""
    heights = (
        each.wrap(width_pt, 1e6)[1] + each.getSpaceBefore() + each.getSpaceAfter() for each in flowables
    )
    return float(sum(heights))


def photo_row(edition: Edition, inspection: Inspection, evidence: Evidence, room_pt: float) -> Table:
    """The photograph and what is known of it, with smaller pictures where that makes it fit into the room."""

    def seen(scale: float) -> list[Flowable]:
        photo = _photo(edition, inspection, evidence, scale)
        if evidence.heat and inspection.screening:
            return _with_heat(edition, inspection.screening, photo, evidence.heat)
        return [photo]

    def side(scale: float) -> list[Flowable]:
        facts = _facts(edition, inspection)
        if not evidence.crops:
            return [facts]
        return [facts, Spacer(0, 5), magnified(edition, inspection, 1, evidence.crops[0], scale)]

    return Table(
        [[_fitted(seen, _PHOTO_WIDTH, room_pt), _fitted(side, _SIDE_WIDTH, room_pt)]],
        colWidths=[_PHOTO_WIDTH + _GUTTER, _SIDE_WIDTH],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *NO_PADDING],
    )


def _fitted(column: Callable[[float], list[Flowable]], width_pt: float, room_pt: float) -> list[Flowable]:
    """The column at the largest scale of its pictures at which it fits; at full scale where none does."""
    full = column(1.0)
    highest = height_of(full, width_pt)
    if highest <= room_pt:
        return full
    lowest = height_of(column(_LEAST), width_pt)
    if lowest > room_pt:
        return full
    return column(_LEAST + (1 - _LEAST) * (room_pt - lowest) / (highest - lowest))


def _photo(edition: Edition, inspection: Inspection, evidence: Evidence, scale: float) -> Flowable:
    if not evidence.whole:
        reason = reason_text(evidence.reason, edition.language)
        return MissingPicture(edition.words("no_picture", reason=reason), _PHOTO_WIDTH, 30 * mm)
    marks = [
        Mark(number, edition.type_colour(f.type), f.box_xyxy_px, f.contours_px + f.holes_px)
        for number, f in enumerate(inspection.findings, start=1)
    ]
    return AnnotatedPicture(evidence.whole, scale * _PHOTO_WIDTH, scale * _PHOTO_HEIGHT, marks)


def _with_heat(edition: Edition, screening: Screening, photo: Flowable, heat: Picture) -> list[Flowable]:
    """The heat map beside a slender photograph, at its size, and below any other, with what it says."""
    gap = 3 * mm
    if 2 * photo.width + gap <= _PHOTO_WIDTH:
        pair = _side_by_side(photo, AnnotatedPicture(heat, photo.width, photo.height), gap)
        return [pair, Spacer(0, 4), *_heat_says(edition, screening, _HEAT_WIDTH)]
    shown = AnnotatedPicture(heat, _HEAT_WIDTH, _HEAT_HEIGHT)
    room = _PHOTO_WIDTH - shown.width - gap
    says = _heat_says(edition, screening, min(room, _HEAT_WIDTH))
    return [photo, Spacer(0, 4), _side_by_side(shown, says, gap)]


def _side_by_side(left: Flowable, right: Flowable | list[Flowable], gap: float) -> Table:
    return Table(
        [[left, right]],
        colWidths=[left.width + gap, _PHOTO_WIDTH - left.width - gap],
        hAlign="LEFT",
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *NO_PADDING],
    )


def _heat_says(edition: Edition, screening: Screening, bar_width: float) -> list[Flowable]:
    """What a heat map shows, whose it is, and what its colours stand for."""
    words = edition.words
    hottest = max(screening.heat_map.values) if screening.heat_map else screening.suspicion
    peak, threshold = beside_threshold(hottest, screening.threshold)
    return [
        Paragraph(esc(words("heat_map")), CELL_BOLD),
        Paragraph(esc(edition.heat_says(screening)), CELL),
        Spacer(0, 3),
        HeatLegend(bar_width, threshold),
        Paragraph(esc(words("heat_scale", peak=peak)), CAPTION),
    ]


def _sources(edition: Edition, screening: Screening) -> str:
    """What each source says, those that count before the others."""
    ordered = sorted(screening.sources, key=lambda score: (not score.decided, -score.suspicion))
    return "; ".join(_source(edition, score, screening.threshold) for score in ordered)


def _source(edition: Edition, score: SourceScore, threshold: float) -> str:
    words, source = edition.words, edition.source(score)
    if not was_asked(score):
        return words("source_unasked", source=source, why=words(f"unasked.{score.remark}"))
    suspicion, _ = beside_threshold(score.suspicion, threshold)
    return words("source_says" if score.decided else "source_aside", source=source, suspicion=suspicion)


def _facts(edition: Edition, inspection: Inspection) -> Table:
    words = edition.words
    judgement, screening, scale = inspection.judgement, inspection.screening, inspection.scale
    facts = [
        ("rule_before" if is_changed(judgement) else "rule", rule_text(judgement.rule, edition.language)),
        ("decided_by", edition.decided_by(judgement)),
    ]
    if judgement.overrides:
        facts[1:] = _decision(edition, inspection)
    if screening:
        suspicion, threshold = beside_threshold(screening.suspicion, screening.threshold)
        said = words(
            "screening_value",
            suspicion=suspicion,
            threshold=threshold,
            label=edition.type_name(screening.label),
            status=words(f"status.{screening.status}"),
        )
        facts.append(("screening", said))
        if screening.sources:
            facts.append(("sources", _sources(edition, screening)))
    size = f"{inspection.image.width_px} × {inspection.image.height_px} px"
    said = words("no_scale")
    if scale:
        source = words(f"scale.{scale.source}")
        if scale.homography:
            source = f"{source}, {words('board_centre')}"
        said = words("scale_value", value=f"{scale.mm_per_px:.4g}", source=source)
    facts.append(("scale", f"{said}; {size}"))
    rows = [
        [Paragraph(esc(words(key)), CAPTION), Paragraph(esc(shorten(value)), CELL)] for key, value in facts
    ]
    return panel(rows, [62, _SIDE_WIDTH - 62])


def _decision(edition: Edition, inspection: Inspection) -> list[tuple[str, str]]:
    judgement = inspection.judgement
    who = f"{edition.decider(judgement)}, {edition.date(judgement.decided_at)}"
    decided_by = f"{edition.decided_by(judgement)}: {who}"
    return [("decided_by", decided_by), ("rule_said", edition.rule_said(inspection))]


def magnified(
    edition: Edition, inspection: Inspection, number: int, crop: Picture, scale: float = 1.0
) -> Table:
    """A finding twice at the same magnification: as photographed, and with the outline that was measured."""
    words, finding = edition.words, inspection.findings[number - 1]
    outline = Mark(0, edition.type_colour(finding.type), None, finding.contours_px + finding.holes_px)
    length = edition.value(finding, Quantity.LENGTH)
    width = _SIDE_WIDTH - _LONGEST_BAR - 32
    # Two lines at most: beside a name of any length the picture must still fit on the page.
    name = elide(edition.type_name(finding.type), 1.5 * width, CELL_BOLD.fontSize, BOLD)
    title = f"{number} · {name}" + (f" · {length}" if length else "")
    side = scale * _VIEW
    photographed = AnnotatedPicture(crop, side, side)
    x_min, y_min, x_max, y_max = crop.region_xyxy_px
    centre_px = (x_min + x_max) / 2, (y_min + y_max) / 2
    mm_per_px = mm_per_px_at(inspection.scale, centre_px) if inspection.scale else None
    bar = ScaleBar(photographed.pt_per_px, mm_per_px, _LONGEST_BAR)
    head = Table(
        [[Paragraph(esc(title), CELL_BOLD), bar]],
        colWidths=[width, _LONGEST_BAR + 32],
        style=[*NO_PADDING, ("VALIGN", (0, 0), (-1, -1), "BOTTOM")],
    )
    return Table(
        [
            [head, ""],
            [photographed, AnnotatedPicture(crop, side, side, [outline])],
            [Paragraph(esc(words(key)), CAPTION) for key in ("as_photographed", "as_measured")],
        ],
        colWidths=[side + _VIEW_GAP, 2 * _VIEW - side],
        hAlign="LEFT",
        style=[*NO_PADDING, ("SPAN", (0, 0), (1, 0)), ("BOTTOMPADDING", (0, 0), (-1, 0), 2)],
    )
