"""From measured findings to a verdict: the recipe's criteria, applied by fixed rules that each have a name.

The worst verdict wins, then the gravest severity, then the order of the rules. A measured value decides
only outside its uncertainty: it passes when value + U <= limit, fails when value - U > limit, and goes to
review in between (guard band after ISO 14253-1). What nobody confirmed, or what could not be measured as
the criterion asks, goes to review and never rejects by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.digits import beside_threshold, plain
from tools.firing import Fired, judgement_of, merged
from tools.glossary import (
    capitalized,
    compared_phrase,
    label_name,
    unit_symbol,
    unlike_phrase,
    with_particle,
)
from tools.images.reasons import reason_text
from tools.localization.crowding import kept_of_more
from tools.recipe import Acceptance
from tools.records import (
    Finding,
    ImageRecord,
    ImageStatus,
    Judgement,
    Language,
    Measurement,
    Origin,
    Quantity,
    Screening,
    Unit,
    Verdict,
)
from tools.suspicion import judge_screening
from tools.wording import spoken_value
from tools.zones import is_ignored

if TYPE_CHECKING:
    from tools.recipe import Recipe

__all__ = ["ALL_CRITERIA_MET", "judge", "rule_text"]

EN, KO = Language.EN, Language.KO

ALL_CRITERIA_MET = "all criteria met"

# Flags that ask for a human eye: the words before the colon, and the rule that they fire.
_REVIEW_FLAGS = {"caption dropped": "flag.caption_dropped"}

# Sums such as 4.9 + 0.1 must not miss the limit of 5 by a rounding error of the last bit.
_ROUNDING = 1e-9

_CRITERIA: dict[str, tuple[Quantity, Unit]] = {
    "max_length_mm": (Quantity.LENGTH, Unit.MM),
    "max_width_mm": (Quantity.WIDTH, Unit.MM),
    "max_area_mm2": (Quantity.AREA, Unit.MM2),
    "max_length_px": (Quantity.LENGTH, Unit.PX),
    "max_width_px": (Quantity.WIDTH, Unit.PX),
    "max_area_px2": (Quantity.AREA, Unit.PX2),
}
_SIZES = {
    Quantity.LENGTH: ("{} long", "길이"),
    Quantity.WIDTH: ("{} wide", "너비"),
    Quantity.AREA: ("{} in area", "면적"),
}

_PROPOSERS = {
    Origin.SCREENING: ("screening", "선별"),
    Origin.VLM: ("the vision-language model", "시각 언어 모델"),
}


def judge(
    image: ImageRecord,
    screening: Screening | None,
    findings: Sequence[Finding],
    recipe: Recipe,
    flags: Sequence[str] = (),
) -> tuple[Judgement, tuple[Finding, ...]]:
    """Judges one image by the recipe.

    Zone criteria of a type replace its general ones inside the zone, the count included. Findings in an
    ignored zone do not count, and explain why an image is suspect or unsure only where its heat map shows
    that nothing outside is as hot. A width limit is held against the mean width of curved defects.

    Args:
        image: An unreadable one goes to review.
        screening: None when it was not screened.
        findings: Measured, with their zones.
        recipe: The criteria.
        flags: Remarks of earlier steps; `caption dropped` of what counts sends an otherwise acceptable part
            to review.

    Returns:
        The judgement with the rule that fired, and the findings with the severity of their type.
    """
    graded = tuple(_graded(finding, recipe) for finding in findings)
    if image.status is ImageStatus.UNREADABLE:
        unreadable = Fired(
            Verdict.REVIEW,
            "image.unreadable",
            f"The image cannot be read: {image.reason or 'no reason known'}.",
            f"사진을 읽을 수 없습니다: {reason_text(image.reason, KO) or '원인 불명'}.",
        )
        return judgement_of(unreadable), graded
    counting = [finding for finding in graded if not is_ignored(finding, recipe.zones)]
    left_out = [finding for finding in graded if is_ignored(finding, recipe.zones)]
    fired = [
        *(firing for finding in counting for firing in _judge_finding(finding, recipe)),
        *_judge_counts(counting, recipe),
        *_judge_crowding(graded),
        *judge_screening(screening, counting, graded, recipe),
        *_judge_flags(flags, {finding.id for finding in left_out}),
    ]
    if not fired:
        return _accepted(screening, counting, left_out), graded
    worst = max(fired, key=lambda firing: firing.gravity)  # the first of equals
    return judgement_of(merged(worst, fired)), graded


def _graded(finding: Finding, recipe: Recipe) -> Finding:
    defect = recipe.defects.get(finding.type)
    if defect is None or is_ignored(finding, recipe.zones):
        return finding.model_copy(update={"severity": None, "severity_level": None})
    return finding.model_copy(update={"severity": defect.severity, "severity_level": defect.severity_level})


def _is_confirmed(finding: Finding, recipe: Recipe) -> bool:
    return (
        _has_criteria(finding, recipe)
        and finding.origin not in _PROPOSERS
        and finding.confidence >= recipe.localization.review_confidence
    )


def _has_criteria(finding: Finding, recipe: Recipe) -> bool:
    """Whether the recipe says what is acceptable: of its types; of what is unlike good parts, if it does."""
    return finding.type in recipe.defects or (
        finding.origin is Origin.REFERENCE and recipe.references.accept is not None
    )


def _criteria(finding: Finding, recipe: Recipe) -> tuple[str, str | None, Acceptance]:
    """Returns the rule prefix, the zone whose criteria hold (None for the general ones), and the criteria."""
    for zone in recipe.zones:
        if zone.name == finding.zone and finding.type in zone.accept:
            return f"zone.{zone.name}.{finding.type}", zone.name, zone.accept[finding.type]
    defect = recipe.defects.get(finding.type)
    return (
        (finding.type, None, defect.accept)
        if defect
        else ("references", None, recipe.references.accept or Acceptance())
    )


def _judge_finding(finding: Finding, recipe: Recipe) -> Iterator[Fired]:
    confirmed = _is_confirmed(finding, recipe)
    if not confirmed:
        yield _unconfirmed(finding, recipe)
    if not _has_criteria(finding, recipe):
        return
    prefix, zone, accept = _criteria(finding, recipe)
    for field, (quantity, unit) in _CRITERIA.items():
        limit = getattr(accept, field)
        if limit is None:
            continue
        firing = _judge_size(finding, recipe, f"{prefix}.{field}", limit, quantity, unit)
        if firing is not None:
            firing = _in_zone(firing, zone)
            yield firing if confirmed else replace(firing, verdict=Verdict.REVIEW)


def _unconfirmed(finding: Finding, recipe: Recipe) -> Fired:
    en, ko = _named(finding, recipe)
    if finding.origin is Origin.REFERENCE and not _has_criteria(finding, recipe):
        rule = "finding.unlike"
        reason_en = f"{en} is {unlike_phrase(finding, EN)}; the recipe knows no such type."
        reason_ko = f"{ko}: {unlike_phrase(finding, KO)}. 레시피에 없는 유형입니다."
    elif not _has_criteria(finding, recipe):
        rule = "finding.unclassified"
        reason_en = f"{en} is of no type that the recipe knows."
        reason_ko = f"{with_particle(ko, '은/는')} 레시피에 없는 유형입니다."
    elif finding.origin in _PROPOSERS:
        rule = "finding.candidate"
        by_en, by_ko = _PROPOSERS[finding.origin]
        reason_en = f"{en} was proposed by {by_en} alone and not confirmed."
        reason_ko = f"{with_particle(ko, '은/는')} {by_ko}만의 제안으로 확인되지 않았습니다."
    else:
        rule = "finding.low_confidence"
        value, floor = beside_threshold(finding.confidence, recipe.localization.review_confidence)
        reason_en = f"{en} has a confidence of {value}; below {floor} a person looks."
        reason_ko = f"{ko}의 신뢰도가 {with_particle(value, '으로/로')} 기준 {floor}보다 낮습니다."
    return Fired(Verdict.REVIEW, rule, reason_en, reason_ko, (finding.id,), finding.severity)


def _judge_size(
    finding: Finding, recipe: Recipe, rule: str, limit: float, quantity: Quantity, unit: Unit
) -> Fired | None:
    """Holds one measured value against its limit; None when it passes."""
    en, ko = _named(finding, recipe)
    adjective, noun = _SIZES[quantity]
    subject_ko = with_particle(noun, "이/가")
    bound = f"{plain(limit)} {unit_symbol(unit)}"
    taken = [m for m in finding.measurements if m.quantity is quantity]
    measurement = next((m for m in taken if m.unit is unit), None)
    if measurement is None:
        if unit in (Unit.MM, Unit.MM2) and taken:
            rule = f"{rule}.no_scale"
            reason_en = f"{en} was not measured in mm: there is no scale for the limit of {bound}."
            reason_ko = f"{ko}: 척도가 없어 한계 {with_particle(bound, '과/와')} 비교할 수 없습니다."
        else:
            rule = f"{rule}.not_measured"
            reason_en = f"{en} has no {quantity} in {unit_symbol(unit)} to hold against the limit of {bound}."
            reason_ko = f"{ko}의 {subject_ko} {unit_symbol(unit)} 단위로 측정되지 않았습니다(한계 {bound})."
        return Fired(Verdict.REVIEW, rule, reason_en, reason_ko, (finding.id,), finding.severity)
    verdict = _compare(measurement, limit)
    if verdict is Verdict.ACCEPT:
        return None
    is_en = f"{en} is {adjective.format(spoken_value(measurement, EN))}"
    is_ko = f"{ko}의 {subject_ko} {with_particle(spoken_value(measurement, KO), '으로/로')}"
    if verdict is Verdict.REJECT:
        reasons = f"{is_en}; the limit is {bound}.", f"{is_ko} 한계 {with_particle(bound, '을/를')} 넘습니다."
    elif measurement.lower_bound:
        reasons = (
            f"{is_en} and runs out of the picture; whether it keeps the limit of {bound} cannot be told.",
            f"{is_ko} 화면 밖으로 이어져 한계 {bound} 준수 여부를 알 수 없습니다.",
        )
    else:
        reasons = (
            f"{is_en}, within its uncertainty of the limit of {bound}.",
            f"{is_ko} 한계 {with_particle(bound, '과/와')}의 차이가 불확도 이내입니다.",
        )
    return Fired(verdict, rule, *reasons, (finding.id,), finding.severity)


def _compare(measurement: Measurement, limit: float) -> Verdict:
    value, uncertainty = measurement.value, measurement.uncertainty
    if value - uncertainty > limit * (1 + _ROUNDING):
        return Verdict.REJECT
    if value + uncertainty <= limit * (1 + _ROUNDING) and not measurement.lower_bound:
        return Verdict.ACCEPT
    return Verdict.REVIEW


def _judge_counts(findings: Sequence[Finding], recipe: Recipe) -> Iterator[Fired]:
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in findings:
        if _is_confirmed(finding, recipe):
            prefix, zone, _ = _criteria(finding, recipe)
            groups.setdefault((prefix, zone), []).append(finding)
    for (prefix, zone), group in groups.items():
        first, limit = group[0], _criteria(group[0], recipe)[2].max_count
        if limit is None or len(group) <= limit:
            continue
        en, ko = label_name(recipe, first.type, EN), label_name(recipe, first.type, KO)
        ids = tuple(finding.id for finding in group)
        found_en = f"{len(group)} found ({', '.join(ids)})"
        found_ko = f"{len(group)}건 발견({', '.join(ids)})"
        allowed_en = f"at most {limit} allowed" if limit else "none allowed"
        allowed_ko = f"한계 {limit}건" if limit else "허용되지 않음"
        reason_en = f"{capitalized(en)}: {found_en}, {allowed_en}."
        reason_ko = f"{ko} {found_ko}, {allowed_ko}."
        fired = Fired(
            Verdict.REJECT,
            f"{prefix}.max_count",
            reason_en,
            reason_ko,
            ids,
            first.severity,
        )
        yield _in_zone(fired, zone)


def _judge_crowding(findings: Sequence[Finding]) -> Iterator[Fired]:
    """Sends an image to review of which not all findings were kept, be they in ignored zones or not."""
    kept = kept_of_more(findings)
    if kept is not None:
        yield Fired(
            Verdict.REVIEW,
            "findings.more",
            f"The detector found {kept} places or more, the most that the recipe keeps of one image; "
            "what it left out was not judged.",
            f"사진 한 장의 최대치인 {kept}건 이상이 검출되어, 나머지는 판정하지 않았습니다.",
        )


def _in_zone(fired: Fired, zone: str | None) -> Fired:
    if zone is None:
        return fired
    reason_en = f"Zone {zone}: {fired.reason_en}"
    return replace(fired, reason_en=reason_en, reason_ko=f"{zone} 영역: {fired.reason_ko}")


def _judge_flags(flags: Sequence[str], left_out: Collection[str]) -> Iterator[Fired]:
    for flag in flags:
        kind, _, detail = flag.partition(":")
        if detail.strip() in left_out:
            continue
        if rule := _REVIEW_FLAGS.get(kind):
            about_en = f"The caption of {detail.strip() or 'the image'} broke the quality rules twice."
            about_ko = f"{detail.strip() or '사진'}의 자동 캡션이 두 번 모두 품질 규칙에 맞지 않았습니다."
            yield Fired(Verdict.REVIEW, rule, about_en, about_ko, (detail.strip(),) if detail.strip() else ())


def _accepted(
    screening: Screening | None, counting: Sequence[Finding], left_out: Sequence[Finding]
) -> Judgement:
    parts_en, parts_ko = [], []
    if counting:
        parts_en.append(f"{len(counting)} finding{'s' * (len(counting) > 1)} within the limits")
        parts_ko.append(f"{len(counting)}건{' 모두' * (len(counting) > 1)} 한계 이내")
    elif not left_out:
        parts_en.append("no defect found")
        parts_ko.append("결함 없음")
    if screening is not None:
        suspicion, threshold = beside_threshold(screening.suspicion, screening.threshold)
        parts_en.append(f"suspicion {suspicion}, threshold {threshold}")
        parts_ko.append(f"의심도 {suspicion}, 기준 {threshold}")
        parts_en += filter(None, [compared_phrase(screening, EN)])
        parts_ko += filter(None, [compared_phrase(screening, KO)])
    if left_out:
        zones = list(dict.fromkeys(str(finding.zone) for finding in left_out))
        where = f"ignored zone{'s' * (len(zones) > 1)} {', '.join(zones)}"
        parts_en.append(f"{len(left_out)} in {where} not counted")
        parts_ko.append(f"제외 영역({', '.join(zones)}) {len(left_out)}건 미집계")
    return Judgement(
        verdict=Verdict.ACCEPT,
        rule=ALL_CRITERIA_MET,
        reason_en=f"All criteria met: {'; '.join(parts_en)}.",
        reason_ko=f"모든 기준 충족: {'; '.join(parts_ko)}.",
    )


def rule_text(rule: str, language: Language) -> str:
    """Returns a rule's name for people; all but one are keys of the recipe or of this program, and stay."""
    return "모든 기준 충족" if language is KO and rule == ALL_CRITERIA_MET else rule


def _named(finding: Finding, recipe: Recipe) -> tuple[str, str]:
    """Returns `Scratch img_003-1` and `스크래치 img_003-1`."""
    en, ko = label_name(recipe, finding.type, EN), label_name(recipe, finding.type, KO)
    return f"{capitalized(en)} {finding.id}", f"{ko} {finding.id}"
