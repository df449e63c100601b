from __future__ import annotations

from pathlib import Path

import pytest

import reports
from reports.exports import write_twins
from tests.reports.builders import mixed_batch, report
from tools import records

DOCUMENT = (Path(reports.__file__).parent / "SCHEMA.md").read_text(encoding="utf-8")
RECORDS = [
    records.Inspection,
    records.ImageRecord,
    records.Scale,
    records.Screening,
    records.SourceScore,
    records.HeatMap,
    records.Finding,
    records.Measurement,
    records.Centre,
    records.Description,
    records.Judgement,
    records.Provenance,
    records.RunInfo,
]


@pytest.mark.parametrize(("record", "field"), [(r, name) for r in RECORDS for name in r.model_fields])
def test_every_field_is_documented(record: type[records.Record], field: str) -> None:
    assert f"`{field}`" in DOCUMENT


def test_everything_written_is_documented(tmp_path: Path) -> None:
    for path in write_twins(report(*mixed_batch()), tmp_path):
        assert f"`{path.name}{'/' if path.is_dir() else ''}`" in DOCUMENT
