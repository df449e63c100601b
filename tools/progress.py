"""Counting the steps of long work for whoever shows how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Steps"]


class Steps:
    """Counts steps and tells how many are done; never more than there are.

    Args:
        progress: Told the steps done and how many there are.
        total: How many there are.
    """

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def advance(self) -> None:
        """One step is done."""
        if self._progress and self._done < self._total:
            self._done += 1
            self._progress(self._done, self._total)
