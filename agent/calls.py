"""Calls of a workbench's tools, whoever calls: told as events, stoppable, with ids resolved."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from agent.cancelling import stop_if_cancelled
from agent.events import ToolFinished, ToolProgress, ToolStarted
from tools.errors import Cancelled, LoupeError, UsageError

if TYPE_CHECKING:
    from agent.workbench import Workbench

__all__ = ["TOOL_NAMES", "Calls"]

TOOL_NAMES = (
    "images",
    "screen",
    "locate",
    "measure",
    "describe",
    "inspect",
    "findings",
    "look",
    "examine",
    "compare",
    "search",
    "decide",
    "keep_good",
    "write_report",
)

_ONE_ID = frozenset({"id", "other", "like"})
_TOLD_CHARS = 2_000  # of an argument: programs can make them endless, and all that is told is logged


class Calls:
    """The tools of one workbench.

    Args:
        workbench: Has a method per tool.

    Attributes:
        names: Of the tools that this workbench can serve: `examine` needs a vision-language model, `search` a
            ledger.
    """

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._numbers = count(1)
        lacking = set()
        if workbench.ask_candidates is None:
            lacking.add("examine")
        if not workbench.has_ledger:
            lacking.add("search")
        self.names = tuple(name for name in TOOL_NAMES if name not in lacking)

    def method(self, name: str) -> Callable[..., Any]:
        """Returns the workbench's method behind a tool."""
        method: Callable[..., Any] = getattr(self._workbench, name)
        return method

    def __call__(self, name: str, /, *args: object, **kwargs: object) -> JsonValue:
        """Calls a tool.

        Raises:
            UsageError: Arguments that do not fit.
            TurnCancelled: The turn was stopped.
            LoupeError: The tool failed.
        """
        bench, method = self._workbench, self.method(name)
        stop_if_cancelled(bench.cancel)
        call = next(self._numbers)
        try:
            given = inspect.signature(method).bind(*args, **kwargs).arguments
        except TypeError as error:
            wrong = UsageError(f"{name}: {error}", f"call it as {name}{_shown(method)}")
            as_given = {**{str(place): each for place, each in enumerate(args)}, **kwargs}
            bench.sink(ToolStarted(call=call, tool=name, arguments=self._as_taken(as_given)))
            bench.sink(ToolFinished(call=call, tool=name, result=None, error=wrong.as_text(), seconds=0.0))
            raise wrong from error
        bench.sink(ToolStarted(call=call, tool=name, arguments=self._as_taken(given)))
        bench.progress = lambda done, total: bench.sink(ToolProgress(call=call, done=done, total=total))
        started = time.monotonic()

        def finish(result: JsonValue = None, error: str = "") -> None:
            seconds = round(time.monotonic() - started, 3)
            bench.sink(ToolFinished(call=call, tool=name, result=result, error=error, seconds=seconds))

        try:
            result: JsonValue = method(**given)
        except BaseException as error:
            finish(error=_said(error))
            if isinstance(error, Cancelled):
                stop_if_cancelled(bench.cancel)
            raise
        finally:
            bench.progress = None
        finish(result)
        return result

    def _as_taken(self, given: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Arguments with ids as the batch knows them; what does not resolve stays as given, if short."""
        taken: dict[str, JsonValue] = {}
        for name, value in given.items():
            try:
                if name in _ONE_ID and value is not None:
                    value = self._workbench.ids.one(value)
                elif name == "ids" and value is not None:
                    taken[name] = list[JsonValue](self._workbench.ids.many(value))
                    continue
            except UsageError:
                pass  # the tool itself says what is wrong with it
            taken[name] = _plain(value)
        return taken


def _plain(value: object) -> JsonValue:
    """A value that an event can carry; a long one as the beginning of its text."""
    text = json.dumps(value, default=lambda each: repr(each)[:200], skipkeys=True, ensure_ascii=False)
    shown = value if isinstance(value, str) else text
    plain: JsonValue = json.loads(text) if len(shown) <= _TOLD_CHARS else f"{shown[:_TOLD_CHARS]} …"
    return plain


def _said(error: BaseException) -> str:
    if isinstance(error, LoupeError):
        return error.as_text()
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _shown(method: Callable[..., Any]) -> str:
    """A method's signature as a program would write it."""
    signature = inspect.signature(method)
    return str(signature.replace(return_annotation=inspect.Signature.empty)).replace("'", "")
