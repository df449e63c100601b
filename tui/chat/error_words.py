"""Errors in the language of the interface: their English texts are the keys, what varies in them stays."""

from __future__ import annotations

import re
from functools import cache

from tools.errors import LoupeError
from tools.records import Language, Verdict
from tui.chat.conversation_errors import CONVERSATION_ERRORS
from tui.chat.recipe_errors import RECIPE_ERRORS
from tui.chat.seeing_errors import SEEING_ERRORS
from tui.chat.words import WORDS

__all__ = ["ERROR_WORDS", "in_a_line", "known_parts", "said"]

ERROR_WORDS = {**CONVERSATION_ERRORS, **SEEING_ERRORS, **RECIPE_ERRORS}
_SLOT = re.compile(r"\{(\w+)\}")
_IN_A_PROGRAM = re.compile(r"(Line \d+, `.*?`: )?\w+Error: ")  # where a program met an error
_TOLD = frozenset({"why", "what", "detail", "key"})  # slots with texts of ours
_OF_VERDICTS = frozenset({"verdict", "claimed"})
_VERDICTS = frozenset({*Verdict, "undecided"})


def said(text: str, language: Language) -> str:
    """Returns an error, its hint, or both in a line, in a language; what is not known stays English.

    Args:
        text: As raised: a message, a hint, or `message. hint` as tools and turns tell them.
        language: Of the interface.
    """
    if language is not Language.KO:
        return text
    return "\n".join(_korean(line) for line in text.split("\n"))


def in_a_line(error: LoupeError, language: Language) -> str:
    """Returns an error and what to do about it, in a line."""
    return ": ".join(said(text, language) for text in (error.message, error.hint) if text)


def known_parts(text: str) -> list[tuple[str, str]]:
    """Returns the sentences of `message. hint` that are known, each with its Korean."""
    parts = _halves(text) or (text,)
    return [(part, korean) for part in parts if (korean := _of_table(part))]


def _korean(line: str) -> str:
    if where := _IN_A_PROGRAM.match(line):
        return where.group() + _korean(line[where.end() :])
    return _joined(line) or _of_table(line) or _behind_a_colon(line) or line


def _halves(line: str) -> tuple[str, str] | None:
    """A message and a hint that were joined to a line; None where it is one of them alone."""
    for gap in re.finditer(r"\.+ ", line):
        message, hint = line[: gap.start()], line[gap.end() :]
        if _of_table(message) and _of_table(hint):
            return message, hint
    return None


def _joined(line: str) -> str | None:
    """A message and its hint in Korean; None where it is one of them alone."""
    if not (halves := _halves(line)):
        return None
    message, hint = (_of_table(half) or half for half in halves)
    return f"{message.rstrip('.')}. {hint}"


def _behind_a_colon(line: str) -> str | None:
    """An error, and its hint, with the place it happened at before it: `list.txt:3: error`."""
    for gap in re.finditer(": ", line):
        rest = line[gap.end() :]
        if korean := _joined(rest) or _of_table(rest):
            return line[: gap.end()] + korean
    return None


def _of_table(text: str) -> str | None:
    from tools.images.reasons import reason_text

    bare = text.rstrip(". ")
    if (reason := reason_text(bare, Language.KO)) != bare:
        return reason
    for pattern, korean in _patterns():
        if found := pattern.fullmatch(bare):
            slots = {name: _filled(name, value) for name, value in found.groupdict().items()}
            return _SLOT.sub(lambda slot, slots=slots: slots[slot.group(1)], korean)  # type: ignore[misc]
    return None


def _filled(name: str, value: str) -> str:
    """What stands in a slot: errors and verdicts are told in Korean, names and numbers as they are."""
    if name in _OF_VERDICTS and value in _VERDICTS:
        return WORDS[value][1]
    return _korean(value) if name in _TOLD else value


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The table as patterns, those that say most first; a full stop at the end may be missing."""
    by_length = sorted(ERROR_WORDS, key=lambda english: -len(_SLOT.sub("", english)))
    return tuple((_pattern(english), ERROR_WORDS[english]) for english in by_length)


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _SLOT.split(english.rstrip("."))
    return re.compile(
        "".join(f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces))
    )
