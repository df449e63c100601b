from __future__ import annotations

from datetime import datetime

import pytest

from tools.timing import now, timed_together


def test_a_moment_has_seconds_and_a_zone() -> None:
    moment = datetime.fromisoformat(now())
    assert (moment.microsecond, moment.utcoffset() is None) == (0, False)


def test_each_of_what_was_done_together_has_the_same_share(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 16.0, 20.0, 21.0])
    monkeypatch.setattr("tools.timing.time.perf_counter", lambda: next(clock))
    assert timed_together(iter("abc")) == (["a", "b", "c"], 2.0)
    assert timed_together(()) == ([], 1.0)
