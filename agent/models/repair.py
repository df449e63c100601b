"""Makes one well-formed block of code of what models really write, before smolagents parses it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable

from agent.models.prose import answer_in_prose, without_thinking

__all__ = ["CLOSE", "OPEN", "code_of", "cut", "repaired"]

OPEN, CLOSE = "<code>", "</code>"

_BLOCK = re.compile(rf"{OPEN}(.*?)(?:{CLOSE}|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_FENCE_OPENED = re.compile(r"\A\s*```[ \t]*\w*[ \t]*\n")
_FENCE_CLOSED = re.compile(r"\n?[ \t]*```\s*\Z")
_TAG_BEGUN = re.compile(
    r"\s*</?(?:c(?:o(?:d(?:e>?)?)?)?)?\s*\Z"
)  # where a server stopped within the closing tag
_END_CODE = "<end_code>"  # of smolagents' older prompts, which models have learnt
_FENCE_BEGUN = re.compile(r"(?:\s*```\w*)+\s*\Z")
_JSON_KEY = re.compile(r'"(?:code|arguments|parameters)"')
_TOOL_CALL = "<tool_call>"
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
    code without any mark, tool calls in JSON, and an answer in prose. What comes after the first block is
    dropped: it was written without knowing what the block returns. The code itself is never changed, and what
    is neither code nor an answer comes back as it is, so that the agent is told.
    """
    given, text = text, without_thinking(text).replace(_END_CODE, "")
    thought, code = (
        _from_json(text) or _from_tags(text) or _from_fences(text) or _from_bare_code(text) or ("", "")
    )
    if not code and (match := _PROSE_ANSWER.search(text)):
        thought, code = (
            text[: match.start()],
            f"final_answer({cut(match['answer'], (OPEN, CLOSE)).strip()!r})",
        )
    if not code and (answer := answer_in_prose(text)):
        thought, code = "", f"final_answer({answer!r})"
    if not code:
        return given
    thought = _FENCE_BEGUN.sub("", thought.replace(OPEN, "").replace(CLOSE, "")).strip()
    return f"{thought}\n{OPEN}\n{code}\n{CLOSE}".lstrip("\n")


def code_of(text: str) -> str:
    """The code in the first block of a repaired answer; empty where there is none."""
    match = _BLOCK.search(text)
    return match[1].strip("\n") if match else ""


def _bare(code: str) -> str:
    """Code without the fences and the name of the language that stand around it."""
    code = _LANGUAGE_LINE.sub("", _FENCE_OPENED.sub("", _TAG_BEGUN.sub("", code)))
    return _FENCE_CLOSED.sub("", code).strip("\n").rstrip()


def _from_json(text: str) -> tuple[str, str] | None:
    start = text.find("{")
    if start < 0 or not _JSON_KEY.search(text):
        return None
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(text[start:])
    except ValueError:
        return None
    given = found.get("arguments", found.get("parameters"))
    name = found.get("name")
    if isinstance(name, str) and name.isidentifier() and isinstance(given, dict):
        if "code" not in given:  # as Qwen2.5 and others call tools
            return text[:start].replace(_TOOL_CALL, ""), _as_call(name, given)
        found = given
    code = found.get("code")
    if not isinstance(code, str):
        return None
    inner = _from_tags(code)
    return str(found.get("thought") or ""), inner[1] if inner else _bare(code)


def _as_call(name: str, arguments: dict[str, object]) -> str:
    are_names = all(key.isidentifier() for key in arguments)
    given = (
        ", ".join(f"{key}={value!r}" for key, value in arguments.items()) if are_names else f"**{arguments!r}"
    )
    return f"{name}({given})" if name == "final_answer" else f"print({name}({given}))"


def _from_tags(text: str) -> tuple[str, str] | None:
    for match in _BLOCK.finditer(text):
        # Of tags within tags, and of a tag that the thought mentions, the innermost holds the code.
        if code := _bare(match[1].rpartition(OPEN)[2]):
            return text[: match.start()], code
    return None


def _from_fences(text: str) -> tuple[str, str] | None:
    for match in _FENCE.finditer(text):
        language, code = match[1].lower(), _bare(match[2])
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
