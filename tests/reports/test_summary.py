from __future__ import annotations

from pathlib import Path

import pytest

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
