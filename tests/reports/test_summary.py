from __future__ import annotations

from pathlib import Path

import pytest

from reports.statistics import Tally
from tests.reports.builders import inspection, report, report_text, unreadable
from tools.records import Language, Verdict


@pytest.mark.parametrize(
    ("shown", "language", "fact", "said"),
    [
        (2, Language.EN, "2 of 3 (part of the batch)", "covers 2 of the 3 photographs of the batch"),
        (2, Language.KO, "3장 중 2장 (배치의 일부)", "배치의 사진 3장 중 2장만 다루며"),
        (3, Language.EN, "Photographs 3", ""),
    ],
)
def test_a_report_on_a_part_of_the_batch_says_so(
    tmp_path: Path, shown: int, language: Language, fact: str, said: str
) -> None:
    parts = (inspection(1, Verdict.ACCEPT), unreadable(2), inspection(3))
    text = report_text(report(*parts[:shown], language=language), tmp_path)
    assert fact in text
    assert said in text
    assert ("part of the batch" in text or "배치의 일부" in text) is bool(said)


def test_a_yield_is_all_or_nothing_only_where_every_part_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for counts, said in (
        (Tally(2999, 0, 1, 0, 1), "Yield 99.97 % (2999 of 3000 inspected photographs accepted"),
        (Tally(1, 0, 2999, 0, 1), "Yield 0.03 % (1 of 3000 inspected photographs accepted"),
        (Tally(3000, 0, 0, 0, 0), "Yield 100.0 % (3000 of 3000 inspected photographs accepted"),
    ):
        monkeypatch.setattr("reports.summary.tally", lambda _, counts=counts: counts)
        assert said in report_text(report(inspection(1)), tmp_path)
