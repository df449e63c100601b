from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports.edition import Edition
from tests.reports.builders import RECIPE, finding, inspection, measured, report, report_text
from tools.recipe import Localization, Zone
from tools.records import Language, Quantity, Unit, Verdict


def test_findings_in_ignored_zones_do_not_count(tmp_path: Path) -> None:
    corner = Zone(name="label", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)), ignore=True)
    recipe = RECIPE.model_copy(update={"zones": (corner,)})
    ignored = finding(number=2, defect_type="dent", length=77.0).model_copy(update={"zone": "label"})
    source = replace(report(inspection(1, findings=(finding(), ignored))), recipe=recipe)
    (counted,) = Edition.of(source).counted
    assert counted.findings == (finding(),)
    text = report_text(source, tmp_path)
    assert "label not counted" in text
    assert "Rejected 1 Longer than 5 mm." in text  # of the overview


@pytest.mark.parametrize(
    ("language", "row"),
    [
        (Language.EN, "upper left rim 4.2 ± 0.1 mm 0.3 ± 0.1 mm max. 0.7 ± 0.1 mm"),
        (Language.KO, "좌상단 rim 4.2 ± 0.1 mm 0.3 ± 0.1 mm 최대 0.7 ± 0.1 mm"),
    ],
)
def test_what_was_accepted_says_its_zone_and_both_its_widths(
    tmp_path: Path, language: Language, row: str
) -> None:
    made = finding().model_copy(update={"zone": "rim"})
    widths = (
        measured(Quantity.WIDTH, 0.3, Unit.MM),
        measured(Quantity.MAX_WIDTH, 0.7, Unit.MM),
    )
    made = made.model_copy(update={"measurements": made.measurements + widths})
    text = report_text(report(inspection(1, Verdict.ACCEPT, (made,)), language=language), tmp_path)
    assert row in text


def test_a_confidence_is_the_same_as_in_the_reason(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"localization": Localization(review_confidence=0.4)})
    doubtful = finding().model_copy(update={"confidence": 0.3999})
    text = report_text(replace(report(inspection(1, findings=(doubtful,))), recipe=recipe), tmp_path)
    assert "0.3999 detector" in text
