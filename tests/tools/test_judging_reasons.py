from __future__ import annotations

import pytest

from tests.tools.judged import CLEAR, IMAGE, RECIPE, SUSPECT, found, scratch, screened
from tools.images.reasons import reason_text
from tools.judging import ALL_CRITERIA_MET, judge, rule_text
from tools.recipe import Acceptance
from tools.records import (
    Finding,
    ImageRecord,
    ImageStatus,
    Language,
    Origin,
    Provenance,
    ScreeningStatus,
    Source,
    SourceScore,
    Verdict,
)

REVIEW = Verdict.REVIEW


def test_unreadable_goes_to_review_with_its_reason() -> None:
    image = ImageRecord(id="img_001", name="a.jpg", status=ImageStatus.UNREADABLE, reason="the file is empty")
    judgement, findings = judge(image, None, (), RECIPE)
    assert (judgement.verdict, judgement.rule, findings) == (REVIEW, "image.unreadable", ())
    assert "the file is empty" in judgement.reason_en
    assert reason_text("the file is empty", Language.KO) in judgement.reason_ko
    assert "the file is empty" not in judgement.reason_ko


@pytest.mark.parametrize(
    ("finding", "en", "ko"),
    [
        (
            scratch(6.2, u=0.2),
            "Scratch img_001-1 is 6.2 ± 0.2 mm long; the limit is 5 mm.",
            "스크래치 img_001-1의 길이가 6.2 ± 0.2 mm로 한계 5 mm를 넘습니다.",
        ),
        (
            scratch(5.1, u=0.2),
            "Scratch img_001-1 is 5.1 ± 0.2 mm long, within its uncertainty of the limit of 5 mm.",
            "스크래치 img_001-1의 길이가 5.1 ± 0.2 mm로 한계 5 mm와의 차이가 불확도 이내입니다.",
        ),
        (
            scratch(3.0, bound=True),
            "Scratch img_001-1 is at least 3.0 ± 0.1 mm long and runs out of the picture; "
            "whether it keeps the limit of 5 mm cannot be told.",
            "스크래치 img_001-1의 길이가 최소 3.0 ± 0.1 mm로 화면 밖으로 이어져 "
            "한계 5 mm 준수 여부를 알 수 없습니다.",
        ),
        (
            scratch(62.0, px=True, u=2.0),
            "Scratch img_001-1 was not measured in mm: there is no scale for the limit of 5 mm.",
            "스크래치 img_001-1: 척도가 없어 한계 5 mm와 비교할 수 없습니다.",
        ),
        (
            scratch(None),
            "Scratch img_001-1 has no length in mm to hold against the limit of 5 mm.",
            "스크래치 img_001-1의 길이가 mm 단위로 측정되지 않았습니다(한계 5 mm).",
        ),
        (
            scratch(2.0, u=0.2, zone="logo"),
            "Zone logo: Scratch img_001-1 is 2.0 ± 0.2 mm long; the limit is 1 mm.",
            "logo 영역: 스크래치 img_001-1의 길이가 2.0 ± 0.2 mm로 한계 1 mm를 넘습니다.",
        ),
        (
            found("crack"),
            "Crack: 1 found (img_001-1), none allowed.",
            "크랙 1건 발견(img_001-1), 허용되지 않음.",
        ),
        (
            found("stain", area=9.0, u=1.0),
            "Stain img_001-1 is 9 ± 1 mm² in area; the limit is 4 mm².",
            "얼룩 img_001-1의 면적이 9 ± 1 mm²로 한계 4 mm²를 넘습니다.",
        ),
        (
            found("crack", confidence=0.31),
            "Crack img_001-1 has a confidence of 0.31; below 0.4 a person looks.",
            "크랙 img_001-1의 신뢰도가 0.31로 기준 0.4보다 낮습니다.",
        ),
    ],
)
def test_reasons_name_value_limit_and_finding(finding: Finding, en: str, ko: str) -> None:
    judgement, _ = judge(IMAGE, screened(SUSPECT), (finding,), RECIPE)
    assert judgement.reason_en == en
    assert judgement.reason_ko == ko


@pytest.mark.parametrize(
    ("count", "en", "ko"),
    [(1, "1 finding within", "1건 한계 이내"), (2, "2 findings within", "2건 모두 한계 이내")],
)
def test_accept_counts_what_is_within_the_limits(count: int, en: str, ko: str) -> None:
    judgement, _ = judge(IMAGE, None, [scratch(1.0, number=n + 1) for n in range(count)], RECIPE)
    assert judgement.reason_en == f"All criteria met: {en} the limits."
    assert judgement.reason_ko == f"모든 기준 충족: {ko}."


def test_a_caption_that_failed_twice_is_said_to_have_done_so_in_both_languages() -> None:
    judgement, _ = judge(
        IMAGE, screened(CLEAR), (scratch(1.0),), RECIPE, flags=("caption dropped: img_001-1",)
    )
    assert judgement.reason_en == "The caption of img_001-1 broke the quality rules twice."
    assert judgement.reason_ko == "img_001-1의 자동 캡션이 두 번 모두 품질 규칙에 맞지 않았습니다."


@pytest.mark.parametrize(
    ("zones", "en", "ko"),
    [
        (("hidden",), "1 in ignored zone hidden not counted", "제외 영역(hidden) 1건 미집계"),
        (("hidden", "hidden"), "2 in ignored zone hidden not counted", "제외 영역(hidden) 2건 미집계"),
        (
            ("hidden", "frame"),
            "2 in ignored zones hidden, frame not counted",
            "제외 영역(hidden, frame) 2건 미집계",
        ),
    ],
)
def test_accept_says_what_did_not_count(zones: tuple[str, ...], en: str, ko: str) -> None:
    frame = RECIPE.zones[1].model_copy(update={"name": "frame"})
    recipe = RECIPE.model_copy(update={"zones": (*RECIPE.zones, frame)})
    left_out = [found("crack", zone=zone, number=number) for number, zone in enumerate(zones, start=2)]
    judgement, _ = judge(IMAGE, screened(SUSPECT), (scratch(1.0), *left_out), recipe)
    assert judgement.reason_en == (
        f"All criteria met: 1 finding within the limits; suspicion 0.93, threshold 0.5; {en}."
    )
    assert judgement.reason_ko == f"모든 기준 충족: 1건 한계 이내; 의심도 0.93, 기준 0.5; {ko}."
    assert judgement.severity is None


@pytest.mark.parametrize(
    ("suspicion", "threshold", "status", "en", "ko"),
    [
        (
            0.914,
            0.9134,
            SUSPECT,
            "Suspicion 0.9140 reaches the threshold of 0.9134, but no defect was located.",
            "의심도 0.9140, 기준 0.9134 이상이지만 결함 위치를 찾지 못했습니다.",
        ),
        (
            0.4996,
            0.5,
            CLEAR,
            "All criteria met: no defect found; suspicion 0.4996, threshold 0.5.",
            "모든 기준 충족: 결함 없음; 의심도 0.4996, 기준 0.5.",
        ),
    ],
)
def test_a_suspicion_never_reads_as_on_the_other_side_of_its_threshold(
    suspicion: float, threshold: float, status: ScreeningStatus, en: str, ko: str
) -> None:
    screening = screened(status).model_copy(update={"suspicion": suspicion, "threshold": threshold})
    judgement, _ = judge(IMAGE, screening, [], RECIPE)
    assert (judgement.reason_en, judgement.reason_ko) == (en, ko)


def test_large_limits_are_written_out_and_several_findings_share_a_reason() -> None:
    limited = {"pit": RECIPE.defects["pit"].model_copy(update={"accept": Acceptance(max_area_px2=1234567)})}
    pits = [found("pit", area=2e6, u=1e4, px=True, number=number) for number in (1, 2)]
    judgement, _ = judge(IMAGE, screened(SUSPECT), pits, RECIPE.model_copy(update={"defects": limited}))
    assert judgement.reason_en.endswith("; the limit is 1234567 px². The same holds for 1 more.")
    assert judgement.reason_ko.endswith("한계 1234567 px²을 넘습니다. 같은 사유가 1건 더 있습니다.")


def test_a_suspect_whose_only_finding_does_not_count_says_where_none_was_located() -> None:
    judgement, _ = judge(IMAGE, screened(SUSPECT), [found("crack", zone="hidden")], RECIPE)
    assert judgement.reason_en == (
        "Suspicion 0.93 reaches the threshold of 0.5, but no defect was located outside ignored zones."
    )
    assert (
        judgement.reason_ko
        == "의심도 0.93, 기준 0.5 이상이지만 제외 영역 밖에서 결함 위치를 찾지 못했습니다."
    )


@pytest.mark.parametrize(
    ("source", "status", "en", "ko"),
    [
        (Source.REFERENCES, CLEAR, "like the 8 good parts", "양품 8개와 비슷함"),
        (Source.BATCH, CLEAR, "like 8 other images of the batch", "이 배치의 다른 사진 8장과 비슷함"),
        (Source.REFERENCES, SUSPECT, "unlike the 8 good parts", "양품 8개와 다름"),
        (Source.TEMPLATE, SUSPECT, "unlike its template", "기준 사진과 다름"),
    ],
)
def test_the_reason_says_what_the_image_was_held_against(
    source: Source, status: ScreeningStatus, en: str, ko: str
) -> None:
    plain = screened(status)
    score = SourceScore(source=source, score=1.0, suspicion=plain.suspicion, decided=True, compared_with=8)
    judgement, _ = judge(IMAGE, plain.model_copy(update={"sources": (score,)}), [], RECIPE)
    assert en in judgement.reason_en
    assert ko in judgement.reason_ko


@pytest.mark.parametrize(
    ("tool", "en", "ko"),
    [
        ("references", "is unlike the good parts;", "양품과 다름"),
        ("batch", "is unlike the rest of the batch;", "배치의 나머지와 다름"),
        ("template", "is unlike its template;", "기준 사진과 다름"),
    ],
)
def test_an_unlike_finding_says_unlike_what(tool: str, en: str, ko: str) -> None:
    unlike = found("unclassified", origin=Origin.REFERENCE)
    unlike = unlike.model_copy(update={"provenance": (Provenance(tool=tool),)})
    judgement, _ = judge(IMAGE, screened(SUSPECT), [unlike], RECIPE)
    assert en in judgement.reason_en
    assert ko in judgement.reason_ko


def test_only_the_rule_with_a_name_in_words_is_translated() -> None:
    assert rule_text(ALL_CRITERIA_MET, Language.KO) == "모든 기준 충족"
    assert rule_text(ALL_CRITERIA_MET, Language.EN) == ALL_CRITERIA_MET
    assert rule_text("scratch.max_length_mm", Language.KO) == "scratch.max_length_mm"
