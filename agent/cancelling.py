"""How a turn is stopped from outside at any point: between tokens, in a tool, in the agent's code."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillRunning
from functools import cached_property
from typing import Any, Generic, TypeVar

__all__ = ["Patient", "Pending", "TurnCancelled", "stop_if_cancelled"]

_T = TypeVar("_T")
_POLL_S = 0.05


class TurnCancelled(BaseException):
    """The user stopped the turn.

    Not an `Exception`: smolagents turns those into observations and goes on, and the code that the model
    writes may catch them.
    """


def stop_if_cancelled(cancel: threading.Event | None) -> None:
    """Raises `TurnCancelled` where the event is set; called wherever work is done in small pieces."""
    if cancel is not None and cancel.is_set():
        raise TurnCancelled


class Pending(Generic[_T]):
    """Work that cannot be stopped, such as loading weights, in a thread of its own.

    A turn that is cancelled stops waiting; the work goes on, and the next turn finds it done or waits again.

    Args:
        work: Is begun at once.
    """

    def __init__(self, work: Callable[[], _T]) -> None:
        self._work, self._done = work, Future[_T]()
        threading.Thread(target=self._run, name="loupe-pending", daemon=True).start()

    def _run(self) -> None:
        try:
            self._done.set_result(self._work())
        except BaseException as error:  # noqa: BLE001 -- raised again in the thread that asks
            self._done.set_exception(error)

    def result(self, cancel: threading.Event | None) -> _T:
        """Waits for the work; raises what it raised, or `TurnCancelled`."""
        while True:
            try:
                return self._done.result(_POLL_S)
            except StillRunning:
                if self._done.done():
                    return self._done.result()
                stop_if_cancelled(cancel)


class Patient:
    """Stands for an object some attributes of which take long to make, and waits for them as `Pending` does.

    Args:
        whole: Its properties are made in a thread, unless they are cached already.
        cancel: Ends the waiting.
    """

    def __init__(self, whole: object, cancel: threading.Event) -> None:
        self._whole, self._cancel = whole, cancel

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the object has
        made = isinstance(getattr(type(self._whole), name, None), property | cached_property)
        if not made or name in vars(self._whole):
            return getattr(self._whole, name)
        return Pending(lambda: getattr(self._whole, name)).result(self._cancel)
