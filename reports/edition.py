"""A report in one language: its input, its words, and how values and names are said in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reportlab.lib.colors import Color

from reports.source import ReportInput
from reports.statistics import distinct, is_inspected
from reports.styles import type_colour
from reports.words import Words
from tools.digits import beside_threshold
from tools.glossary import label_name, place_phrase, word
from tools.measurement.scale_reasons import scale_reason_text
from tools.overriding import AGENT, is_changed, is_confirmed
from tools.records import (
    Finding,
    Inspection,
    Judgement,
    Language,
    Quantity,
    Screening,
    Severity,
    Source,
    SourceScore,
    Verdict,
)
from tools.voices import strongest_source, was_asked
from tools.wording import format_centre, format_value
from tools.zones import is_ignored

__all__ = ["Edition"]

_ENGLISH_PREFIX = "at the "  # of the glossary's phrases; a table cell says the place alone
_DUPLICATE = "duplicate of "  # begins the flag of a file with the content of another


@dataclass(frozen=True)
class Edition:
    """The report's input together with the words of its language."""

    report: ReportInput
    words: Words

    @classmethod
    def of(cls, report: ReportInput) -> Edition:
        """The edition in the report's own language."""
        return cls(report, Words(report.language))

    @property
    def language(self) -> Language:
        """Language of all that is said."""
        return self.report.language

    @property
    def counted(self) -> list[Inspection]:
        """What yield and charts count, in batch order: each content once, no finding in an ignored zone."""
        return [
            each.model_copy(update={"findings": self.counting(each)})
            for each in distinct(self.report.inspections)
        ]

    def counting(self, inspection: Inspection) -> tuple[Finding, ...]:
        """The findings of an image that count: those outside ignored zones."""
        return tuple(each for each in inspection.findings if not self.is_ignored(each))

    def is_ignored(self, finding: Finding) -> bool:
        """Whether a finding lies in an ignored zone."""
        return is_ignored(finding, self.report.recipe.zones)

    @property
    def is_part(self) -> bool:
        """Whether photographs of the batch are missing: some were chosen, or not all were inspected."""
        return len(self.report.inspections) < self.report.run.image_count

    @property
    def not_accepted(self) -> list[Inspection]:
        """Readable images with another verdict than accept, in batch order."""
        return [i for i in self._readable() if i.judgement.verdict is not Verdict.ACCEPT]

    @property
    def accepted(self) -> list[Inspection]:
        """Readable images that were accepted, in batch order."""
        return [i for i in self._readable() if i.judgement.verdict is Verdict.ACCEPT]

    @property
    def unreadable(self) -> list[Inspection]:
        """Images that could not be read, in batch order."""
        return [i for i in self.report.inspections if not is_inspected(i)]

    def _readable(self) -> list[Inspection]:
        return [i for i in self.report.inspections if is_inspected(i)]

    @property
    def part_name(self) -> str:
        """The part's name in the report's language."""
        part = self.report.recipe.part
        return part.name_ko if self.language is Language.KO and part.name_ko else part.name

    @property
    def title(self) -> str:
        """The recipe's title for its reports, or the general one."""
        return self.report.recipe.report.title or self.words("title")

    def given(self, text: str) -> str:
        """The text, or the words for a field that was left empty."""
        return text.strip() or self.words("not_given")

    def type_name(self, name: str) -> str:
        """What people call a defect type or a label of screening."""
        return label_name(self.report.recipe, name, self.language)

    def type_colour(self, name: str) -> Color:
        """The colour of a defect type."""
        return type_colour(name, self.report.recipe.type_names)

    def verdict(self, verdict: Verdict) -> str:
        """The word for a verdict."""
        return self.words(f"verdict.{verdict}")

    def verdict_on(self, inspection: Inspection) -> str:
        """The word for the verdict on an image, with the mark of one that was decided otherwise."""
        return self.marked(self.verdict(inspection.judgement.verdict), is_changed(inspection.judgement))

    @staticmethod
    def marked(text: str, is_marked: bool) -> str:
        """The text, with the mark that stands for verdicts decided otherwise where it is to have it."""
        return f"{text} *" if is_marked else text

    def rule_said(self, inspection: Inspection) -> str:
        """The rules' own verdict and reason, and why they accepted what is suspicious where they did."""
        judgement, screening = inspection.judgement, inspection.screening
        rule = judgement.overrides or judgement
        said = f"{self.verdict(rule.verdict)}: {rule.reason(self.language)}"
        suspicious = screening is not None and screening.suspicion >= screening.threshold
        if not suspicious or rule.verdict is not Verdict.ACCEPT:
            return said
        return f"{said} {self.words('explained' if self.counting(inspection) else 'explained_ignored')}"

    def decided_by(self, judgement: Judgement) -> str:
        """Who decided or confirmed, in words."""
        return self.words(f"{'confirmed' if is_confirmed(judgement) else 'decided'}.{judgement.decided_by}")

    def decider(self, judgement: Judgement) -> str:
        """Who decided, by name; an agent in words."""
        return self.words("origin.vlm") if judgement.decided_name == AGENT else judgement.decided_name

    def severity(self, severity: Severity | None, level: int | None) -> str:
        """Class and level of severity, as far as known."""
        if severity is None:
            return ""
        name = word(severity, self.language)
        return name if level is None else self.words("severity_value", name=name, level=level)

    def confidence(self, finding: Finding) -> str:
        """The confidence in a finding, never on the other side of the recipe's limit for a person to look."""
        return beside_threshold(finding.confidence, self.report.recipe.localization.review_confidence)[0]

    def place(self, finding: Finding) -> str:
        """Where on the part, for a table cell; empty when unknown."""
        return place_phrase(finding.place, self.language).removeprefix(_ENGLISH_PREFIX)

    def value(self, finding: Finding, quantity: Quantity) -> str:
        """A measured value with its uncertainty and unit; empty where it was not measured."""
        measurement = finding.measurement(quantity)
        return format_value(measurement) if measurement else ""

    def centre(self, finding: Finding) -> tuple[str, ...]:
        """The two coordinates of the centre with uncertainty and unit; nothing where it was not measured."""
        return format_centre(finding.centre) if finding.centre else ()

    def source(self, score: SourceScore) -> str:
        """What an image was held against, with how many of it where it was."""
        name, count = self.words(f"source.{score.source}"), score.compared_with
        return self.words("source_many", name=name, count=count) if count and was_asked(score) else name

    def heat_says(self, screening: Screening) -> str:
        """What a heat map shows: it is that of the source that decided the suspicion."""
        leading = strongest_source(screening) or Source.WORDS
        counts = {score.source: score.compared_with for score in screening.sources}
        return self.words.for_count(f"heat.{leading}", counts.get(leading, 0))

    def flag(self, flag: str) -> str:
        """What a flag of an inspection says; one that is not known stays as it is."""
        kind, _, reason = flag.partition(": ")
        if kind == "no scale":
            return self.words("flag.no scale", reason=scale_reason_text(reason, self.language))
        if flag.startswith(_DUPLICATE):
            return self.words("duplicate", image=flag.removeprefix(_DUPLICATE))
        return self.words.get(f"flag.{kind}", flag)

    def date(self, iso: str) -> str:
        """An ISO 8601 date for people, always with its zone.

        Raises:
            ValueError: It is not ISO 8601.
        """
        moment = datetime.fromisoformat(iso)
        zone = moment.strftime("%z")
        return (
            f"{moment:%Y-%m-%d %H:%M:%S} UTC{zone[:3]}:{zone[3:]}" if zone else f"{moment:%Y-%m-%d %H:%M:%S}"
        )
