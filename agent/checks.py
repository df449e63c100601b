"""Validates what a program hands to a tool: numbers, words and regions; errors say what is right."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from tools.errors import UsageError
from tools.records import BoxXyxyPx, Language, Verdict

__all__ = ["around", "fraction", "language_of", "line", "quoting", "region_of", "verdict_of", "whole"]

_LONGEST_LINE = 500
_LONGEST_QUOTE = 160
_SMALLEST_REGION_PX = 2.0


def fraction(name: str, value: object) -> float | None:
    """Returns a number in [0, 1], or None for None.

    Raises:
        UsageError: It is none.
    """
    if value is None:
        return None
    number = _number(name, value)
    if not 0.0 <= number <= 1.0:
        raise UsageError(f"{name} must be in 0..1, not {number:g}", "80 % is written 0.8")
    return number


def whole(name: str, value: object, least: int, most: int) -> int:
    """Returns a whole number within bounds; raises as `fraction`."""
    number = _number(name, value)
    if number != int(number) or not least <= number <= most:
        raise UsageError(f"{name} must be a whole number in {least}..{most}, not {number:g}")
    return int(number)


def language_of(value: object) -> Language:
    """Returns the language that a word names; raises as `fraction`."""
    names = {
        "en": Language.EN,
        "english": Language.EN,
        "ko": Language.KO,
        "korean": Language.KO,
        "한국어": Language.KO,
    }
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word not in names:
        raise UsageError(f"unknown language {value!r:.60}", "languages: 'en', 'ko'")
    return names[word]


def verdict_of(value: object) -> Verdict:
    """Returns the verdict that a word names; raises as `fraction`."""
    word = value.strip().casefold() if isinstance(value, str) else ""
    try:
        return Verdict(word)
    except ValueError:
        raise UsageError(f"unknown verdict {value!r:.60}", f"verdicts: {', '.join(Verdict)}") from None


def line(name: str, value: object, *, is_required: bool = False) -> str:
    """Returns text as one printable line; raises as `fraction`.

    Args:
        name: Of the argument.
        value: Text of at most 500 characters.
        is_required: Refuses an empty one.
    """
    if not isinstance(value, str):
        raise UsageError(f"{name} must be text, not {value!r:.60}")
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if is_required and not text:
        raise UsageError(f"{name} must not be empty", "say why, in a sentence")
    if len(text) > _LONGEST_LINE:
        raise UsageError(f"{name} has {len(text)} characters; at most {_LONGEST_LINE} are kept", "shorten it")
    return text


def quoting(reason: str, request: str) -> str:
    """Returns a reason with the user's own words behind it, which tell an auditor why better than an agent.

    Args:
        reason: Why, as the agent says it: one line.
        request: What the user asked; nothing is added where it is empty, or where the reason holds it.
    """
    words = textwrap.shorten(request, _LONGEST_QUOTE, placeholder="…")
    room = _LONGEST_LINE - len(reason) - len(' ("")')
    return f'{reason} ("{words}")' if words and words not in reason and len(words) <= room else reason


def region_of(value: object, width_px: int, height_px: int) -> BoxXyxyPx | None:
    """Returns a region clipped to its image, or None for None; raises as `fraction`.

    Args:
        value: Four numbers (x_min, y_min, x_max, y_max) in pixels.
        width_px: Of the image.
        height_px: Of the image.
    """
    if value is None:
        return None
    hint = f"a region is [x_min, y_min, x_max, y_max] in pixels of the image, {width_px} x {height_px}"
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 4:
        raise UsageError(f"not a region: {value!r:.60}", hint)
    x_min, y_min, x_max, y_max = (_number("region", edge) for edge in value)
    box = max(x_min, 0.0), max(y_min, 0.0), min(x_max, float(width_px)), min(y_max, float(height_px))
    if box[2] - box[0] < _SMALLEST_REGION_PX or box[3] - box[1] < _SMALLEST_REGION_PX:
        raise UsageError(f"the region {list(value)!r:.80} holds nothing of the image", hint)
    return box


def around(box: BoxXyxyPx) -> list[float]:
    """Returns a region that shows a box with as much around it; it may reach out of the picture."""
    margin = max(box[2] - box[0], box[3] - box[1], 32.0) / 2
    return [box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin]


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{name} must be a number, not {value!r:.60}")
    return float(value)
