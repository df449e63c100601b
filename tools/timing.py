"""How long things took."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TypeVar

__all__ = ["timed_together"]

_Item = TypeVar("_Item")


def timed_together(work: Iterable[_Item]) -> tuple[list[_Item], float]:
    """Returns all that `work` yields, and the seconds of one of them: the same share for each.

    It is for what goes through a model in batches, where the first of a batch would be charged for all.
    """
    started = time.perf_counter()
    items = list(work)
    return items, (time.perf_counter() - started) / max(len(items), 1)
