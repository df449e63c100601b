from __future__ import annotations

import pytest

from tests.tui.chat.staging import finding, inspection
from tools.records import Verdict
from tui.chat.queueing import doubt, review_queue

SURE = finding(1, (0, 0, 9, 9)).model_copy(update={"confidence": 1.0})


def test_the_nearest_score_to_its_limit_counts() -> None:
    assert doubt(inspection(suspicion=0.5)) == 1
    assert doubt(inspection(SURE, suspicion=0.6)) == pytest.approx(0.9)
    assert doubt(inspection(SURE, suspicion=1.0)) == pytest.approx(0.5)


def test_the_queue_holds_what_is_open_with_the_doubtful_first_and_the_invisible_last() -> None:
    known = {
        "img_001": inspection(suspicion=0.95, verdict=Verdict.REVIEW),
        "img_002": inspection(suspicion=0.52, verdict=Verdict.REVIEW),
        "img_003": inspection(suspicion=0.52, verdict=Verdict.REJECT),
        "img_004": inspection(is_readable=False, verdict=Verdict.REVIEW),
        "img_005": None,
        "img_006": inspection(suspicion=0.1, verdict=Verdict.ACCEPT),
        "img_007": inspection(suspicion=0.52, verdict=Verdict.REVIEW),
    }
    verdicts = {i: each.judgement.verdict for i, each in known.items() if each}
    assert review_queue(known, verdicts, known) == ["img_002", "img_007", "img_001", "img_005", "img_004"]
