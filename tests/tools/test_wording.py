from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tools.recipe import Zone
from tools.recipe.file import load_recipe
from tools.records import (
    CaptionOutcome,
    Centre,
    DecidedBy,
    Finding,
    Judgement,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Severity,
    Unit,
    Verdict,
)
from tools.wording import describe_finding, describe_image, format_centre, format_value, stated

GOOD = "a long thin scratch on a metal plate"


def size(
    quantity: Quantity, value: float, u: float, unit: Unit = Unit.MM, *, bound: bool = False
) -> Measurement:
    return Measurement(
        quantity=quantity, value=value, uncertainty=u, unit=unit, lower_bound=bound, method="test"
    )


def finding(**changes: object) -> Finding:
    base = Finding(
        id="img_003-1",
        image_id="img_003",
        type="scratch",
        confidence=0.9,
        box_xyxy_px=(0.0, 0.0, 10.0, 10.0),
        origin=Origin.YOLO,
        place="upper-left",
        severity=Severity.MAJOR,
        severity_level=3,
        measurements=(
            size(Quantity.LENGTH, 6.21, 0.23),
            size(Quantity.WIDTH, 0.31, 0.08),
            size(Quantity.AREA, 1.9, 0.4, Unit.MM2),
        ),
    )
    return base.model_copy(update=changes)


def judgement(verdict: Verdict = Verdict.REJECT, decided_by: DecidedBy = DecidedBy.RULE) -> Judgement:
    return Judgement(verdict=verdict, rule="x", reason_en="", reason_ko="", decided_by=decided_by)


@pytest.mark.parametrize(
    ("value", "u", "unit", "expected"),
    [
        (3.1, 0.2, Unit.MM, "3.1 ± 0.2 mm"),
        (3.14, 0.22, Unit.MM, "3.14 ± 0.22 mm"),
        (3.14159, 0.0996, Unit.MM, "3.14 ± 0.10 mm"),
        (99.96, 0.1, Unit.MM, "99.96 ± 0.10 mm"),
        (0.3, 0.01, Unit.MM, "0.30 ± 0.01 mm"),
        (5.0, 1.0, Unit.MM2, "5 ± 1 mm²"),
        (143.27, 12.3, Unit.PX, "143 ± 12 px"),
        (143.27, 1.23, Unit.PX, "143.3 ± 1.2 px"),
        (14321.0, 1234.0, Unit.PX2, "14300 ± 1200 px²"),
        (120.0, 100.0, Unit.PX, "120 ± 100 px"),
        (0.04, 0.2, Unit.MM, "0.04 ± 0.20 mm"),
        (34.0, 2.0, Unit.DEG, "34 ± 2°"),
        (5.0, 0.0, Unit.MM, "5 mm"),
        (5.0, float("inf"), Unit.MM, "5 ± inf mm"),
    ],
)
def test_format_value(value: float, u: float, unit: Unit, expected: str) -> None:
    assert format_value(size(Quantity.LENGTH, value, u, unit)) == expected
    assert format_value(size(Quantity.LENGTH, value, u, unit, bound=True)) == f"≥ {expected}"
    numbers = [float(each) for each in re.findall(r"[\d.]+|inf", expected)]
    assert stated(size(Quantity.LENGTH, value, u, unit)) == (*numbers, 0.0)[:2]


def test_a_centre_is_written_in_mm_where_it_has_them() -> None:
    px = Centre(xy_px=(143.27, 31.5), uncertainty_xy_px=(1.23, 12.3), method="test")
    mm = px.model_copy(update={"xy_mm": (14.327, 3.15), "uncertainty_xy_mm": (0.2, 1.3)})
    assert format_centre(px) == ("x 143.3 ± 1.2 px", "y 32 ± 12 px")
    assert format_centre(mm) == ("x 14.33 ± 0.20 mm", "y 3.2 ± 1.3 mm")


@pytest.mark.parametrize(
    ("described", "en", "ko"),
    [
        (
            finding(),
            "A scratch was found on the metal surface, at the upper left. It is 6.21 ± 0.23 mm long and "
            "0.31 ± 0.08 mm wide, and covers 1.9 ± 0.4 mm². Severity: major (3 of 5).",
            "금속 커버의 좌상단에서 스크래치가 발견되었습니다. 길이는 6.21 ± 0.23 mm, 너비는 0.31 ± 0.08 mm, "
            "면적은 1.9 ± 0.4 mm²입니다. 심각도: 중결함(3/5).",
        ),
        (
            finding(
                type="contamination",
                origin=Origin.SCREENING,
                place="",
                zone="logo",
                edge_touching=True,
                severity=None,
                measurements=(size(Quantity.LENGTH, 31.2, 2.3, Unit.PX, bound=True),),
            ),
            "Suspected contamination was found on the metal surface (zone logo). "
            "It is at least 31.2 ± 2.3 px long. It runs out of the picture, so it may be larger.",
            "금속 커버(logo 영역)에서 오염으로 의심되는 부분이 발견되었습니다. "
            "길이는 최소 31.2 ± 2.3 px입니다. 화면 밖으로 이어지므로 실제 크기는 더 클 수 있습니다.",
        ),
        (
            finding(type="unclassified", place="centre", severity=None, measurements=()),
            "An unclassified anomaly was found on the metal surface, at the centre. "
            "Its size was not measured.",
            "금속 커버의 중앙에서 미분류 이상이 발견되었습니다. 크기는 측정되지 않았습니다.",
        ),
        (
            finding(
                type="dent", severity_level=None, measurements=(size(Quantity.AREA, 5.0, 0.25, Unit.MM2),)
            ),
            "A dent was found on the metal surface, at the upper left. It covers 5.00 ± 0.25 mm². "
            "Severity: major.",
            "금속 커버의 좌상단에서 찍힘이 발견되었습니다. 면적은 5.00 ± 0.25 mm²입니다. 심각도: 중결함.",
        ),
    ],
)
def test_describe_finding(described: Finding, en: str, ko: str) -> None:
    description = describe_finding(described, load_recipe())
    assert description.en == en
    assert description.ko == ko
    assert description.caption_outcome is CaptionOutcome.NOT_ASKED


@pytest.mark.parametrize(
    ("first", "second", "outcome", "used"),
    [
        (GOOD, None, CaptionOutcome.USED, GOOD),
        ("maybe a scratch on a metal plate", GOOD, CaptionOutcome.REGENERATED, GOOD),
        ("a small dent in a metal plate", "still a small dent in it", CaptionOutcome.DROPPED, ""),
        ("a thin scratch on a plastic surface", GOOD, CaptionOutcome.REGENERATED, GOOD),
        ("a thin scratch on a plastic surface", "a scratch on woven fabric", CaptionOutcome.DROPPED, ""),
        ("a dent", None, CaptionOutcome.DROPPED, ""),
        ("", "", CaptionOutcome.DROPPED, ""),
    ],
)
def test_captions_are_used_asked_once_more_or_dropped(
    first: str, second: str | None, outcome: CaptionOutcome, used: str
) -> None:
    answers: Iterator[str] = iter([] if second is None else [second])
    regenerate = None if second is None else lambda: next(answers)
    description = describe_finding(finding(), load_recipe(), first, regenerate)
    assert (description.caption_outcome, description.caption) == (outcome, used)
    assert (f'"{used}"' in description.en) == bool(used)
    assert (f'"{used}"' in description.ko) == bool(used)


def test_a_good_caption_is_not_asked_again() -> None:
    def regenerate() -> str:
        raise AssertionError

    assert describe_finding(finding(), load_recipe(), GOOD, regenerate).caption == GOOD


def test_a_translator_speaks_korean_only() -> None:
    description = describe_finding(finding(), load_recipe(), GOOD, None, lambda text: f"번역({text})")
    assert f'자동 캡션: "번역({GOOD})".' in description.ko
    assert description.en.endswith(f'Caption: "{GOOD}".')


SCREENING = Screening(
    image_id="img_003",
    scores={},
    suspicion=0.934,
    label="scratch",
    status=ScreeningStatus.SUSPECT,
    threshold=0.5,
    provenance=Provenance(tool="screening"),
)


def test_describe_image_counts_and_names_the_longest() -> None:
    longer = finding(id="img_003-2", measurements=(size(Quantity.LENGTH, 8.0, 0.25),))
    dent = finding(id="img_003-3", type="dent", measurements=())
    description = describe_image([finding(), longer, dent], SCREENING, judgement(), load_recipe())
    assert description.en == (
        "3 findings on the metal surface: scratch 2, dent 1. The longest is scratch img_003-2: "
        "8.00 ± 0.25 mm. Suspicion 0.93 at a threshold of 0.5. By the recipe's criteria: reject."
    )
    assert description.ko == (
        "금속 커버에서 3건 발견: 스크래치 2건, 찍힘 1건. 가장 긴 것은 스크래치 img_003-2: 8.00 ± 0.25 mm. "
        "의심도 0.93(기준 0.5). 레시피 기준 판정: 불합격."
    )


def test_describe_image_without_findings_and_who_decided() -> None:
    verdict = judgement(Verdict.ACCEPT, DecidedBy.HUMAN)
    description = describe_image([], None, verdict, load_recipe())
    assert description.en == "No defect was found on the metal surface. Decided by an inspector: accept."
    assert description.ko == "금속 커버에서 결함이 발견되지 않았습니다. 검사원 판정: 합격."


def test_what_lies_in_an_ignored_zone_is_said_not_to_count() -> None:
    zone = Zone(name="label", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)), ignore=True)
    recipe = load_recipe().model_copy(update={"zones": (zone,)})
    found = finding(zone="label", severity=None)
    described = describe_finding(found, recipe)
    assert "at the upper left (zone label, not counted)." in described.en
    assert "좌상단(label 영역, 미집계)에서" in described.ko
    whole = describe_image([found], None, judgement(), recipe)
    assert "Not counted, in ignored zones: 1." in whole.en
    assert "제외 영역 1건은 미집계." in whole.ko


def test_lengths_in_different_units_are_not_compared() -> None:
    in_px = finding(id="img_003-2", measurements=(size(Quantity.LENGTH, 80.0, 1.0, Unit.PX),))
    assert "longest" not in describe_image([finding(), in_px], None, judgement(), load_recipe()).en


def test_an_image_caption_must_fit_all_findings() -> None:
    found = [finding(), finding(id="img_003-2")]
    both = describe_image(
        found, None, judgement(), load_recipe(), "two long scratches on a metal plate", lambda: GOOD
    )
    assert both.caption_outcome is CaptionOutcome.USED
    dent = describe_image(found, None, judgement(), load_recipe(), "a dent in a metal plate", lambda: GOOD)
    assert (dent.caption, dent.caption_outcome) == (GOOD, CaptionOutcome.REGENERATED)


def test_what_is_unlike_good_parts_is_described_by_place_and_size() -> None:
    unlike = finding(
        type="unclassified",
        origin=Origin.REFERENCE,
        place="bottom",
        severity=None,
        severity_level=None,
        measurements=(size(Quantity.LENGTH, 3.1, 0.2), size(Quantity.WIDTH, 0.4, 0.1)),
        provenance=(Provenance(tool="references"),),
    )
    described = describe_finding(unlike, load_recipe())
    assert described.en == (
        "Unlike the good parts, on the metal surface, at the bottom."
        " It is 3.1 ± 0.2 mm long and 0.4 ± 0.1 mm wide."
    )
    assert described.ko == "금속 커버의 하단: 양품과 다름. 길이는 3.1 ± 0.2 mm, 너비는 0.4 ± 0.1 mm입니다."
