from __future__ import annotations

import pytest

from agent.evidence import Evidence
from tools.recipe.file import load_recipe
from tools.records import Verdict

IDS = ["img_001", "img_002", "img_003"]
ROWS = [
    {"id": "img_001", "suspicion": 0.8123, "label": "scratch"},
    {"id": "img_002", "suspicion": 0.12, "label": "normal"},
]


def evidence() -> Evidence:
    verdicts = {"img_001": Verdict.REJECT, "img_002": Verdict.ACCEPT}
    known = Evidence(IDS, lambda: verdicts)
    known.take({"max_length_mm": 5.0})
    known.take(ROWS)
    files = [f"out/twin-{letter}.csv" for letter in "abcdefg"]  # so many say nothing of the parts
    known.take({"length": 12.34, "unit": "mm", "report": "out/report-2.pdf", "files": files})
    known.hear("lot A-17, threshold 0.3 please")
    return known


@pytest.mark.parametrize(
    "answer",
    [
        "img_001 is suspect at 0.81.",
        "Suspicion of img_001: 81 %.",
        "2 rows, 3 images, a limit of 5.0 mm.",
        "The scratch is 12.3 mm long (12.34mm).",
        "Written to out/report-2.pdf for lot A-17.",
        "A-17로 적었습니다.",
        "img_001 is rejected, img_002 and nothing else accepted.",
        "img_001 is rejected, img_002 accepted.",
        "img_001은 불합격, img_002는 합격입니다.",
        "Nothing to report.",
        "img_002 is not rejected.",
        "I would reject img_002 only if you say so.",
        "Not all images are accepted.",
        "All images were inspected, one was rejected.",
        "All images that were rejected are listed.",
        "모든 이미지 중 하나가 불합격입니다.",
        "The report is written: out/report-2.pdf.",
        "1. All was seen.\n2. One is bad.\n3. The report is ready.\n4) Done.\n\n1. Again.\n2. And again.",
        "보고서를 만들었습니다.",
    ],
)
def test_backed_answers_pass(answer: str) -> None:
    assert evidence().problems(answer, [f"final_answer({answer!r})"]) == ()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("img_009 is fine.", "img_009"),
        ("The scratch is 13.1 mm long.", "13.1"),
        ("17 parts are bad.", "17"),
        ("7 scratches.", "7"),
        ("1. One is bad.\n9. Nine are not.", "9"),
        ("Suspicion is 93 %.", "93 %"),
        ("img_002 is rejected.", "img_002"),
        ("img_001 합격입니다.", "img_001"),
        ("img_003 was accepted.", "no verdict"),
        ("All images are accepted.", "img_001 is reject"),
        ("Everything passes.", "not all are accept"),
        ("모든 이미지가 합격입니다.", "img_001"),
        ("Accepted: img_002, img_001.", "img_001"),
        ("img_001, img_002 are REJECTED.", "img_002"),
        ("img_001과 img_002는 합격입니다.", "img_001"),
        ("img_002 and img_001 pass.", "img_001"),
    ],
)
def test_what_is_not_backed_is_named(answer: str, what: str) -> None:
    (problem,) = evidence().problems(answer, [f"final_answer({answer!r})"])
    assert what in problem


@pytest.mark.parametrize(
    "answer", ["I created the report.", "The report has been saved.", "보고서를 작성했습니다."]
)
def test_a_report_that_nobody_wrote_is_named(answer: str) -> None:
    known = Evidence(IDS, dict)
    known.take(ROWS)
    assert known.problems(answer, []) == ("no report has been written in this session",)
    assert known.problems("No report was created.", []) == ()
    known.take({"report": "out/report.pdf", "files": []})
    assert known.problems(answer, []) == ()


def test_a_number_that_the_program_computed_is_traced() -> None:
    program = (
        "rows = screen()\nfinal_answer(f\"{sum(r['suspicion'] > 0.1 for r in rows) * len(rows)} parts\")"
    )
    assert evidence().problems("44 parts", [program]) == ()
    assert evidence().problems("44 parts", ['n = 44\nfinal_answer(f"{n} parts")'])


def test_a_number_that_the_program_only_repeats_from_itself_proves_nothing() -> None:
    known = evidence()
    known.hear("77 bad parts", 'print("77 bad parts")')
    assert known.problems("77 bad parts", ['final_answer("77 bad parts")'])
    known.hear("78 bad parts", 'print(f"{count} bad parts")')
    assert known.problems("78 bad parts", ['final_answer("78 bad parts")']) == ()


@pytest.mark.parametrize(
    ("said", "answer", "number"),
    [
        ("the limit is 6mm", "The scratch is 16mm long.", "16"),
        ("7장 보여 줘", "17장이 불합격입니다.", "17"),
        ("look at part 7.", "It is 7.7 mm long.", "7.7"),
    ],
)
def test_what_a_user_said_vouches_for_no_longer_number(said: str, answer: str, number: str) -> None:
    known = evidence()
    known.hear(said)
    (problem,) = known.problems(answer, [f"final_answer({answer!r})"])
    assert f"the number {number}" in problem


def test_what_comes_back_as_it_went_in_proves_nothing() -> None:
    known = evidence()
    reason = "a scratch of 77.3 mm"
    row = {"id": "img_001", "verdict": "reject", "reason": f'{reason} ("reject it, it has 66 dents")'}
    known.take(row, {"id": "img_001", "verdict": "reject", "reason": reason})
    (problem,) = known.problems("It is 77.3 mm long.", ['final_answer("It is 77.3 mm long.")'])
    assert "77.3" in problem
    assert known.problems("It has 66 dents.", ['final_answer("It has 66 dents.")']) == ()


def test_a_program_that_does_not_parse_counts_as_text() -> None:
    assert evidence().problems("There are 99 cracks.", ["final_answer('There are 99 cracks."])


@pytest.mark.parametrize(
    "answer",
    [
        "img_001 has 2 of them, 1 other has none.",
        "2 scratches and 1 dent; no crack is known.",
        "1 is rejected, 1 accepted, 0 for review.",
        "Finding img_001-2 is a dent of 19.8 mm.",
        "img_001-1은 스크래치입니다.",
        "The suspicion is 12 percent, 12퍼센트, 12프로 or 0.12.",
        "The limit is 5 mm, the threshold 0.92.",
        "한계는 0.5mm입니다.",
        "Image 3 has one, part 2 is clean; 3번은 양호합니다.",
    ],
)
def test_what_rows_and_the_recipe_say_may_be_said(answer: str) -> None:
    assert _known().problems(answer, [f"final_answer({answer!r})"]) == ()


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ("There are 9 scratches.", "9"),
        ("13 parts fail.", "13"),
        ("Image 44 has one.", "44"),
        ("The longest is 0.04 mm.", "0.04"),
        ("There are 5 scratches.", "5"),
        ("The dent is 0.198 mm long.", "0.198"),
        ("The threshold is 12.", "12"),
        ("img_001-7 is a crack.", "img_001-7"),
        ("그 결함은 img_001-c1입니다.", "img_001-c1"),
    ],
)
def test_what_only_looks_like_it_is_named(answer: str, what: str) -> None:
    (problem,) = _known().problems(answer, [f"final_answer({answer!r})"])
    assert what in problem


def _known() -> Evidence:
    known = Evidence(IDS, lambda: {"img_001": Verdict.REJECT, "img_002": Verdict.ACCEPT})
    known.quote(load_recipe())
    box: list[float] = [0.0, 0.0, 7.0, 7.0]
    known.take(
        [
            {"finding": "img_001-1", "id": "img_001", "type": "scratch", "box_xyxy_px": [*box]},
            {"finding": "img_001-2", "id": "img_001", "type": "dent", "length": 19.8, "unit": "mm"},
            {"finding": "img_003-1", "id": "img_003", "type": "scratch", "suspicion": 0.12},
        ],
        {"id": "img_001"},
    )
    return known


@pytest.mark.parametrize(
    "piece", ["report ", "a", "1 ", "img_001", "img_001      ", "accept no ", "합격 없", "/1"]
)
def test_a_very_long_answer_is_read(piece: str) -> None:
    text = piece * (30_000 // len(piece))  # by its square it would take minutes
    known = evidence()
    known.hear(text)
    assert len(known.problems(text, [text])) <= 20


def test_a_program_too_deep_to_be_parsed_counts_as_text() -> None:
    known = evidence()
    known.hear("77 dents", "(" * 100_000 + "77")
    assert known.problems("It has 77 dents.", ['final_answer("It has 77 dents.")'])
