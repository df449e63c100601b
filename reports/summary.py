"""The report's first page: what was inspected, the result at a glance, and the contents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color, white
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table
from reportlab.platypus.tableofcontents import TableOfContents

from reports.charts import histogram, outcome_bar, pareto_chart
from reports.edition import Edition
from reports.flowables import heading, subheading
from reports.fonts import BOLD, REGULAR, elide, esc
from reports.statistics import Bar, Tally, is_inspected, lengths, pareto, tally
from reports.styles import (
    ACCENT,
    BODY,
    CAPTION,
    CELL,
    CONTENT_WIDTH,
    INK,
    NO_PADDING,
    NOTE,
    SUBHEADING,
    TILE_LABEL,
    TILE_VALUE,
    TITLE,
    TITLE_NOTE,
    UNREADABLE,
    VERDICT_LOOKS,
)
from reports.tables import panel
from tools.digits import percent
from tools.glossary import unit_symbol
from tools.overriding import is_changed, rule_judged
from tools.records import Inspection, Verdict

__all__ = ["first_page"]

_CHART_HEIGHT = 54 * mm


def first_page(edition: Edition) -> Iterator[Flowable]:
    """Title, key facts, result at a glance, contents."""
    yield _band(edition)
    yield Spacer(0, 8)
    yield _key_facts(edition)
    yield from heading("glance", edition.words("glance"))
    counts = tally(edition.counted)
    yield _tiles(edition, counts)
    yield Spacer(0, 5)
    yield outcome_bar(counts, CONTENT_WIDTH)
    yield Spacer(0, 4)
    yield Paragraph(esc(" ".join(_yield_lines(edition, counts))), BODY)
    if changed := _changed(edition):
        yield Paragraph(esc(_changed_line(edition, changed)), BODY)
    yield _charts(edition)
    yield from _contents(edition)


def _band(edition: Edition) -> Table:
    recipe = edition.report.recipe
    lines = [Paragraph(esc(elide(edition.title, 1.7 * CONTENT_WIDTH, TITLE.fontSize, BOLD)), TITLE)]
    company = recipe.report.company.strip()
    subtitle = " · ".join(filter(None, (company, edition.part_name)))
    lines.append(Paragraph(esc(elide(subtitle, CONTENT_WIDTH - 30, TITLE_NOTE.fontSize)), TITLE_NOTE))
    return Table(
        [[lines]],
        colWidths=[CONTENT_WIDTH],
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), ACCENT),
            ("LEFTPADDING", (0, 0), (-1, -1), 12),
            ("TOPPADDING", (0, 0), (-1, -1), 9),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 11),
        ],
    )


def _key_facts(edition: Edition) -> Table:
    words, run, recipe = edition.words, edition.report.run, edition.report.recipe
    facts = [
        ("lot", edition.given(run.lot)),
        ("report_date", edition.date(edition.report.created_at)),
        ("part", edition.part_name),
        ("inspected_at", edition.date(run.started_at)),
        ("part_number", edition.given(recipe.part.number)),
        ("inspector", edition.given(run.inspector)),
        ("revision", edition.given(recipe.part.revision)),
        ("station", edition.given(run.station or recipe.report.station)),
        ("recipe", run.recipe_name),
        ("image_count", _image_count(edition)),
    ]
    cells = [(_label(words(key)), _fact(value)) for key, value in facts]
    rows: list[list[object]] = [[*cells[i], *cells[i + 1]] for i in range(0, len(cells), 2)]
    for key, value in (("recipe_hash", run.recipe_sha256), ("batch_hash", run.batch_sha256)):
        rows.append([_label(words(key)), Paragraph(esc(value or words("none")), CELL), "", ""])
    table = panel(rows, [78, CONTENT_WIDTH / 2 - 78, 78, CONTENT_WIDTH / 2 - 78])
    table.setStyle([("SPAN", (1, row), (3, row)) for row in (len(rows) - 2, len(rows) - 1)])
    return table


def _image_count(edition: Edition) -> str:
    total, shown = edition.report.run.image_count, len(edition.report.inspections)
    return edition.words("part_of_batch", shown=shown, total=total) if edition.is_part else str(total)


def _label(text: str) -> Paragraph:
    return Paragraph(esc(text), CAPTION)


def _fact(value: str) -> Paragraph:
    # Two lines at most: a lot or name of any length must not push the result off the first page.
    return Paragraph(esc(elide(value, 2 * (CONTENT_WIDTH / 2 - 100), CELL.fontSize)), CELL)


def _tiles(edition: Edition, counts: Tally) -> Table:
    words = edition.words
    tiles: list[tuple[str, int, Color]] = [
        ("inspected", counts.inspected, INK),
        ("verdict.accept", counts.accepted, VERDICT_LOOKS[Verdict.ACCEPT].colour),
        ("verdict.review", counts.review, VERDICT_LOOKS[Verdict.REVIEW].colour),
        ("verdict.reject", counts.rejected, VERDICT_LOOKS[Verdict.REJECT].colour),
        ("unreadable", counts.unreadable, UNREADABLE),
        ("findings", counts.findings, INK),
    ]
    values = [Paragraph(f'<font color="#{c.hexval()[2:]}">{n}</font>', TILE_VALUE) for _, n, c in tiles]
    changed = {f"verdict.{each.judgement.verdict}" for each in _changed(edition)}
    labels = [Paragraph(esc(edition.marked(words(key), key in changed)), TILE_LABEL) for key, _, _ in tiles]
    return Table(
        [values, labels],
        colWidths=[CONTENT_WIDTH / len(tiles)] * len(tiles),
        style=[
            *(("LINEABOVE", (i, 0), (i, 0), 2, colour) for i, (_, _, colour) in enumerate(tiles)),
            ("LINEAFTER", (0, 0), (-2, -1), 4, white),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ],
    )


def _changed(edition: Edition) -> list[Inspection]:
    """What is counted with another verdict than the rules'."""
    return [i for i in edition.counted if is_inspected(i) and is_changed(i.judgement)]


def _changed_line(edition: Edition, changed: Sequence[Inspection]) -> str:
    """How many verdicts were decided otherwise, and what the rules alone said."""
    said = Counter(rule_judged(each) for each in edition.counted if is_inspected(each))
    accepted, review, rejected = (said[each] for each in (Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT))
    return edition.words(
        "changed_line", count=len(changed), accepted=accepted, review=review, rejected=rejected
    )


def _yield_lines(edition: Edition, counts: Tally) -> Iterator[str]:
    """The yield, and of what it is not the yield."""
    words, share, interval = edition.words, counts.yield_share, counts.yield_interval
    if share is None or interval is None:
        yield words("no_yield")
    else:
        yield words(
            "yield_line",
            share=percent(share),
            accepted=counts.accepted,
            inspected=counts.inspected,
            low=percent(interval[0]),
            high=percent(interval[1]),
        )
    if left_out := len(edition.report.inspections) - len(edition.counted):
        yield words("duplicates_line", count=left_out)
    if edition.is_part:
        total, shown = edition.report.run.image_count, len(edition.report.inspections)
        yield words("part_line", shown=shown, total=total)


def _charts(edition: Edition) -> Table:
    words, inspections = edition.words, edition.counted
    width = CONTENT_WIDTH / 2 - 6
    left: list[Flowable] = [Paragraph(esc(words("pareto")), SUBHEADING)]
    right: list[Flowable] = [Paragraph(esc(words("lengths")), SUBHEADING)]
    if bars := pareto(inspections):
        left.append(_pareto_drawing(edition, bars, width))
    else:
        left.append(Paragraph(esc(words("no_findings")), NOTE))
    measured = lengths(inspections)
    if measured.values:
        unit = unit_symbol(measured.unit)
        right.append(histogram(measured, width, _CHART_HEIGHT, axis_label=words("length_axis", unit=unit)))
        if measured.left_out:
            right.append(
                Paragraph(esc(words("lengths_left_out", count=measured.left_out, unit=unit)), CAPTION)
            )
    elif bars:
        right.append(Paragraph(esc(words("no_lengths")), NOTE))
    else:
        right.append(Paragraph(esc(words("no_findings")), NOTE))
    return Table(
        [[left, right]],
        colWidths=[CONTENT_WIDTH / 2] * 2,
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (0, 0), 0),
            ("RIGHTPADDING", (1, 0), (1, 0), 0),
        ],
    )


def _pareto_drawing(edition: Edition, bars: Sequence[Bar], width_pt: float) -> Drawing:
    return pareto_chart(
        bars,
        width_pt,
        _CHART_HEIGHT,
        name=edition.type_name,
        colour=edition.type_colour,
        others=edition.words("other_types"),
        cumulative_label=edition.words("cumulative"),
    )


def _contents(edition: Edition) -> Iterator[Flowable]:
    contents = TableOfContents(
        levelStyles=[CELL.clone("contents", leftIndent=0, leading=12.5, textColor=INK, fontName=REGULAR)],
        dotsMinLevel=0,
        tableStyle=NO_PADDING,
    )
    yield from subheading(edition.words("contents"))
    yield contents
