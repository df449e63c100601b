"""Every word that the report itself says, English and Korean side by side in one table."""

from __future__ import annotations

from typing import Final

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
    "criteria_rule": (
        "A part is rejected when a value exceeds its limit by more than its uncertainty, sent to review when "
        "the value lies within its uncertainty of the limit, and accepted when all values lie below. An open "
        "field (–) sets no limit.",
        "측정값이 불확도를 넘어 한계를 초과하면 불합격, 한계에서 불확도 이내이면 재검토, 모든 값이 "
        "그 아래이면 합격입니다. 빈칸(–)은 한계가 없음을 뜻합니다.",
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
    "decided_by": ("Decided by", "판정 주체"),
    "decided.rule": ("rule of the recipe", "레시피 규칙"),
    "decided.agent": ("agent (override)", "에이전트 (변경 판정)"),
    "decided.human": ("inspector (override)", "검사원 (변경 판정)"),
    "confirmed.agent": ("agent (confirmed)", "에이전트 (판정 확인)"),
    "confirmed.human": ("inspector (confirmed)", "검사원 (판정 확인)"),
    "rule_said": ("The rule said", "규칙 판정"),
    "decided": ("Decided", "최종 판정"),
    "decided_who": ("By whom, when", "판정자, 일시"),
    "decided_why": ("Why", "사유"),
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
    "status.clear": ("clear", "정상"),
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
        "결함에 대한 비전 모델의 설명이 품질 규칙에 맞지 않아 제외함",
    ),
    "flag.image caption dropped": (
        "the vision model's caption of the photograph failed the quality rules and was dropped",
        "사진에 대한 비전 모델의 설명이 품질 규칙에 맞지 않아 제외함",
    ),
    "flag.no scale": ("no scale: {reason}", "척도 없음: {reason}"),
    # How it was made
    "how_made": ("How this report was made", "보고서 작성 방법"),
    "how_made_text": (
        "Models propose, rules decide: photographs are screened, defects located and measured by the models "
        "and methods below; the verdict is the recipe’s criterion applied to the measured values. A verdict "
        "that an agent or an inspector changed is marked as such.",
        "모델은 후보를 제시하고 판정은 규칙이 내립니다. 아래의 모델과 방법으로 사진을 선별하고 결함을 찾아 "
        "측정하며, 판정은 레시피의 기준을 측정값에 적용한 결과입니다. 에이전트나 검사원이 바꾼 판정은 따로 "
        "표시합니다.",
    ),
    "models": ("Models", "모델"),
    "task": ("Task", "작업"),
    "task.screening": ("screening", "선별"),
    "task.references": ("good parts", "양품 비교"),
    "task.batch": ("batch", "배치 내 비교"),
    "task.template": ("template", "기준 사진 비교"),
    "task.localization": ("localization", "위치 검출"),
    "task.measurement": ("measurement", "측정"),
    "task.captioning": ("captioning", "설명 생성"),
    "task.translation": ("translation", "번역"),
    "task.agent": ("agent", "에이전트"),
    "model": ("Model", "모델"),
    "weights": ("Weights SHA-256", "가중치 SHA-256"),
    "device": ("Device", "장치"),
    "seconds": ("Seconds in all", "총 시간(초)"),
    "suspicion_sources": ("Sources of suspicion", "의심도의 근거"),
    "sources_note": (
        "The suspicion of a photograph is the highest of the sources that count for it, where words and "
        "detector are weighed together as one (their log-odds add up, those of words at 0.6); a "
        "source counts where it knows the part.",
        "사진의 의심도는 반영된 근거 가운데 가장 높은 값입니다. 문구와 검출기는 로그 오즈를 더해"
        "(문구는 0.6배) 하나의 근거로 봅니다. 그 부품을 아는 근거만 반영합니다.",
    ),
    "asked": ("Photographs", "사진 수"),
    "counted": ("Counted in", "반영한 사진 수"),
    "source_remark": (
        "too few good parts: the threshold is an estimate",
        "양품이 적어 기준값은 어림한 값입니다",
    ),
    "source_remark_lost": (
        "some good parts were not found again, so that it is not known whether they lie alike",
        "일부 양품 파일을 찾지 못해, 부품을 서로 겹칠 수 있는지 다시 확인하지 못함",
    ),
    "source_remark.the words have changed since the good parts were added": (
        "the words have changed since the good parts were added: not heard until `loupe good --rebuild`",
        "양품 등록 후 문구 선별 설정이 바뀜: `loupe good --rebuild` 전까지 반영하지 않음",
    ),
    "source_remark.words do not know these parts": (
        "the words do not know these parts: most good ones would be suspect to them",
        "문구로는 이 부품을 가려낼 수 없음: 양품도 대부분 의심으로 나옴",
    ),
    "source_remark.too few images to be held against each other": (
        "too few photographs to be held against each other",
        "서로 비교하기에는 사진이 너무 적음",
    ),
    "source_remark.there is no template of this image": (
        "there is no template of some photographs",
        "기준 사진이 없는 사진이 있음",
    ),
    "source_remark.the template of this image cannot be read": (
        "the templates of some photographs cannot be read",
        "기준 사진을 읽을 수 없는 사진이 있음",
    ),
    "source_remark.the detector has changed since the good parts were added": (
        "the detector has changed since the good parts were added: not heard until `loupe good --rebuild`",
        "양품 등록 후 검출기가 바뀜: `loupe good --rebuild` 전까지 반영하지 않음",
    ),
    "settings": ("Settings", "설정"),
    "setting": ("Setting", "항목"),
    "value": ("Value", "값"),
    "screening_threshold": ("Screening threshold ± review band", "선별 기준 ± 재검토 구간"),
    "detector_threshold": (
        "Detector confidence: reported from / certain from",
        "검출 신뢰도: 보고 기준 / 확정 기준",
    ),
    "detector_iou": ("Detector overlap (IoU) for merging", "검출 병합 겹침(IoU)"),
    "versions": ("Versions", "버전"),
    "attachments": (
        "Attached to this PDF: inspections.jsonl (every value and its provenance), recipe.json and run.json.",
        "이 PDF에 첨부: inspections.jsonl (모든 값과 출처), recipe.json, run.json.",
    ),
    "no_models": ("No models were recorded.", "기록된 모델이 없습니다."),
    # Measurement
    "measurement": ("Statement on the measurements", "측정에 대한 설명"),
    "measurement_uncertainty": (
        "Values are given as value ± U, where U is the expanded uncertainty with coverage factor k = 2 "
        "(about 95 %), after JCGM 100 (GUM). It covers finding the edge, digitisation and the scale; U is "
        "rounded to at most two significant digits and the value to the same place.",
        "측정값은 ‘값 ± U’로 적습니다. U는 포함 인자 k = 2(약 95 %)의 확장 불확도이며 JCGM 100(GUM)을 "
        "따릅니다. 윤곽 검출, 디지털화, 척도의 불확도를 포함하고, U는 유효 숫자 두 자리 이하로, 값은 "
        "같은 자리까지 반올림합니다.",
    ),
    "measurement_guard": (
        "Decisions use a guard band of U on either side of each limit, after ISO 14253-1: a part is accepted "
        "only if value + U does not exceed the limit.",
        "판정에는 ISO 14253-1에 따라 한계의 양쪽에 U만큼의 보호 구간을 둡니다. 값 + U가 한계를 넘지 않을 "
        "때만 합격입니다.",
    ),
    "measurement_bound": (
        "A value with ≥ is a lower bound: the defect runs out of the picture.",
        "≥ 표시는 하한값입니다. 결함이 사진 밖으로 이어집니다.",
    ),
    "measurement_centre": (
        "x and y are the centre of the area that a defect covers, from the photograph's top left corner: x "
        "along its upper edge, y downwards. Of a defect that runs out of the picture it is the centre of "
        "what is seen.",
        "x와 y는 결함이 차지하는 면적의 중심입니다. 사진의 왼쪽 위 모서리가 원점이며 x는 위쪽 변을 따라, y는 "
        "아래로 잽니다. 결함이 사진 밖으로 이어지면 보이는 부분의 중심입니다.",
    ),
    "measurement_scale": (
        "Millimetres hold in the calibrated plane only. Where no scale exists, values are in pixels of the "
        "photograph and are never converted.",
        "밀리미터 값은 보정한 평면에서만 유효합니다. 척도가 없으면 사진의 픽셀 값이며 환산하지 않습니다.",
    ),
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
