"""Work beside the screen where only the newest order counts: what was overtaken is never started."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Newest"]


class Newest:
    """Runs one job at a time in a daemon thread, which ends when there is nothing more to do.

    Daemon, because a thread that decodes 50 megapixels must not keep the program from quitting.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._next: Callable[[], None] | None = None
        self._is_running = False

    def submit(self, job: Callable[[], None]) -> None:
        """Runs a job after the one in work; a job that still waits is dropped for it.

        Args:
            job: Deals with its own errors, and tells its result by a message.
        """
        with self._lock:
            self._next = job
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while job := self._take():
            job()

    def _take(self) -> Callable[[], None] | None:
        with self._lock:
            job, self._next = self._next, None
            self._is_running = job is not None
            return job
