"""How a turn is stopped from outside at any point: between tokens, in a tool, in the agent's code."""

from __future__ import annotations

import threading

__all__ = ["TurnCancelled", "stop_if_cancelled"]


class TurnCancelled(BaseException):
    """The user stopped the turn.

    Not an `Exception`: smolagents turns those into observations and goes on, and the code that the model
    writes may catch them.
    """


def stop_if_cancelled(cancel: threading.Event | None) -> None:
    """Raises `TurnCancelled` where the event is set; called wherever work is done in small pieces."""
    if cancel is not None and cancel.is_set():
        raise TurnCancelled
