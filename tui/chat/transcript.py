"""The conversation as Markdown: what is exported, copied and shown of a tool's result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from pydantic import JsonValue

from agent.events import (
    Answer,
    CodeWritten,
    Decision,
    Event,
    ImageShown,
    Note,
    ToolFinished,
    TurnFinished,
    TurnStarted,
)
from tools.digits import plain
from tools.overriding import AGENT
from tui.chat.error_words import said
from tui.chat.words import Words

__all__ = ["CodeFence", "cell", "decision_line", "given", "markdown_of", "size_of", "table_of"]

_MOST_ROWS = 40
_LONGEST_CELL = 60
_LONGEST_GIVEN = 48
_WHOLE_FROM = 1000  # numbers are rounded to four digits, but never before the point


def markdown_of(events: Iterable[Event], words: Words) -> str:
    """Returns a conversation as Markdown: requests, programs, results, decisions and answers."""
    parts = [f"# {words('export.title')}"]
    for event in events:
        parts += _part(event, words)
    return "\n\n".join(parts) + "\n"


def _part(event: Event, words: Words) -> list[str]:
    match event:
        case TurnStarted(request=request, at=at):
            return [f"## {words('export.you')} ({at})", request]
        case CodeWritten(thought=thought, code=code):
            return [*([thought] if thought else []), f"{words('export.code')}:", f"```python\n{code}\n```"]
        case ToolFinished(tool=tool, result=result, error=error):
            came = said(error, words.language) or size_of(result, words)
            return [f"{words('export.result')} `{tool}`: {came}", *_markdown_table(result)]
        case ImageShown(image_id=image, width_px=width, height_px=height, tokens=tokens):
            return [f"*{words('looked', image=image, width=width, height=height, tokens=tokens)}*"]
        case Decision():
            return [f"**{decision_line(event, words)}**"]
        case Note(text=text):
            return [f"*{words('note', text=said(text, words.language))}*"]
        case Answer(text=text, unverified=unverified):
            reasons = [said(reason, words.language) for reason in unverified]
            doubts = [f"*{words('unverified', reason=reason)}*" for reason in reasons]
            return [f"### {words('export.loupe')}", text, *doubts]
        case TurnFinished(outcome=outcome, artifacts=artifacts):
            files = [words("turn.written", path=path) for path in artifacts]
            return [f"*{words(f'turn.{outcome.value}')}*", *files]
    return []


def decision_line(decision: Decision, words: Words) -> str:
    """Returns who changed a verdict to what, and why, in a line."""
    before = words(decision.before.value if decision.before else "undecided")
    return words(
        "decision",
        image=decision.image_id,
        before=before,
        verdict=words(decision.verdict.value),
        by=words("by.agent") if decision.by == AGENT else decision.by,
        reason=decision.why(words.language),
    )


def _markdown_table(result: JsonValue) -> list[str]:
    columns, rows, _ = table_of(result)
    if not columns:
        return []
    lines = [columns, ["---"] * len(columns), *rows]
    return ["\n".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines)]


def table_of(result: JsonValue) -> tuple[list[str], list[list[str]], int]:
    """Returns columns and cells of a tool's rows, and how many rows were left out."""
    rows = [row for row in result if isinstance(row, dict)] if isinstance(result, list) else []
    if isinstance(result, dict):
        rows = [result]
    columns = list(dict.fromkeys(name for row in rows[:_MOST_ROWS] for name in row))
    cells = [[cell(row.get(name)) for name in columns] for row in rows[:_MOST_ROWS]]
    return columns, cells, max(0, len(rows) - _MOST_ROWS)


def cell(value: JsonValue) -> str:
    """Returns a value in few characters: numbers rounded, lists without quotes."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            text = f"{value:.0f}" if abs(value) >= _WHOLE_FROM else plain(float(f"{value:.4g}"))
        case list():
            text = ", ".join(cell(each) for each in value)
        case str():
            text = " ".join(value.split())
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def size_of(result: JsonValue, words: Words) -> str:
    """Returns how much a tool returned."""
    return words("tool.rows", count=len(result)) if isinstance(result, list) else "✓"


def given(arguments: dict[str, JsonValue]) -> str:
    """Returns a call's arguments in a line; many ids as the first and their count."""
    parts = []
    for name, value in arguments.items():
        if value is None:
            continue
        many = isinstance(value, list) and len(value) > 2
        shown = f"{cell(value[0])} … {len(value)}" if isinstance(value, list) and many else cell(value)
        parts.append(shown if name in ("id", "ids") else f"{name}={shown}")
    line = ", ".join(parts)
    return line if len(line) <= _LONGEST_GIVEN else f"{line[: _LONGEST_GIVEN - 1]}…"


class CodeFence:
    """Turns what a model writes into Markdown while it writes: code tags become fences."""

    _TAGS: Sequence[tuple[str, str]] = (("<code>", "\n```python\n"), ("</code>", "\n```\n"))

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Returns what can be shown; the beginning of a tag is held back until it is whole."""
        self._held += text
        for tag, fence in self._TAGS:
            self._held = self._held.replace(tag, fence)
        start = self._held.rfind("<")
        is_open = start >= 0 and any(tag.startswith(self._held[start:]) for tag, _ in self._TAGS)
        shown, self._held = (self._held[:start], self._held[start:]) if is_open else (self._held, "")
        return shown
