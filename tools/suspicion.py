"""What screening says of a whole image: the rules that send it to a person whatever was measured on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tools.digits import beside_threshold, plain
from tools.firing import Fired
from tools.glossary import UNKNOWN, compared_phrase, with_particle
from tools.records import Finding, Language, Screening, ScreeningStatus, Source, Verdict
from tools.voices import BAD_TEMPLATE, NO_TEMPLATE
from tools.zones import hot_in_ignored_only

if TYPE_CHECKING:
    from tools.recipe import Recipe

__all__ = ["judge_screening"]

EN, KO = Language.EN, Language.KO

# Why an image could not be held against its template, which the recipe wants.
_UNCOMPARED = {
    NO_TEMPLATE: (
        "There is no template to hold the image against.",
        "비교할 기준 사진이 없습니다.",
    ),
    BAD_TEMPLATE: (
        "The template that the image is held against cannot be read.",
        "비교할 기준 사진을 읽을 수 없습니다.",
    ),
}


def _is_clear_by_batch_alone(screening: Screening) -> bool:
    if screening.status is not ScreeningStatus.CLEAR:
        return False
    return {each.source for each in screening.sources if each.decided} == {Source.BATCH}


def judge_screening(
    screening: Screening | None, counting: Sequence[Finding], found: Sequence[Finding], recipe: Recipe
) -> Iterator[Fired]:
    """Sends what looks wrong, but where nothing was found, to review, and what nobody knows to be good."""
    if screening is not None and _is_clear_by_batch_alone(screening):
        # A batch may be bad throughout, so likeness within it shows what is odd, never what is good.
        yield Fired(
            Verdict.REVIEW,
            "screening.batch",
            f"It is {compared_phrase(screening, EN)}, but no good part is named to hold it against.",
            f"{compared_phrase(screening, KO)}. 그러나 비교할 양품이 등록되지 않았습니다.",
        )
    for score in screening.sources if screening is not None else ():
        if score.remark in _UNCOMPARED:
            yield Fired(Verdict.REVIEW, "screening.template", *_UNCOMPARED[score.remark])
    if screening is not None and screening.label == UNKNOWN:
        # Findings explain what looks wrong on a part that is known, and never of which kind a part is.
        yield Fired(
            Verdict.REVIEW,
            "screening.unknown",
            f"Nothing that the recipe knows fits the image (suspicion {screening.suspicion:.2f}).",
            f"레시피의 어떤 항목도 사진과 맞지 않습니다(의심도 {screening.suspicion:.2f}).",
        )
        return
    if counting or (screening is not None and screening.status is ScreeningStatus.CLEAR):
        return
    if screening is None:
        yield Fired(
            Verdict.REVIEW, "screening.missing", "The image was not screened.", "선별을 하지 않았습니다."
        )
        return
    if found and hot_in_ignored_only(screening, recipe.zones):
        return
    yield _unexplained(screening, beside_ignored=bool(found))


def _unexplained(screening: Screening, *, beside_ignored: bool) -> Fired:
    """Why an image that is not clear goes to review, although nothing that counts was found."""
    suspicion, threshold = beside_threshold(screening.suspicion, screening.threshold)
    if screening.status is ScreeningStatus.SUSPECT:
        rule = "screening.suspect"
        unlike_en, unlike_ko = compared_phrase(screening, EN), compared_phrase(screening, KO)
        why_en, why_ko = (f" ({unlike_en})", f"({unlike_ko})") if unlike_en else ("", "")
        where_en, where_ko = (" outside ignored zones", "제외 영역 밖에서 ") if beside_ignored else ("", "")
        reason_en = (
            f"Suspicion {suspicion}{why_en} reaches the threshold of {threshold}, "
            f"but no defect was located{where_en}."
        )
        reason_ko = (
            f"의심도 {suspicion}{why_ko}, 기준 {threshold} 이상이지만 {where_ko}결함 위치를 찾지 못했습니다."
        )
    else:
        rule = "screening.unsure"
        near = f"{threshold} ± {plain(screening.review_band)}"
        reason_en = f"Suspicion {suspicion} is too near to the threshold ({near}) to decide."
        reason_ko = f"의심도 {with_particle(suspicion, '이/가')} 기준({near})에 가까워 판정할 수 없습니다."
    return Fired(Verdict.REVIEW, rule, reason_en, reason_ko)
