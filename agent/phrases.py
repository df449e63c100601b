"""What Loupe itself says in a conversation, in the language of the request."""

from __future__ import annotations

import re

from tools.records import Language

__all__ = ["in_language_of", "phrase"]

_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")

_PHRASES = {
    "failed": ("I could not finish this: {reason}.", "이 요청을 끝내지 못했습니다: {reason}."),
    "offer": (
        "The fixed pipeline works without the model: `{command}` gives the verdicts and the report.",
        "모델 없이도 고정 검사 절차를 쓸 수 있습니다. `{command}`로 판정과 보고서를 얻을 수 있습니다.",
    ),
    "fell_back": (
        "The fixed pipeline ran instead: {summary}.",
        "대신 고정 검사 절차를 실행했습니다: {summary}.",
    ),
    "summary": (
        "{total} images, {accept} accepted, {reject} rejected, {review} for review",
        "이미지 {total}장, 합격 {accept}, 불합격 {reject}, 재검토 {review}",
    ),
    "with_report": ("; report: {report}", ", 보고서: {report}"),
    "not_understood": (
        "I did not understand that, and did nothing. You can say, for example: {offers}.",
        "이해하지 못해 아무것도 하지 않았습니다. 예를 들어 이렇게 말씀해 주세요: {offers}.",
    ),
    "not_sure": (
        "I am not sure how to go on, and stopped here. You can say, for example: {offers}.",
        "어떻게 이어 갈지 확실하지 않아 여기서 멈췄습니다. 예를 들어 이렇게 말씀해 주세요: {offers}.",
    ),
    "did_you_mean": (
        "I am not sure what you mean, and did nothing. Did you mean: {meant}? You can also say: {offers}.",
        "확실하지 않아 아무것도 하지 않았습니다. 이 뜻인가요: {meant}? 또는 이렇게 말씀해 주세요: {offers}.",
    ),
    "not_agreed": (
        "You did not agree, so nothing was changed for {ids}.",
        "동의하지 않으셔서 {ids} 판정은 그대로 두었습니다.",
    ),
    "do_accept": ("accept {ids}", "{ids} 합격 처리해 줘"),
    "do_keep_good": ("keep {ids} as good parts", "{ids} 양품으로 기억해 줘"),
    "do_reject": ("reject {ids}", "{ids} 불합격 처리해 줘"),
    "do_review": ("send {ids} to review", "{ids} 재검토로 보내 줘"),
    "do_report": ("write the report", "보고서 만들어 줘"),
    "do_report_other": ("write the report in Korean", "영어 보고서 만들어 줘"),
    "do_report_ids": ("write a report on {ids}", "{ids} 보고서 만들어 줘"),
    "do_report_ids_other": ("write a report on {ids} in Korean", "{ids} 영어 보고서 만들어 줘"),
    "do_inspect_by": (
        "inspect everything with the threshold {threshold}",
        "기준 {threshold} 전체 검사해 줘",
    ),
    "by_threshold": (
        "threshold {threshold} in place of the recipe's {own}: {reason}",
        "레시피의 기준 {own} 대신 {threshold} 적용: {reason}",
    ),
    "own_threshold": ("the recipe's own threshold again", "다시 레시피의 기준 적용"),
    "named_good": ("named as a good part", "양품으로 등록"),
    "do_compare": ("compare {ids}", "{ids} 비교해 줘"),
    "do_describe": ("describe {ids}", "{ids} 설명해 줘"),
    "do_inspect": ("inspect {ids}", "{ids} 검사해 줘"),
    "do_locate": ("locate the defects of {ids}", "{ids} 결함 위치 알려 줘"),
    "do_measure": ("measure {ids}", "{ids} 크기 재 줘"),
    "do_screen": ("screen {ids}", "{ids} 선별해 줘"),
    "do_search": ("search for cases like {ids}", "{ids} 비슷한 사례 찾아 줘"),
    "of_lot": (", lot {lot}", ", 로트 {lot}"),
    "then": (" and ", ", 그리고 "),
    "ask_inspect": ("inspect everything", "전체 검사해 줘"),
    "ask_screen": ("screen all images", "전체 선별해 줘"),
    "ask_look": ("show me {image}", "{image} 보여 줘"),
    "ask_measure": ("measure the defects of {image}", "{image} 결함 크기 재 줘"),
    "ask_report": ("write the report", "보고서 만들어 줘"),
    "ask_verdicts": ("list the verdicts", "판정 목록 보여 줘"),
    "unfinished": ("(the turn was stopped before an answer)", "(답변 전에 중단되었습니다)"),
}


def in_language_of(text: str) -> Language:
    """Returns Korean for a text that holds any Hangul, else English."""
    return Language.KO if _HANGUL.search(text) else Language.EN


def phrase(key: str, language: Language, **slots: object) -> str:
    """Returns a sentence with its slots filled."""
    return _PHRASES[key][language is Language.KO].format(**slots)
