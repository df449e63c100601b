"""Makes one well-formed block of code of what models really write, before smolagents parses it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable

__all__ = ["CLOSE", "OPEN", "code_of", "cut", "repaired"]

OPEN, CLOSE = "<code>", "</code>"

_BLOCK = re.compile(rf"{OPEN}(.*?)(?:{CLOSE}|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_FENCE_OPENED = re.compile(r"\A\s*```[ \t]*\w*[ \t]*\n")
_FENCE_CLOSED = re.compile(r"\n?[ \t]*```\s*\Z")
_FENCE_BEGUN = re.compile(r"\s*```\w*\s*\Z")
_LANGUAGE_LINE = re.compile(r"\A\s*(?:python3?|py)[ \t]*\n")
_PROSE_ANSWER = re.compile(
    r"^[ \t]*[*#_]*[ \t]*(?:(?:the[ \t]+)?final[ \t_]answer(?:[ \t]+is)?|최종[ \t]*(?:답변?|결과))"
    r"[*_]*[ \t]*[::][*_]*\s*(?P<answer>.+)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_PYTHON = {"", "python", "python3", "py"}
_MAX_LINES = 60


def cut(text: str, stops: Iterable[str]) -> str:
    """The text before the first of the stop strings, wherever a server did not honour them."""
    return text[: min((at for stop in stops if (at := text.find(stop)) >= 0), default=len(text))]


def repaired(text: str) -> str:
    """Rewrites an answer of a model so that it holds one block `<code>…</code>` and ends with it.

    Handles tags (missing, doubled, unclosed), Markdown fences in and instead of them, JSON `{thought, code}`,
    code without any mark, and a final answer in prose. What comes after the first block is dropped: it was
    written without knowing what the block returns. The code itself is never changed, and an answer in which
    no code can be found comes back as it is, so that the agent is told.
    """
    thought, code = (
        _from_json(text) or _from_tags(text) or _from_fences(text) or _from_bare_code(text) or ("", "")
    )
    if not code and (match := _PROSE_ANSWER.search(text)):
        thought, code = (
            text[: match.start()],
            f"final_answer({cut(match['answer'], (OPEN, CLOSE)).strip()!r})",
        )
    if not code:
        return text
    thought = _FENCE_BEGUN.sub("", thought.replace(OPEN, "").replace(CLOSE, "")).strip()
    return f"{thought}\n{OPEN}\n{code}\n{CLOSE}".lstrip("\n")


def code_of(text: str) -> str:
    """The code in the first block of a repaired answer; empty where there is none."""
    match = _BLOCK.search(text)
    return match[1].strip("\n") if match else ""


def _bare(code: str) -> str:
    """Code without the fences and the name of the language that stand around it."""
    code = _LANGUAGE_LINE.sub("", _FENCE_OPENED.sub("", code))
    return _FENCE_CLOSED.sub("", code).strip("\n").rstrip()


def _from_json(text: str) -> tuple[str, str] | None:
    start = text.find("{")
    if start < 0 or '"code"' not in text:
        return None
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    except ValueError:
        return None
    code = found.get("code")
    if not isinstance(code, str):
        return None
    inner = _from_tags(code)
    return str(found.get("thought") or ""), inner[1] if inner else _bare(code)


def _from_tags(text: str) -> tuple[str, str] | None:
    for match in _BLOCK.finditer(text):
        # Of tags within tags, and of a tag that the thought mentions, the innermost holds the code.
        if code := _bare(match[1].rpartition(OPEN)[2]):
            return text[: match.start()], code
    return None


def _from_fences(text: str) -> tuple[str, str] | None:
    for match in _FENCE.finditer(text):
        language, code = match[1].lower(), match[2].strip("\n").rstrip()
        if language in _PYTHON and code and (language or _is_program(code)):
            return text[: match.start()], code
    return None


def _from_bare_code(text: str) -> tuple[str, str] | None:
    """The first lines that are a program, with the prose around them taken off."""
    lines = text.replace(CLOSE, "").strip("\n").split("\n")[:_MAX_LINES]
    for first in range(len(lines)):
        for end in range(len(lines), first, -1):
            code = "\n".join(lines[first:end])
            if lines[first].strip() and _is_program(code):
                return "\n".join(lines[:first]), code.rstrip()
    return None


def _is_program(code: str) -> bool:
    """Whether this is Python that calls something: a word of prose is an expression, too.

    Function names are ASCII here; `불량(스크래치)` is a remark, though Python would take it for a call.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "") for func in calls)
    return any(name and name.isascii() for name in names)
