"""Every word that the report itself says, English and Korean side by side; of its methods: `method_words`."""

from __future__ import annotations

from typing import Final

from reports.method_words import METHOD_WORDS
from tools.records import Language

__all__ = ["WORDS", "Words"]

# key: (English, Korean); {name} marks a value. A key with a dot names a member of an enum of the records.
WORDS: Final[dict[str, tuple[str, str]]] = {
    # Document
    "title": ("Quality inspection report", "품질 검사 보고서"),
    "subject": ("Visual inspection of {part}, lot {lot}", "{part} 외관 검사, 로트 {lot}"),
    "page_of": ("Page {page} of {total}", "{page} / {total} 쪽"),
    "contents": ("Contents", "목차"),
    "none": ("–", "–"),
    "not_given": ("not given", "미기재"),
    # Key facts
    "lot": ("Lot", "로트"),
    "part": ("Part", "품명"),
    "part_number": ("Part number", "품번"),
    "revision": ("Revision", "개정"),
    "recipe": ("Recipe", "레시피"),
    "recipe_hash": ("Recipe SHA-256", "레시피 SHA-256"),
    "batch_hash": ("Batch SHA-256", "배치 SHA-256"),
    "report_date": ("Report date", "작성 일시"),
    "inspected_at": ("Inspection started", "검사 시작"),
    "inspector": ("Inspector", "검사원"),
    "station": ("Station", "검사 장소"),
    "image_count": ("Photographs", "사진 수"),
    "part_of_batch": ("{shown} of {total} (part of the batch)", "{total}장 중 {shown}장 (배치의 일부)"),
    # Result at a glance
    "glance": ("Result at a glance", "검사 결과 요약"),
    "inspected": ("Inspected", "검사"),
    "verdict.accept": ("Accepted", "합격"),
    "verdict.review": ("For review", "재검토"),
    "verdict.reject": ("Rejected", "불합격"),
    "unreadable": ("Unreadable", "판독 불가"),
    "findings": ("Findings", "검출 결함"),
    "yield_line": (
        "Yield {share} ({accepted} of {inspected} inspected photographs accepted; "
        "95 % confidence interval {low} to {high}, Wilson). Photographs for review count as not accepted.",
        "수율 {share} (검사한 사진 {inspected}장 중 {accepted}장 합격, 95 % 신뢰 구간 {low}~{high}, Wilson). "
        "재검토 사진은 합격으로 세지 않습니다.",
    ),
    "duplicates_line": (
        "Files with the same content are counted once, by the verdict that somebody decided on one of them, "
        "else by the worst: {count} left out.",
        "내용이 같은 파일은 한 번만 세며, 사람이나 에이전트가 내린 판정이 있으면 그 판정을, 없으면 가장 나쁜 "
        "판정을 따릅니다: {count}개 제외.",
    ),
    "part_line": (
        "This report covers {shown} of the {total} photographs of the batch; its figures say nothing of the "
        "others.",
        "이 보고서는 배치의 사진 {total}장 중 {shown}장만 다루며, 나머지는 수치에 포함되지 않습니다.",
    ),
    "no_yield": (
        "No photograph could be inspected, so there is no yield to state.",
        "검사할 수 있는 사진이 없어 수율을 계산하지 않았습니다.",
    ),
    "pareto": ("Findings by defect type", "결함 유형별 검출 수"),
    "other_types": ("others", "기타"),
    "cumulative": ("cumulative share", "누적 비율"),
    "lengths": ("Lengths of the findings", "결함 길이 분포"),
    "length_axis": ("length in {unit}", "길이 ({unit})"),
    "lengths_left_out": (
        "Findings without a length in {unit}, not shown: {count}.",
        "{unit} 단위 길이가 없는 결함 {count}건은 표시하지 않았습니다.",
    ),
    "no_findings": ("No findings.", "검출된 결함이 없습니다."),
    "no_lengths": ("No lengths were measured.", "측정된 길이가 없습니다."),
    # Criteria
    "criteria": ("Acceptance criteria", "합격 기준"),
    "criteria_source": ("Source of the criteria: {source}", "기준 출처: {source}"),
    "criteria_reject": (
        "Rejected: a value of a confirmed finding exceeds its limit by more than its uncertainty, or more "
        "findings are confirmed than max. count allows.",
        "불합격: 확정된 결함의 값이 한계를 불확도보다 크게 초과하거나, 확정된 결함이 최대 개수보다 많은 "
        "경우입니다.",
    ),
    "criteria_review": (
        "For review: a value lies within its uncertainty of the limit, may be larger than measured (≥), or "
        "was not measured in the limit's unit; a finding is not confirmed, whatever its size (its confidence "
        "is below {floor}, screening or the agent alone proposed it, or it is of no type with criteria); or "
        "a photograph is suspect or unsure, and nothing was located that explains it. Any other reason is "
        "given with the photograph.",
        "재검토: 값이 한계에서 불확도 이내이거나, 실제로는 더 클 수 있거나(≥), 한계와 같은 단위로 측정되지 "
        "않은 경우입니다. 크기와 관계없이 결함이 확정되지 않은 경우(신뢰도 {floor} 미만, 선별이나 에이전트의 "
        "제안뿐, 기준이 없는 유형)와 사진이 의심 또는 불확실인데 이를 설명하는 곳을 찾지 못한 경우도 "
        "재검토입니다. 그 밖의 사유는 해당 사진에 적습니다.",
    ),
    "criteria_accept": (
        "Accepted: none of the above. The gravest verdict decides. An open field (–) sets no limit.",
        "합격: 어느 것에도 해당하지 않는 경우입니다. 여럿이면 가장 무거운 판정을 따릅니다. 빈칸(–)은 한계가 "
        "없음을 뜻합니다.",
    ),
    "criteria_width": (
        "Max. width is held against the mean width along a line such as a scratch, and against the smallest "
        "width across any other finding. The largest width along a line, stated as max., has no limit.",
        "최대 너비 기준은 스크래치 같은 선형 결함에는 평균 너비로, 그 밖의 결함에는 가장 좁은 방향으로 잰 "
        "너비로 적용합니다. 선형 결함의 가장 넓은 곳(최대로 표시)에는 한계가 없습니다.",
    ),
    "criteria_zones": (
        "Inside a zone its criteria replace the general ones of the same type, and its findings are counted "
        "apart. A finding belongs to the zone that holds its centre, the first of several.",
        "영역 안에서는 그 영역의 기준이 같은 유형의 일반 기준을 대신하며, 개수도 따로 셉니다. 결함은 중심이 "
        "들어 있는 영역에 속하고, 여럿이면 첫 영역에 속합니다.",
    ),
    "defect_type": ("Defect type", "결함 유형"),
    "severity": ("Severity", "심각도"),
    "severity_value": ("{name} ({level}/5)", "{name} ({level}/5)"),
    "max_length": ("Max. length", "최대 길이"),
    "max_width": ("Max. width", "최대 너비"),
    "max_area": ("Max. area", "최대 면적"),
    "max_count": ("Max. count", "최대 개수"),
    "none_allowed": ("none allowed", "허용 안 함"),
    "zone": ("Zone", "영역"),
    "zone_ignored": ("findings are not counted", "결함으로 세지 않음"),
    "not_counted": ("not counted", "미집계"),
    "everywhere": ("everywhere", "전체"),
    "elsewhere": ("elsewhere", "그 밖"),
    "unlike_good": ("unlike the good parts", "양품과 다름"),
    # Parts not accepted
    "not_accepted": ("Parts not accepted", "합격하지 못한 부품"),
    "all_accepted": ("All inspected parts were accepted.", "검사한 부품이 모두 합격했습니다."),
    "image": ("Image", "사진"),
    "name": ("Name", "이름"),
    "verdict": ("Verdict", "판정"),
    "reason": ("Reason", "사유"),
    "page": ("Page", "쪽"),
    "rule": ("Rule that fired", "적용 규칙"),
    "rule_before": ("Rule before the override", "변경 전 적용 규칙"),
    "decided_by": ("Decided by", "판정 주체"),
    "decided.rule": ("rule of the recipe", "레시피 규칙"),
    "decided.agent": ("agent (override)", "에이전트 (변경 판정)"),
    "decided.human": ("inspector (override)", "검사원 (변경 판정)"),
    "confirmed.agent": ("agent (confirmed)", "에이전트 (판정 확인)"),
    "confirmed.human": ("inspector (confirmed)", "검사원 (판정 확인)"),
    "rule_said": ("The rule said", "규칙 판정"),
    "explained": (
        "Suspicious, but what was found is within the limits.",
        "의심되지만 찾은 결함은 한계 이내입니다.",
    ),
    "explained_ignored": (
        "Suspicious only where findings are not counted.",
        "결함으로 세지 않는 영역에서만 의심됩니다.",
    ),
    "decided": ("Decided", "최종 판정"),
    "decided_who": ("By whom, when", "판정자, 일시"),
    "decided_why": ("Why", "사유"),
    "changed_line": (
        "* Decided otherwise by an agent or a person: {count} of these verdicts. By the rules alone: "
        "{accepted} accepted, {review} for review, {rejected} rejected.",
        "* 이 가운데 {count}건은 에이전트 또는 검사원이 변경한 판정입니다. 규칙만으로는 합격 {accepted}장, "
        "재검토 {review}장, 불합격 {rejected}장입니다.",
    ),
    "changed_note": (
        "* Decided otherwise by an agent or a person.",
        "* 에이전트 또는 검사원이 변경한 판정입니다.",
    ),
    "decisions": ("Verdicts decided otherwise", "변경된 판정"),
    "decisions_note": (
        "For these photographs an agent or a person decided in place of the recipe's rules.",
        "이 사진들은 레시피 규칙 대신 에이전트 또는 검사원이 판정했습니다.",
    ),
    "confirmations": ("Verdicts confirmed", "확인된 판정"),
    "confirmations_note": (
        "For these photographs an agent or a person confirmed the verdict of the recipe's rules.",
        "이 사진들은 레시피 규칙의 판정을 에이전트 또는 검사원이 확인했습니다.",
    ),
    "screening": ("Screening", "선별"),
    "screening_value": (
        "suspicion {suspicion} (threshold {threshold}), {label}, {status}",
        "의심도 {suspicion} (기준 {threshold}), {label}, {status}",
    ),
    "sources": ("Held against", "비교 대상"),
    "source_many": ("{name} ({count})", "{name}({count})"),
    "source_says": ("{source} {suspicion}", "{source} {suspicion}"),
    "source_aside": ("{source} {suspicion}, did not count", "{source} {suspicion}, 반영 안 함"),
    "source_unasked": ("{source}: not asked ({why})", "{source}: 미사용({why})"),
    "unasked.too few images to be held against each other": ("too few photographs", "사진이 너무 적음"),
    "unasked.there is no template of this image": (
        "there is none for this photograph",
        "이 사진에 맞는 것이 없음",
    ),
    "unasked.the template of this image cannot be read": (
        "that of this photograph cannot be read",
        "이 사진에 맞는 것을 읽을 수 없음",
    ),
    "unasked.the detector has changed since the good parts were added": (
        "it has changed since the good parts were added",
        "양품 등록 후 바뀜",
    ),
    "source.words": ("words", "문구"),
    "source.references": ("good parts", "양품"),
    "source.batch": ("others of the batch", "같은 배치 사진"),
    "source.template": ("template", "기준 사진"),
    "source.detector": ("detector", "검출기"),
    "heat_map": ("Heat map", "히트맵"),
    "heat.words": ("where it looks like what the words for defects say", "결함 문구와 비슷한 곳"),
    "heat.references": ("where it is unlike the {count} good parts", "양품 {count}개와 다른 곳"),
    "heat.references.one": ("where it is unlike the one good part", "양품 1개와 다른 곳"),
    "heat.batch": (
        "where it is unlike the {count} other photographs of the batch",
        "같은 배치의 사진 {count}장과 다른 곳",
    ),
    "heat.template": ("where it differs from the template", "기준 사진과 다른 곳"),
    "heat.detector": ("where the detector found something", "검출기가 찾은 곳"),
    "heat_scale": (
        "suspicion, here {peak} at most",
        "의심도, 이 사진의 최댓값 {peak}",
    ),
    "status.clear": ("clear", "의심 없음"),
    "status.suspect": ("suspect", "의심"),
    "status.unsure": ("unsure", "불확실"),
    "scale": ("Scale", "척도"),
    "scale_value": ("{value} mm per px ({source})", "{value} mm/px ({source})"),
    "scale.recipe": ("from the recipe", "레시피"),
    "scale.two_points": ("two points of known distance", "두 점 거리"),
    "scale.aruco": ("ArUco marker in the picture", "ArUco 마커"),
    "scale.chessboard": ("chessboard calibration", "체스판 보정"),
    "board_centre": ("at the board's centre", "체스판 중심 기준"),
    "no_scale": ("none: values in px", "없음: 값은 px 단위"),
    "photo_caption": (
        "Boxes and outlines are drawn over the unchanged photograph; numbers refer to the table. In a heat "
        "map the threshold has the middle of the colours.",
        "원본 사진 위에 상자와 윤곽을 겹쳐 그렸습니다. 번호는 표의 번호입니다. 히트맵에서는 색의 가운데가 "
        "기준값입니다.",
    ),
    "no_picture": ("The picture could not be shown: {reason}", "사진을 표시할 수 없습니다: {reason}"),
    "number": ("No.", "번호"),
    "length": ("Length", "길이"),
    "width": ("Width", "너비"),
    "oriented": ("at {value}", "방향 {value}"),
    "widest": ("max. {value}", "최대 {value}"),
    "area": ("Area", "면적"),
    "place": ("Place", "위치"),
    "place_centre": ("Place, centre", "위치, 중심"),
    "confidence": ("Confidence", "신뢰도"),
    "origin.yolo": ("detector", "검출기"),
    "origin.screening": ("screening", "선별"),
    "origin.contour": ("contour", "윤곽"),
    "origin.reference": ("reference", "기준 비교"),
    "origin.vlm": ("agent", "에이전트"),
    "origin.human": ("inspector", "검사원"),
    "as_photographed": ("as photographed", "촬영 그대로"),
    "as_measured": ("as measured", "측정 윤곽"),
    "crops_left_out": (
        "Magnified views are shown for the first {limit} findings of each photograph; {count} more in "
        "the tables.",
        "확대 그림은 사진마다 처음 {limit}건만 싣습니다. 나머지 {count}건은 각 표에 있습니다.",
    ),
    # Accepted parts
    "accepted": ("Accepted parts", "합격 부품"),
    "gallery_note": ("All {count} accepted photographs.", "합격 사진 {count}장 전체입니다."),
    "gallery_note.one": ("The one accepted photograph.", "합격 사진 1장입니다."),
    "gallery_cut": (
        "The first {shown} of {count} accepted photographs; the others are in the list of photographs.",
        "합격 사진 {count}장 중 처음 {shown}장입니다. 나머지는 사진 목록에 있습니다.",
    ),
    "within_limits": ("Findings within the limits", "한계 이내의 결함"),
    "within_limits_note": (
        "A suspicious photograph is accepted where findings explain it, all of them within the limits.",
        "의심되는 사진이라도 그 원인으로 찾은 결함이 모두 한계 이내이면 합격입니다.",
    ),
    "accepted_by_decision": ("Findings on parts accepted by decision", "판정 변경으로 합격한 부품의 결함"),
    # Unreadable and remarks
    "unreadable_title": ("Files that could not be read", "읽을 수 없는 파일"),
    "remarks": ("Remarks", "특기 사항"),
    "remark": ("Remark", "내용"),
    "images": ("Images", "사진"),
    "duplicate": ("same content as {image}", "{image} 사진과 내용이 같음"),
    "duplicate_left_out": (
        "same content as {image}; not counted again",
        "{image} 사진과 내용이 같음 (다시 세지 않음)",
    ),
    "not_completed": ("inspection not completed: {reason}", "검사를 마치지 못함: {reason}"),
    "overridden": ("verdict decided by {who}: {reason}", "{who} 판정: {reason}"),
    "no_remarks": ("No remarks.", "특기 사항이 없습니다."),
    "flag.caption dropped": (
        "the vision model's caption of a finding failed the quality rules and was dropped",
        "결함의 자동 캡션이 품질 규칙에 맞지 않아 제외함",
    ),
    "flag.image caption dropped": (
        "the vision model's caption of the photograph failed the quality rules and was dropped",
        "사진의 자동 캡션이 품질 규칙에 맞지 않아 제외함",
    ),
    "flag.no scale": ("no scale: {reason}", "척도 없음: {reason}"),
    # List and signatures
    "image_list": ("List of photographs", "사진 목록"),
    "sha256": ("SHA-256", "SHA-256"),
    "pixels": ("Pixels", "픽셀"),
    "signatures": ("Disposition and signatures", "처리 결정 및 서명"),
    "disposition": ("Disposition of the lot", "로트 처리 결정"),
    "disposition.accept": ("accept", "합격"),
    "disposition.reject": ("reject", "불합격"),
    "disposition.rework": ("rework", "재작업"),
    "disposition.use": ("use as is", "현상 사용"),
    "disposition.return": ("return to supplier", "반품"),
    "disposition.hold": ("hold for review", "보류"),
    "prepared": ("Prepared by", "작성"),
    "checked": ("Checked by", "검토"),
    "approved": ("Approved by", "승인"),
    "signature": ("Signature", "서명"),
    "date": ("Date", "일자"),
    "signature_note": (
        "The software proposes verdicts; the disposition is decided by the persons who sign.",
        "소프트웨어는 판정을 제안하며, 처리 결정은 서명한 사람이 내립니다.",
    ),
    **METHOD_WORDS,
}


class Words:
    """The table in one language: `words("page_of", page=1, total=3)`."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = 1 if language is Language.KO else 0

    def __call__(self, key: str, **values: object) -> str:
        """Returns the words under `key` with its values filled in."""
        return WORDS[key][self._column].format(**values)

    def for_count(self, key: str, count: int, **values: object) -> str:
        """Returns the words under `key` with a count filled in; of one, those for one if there are any."""
        one = f"{key}.one"
        return self(one if count == 1 and one in WORDS else key, count=count, **values)

    def get(self, key: str, default: str) -> str:
        """Returns the words under `key`, or `default` for words that another part of the program coined."""
        return WORDS[key][self._column] if key in WORDS else default
