"""Every word of the picture, review and report views, English and Korean side by side in one table."""

from __future__ import annotations

from typing import Final

from tools.records import Language, Verdict

__all__ = ["VERDICT_LOOKS", "VIEW_WORDS", "ViewWords"]

# Sign and theme colour: told apart by the sign as well, for all eyes and for terminals without colour.
VERDICT_LOOKS: Final[dict[Verdict, tuple[str, str]]] = {
    Verdict.ACCEPT: ("✓", "$text-success"),
    Verdict.REVIEW: ("?", "$text-warning"),
    Verdict.REJECT: ("✗", "$text-error"),
}

# key: (English, Korean); {name} marks a value.
VIEW_WORDS: Final[dict[str, tuple[str, str]]] = {
    # Picture
    "choose": ("Choose an image to see it here.", "사진을 고르면 여기에 보입니다."),
    "drawing": ("drawing …", "그리는 중 …"),
    "no_picture": ("This image cannot be shown.", "이 사진은 표시할 수 없습니다."),
    "finding_of": ("finding {number} of {total}", "결함 {number}/{total}"),
    "no_findings": ("no findings", "결함 없음"),
    "zoomed": ("zoom ×{zoom:.1f}", "확대 ×{zoom:.1f}"),
    "whole": ("whole", "전체"),
    "bare": ("marks off", "표시 끔"),
    "heat": ("heat map", "히트맵"),
    "no_heat": ("screening left no heat map of this image", "이 사진에는 선별 히트맵이 없습니다"),
    "no_image_to_open": ("there is no picture to open", "열 사진이 없습니다"),
    "opened": ("opened {path}", "열었습니다: {path}"),
    # Details
    "not_inspected": ("Not inspected yet.", "아직 검사하지 않았습니다."),
    "unreadable": ("cannot be read", "읽을 수 없음"),
    "rule": ("rule", "규칙"),
    "decided_by": ("decided by", "판정자"),
    "the_agent": ("the agent", "에이전트"),
    "earlier": ("before that", "이전 판정"),
    "rules_said": ("the rules said", "규칙의 판정"),
    "confidence": ("confidence", "신뢰도"),
    "centre": ("centre", "중심"),
    "place": ("where", "위치"),
    "zone": ("zone", "영역"),
    "cut_off": ("runs out of the picture: may be larger", "사진 밖으로 이어짐: 더 클 수 있음"),
    "method": ("method", "방법"),
    "screening": ("screening", "선별"),
    "suspicion": ("{value}, limit {limit}", "{value}, 기준 {limit}"),
    "scale": ("scale", "척도"),
    "no_scale": ("no scale: sizes in pixels", "척도 없음: 크기는 픽셀 단위"),
    "remark": ("remark", "비고"),
    "error": ("error", "오류"),
    "flag.caption dropped": ("caption of {reason} failed the rules", "{reason}의 자동 캡션이 품질 규칙 미달"),
    "flag.image caption dropped": (
        "caption of the image failed the rules",
        "사진의 자동 캡션이 품질 규칙 미달",
    ),
    "flag.no scale": ("no scale: {reason}", "척도 없음: {reason}"),
    "flag.duplicate": ("same content as {reason}", "{reason} 사진과 내용이 같음"),
    # Keys
    "key.zoom": ("zoom", "확대"),
    "key.next": ("next", "다음"),
    "key.marks": ("marks", "표시"),
    "key.heat": ("heat", "히트맵"),
    "key.open": ("open", "열기"),
    # Review
    "review_title": ("Review", "재검토"),
    "review_progress": (
        "{place} of {total} · {decided} decided",
        "{place}/{total} · 판정 {decided}건",
    ),
    "recording": ("recording …", "기록하는 중 …"),
    "review_empty": (
        "Nothing waits for review: every image has a verdict.",
        "재검토할 사진이 없습니다: 모든 사진이 판정되었습니다.",
    ),
    "review_finished": (
        "The queue is done: {decided} decided. u takes the last one back, q returns.",
        "모두 마쳤습니다: 판정 {decided}건. u 되돌리기, q 나가기.",
    ),
    "is_decided": ("this one is decided", "이 사진은 판정함"),
    "is_open": ("this one is open", "이 사진은 미판정"),
    "why": ("Why {verdict}?", "{verdict} 사유"),
    "own_reason": ("or type a reason of your own", "또는 사유를 직접 입력"),
    "reason_keys": (
        "1-{count} or Enter: choose · just type: own reason · Esc: cancel",
        "1-{count} 또는 Enter: 선택 · 글자를 치면 직접 입력 · Esc: 취소",
    ),
    "accept.0": ("seen by eye: no defect", "육안 확인: 결함 없음"),
    "accept.1": ("defect is within the limits", "결함이 허용 한계 이내"),
    "accept.only": ("only {name}, no defect", "결함이 아님: {name}"),
    "reject.0": ("defect confirmed by eye", "육안으로 결함 확인"),
    "reject.1": ("a defect that was not found", "검출되지 않은 결함이 있음"),
    "reject.2": ("larger than measured", "측정값보다 큼"),
    "review.0": ("picture is not good enough to decide", "사진 품질이 부족하여 판정 불가"),
    "review.1": ("needs a second opinion", "다른 검사원의 의견 필요"),
    "review.2": ("to be measured on the part itself", "실물 측정 필요"),
    "key.accept": ("accept", "합격"),
    "key.reject": ("reject", "불합격"),
    "key.review": ("review", "재검토"),
    "key.undo": ("undo", "되돌리기"),
    "key.next_image": ("next", "다음"),
    "key.previous_image": ("previous", "이전"),
    "key.quit": ("return", "나가기"),
    # Report
    "report_title": ("Report", "보고서"),
    "report_building": ("Writing the report …", "보고서 작성 중 …"),
    "report_steps": ("{done} of {total}", "{done}/{total}"),
    "report_stop": ("Esc stops", "Esc 중지"),
    "report_stopped": ("Stopped. b writes it again.", "중지했습니다. b를 누르면 다시 작성합니다."),
    "page_of": ("page {page} of {total}", "{page}/{total} 쪽"),
    "report_request": ("write the report", "보고서 작성"),
    "report_failed": ("The report was not written.", "보고서를 작성하지 못했습니다."),
    "key.next_page": ("next", "다음"),
    "key.previous_page": ("previous", "이전"),
    "key.width": ("fit width", "너비 맞춤"),
    "key.text": ("text", "글자"),
    "key.rebuild": ("write again", "다시 작성"),
}


class ViewWords:
    """The table in one language: `words("page_of", page=1, total=3)`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 1 if language is Language.KO else 0

    def __call__(self, key: str, **values: object) -> str:
        """Returns the words under `key` with its values filled in."""
        text = VIEW_WORDS[key][self._column]
        return text.format(**values) if values else text
