"""What time it is, and how long things took."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

__all__ = ["now", "timed_together"]

_Item = TypeVar("_Item")


def now() -> str:
    """Returns the time as ISO 8601 in seconds, with zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def timed_together(work: Iterable[_Item]) -> tuple[list[_Item], float]:
    """Returns all that `work` yields, and the seconds of one of them: the same share for each.

    It is for what goes through a model in batches, where the first of a batch would be charged for all.
    """
    started = time.perf_counter()
    items = list(work)
    return items, (time.perf_counter() - started) / max(len(items), 1)
