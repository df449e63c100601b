from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.sections import _source_remarks
from reports.words import Words
from tests.reports.builders import RECIPE, inspection, report, report_text
from tools.overriding import overridden
from tools.recipe import Acceptance, Localization, References, Zone
from tools.records import Language, Verdict
from tools.references.calibration import Calibration
from tools.screening.fusion import UNNOTED
from tools.voices import OWN


@pytest.mark.parametrize(
    ("language", "row"),
    [
        (Language.EN, "unlike the good parts everywhere – 12.5 px – 1234567 px² 3"),
        (Language.KO, "양품과 다름 전체 – 12.5 px – 1234567 px² 3"),
    ],
)
def test_the_criteria_hold_what_unlikeness_is_acceptable(
    tmp_path: Path, language: Language, row: str
) -> None:
    accept = Acceptance(max_length_px=12.5, max_area_px2=1234567, max_count=3)
    recipe = RECIPE.model_copy(update={"references": References(accept=accept)})
    source = replace(report(inspection(1), language=language), recipe=recipe)
    assert row in report_text(source, tmp_path)


RIM = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.2))


@pytest.mark.parametrize(
    ("zone", "language", "rows", "notes"),
    [
        (
            Zone(name="rim", polygon=RIM, accept={"scratch": Acceptance(max_width_mm=0.5)}),
            Language.EN,
            ("scratch elsewhere", "dent everywhere", "scratch rim – 0.5 mm"),
            ("Inside a zone its criteria replace", "Max. width is held against the mean width"),
        ),
        (
            Zone(name="rim", polygon=RIM, accept={"scratch": Acceptance(max_width_mm=0.5)}),
            Language.KO,
            ("스크래치 그 밖", "찍힘 전체", "스크래치 rim – 0.5 mm"),
            ("영역 안에서는 그 영역의 기준이", "선형 결함에는 평균 너비로"),
        ),
        (
            Zone(name="label", polygon=RIM, ignore=True),
            Language.EN,
            ("scratch elsewhere", "dent elsewhere", "label findings are not counted"),
            (),
        ),
    ],
)
def test_the_criteria_say_where_they_hold(
    tmp_path: Path, zone: Zone, language: Language, rows: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    source = report(inspection(1), language=language)
    text = report_text(replace(source, recipe=RECIPE.model_copy(update={"zones": (zone,)})), tmp_path)
    plain = report_text(source, tmp_path)
    for row in rows:
        assert row in text
    for note in notes:
        assert note in text
        assert note not in plain


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "its confidence is below 0.55, screening or the agent alone proposed it"),
        (Language.KO, "신뢰도 0.55 미만, 선별이나 에이전트의 제안뿐"),
    ],
)
def test_the_criteria_say_what_is_not_confirmed(tmp_path: Path, language: Language, said: str) -> None:
    recipe = RECIPE.model_copy(update={"localization": Localization(review_confidence=0.55)})
    assert said in report_text(replace(report(inspection(1), language=language), recipe=recipe), tmp_path)


@pytest.mark.parametrize(
    ("language", "said"),
    [(Language.EN, "45° rises to the right"), (Language.KO, "45°는 오른쪽 위로 올라가는 방향")],
)
def test_the_report_says_from_where_orientations_are_told(
    tmp_path: Path, language: Language, said: str
) -> None:
    assert said in report_text(report(inspection(1), language=language), tmp_path)


def test_the_copy_that_is_not_counted_names_the_one_that_is(tmp_path: Path) -> None:
    first, second = inspection(1, Verdict.ACCEPT), inspection(2, Verdict.ACCEPT)
    second = second.model_copy(update={"image": second.image.model_copy(update={"duplicate_of": "img_001"})})
    second = overridden(second, Verdict.REJECT, "Seen.", by="Kim", at="2026-03-04T05:30:00+09:00")
    text = report_text(report(first, second, inspection(3, Verdict.ACCEPT)), tmp_path)
    assert "Yield 50.0 % (1 of 2 inspected" in text
    assert "same content as img_002; not counted again img_001" in text
    assert "same content as img_001 img_002" in text


@pytest.mark.parametrize(
    ("images", "unseen", "said", "unsaid"),
    [
        (5, 0, ["the threshold is an estimate"], ["not found again"]),
        (60, 2, ["not found again"], ["the threshold is an estimate"]),
        (5, 2, ["the threshold is an estimate", "not found again"], []),
        (60, 0, [], ["the threshold is an estimate", "not found again"]),
    ],
    ids=["too few", "lost", "too few and lost", "neither"],
)
def test_what_is_said_of_good_parts_has_its_own_words(
    images: int, unseen: int, said: list[str], unsaid: list[str]
) -> None:
    calibration = Calibration(
        means=(0.0,),
        deviations=(1.0,),
        peaks=(0.0,),
        threshold=1.0,
        images=images,
        overkill=0.05,
        unseen=unseen,
    )
    told = "; ".join(_source_remarks(Words(Language.EN), calibration.remark)) if calibration.remark else ""
    assert all(each in told for each in said)
    assert not any(each in told for each in unsaid)


@pytest.mark.parametrize(
    ("language", "said"), [(Language.EN, "good parts themselves"), (Language.KO, "양품으로 등록된")]
)
def test_that_a_photograph_is_a_good_part_itself_is_said(language: Language, said: str) -> None:
    (told,) = _source_remarks(Words(language), OWN)
    assert said in told


@pytest.mark.parametrize("language", Language)
def test_words_that_have_changed_are_said_to_be_unheard(language: Language) -> None:
    (told,) = _source_remarks(Words(language), UNNOTED)
    assert "--rebuild" in told
