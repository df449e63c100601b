from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reports.edition import Edition
from tests.reports.builders import RECIPE, finding, inspection, report, report_text
from tools.recipe import Zone


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
