"""Times two ways of doing the same by turns, so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Comparison(NamedTuple):
    """Median seconds of each way, and how many times faster the first is (median over the rounds)."""

    ours_s: float
    theirs_s: float
    ratio: float


def by_turns(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> Comparison:
    """Runs both once to warm up, then A B A B …"""
    ours()
    theirs()
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds)]
    return Comparison(
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(b / a for a, b in pairs),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
