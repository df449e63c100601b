from __future__ import annotations

import pytest

from agent.claims import report_claims, verdict_claims


@pytest.mark.parametrize(
    "answer",
    [
        "img_014 is accepted with no defect found.",
        "img_014 is accepted because it has no scratch.",
        "img_014는 결함이 없어 합격입니다.",
        "img_014는 문제없이 합격했습니다.",
        "All 24 images pass.",
        "24장 모두 합격입니다.",
        "모두 합격입니다.",
        "All of them pass.",
        "전부 합격입니다.",
        "이미지 24장 모두 합격 처리했습니다.",
        "All images are accepted.",
        "Everything passes.",
        "모든 이미지가 합격입니다.",
        "I accepted all 24 images.",
        "I can confirm that img_014 is accepted.",
        "img_014 shows nothing unusual and no dent, so img_014 is accepted.",
        "The scratch does not exceed the limit, so img_014 is accepted.",
        "img_014 does not show a scratch: accepted.",
        "img_014 (no defect) is accepted.",
        "img_014 is accepted although it could be cleaner.",
        "img_014는 합격이며 결함이 없습니다.",
        "img_014: 합격 (결함 없음)",
        "img_014는 이상 없음, img_014 합격.",
        "img_014는 합격으로 결함이 없습니다.",
        "img_014는 합격 기준을 충족하여 합격입니다.",
        "With no defects found, all images pass.",
        "검사 결과 모두 합격입니다.",
        "총 24장 모두 합격입니다.",
        "이번 배치는 이미지 24장 모두 합격입니다.",
        "No defects were found so img_014 is accepted.",
        "They all pass.",
    ],
)
def test_a_verdict_is_claimed_whatever_else_is_denied_beside_it(answer: str) -> None:
    assert [claim.verdict for claim in verdict_claims(answer, 24)][:1] == ["accept"]


@pytest.mark.parametrize(
    "answer",
    [
        "img_014 is not accepted.",
        "img_014 was never accepted.",
        "img_014 cannot be accepted.",
        "img_014 isn't accepted.",
        "I would accept img_014 only if you say so.",
        "img_014 may be accepted.",
        "Should img_014 be accepted?",
        "Would you like me to accept img_014?",
        "Do you want me to accept img_014?",
        "You asked me to accept img_014.",
        "You did not agree to accept img_014.",
        "There is no reason to accept img_014.",
        "No image is accepted.",
        "None of img_014 and img_003 is accepted.",
        "img_014는 합격이 아닙니다.",
        "img_014는 합격하지 못했습니다.",
        "img_014를 합격으로 볼 수 없습니다.",
        "img_014를 합격으로 기록하지 않았습니다.",
        "img_014를 합격 처리할까요?",
        "img_014가 합격인지 확인이 필요합니다.",
        "img_014는 합격 기준을 벗어났습니다.",
        "img_014를 합격 처리하려면 말씀해 주세요.",
        "img_014는 합격일 수 있습니다.",
        "합격 이미지가 없습니다.",
        "All 24 images were inspected: 15 accepted.",
        "All 24 images have been inspected, 15 accepted.",
        "Of all 24 images 15 pass.",
        "15 of all 24 images pass.",
        "All 3 images pass.",
        "I have reviewed all 24 images.",
        "All images except img_014 are accepted.",
        "Everything except img_014 is accepted.",
        "img_014를 제외한 모든 이미지가 합격입니다.",
        "불합격 1장, 나머지는 모두 합격입니다.",
        "모두 24장을 검사해 15장이 합격입니다.",
        "모든 이미지를 검사한 결과 15장이 합격입니다.",
        "이미지 24장을 모두 검사했습니다.",
        "두 이미지 모두 합격입니다.",
        "검사한 3장 모두 합격입니다.",
        "결함이 없는 이미지는 모두 합격입니다.",
        "모두 합격인 것은 아닙니다.",
        "img_003 is fine. All of them pass.",
        "Of the 3 images with dust, none is dirty. They all pass.",
        "All the images that pass are listed.",
        "합격률은 모든 이미지 기준입니다.",
        "Not all images are accepted.",
        "Nothing to report.",
        "The images that I rejected are listed below.",
        "모든 이미지 중 하나가 합격입니다.",
        "모두 합격 처리할까요?",
    ],
)
def test_what_is_denied_asked_or_said_of_others_claims_nothing(answer: str) -> None:
    claims = [claim for claim in verdict_claims(answer, 24) if claim.verdict == "accept"]
    assert all(claim.ids and "img_014" not in claim.ids for claim in claims)


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ("img_001, img_002 and img_003 are rejected.", [("img_001", "img_002", "img_003")]),
        ("img_001 is rejected and img_002 is for review.", [("img_001",), ("img_002",)]),
        ("img_003 goes to review.", [("img_003",)]),
        ("img_003은 재검토입니다.", [("img_003",)]),
        ("After a close review of img_001, I see a thin scratch.", []),
        ("I moved img_003 out of review.", []),
        ("Please review img_003 yourself.", []),
        ("img_003 재검토 결과 흠이 있습니다.", []),
        ("img_001과 img_002는 불합격, img_003은 재검토입니다.", [("img_001", "img_002"), ("img_003",)]),
        ("Scratch img_001-2 is why img_001 is rejected.", [("img_001", "img_001")]),
        ("All images are rejected.", [()]),
    ],
)
def test_a_claim_names_its_images(answer: str, ids: list[tuple[str, ...]]) -> None:
    assert [claim.ids for claim in verdict_claims(answer, 3)] == ids


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ("I created the report.", 1),
        ("The report has been saved with no problems.", 1),
        ("I wrote the report.", 1),
        ("I have written the report.", 1),
        ("I've written the report.", 1),
        ("보고서를 작성했습니다.", 1),
        ("보고서를 문제없이 만들었습니다.", 1),
        ("No report was created.", 0),
        ("The report was not created.", 0),
        ("The report could not be written.", 0),
        ("If you like, a report can be written.", 0),
        ("I have not written the report.", 0),
        ("보고서를 만들지 않았습니다.", 0),
        ("보고서가 작성되지 않았습니다.", 0),
        ("보고서 작성을 완료하지 못했습니다.", 0),
        ("보고서 없이 검사만 완료했습니다.", 0),
    ],
)
def test_a_report_is_claimed_where_nothing_denies_it(answer: str, count: int) -> None:
    assert len(list(report_claims(answer))) == count
