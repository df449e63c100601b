"""What is known of one image, in words: verdict, rule, findings with their measurements, audit trail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from reports.words import Words as ReportWords
from tools.digits import beside_threshold
from tools.glossary import label_name, place_phrase, word
from tools.judging import rule_text
from tools.measurement.methods import method_text
from tools.measurement.scale_reasons import scale_reason_text
from tools.overriding import AGENT
from tools.records import DecidedBy, Finding, ImageStatus, Inspection, Judgement, Language, Quantity
from tools.wording import format_centre, format_value
from tui.chat.error_words import said
from tui.chat.view_words import VERDICT_LOOKS, VIEW_WORDS, ViewWords

if TYPE_CHECKING:
    from agent.events import Decision
    from tools.recipe import Recipe

__all__ = ["details", "headline"]

_LABEL_CELLS = 20  # of the longest label, so that values stand below each other
_NARROW_CELLS = 40  # below it values follow their label at once
_NO_BREAK = "\u00a0"
_GAP_IN_VALUE = re.compile(r" (?=±)|(?<=±) |(?<=\d) (?=(?:mm|px)\b|mm²|px²)")
# The size that says most about a finding, for its line in the list.
_MAIN = (Quantity.LENGTH, Quantity.EQUIVALENT_DIAMETER, Quantity.AREA)


def headline(
    image_id: str,
    inspection: Inspection | None,
    language: Language,
    decisions: Sequence[Decision] = (),
) -> Content:
    """Returns the verdict with the image's id in a line; the id alone where nobody judged yet."""
    if inspection is not None:
        verdict = inspection.judgement.verdict
    elif decisions:
        verdict = decisions[-1].verdict
    else:
        return Content.assemble((image_id, "bold"))
    sign, colour = VERDICT_LOOKS[verdict]
    return Content.assemble(
        (f"{sign} {word(verdict, language).upper()}", f"bold {colour}"), "  ", (image_id, "bold")
    )


def details(
    inspection: Inspection | None,
    chosen: int | None,
    language: Language,
    recipe: Recipe | None = None,
    width_cells: int = 80,
    decisions: Sequence[Decision] = (),
) -> Content:
    """Returns all that is known of an image; a click on a finding runs the widget's action `choose(index)`.

    Args:
        inspection: None where there was none yet.
        chosen: Index of the finding that is told in full.
        language: Of the words.
        recipe: Knows what the types are called in Korean.
        width_cells: Room for a line.
        decisions: On this image, the first first; the last of them is the inspection's verdict.
    """
    words, page = ViewWords(language), _Page(ViewWords(language), max(width_cells, 12))
    if inspection is None:
        lines = [Content.styled(words("not_inspected"), "$text-muted")]
        lines += [page.decision("decided_by", decision) for decision in reversed(decisions)]
    else:
        lines = list(_Told(inspection, chosen, decisions, page, recipe).lines())
    return Content("\n").join(lines)


class _Page:
    """Sets words into the width that there is.

    Args:
        words: Of the page.
        width: Room for a line in cells.
    """

    def __init__(self, words: ViewWords, width: int) -> None:
        self.words, self._width = words, width

    def row(self, key: str, value: str, *, indent: int = 0) -> Content:
        """A label of the table and its value."""
        return self.labelled(self.words(key), value, indent=indent)

    def labelled(self, label: str, value: str, *, indent: int) -> Content:
        """A label and its value; what does not fit goes on below, farther in."""
        column = indent + cell_len(label) + 2
        if self._width >= _NARROW_CELLS:
            column = max(column, _LABEL_CELLS)
        first, *rest = _folded(value, self._width, column, indent + 2)
        gap = " " * (column - indent - cell_len(label))
        lines = [Content.assemble(" " * indent, (label, "$text-muted"), gap, first)]
        return Content("\n").join([*lines, *(Content(" " * (indent + 2) + line) for line in rest)])

    def text(self, text: str, *, indent: int = 0) -> Content:
        """A sentence; values in it stay whole."""
        lines = _folded(_GAP_IN_VALUE.sub(_NO_BREAK, text), self._width, indent, indent)
        return Content("\n").join([Content(" " * indent + line) for line in lines])

    def decision(self, key: str, decision: Decision) -> Content:
        """Who decided what, when and why."""
        who = self.words("the_agent") if decision.by == AGENT else decision.by
        sign, _ = VERDICT_LOOKS[decision.verdict]
        language = self.words.language
        verdict = _unbroken(f"{sign} {word(decision.verdict, language)}")
        return self.row(key, f"{who}, {_moment(decision.at)}: {verdict}: {decision.why(language)}")


class _Told:
    """One inspection being told, line by line."""

    def __init__(
        self,
        inspection: Inspection,
        chosen: int | None,
        decisions: Sequence[Decision],
        page: _Page,
        recipe: Recipe | None,
    ) -> None:
        self._inspection, self._chosen, self._decisions = inspection, chosen, decisions
        self._page, self._words, self._recipe = page, page.words, recipe
        self._in_report = ReportWords(page.words.language)  # what the report names is called the same here

    def lines(self) -> Iterator[Content]:
        """Yields what matters most first: the verdict, the findings, then how it came about."""
        image, inspection = self._inspection.image, self._inspection
        size = f" · {image.width_px} × {image.height_px} px" if image.width_px else ""
        yield Content.styled(f"{image.name}{size}", "$text-muted")
        why = said(image.reason, self._words.language)
        if image.status is ImageStatus.UNREADABLE and why not in inspection.judgement.reason(
            self._words.language
        ):
            yield Content.styled(f"{self._words('unreadable')}: {why}", "$text-error")
        yield from self._judgement(inspection.judgement)
        for index, finding in enumerate(inspection.findings):
            if index in (0, self._chosen, (self._chosen or 0) + 1):
                yield Content("")
            yield self._finding_line(index, finding)
            if index == self._chosen:
                yield from self._finding(finding)
        if not inspection.findings and image.status is ImageStatus.READABLE:
            yield Content("")
            yield Content(self._words("no_findings"))
        yield Content("")
        yield from self._background()

    def _judgement(self, judgement: Judgement) -> Iterator[Content]:
        words, language = self._words, self._words.language
        yield self._page.text(judgement.reason(language))
        if judgement.decided_by is not DecidedBy.RULE:
            agent = judgement.decided_by is DecidedBy.AGENT
            who = words("the_agent") if agent else judgement.decided_name
            yield self._page.row("decided_by", f"{who}, {_moment(judgement.decided_at)}")
        rule = judgement.overrides or judgement
        if judgement.overrides:
            sign, _ = VERDICT_LOOKS[rule.verdict]
            said = f"{_unbroken(f'{sign} {word(rule.verdict, language)}')}: {rule.reason(language)}"
            yield self._page.row("rules_said", said)
        yield self._page.row("rule", rule_text(rule.rule, language))
        for decision in reversed(self._decisions[:-1]):
            yield self._page.decision("earlier", decision)

    def _finding_line(self, index: int, finding: Finding) -> Content:
        main = next(filter(None, map(finding.measurement, _MAIN)), None)
        parts = [self._type_name(finding.type)]
        if index != self._chosen and main:
            parts.append(format_value(main))
        elif finding.severity:
            level = f" {finding.severity_level}/5" if finding.severity_level else ""
            parts.append(word(finding.severity, self._words.language) + level)
        mark, weight = ("▸", "bold") if index == self._chosen else (" ", "")
        click = Style.from_meta({"@click": f"choose({index})"})
        return Content.assemble((f"{mark}{index + 1} {' · '.join(parts)}", weight)).stylize(click)

    def _finding(self, finding: Finding) -> Iterator[Content]:
        words, language = self._words, self._words.language
        for measurement in finding.measurements:
            label = word(measurement.quantity, language)
            yield self._page.labelled(label, _unbroken(format_value(measurement)), indent=3)
        if finding.centre:
            centre = ", ".join(map(_unbroken, format_centre(finding.centre)))
            yield self._page.row("centre", centre, indent=3)
        confidence = f"{finding.confidence:.2f}"
        if self._recipe:
            limit = self._recipe.localization.review_confidence
            confidence, _ = beside_threshold(finding.confidence, limit)
        seen = f"{confidence} · {self._in_report(f'origin.{finding.origin}')}"
        yield self._page.row("confidence", seen, indent=3)
        place = place_phrase(finding.place, language)
        if finding.zone:
            place = f"{place} · {words('zone')} {finding.zone}".removeprefix(" · ")
        if place:
            yield self._page.row("place", place, indent=3)
        if finding.edge_touching:
            yield Content.styled(f"   {words('cut_off')}", "$text-warning")
        if finding.description:
            yield self._page.text(finding.description.text(language), indent=3)
        methods = [measurement.method for measurement in finding.measurements]
        if finding.centre:
            methods.append(finding.centre.method)
        if methods:
            named = ", ".join(method_text(each, language) for each in dict.fromkeys(methods))
            yield self._page.row("method", named, indent=3)

    def _background(self) -> Iterator[Content]:
        words, language, inspection = self._words, self._words.language, self._inspection
        screening, scale = inspection.screening, inspection.scale
        if screening:
            status = self._in_report(f"status.{screening.status}")
            value, limit = beside_threshold(screening.suspicion, screening.threshold)
            level = words("suspicion", value=value, limit=limit)
            label = self._type_name(screening.label)
            yield self._page.row("screening", f"{status}: {level} ({label})")
        if inspection.description:
            yield self._page.text(inspection.description.text(language))
        if scale:
            source = self._in_report(f"scale.{scale.source}")
            if scale.homography:
                source = f"{source}, {self._in_report('board_centre')}"
            how = f"{scale.mm_per_px:.4g} mm/px · {source}{f': {scale.detail}' if scale.detail else ''}"
            yield self._page.row("scale", how)
        elif inspection.findings:
            yield Content.styled(words("no_scale"), "$text-muted")
        for flag in inspection.flags:
            yield self._page.row("remark", self._flag(flag))
        if inspection.error:
            yield Content.styled(f"{words('error')}: {said(inspection.error, language)}", "$text-error")

    def _flag(self, flag: str) -> str:
        """A remark in words; one that is not known stays as it is."""
        if flag.startswith("duplicate of "):
            return self._words("flag.duplicate", reason=flag.removeprefix("duplicate of "))
        kind, _, reason = flag.partition(": ")
        key, said = f"flag.{kind}", scale_reason_text(reason, self._words.language)
        return self._words(key, reason=said) if key in VIEW_WORDS else flag

    def _type_name(self, name: str) -> str:
        return label_name(self._recipe, name, self._words.language) if self._recipe else name


def _folded(text: str, width: int, first: int, rest: int) -> list[str]:
    """Breaks a text at its spaces, as cells count, for a first line that starts at a column and the rest."""
    lines, room = [""], width - first
    for each in text.split(" "):
        longer = f"{lines[-1]} {each}".lstrip(" ")
        if cell_len(longer) <= room or (not lines[-1] and len(lines) > 1):
            lines[-1] = longer
        else:
            lines.append(each)
            room = width - rest
    return [line.replace(_NO_BREAK, " ") for line in lines]


def _unbroken(value: str) -> str:
    """A value with its unit, or a sign with its word, that stays on one line."""
    return value.replace(" ", _NO_BREAK)


def _moment(iso: str) -> str:
    """A moment for people, to the minute; as it stands where it is none."""
    try:
        return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M}"
    except ValueError:
        return iso
