"""The report's words for how it was made and what its numbers mean, English and Korean side by side."""

from __future__ import annotations

from typing import Final

__all__ = ["METHOD_WORDS"]

# As in `reports.words`: key, then English and Korean.
METHOD_WORDS: Final[dict[str, tuple[str, str]]] = {
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
    "task.captioning": ("captioning", "자동 캡션"),
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
    "source_remark.this image is one of the good parts itself": (
        "some photographs are good parts themselves, which is all that their likeness shows",
        "양품으로 등록된 사진이 있음: 그 사진의 유사성은 등록 사실만 보여 줌",
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
        "Attached to this PDF: inspections.jsonl (every value and its provenance), recipe.json (the recipe "
        "without what only repeats a default; the file has the recipe's SHA-256 of page 1) and run.json.",
        "이 PDF에 첨부: inspections.jsonl (모든 값과 출처), recipe.json (기본값과 같은 항목을 뺀 레시피, "
        "파일의 SHA-256이 1쪽의 레시피 SHA-256과 같음), run.json.",
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
    "measurement_orientation": (
        "An orientation is the direction of the length, from 0° to 180°, counter-clockwise as seen from the "
        "photograph's x axis, which points to the right: 0° is level, 90° upright, 45° rises to the right. "
        "Of a curved line it is that from end to end.",
        "방향은 길이의 방향입니다. 오른쪽을 향하는 사진의 x축에서 반시계 방향으로 0°~180°로 나타냅니다. "
        "0°는 수평, 90°는 수직, 45°는 오른쪽 위로 올라가는 방향입니다. 휘어진 선은 양 끝을 잇는 방향입니다.",
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
}
