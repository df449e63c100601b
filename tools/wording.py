"""Sentences about findings and images: slots that only measured facts fill, plus a caption that passed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from tools.captioning.rules import caption_faults, clean_caption
from tools.digits import beside_threshold
from tools.glossary import (
    UNCLASSIFIED,
    capitalized,
    compared_phrase,
    label_name,
    place_phrase,
    unit_symbol,
    unlike_phrase,
    with_article,
    with_particle,
    word,
)
from tools.records import (
    CaptionOutcome,
    Centre,
    DecidedBy,
    Description,
    Finding,
    Judgement,
    Language,
    Measurement,
    Origin,
    Quantity,
    Screening,
    Unit,
)
from tools.zones import is_ignored

if TYPE_CHECKING:
    from tools.recipe import Recipe

__all__ = [
    "describe_finding",
    "describe_image",
    "format_centre",
    "format_value",
    "spoken_value",
    "stated",
    "with_judgement",
]

EN, KO = Language.EN, Language.KO

# Proposals that no detector or person confirmed.
_CANDIDATE_ORIGINS = frozenset({Origin.SCREENING, Origin.VLM})


def format_value(measurement: Measurement) -> str:
    """Writes a measurement as `3.14 ± 0.22 mm`, `≥ 3.1 ± 0.2 mm` for a lower bound.

    U is rounded to two significant digits at most and the value to the same place (JCGM 100:2008, 7.2.6);
    a last digit that is 0 in both is left out.
    """
    number = _rounded(measurement.value, measurement.uncertainty)
    space = "" if measurement.unit is Unit.DEG else " "
    return f"{'≥ ' if measurement.lower_bound else ''}{number}{space}{unit_symbol(measurement.unit)}"


def spoken_value(measurement: Measurement, language: Language) -> str:
    """Writes a measurement for a sentence: a lower bound as `at least 3.1 ± 0.2 mm`."""
    return format_value(measurement).replace("≥", "최소" if language is KO else "at least")


def format_centre(centre: Centre) -> tuple[str, str]:
    """Writes x and y of a centre as `x 31.42 ± 0.22 mm`, in px where it has no mm."""
    values, spreads, unit = centre.xy_mm, centre.uncertainty_xy_mm, Unit.MM
    if values is None or spreads is None:
        values, spreads, unit = centre.xy_px, centre.uncertainty_xy_px, Unit.PX
    x, y = (_rounded(*each) for each in zip(values, spreads, strict=True))
    return f"x {x} {unit_symbol(unit)}", f"y {y} {unit_symbol(unit)}"


def stated(measurement: Measurement) -> tuple[float, float]:
    """Returns a value and its U with the digits that `format_value` writes, for programs and tables."""
    numbers = _rounded(measurement.value, measurement.uncertainty).split(" ± ")
    return float(numbers[0]), float(numbers[1]) if len(numbers) > 1 else 0.0


def _rounded(value: float, uncertainty: float) -> str:
    if uncertainty == 0.0:
        return f"{value:g}"
    if not (math.isfinite(value) and math.isfinite(uncertainty)):
        return f"{value:g} ± {uncertainty:g}"
    rounded_u = Decimal(f"{uncertainty:.1e}")
    place = rounded_u.adjusted() - 1
    rounded = Decimal(repr(value)).quantize(Decimal((0, (1,), place)))
    if place < 0 and rounded.as_tuple().digits[-1] == rounded_u.as_tuple().digits[-1] == 0:
        shorter = Decimal((0, (1,), place + 1))
        rounded, rounded_u = rounded.quantize(shorter), rounded_u.quantize(shorter)
    return f"{rounded:f} ± {rounded_u:f}"


def describe_finding(
    finding: Finding,
    recipe: Recipe,
    caption: str | None = None,
    regenerate: Callable[[], str] | None = None,
    translate: Callable[[str], str] | None = None,
) -> Description:
    """Describes one finding.

    Args:
        finding: Measured and judged; what it lacks is not spoken of.
        recipe: Names of types and part.
        caption: What the captioning model said of its region; None when it was not asked.
        regenerate: Asks the captioning model once more, when the first caption breaks a quality rule.
        translate: From English into Korean; without it the caption is quoted in English.
    """
    counts = {finding.type: 1}
    used, outcome = _checked(caption, regenerate, recipe, counts, finding.measurements)
    sentences_en = [_found_en(finding, recipe), _size_en(finding)]
    sentences_ko = [_found_ko(finding, recipe), _size_ko(finding)]
    if finding.edge_touching:
        sentences_en.append("It runs out of the picture, so it may be larger.")
        sentences_ko.append("화면 밖으로 이어지므로 실제 크기는 더 클 수 있습니다.")
    if finding.severity is not None:
        level = finding.severity_level
        sentences_en.append(f"Severity: {word(finding.severity, EN)}{f' ({level} of 5)' if level else ''}.")
        sentences_ko.append(f"심각도: {word(finding.severity, KO)}{f'({level}/5)' if level else ''}.")
    return _description(sentences_en, sentences_ko, used, outcome, translate)


def describe_image(
    findings: Sequence[Finding],
    screening: Screening | None,
    judgement: Judgement,
    recipe: Recipe,
    caption: str | None = None,
    regenerate: Callable[[], str] | None = None,
    translate: Callable[[str], str] | None = None,
) -> Description:
    """Describes a whole image: how many findings, the longest, the screening, the verdict.

    The caption and its helpers are as for `describe_finding`. Whoever changes the judgement uses
    `with_judgement`.
    """
    counts = Counter(finding.type for finding in findings)
    measurements = [m for finding in findings for m in finding.measurements]
    used, outcome = _checked(caption, regenerate, recipe, counts, measurements)
    sentences_en, sentences_ko = [_counted_en(counts, recipe)], [_counted_ko(counts, recipe)]
    if ignored := sum(is_ignored(finding, recipe.zones) for finding in findings):
        sentences_en.append(f"Not counted, in ignored zones: {ignored}.")
        sentences_ko.append(f"제외 영역 {ignored}건은 미집계.")
    if longest := _longest(findings):
        finding, length = longest
        sentences_en.append(f"The longest is {label_name(recipe, finding.type, EN)} {finding.id}: {length}.")
        sentences_ko.append(f"가장 긴 것은 {label_name(recipe, finding.type, KO)} {finding.id}: {length}.")
    if screening is not None:
        numbers = beside_threshold(screening.suspicion, screening.threshold)
        sentences_en.append("Suspicion {} at a threshold of {}.".format(*numbers))
        sentences_ko.append("의심도 {}(기준 {}).".format(*numbers))
        sentences_en += [f"{capitalized(each)}." for each in [compared_phrase(screening, EN)] if each]
        sentences_ko += [f"{each}." for each in [compared_phrase(screening, KO)] if each]
    verdict_en, verdict_ko = _decided(judgement)
    sentences_en.append(verdict_en)
    sentences_ko.append(verdict_ko)
    return _description(sentences_en, sentences_ko, used, outcome, translate)


_DECIDERS = {
    DecidedBy.RULE: ("By the recipe's criteria", "레시피 기준 판정"),
    DecidedBy.AGENT: ("Decided by the agent", "에이전트 판정"),
    DecidedBy.HUMAN: ("Decided by an inspector", "검사원 판정"),
}


def _decided(judgement: Judgement) -> tuple[str, str]:
    decider_en, decider_ko = _DECIDERS[judgement.decided_by]
    verdict = judgement.verdict
    return f"{decider_en}: {word(verdict, EN)}.", f"{decider_ko}: {word(verdict, KO)}."


def with_judgement(description: Description, before: Judgement, after: Judgement) -> Description:
    """Returns the description of an image with another judgement in place of the one it tells of."""
    (before_en, before_ko), (after_en, after_ko) = _decided(before), _decided(after)
    said = {
        "en": description.en.replace(before_en, after_en, 1),
        "ko": description.ko.replace(before_ko, after_ko, 1),
    }
    return description.model_copy(update=said)


def _checked(
    caption: str | None,
    regenerate: Callable[[], str] | None,
    recipe: Recipe,
    counts: Mapping[str, int],
    measurements: Sequence[Measurement],
) -> tuple[str, CaptionOutcome]:
    """Returns the caption that may be used, if any: the first, else a second one, else none."""
    if caption is None:
        return "", CaptionOutcome.NOT_ASKED
    if not caption_faults(caption, recipe, counts, measurements):
        return clean_caption(caption), CaptionOutcome.USED
    second = regenerate() if regenerate else ""
    if second and not caption_faults(second, recipe, counts, measurements):
        return clean_caption(second), CaptionOutcome.REGENERATED
    return "", CaptionOutcome.DROPPED


def _description(
    sentences_en: Sequence[str],
    sentences_ko: Sequence[str],
    caption: str,
    outcome: CaptionOutcome,
    translate: Callable[[str], str] | None,
) -> Description:
    en, ko = " ".join(filter(None, sentences_en)), " ".join(filter(None, sentences_ko))
    if caption:
        en += f' Caption: "{caption}".'
        ko += f' 자동 캡션: "{clean_caption(translate(caption)) if translate else caption}".'
    return Description(en=en, ko=ko, caption=caption, caption_outcome=outcome)


def _found_en(finding: Finding, recipe: Recipe) -> str:
    name = label_name(recipe, finding.type, EN)
    suspected = finding.origin in _CANDIDATE_ORIGINS and finding.type != UNCLASSIFIED
    what = with_article(f"suspected {name}" if suspected else name)
    where = ", ".join(filter(None, (f"on the {recipe.part.noun}", place_phrase(finding.place, EN))))
    uncounted = ", not counted" if is_ignored(finding, recipe.zones) else ""
    zone = f" (zone {finding.zone}{uncounted})" if finding.zone else ""
    if finding.origin is Origin.REFERENCE and finding.type == UNCLASSIFIED:
        return f"{capitalized(unlike_phrase(finding, EN))}, {where}{zone}."
    return f"{capitalized(what)} was found {where}{zone}."


def _found_ko(finding: Finding, recipe: Recipe) -> str:
    name = label_name(recipe, finding.type, KO)
    suspected = finding.origin in _CANDIDATE_ORIGINS and finding.type != UNCLASSIFIED
    what = f"{with_particle(name, '으로/로')} 의심되는 부분이" if suspected else with_particle(name, "이/가")
    place = place_phrase(finding.place, KO)
    where = f"{_part_ko(recipe)}의 {place}" if place else _part_ko(recipe)
    uncounted = ", 미집계" if is_ignored(finding, recipe.zones) else ""
    zone = f"({finding.zone} 영역{uncounted})" if finding.zone else ""
    if finding.origin is Origin.REFERENCE and finding.type == UNCLASSIFIED:
        return f"{where}{zone}: {unlike_phrase(finding, KO)}."
    return f"{where}{zone}에서 {what} 발견되었습니다."


def _part_ko(recipe: Recipe) -> str:
    return recipe.part.name_ko or recipe.part.name


def _size_en(finding: Finding) -> str:
    spoken = {
        quantity: spoken_value(measurement, EN)
        for quantity in (Quantity.LENGTH, Quantity.WIDTH, Quantity.AREA)
        if (measurement := finding.measurement(quantity))
    }
    if not spoken:
        return "Its size was not measured."
    spans = [
        f"{spoken[quantity]} {adjective}"
        for quantity, adjective in ((Quantity.LENGTH, "long"), (Quantity.WIDTH, "wide"))
        if quantity in spoken
    ]
    clauses = [f"is {' and '.join(spans)}"] if spans else []
    if Quantity.AREA in spoken:
        clauses.append(f"covers {spoken[Quantity.AREA]}")
    return f"It {' and '.join(clauses)}." if len(spans) < 2 else f"It {', and '.join(clauses)}."


def _size_ko(finding: Finding) -> str:
    spoken = []
    for quantity in (Quantity.LENGTH, Quantity.WIDTH, Quantity.AREA):
        if measurement := finding.measurement(quantity):
            subject = with_particle(word(quantity, KO), "은/는")
            spoken.append(f"{subject} {spoken_value(measurement, KO)}")
    return f"{', '.join(spoken)}입니다." if spoken else "크기는 측정되지 않았습니다."


def _counted_en(counts: Mapping[str, int], recipe: Recipe) -> str:
    total = sum(counts.values())
    if not total:
        return f"No defect was found on the {recipe.part.noun}."
    kinds = ", ".join(f"{label_name(recipe, name, EN)} {count}" for name, count in counts.items())
    return f"{total} finding{'s' if total > 1 else ''} on the {recipe.part.noun}: {kinds}."


def _counted_ko(counts: Mapping[str, int], recipe: Recipe) -> str:
    total = sum(counts.values())
    if not total:
        return f"{_part_ko(recipe)}에서 결함이 발견되지 않았습니다."
    kinds = ", ".join(f"{label_name(recipe, name, KO)} {count}건" for name, count in counts.items())
    return f"{_part_ko(recipe)}에서 {total}건 발견: {kinds}."


def _longest(findings: Sequence[Finding]) -> tuple[Finding, str] | None:
    """Returns the longest finding with its length; None unless several can be compared in one unit."""
    lengths = [(finding, m) for finding in findings if (m := finding.measurement(Quantity.LENGTH))]
    if len(lengths) < 2 or len({m.unit for _, m in lengths}) > 1:
        return None
    finding, length = max(lengths, key=lambda pair: pair[1].value)
    return finding, format_value(length)
