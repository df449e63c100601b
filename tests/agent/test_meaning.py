from __future__ import annotations

import pytest

from agent.meaning import agrees, meaning
from tools.records import Language

EN, KO = Language.EN, Language.KO


@pytest.mark.parametrize(
    ("code", "en", "ko"),
    [
        (
            'rows = [decide(each, "reject", "bent") for each in ["img_003"]]\nfinal_answer(str(len(rows)))',
            "reject img_003",
            "img_003 불합격 처리해 줘",
        ),
        (
            'rows = [decide(each, "review", "x") for each in ["img_001", "img_002", "img_003"]]',
            "send img_001, img_002 and img_003 to review",
            "img_001, img_002, img_003 재검토로 보내 줘",
        ),
        (
            'rows = [decide("img_001", "accept", "x"), decide("img_005", "reject", "x")]',
            "accept img_001 and reject img_005",
            "img_001 합격 처리해 줘, 그리고 img_005 불합격 처리해 줘",
        ),
        (
            'row = keep_good(["img_001", "img_002"])',
            "keep img_001 and img_002 as good parts",
            "img_001, img_002 양품으로 기억해 줘",
        ),
        ('row = write_report(lot="A-17")', "write the report, lot A-17", "영어 보고서 만들어 줘, 로트 A-17"),
        ('row = write_report(language="ko")', "write the report in Korean", "보고서 만들어 줘"),
        (
            'row = write_report(ids=["img_001", "img_002"], lot="7", language="ko")',
            "write a report on img_001 and img_002 in Korean, lot 7",
            "img_001, img_002 보고서 만들어 줘, 로트 7",
        ),
        (
            "rows = inspect()\nrow = write_report()",
            "inspect everything and write the report",
            "전체 검사해 줘, 그리고 영어 보고서 만들어 줘",
        ),
        (
            "rows = inspect(threshold=0.35)",
            "inspect everything with the threshold 0.35",
            "기준 0.35로 전체 검사해 줘",
        ),
        (
            "rows = inspect(threshold=0.3)",
            "inspect everything with the threshold 0.3",
            "기준 0.3으로 전체 검사해 줘",
        ),
        (
            'rows = [decide(each, "reject", "x") for each in ["img_002"]]\nrow = write_report(lot="B")',
            "reject img_002 and write the report, lot B",
            "img_002 불합격 처리해 줘, 그리고 영어 보고서 만들어 줘, 로트 B",
        ),
        (
            'rows = measure("img_005")\nrows = [decide(each, "reject", "x") for each in ["img_005"]]',
            "measure img_005 and reject img_005",
            "img_005 크기 재 줘, 그리고 img_005 불합격 처리해 줘",
        ),
        (
            'rows = [decide("img_001", "accept", "x")]\nrow = compare("img_011", "img_009")',
            "accept img_001 and compare img_011 and img_009",
            "img_001 합격 처리해 줘, 그리고 img_011, img_009 비교해 줘",
        ),
        (
            'rows = search(like="img_006")\nrow = inspect(["img_001", "img_002"])[0]',
            "search for cases like img_006 and inspect img_001 and img_002",
            "img_006 비슷한 사례 찾아 줘, 그리고 img_001, img_002 검사해 줘",
        ),
    ],
)
def test_what_a_program_would_change_is_said_as_a_request(code: str, en: str, ko: str) -> None:
    assert (meaning(code, EN), meaning(code, KO)) == (en, ko)


@pytest.mark.parametrize("language", Language)
def test_a_description_in_another_language_than_the_users_is_no_short_request(language: Language) -> None:
    code = f'rows = describe("img_001", language="{language.value}")\ndecide("img_001", "reject", "x")'
    assert {each: bool(meaning(code, each)) for each in Language} == {
        each: each is language for each in Language
    }


@pytest.mark.parametrize(
    "code",
    [
        "",
        "write_report(",
        'rows = screen()\nworst = max(rows, key=len)\ndecide(worst["id"], "reject", "x")',
        'rows = [decide(row["id"], "reject", "x") for row in screen()]',
        'rows = [decide(each, "reject", "x") for each in ["img_001", "img_002"] if each != "img_001"]',
        'if len(images()) > 3:\n    write_report(lot="A")',
        'decide("img_001", "scrap", "x")',
        'rows = [decide("img_001", verdict, "x") for verdict in ["reject"]]',
        'inspect("img_001", threshold=0.35)',
        'search(text="crack")',
        'rows = measure()\ndecide("img_001", "reject", "x")',
        "decide(*given)",
        'write_report(lot="A", **more)',
        'row = write_report(lot="A", pages=3)',
        "one = inspect()\ntwo = inspect()\nthree = write_report()",
        'screen()\nrow = write_report(lot="A")',
    ],
)
def test_what_no_short_request_says_is_not_guessed(code: str) -> None:
    assert meaning(code, EN) == ""


@pytest.mark.parametrize(
    "text", ["yes", "Yes!", "ok, do it", "네", "넵 맞습니다.", "ㅇㅇ", "yes please", "그래 그렇게 해줘"]
)
def test_a_yes_is_a_yes(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text", ["", "?!", "...", "no", "yes but img_004", "아니", "ok reject it", "yesterday's", "네가 해"]
)
def test_anything_more_is_none(text: str) -> None:
    assert not agrees(text)


def test_a_tool_that_is_passed_on_is_not_left_unsaid() -> None:
    assert meaning('write_report()\nlist(map(decide, ["img_001"], ["accept"], ["x"]))', EN) == ""
    assert meaning("write_report()", EN) == "write the report"
