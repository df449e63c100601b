"""How a turn is stopped from outside at any point: between tokens, in a tool, in the agent's code."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, nullcontext
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
        self.wait(cancel)
        return self._done.result()

    def wait(self, cancel: threading.Event | None) -> None:
        """Waits until the work is done, whatever came of it; raises `TurnCancelled`."""
        while not wait([self._done], _POLL_S).done:
            stop_if_cancelled(cancel)


class Patient:
    """Stands for an object some attributes of which take long to make, and waits for them as `Pending` does.

    They are made one at a time: what a cancelled turn left behind is waited for first, and is not made twice.

    Args:
        whole: Its properties are made in a thread, unless they are cached already.
        cancel: Ends the waiting.
        around: Returns what is entered while the attribute of a name is waited for.
    """

    def __init__(
        self,
        whole: object,
        cancel: threading.Event,
        around: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self._whole, self._cancel, self._around = whole, cancel, around
        self._left: Pending[Any] | None = None

    def after(self, pending: Pending[Any]) -> None:
        """Makes nothing before something else is done."""
        self._left = pending

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the object has
        made = isinstance(getattr(type(self._whole), name, None), property | cached_property)
        if not made or name in vars(self._whole):
            return getattr(self._whole, name)
        with self._around(name):
            if self._left is not None:
                self._left.wait(self._cancel)
            self._left = Pending(lambda: getattr(self._whole, name))
            return self._left.result(self._cancel)
