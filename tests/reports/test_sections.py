from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.sections import _source_remarks
from reports.words import Words
from tests.reports.builders import RECIPE, inspection, report, report_text
from tools.overriding import overridden
from tools.recipe import Acceptance, References
from tools.records import Language, Verdict
from tools.references.calibration import Calibration
from tools.screening.fusion import UNNOTED


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


@pytest.mark.parametrize("language", Language)
def test_words_that_have_changed_are_said_to_be_unheard(language: Language) -> None:
    (told,) = _source_remarks(Words(language), UNNOTED)
    assert "--rebuild" in told
