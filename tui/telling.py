"""Tells a session's events to the person at the terminal, on stderr: steps, tools, pictures, cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agent.events import (
    Abstained,
    CodeWritten,
    Decision,
    Event,
    ImageShown,
    Note,
    StepFinished,
    ToolFinished,
    ToolProgress,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from tui.narration import Narrator, bar_setter

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pydantic import JsonValue
    from rich.progress import Progress

__all__ = ["Teller"]

_LONGEST_LINE = 160


class Teller:
    """Turns events into lines; an answer is data and goes to stdout, which is not its business.

    Args:
        narrator: Speaks on stderr.
    """

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._bar: AbstractContextManager[Progress] | None = None
        self._progress: Progress | None = None

    def tell(self, event: Event) -> None:
        """Says what a person wants to know of an event."""
        say = self._narrator.say
        match event:
            case TurnStarted(request=request):
                say(f"> {request}")
            case CodeWritten(code=code):
                say("\n".join(f"    {line}" for line in code.splitlines()))
            case ToolStarted(tool=tool, arguments=arguments):
                given = ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())
                say(f"  {tool}({given}) ...")
            case ToolProgress(done=done, total=total):
                self._advance(done, total)
            case ToolFinished(tool=tool, seconds=seconds, error=error, result=result):
                self._end_bar()
                say(f"  {tool}: {error or _size(result)} ({seconds:.1f} s)")
            case ImageShown(image_id=image_id, width_px=width, height_px=height, tokens=tokens):
                say(f"  looking at {image_id} ({width} x {height} px, {tokens} tokens)")
            case Decision(image_id=image_id, before=before, verdict=verdict, reason=reason, by=by):
                say(f"  {image_id}: {before or 'undecided'} -> {verdict} by {by}: {reason}")
            case StepFinished(error=error) if error:
                say(f"  error: {_cut(error)}")
            case Abstained(sureness=sureness, least=least):
                say(f"  not run: the model is not sure enough of this program ({sureness:.2f} < {least:.2f})")
            case Note(text=text):
                say(f"note: {text}")
            case TurnFinished(usage=usage, steps=steps, outcome=outcome, error=error):
                self._end_bar()
                say(
                    f"[{outcome}: {steps} steps, {usage.seconds:.1f} s, {usage.input_tokens} tokens read, "
                    f"{usage.output_tokens} written, {usage.images} pictures]"
                )
                if error:
                    say(f"error: {error}")

    def _advance(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = self._narrator.progress("working", total)
            self._progress = self._bar.__enter__()
        if self._progress:
            bar_setter(self._progress)(done, total)

    def _end_bar(self) -> None:
        if self._bar:
            self._bar.__exit__(None, None, None)
            self._bar = self._progress = None


def _size(result: JsonValue) -> str:
    if isinstance(result, list):
        return f"{len(result)} rows" if len(result) != 1 else f"1 row: {_short(result[0])}"
    return _short(result)


def _short(value: JsonValue) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 4]} ..."
