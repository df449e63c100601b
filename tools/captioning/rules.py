"""The quality rules that a caption must pass before it may stand in a description."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tools.captioning.materials import contradicts, materials_in
from tools.records import Measurement, Unit

if TYPE_CHECKING:
    from tools.recipe import Label, Recipe

__all__ = ["caption_faults", "clean_caption"]

MIN_WORDS = 5
MAX_CHARACTERS = 200

_HEDGING = re.compile(
    r"\b(maybe|perhaps|possibl[ey]|probabl[ey]|presumably|supposedly|apparently|potential(ly)?|likely"
    r"|might|may|could|seem(s|ed|ingly)?|appear(s|ed|ing)?|look(s|ed|ing)? like|suggest(s|ed|ing)?"
    r"|suspected|unclear|uncertain|unsure"
    r"|not sure|hard to (say|tell)|some kind of|some sort of|kind of|sort of|i (think|believe|guess))\b"
)
_FLAWLESS = re.compile(
    r"\b(flawless|perfect|unblemished|undamaged|intact|spotless|(defect|damage|flaw)[- ]free)\b"
)
_FLAW = r"\b(?:flaw|defect|damage|blemish|imperfection)(?:s|es|e?d)?\b"
# What denies the word behind it, one adjective away at most: `without any`, `free of`, `no sign of a`.
_DENIAL = (
    r"(?:\b(?:no|not|never|without|none of|(?:free|devoid|clear|absence) of|free from|lack(?:s|ing)?)|n['’]t)"
    r"(?! (?:other|further|more|only)\b)"
    r"(?: (?:an?|any|the|one|single|visible|been|have|(?:signs?|traces?|evidence|hints?) of))*(?: \w+)? "
)

_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_UNITS: dict[str, tuple[Unit, float]] = {
    r"mm2|mm²": (Unit.MM2, 1.0),
    r"mm|millimet(?:er|re)s?": (Unit.MM, 1.0),
    r"cm|centimet(?:er|re)s?": (Unit.MM, 10.0),
    r"µm|um|microns?|micromet(?:er|re)s?": (Unit.MM, 0.001),
    r"in|inch(?:es)?": (Unit.MM, 25.4),
    r"px|pixels?": (Unit.PX, 1.0),
}
_NUMBER = re.compile(
    rf"(?<![\w.])(?P<number>\d+(?:[.,]\d+)?|{'|'.join(_NUMBER_WORDS)})"
    rf"(?:[\s-]*(?P<unit>{'|'.join(_UNITS)})(?![\w²])|(?!\w))"
)


def clean_caption(caption: str) -> str:
    """Returns a caption as one line that can be quoted: no control characters, no double quotes, bounded."""
    printable = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", caption))
    return " ".join(printable.replace('"', "'").split())[:MAX_CHARACTERS].rstrip(" .")


def caption_faults(
    caption: str, recipe: Recipe, counts: Mapping[str, int], measurements: Sequence[Measurement]
) -> tuple[str, ...]:
    """Returns which quality rules a caption breaks; none when it may be used.

    A caption is a model's free text about a picture that strangers made, so it may add colour to what was
    measured but never contradict it.

    Args:
        caption: English text.
        recipe: Names and synonyms of what a caption could mean, and what the part is made of.
        counts: Findings of each type in the captioned region.
        measurements: All that was measured of them.

    Returns:
        Some of `short`, `hedging`, `flawless`, `other type`, `other material`, `number`.
    """
    text = clean_caption(caption).lower()
    rules = {
        "short": len(re.findall(r"\w+", text)) < MIN_WORDS,
        "hedging": bool(_HEDGING.search(text)),
        "flawless": any(counts.values()) and _denies(text, recipe, counts),
        "other type": _names_another(text, recipe, counts),
        "other material": contradicts(materials_in(text), _materials_of(recipe)),
        "number": _misnumbers(text, recipe, counts, measurements),
    }
    return tuple(rule for rule, broken in rules.items() if broken)


def _denies(text: str, recipe: Recipe, counts: Mapping[str, int]) -> bool:
    own = _terms({name: recipe.defects[name] for name in counts if name in recipe.defects})
    denied = rf"{_DENIAL}(?:{own}|{_FLAW})|{own}[- ]free\b(?! (?:of|from))"
    return bool(_FLAWLESS.search(text) or re.search(denied, text))


def _names_another(text: str, recipe: Recipe, counts: Mapping[str, int]) -> bool:
    """Tells whether a defect is named that was not found, or a harmless thing in place of the one found.

    Of what is unclassified a caption may name no type: a small captioner sees scratches in cookies.
    """
    found = {name: label for name, label in recipe.defects.items() if name in counts}
    others = {name: label for name, label in recipe.defects.items() if name not in counts}
    rest, named = re.subn(_terms(found), " ", text)
    if re.search(_terms(others), rest):
        return True
    return bool(counts) and not named and bool(re.search(_terms(recipe.hard_negatives), rest))


def _materials_of(recipe: Recipe) -> frozenset[str]:
    """Returns what the part is made of by its noun, or by its names where the noun does not say."""
    part = recipe.part
    return materials_in(part.noun) or materials_in(f"{part.name} {part.name_ko}")


def _misnumbers(
    text: str, recipe: Recipe, counts: Mapping[str, int], measurements: Sequence[Measurement]
) -> bool:
    for match in _NUMBER.finditer(text):
        number, unit = match["number"], match["unit"]
        value = float(number.replace(",", ".")) if number[0].isdigit() else _NUMBER_WORDS.index(number) + 1
        if unit:
            if not _was_measured(number, value, unit, measurements):
                return True
            continue
        after = text[match.end() :]
        counted = [
            count
            for name, count in counts.items()
            if name in recipe.defects
            and re.match(rf"(\W+\w+){{0,2}}?\W+{_terms({name: recipe.defects[name]})}", after)
        ]
        if value not in counted and (counted or number[0].isdigit()):
            return True
    return False


def _was_measured(number: str, value: float, unit: str, measurements: Sequence[Measurement]) -> bool:
    measured_unit, factor = next(known for spelling, known in _UNITS.items() if re.fullmatch(spelling, unit))
    decimals = len(re.split("[.,]", number)[1]) if re.search("[.,]", number) else 0
    half_digit = 0.5 * 10.0**-decimals
    return any(
        m.unit is measured_unit and abs(value * factor - m.value) <= max(m.uncertainty, half_digit * factor)
        for m in measurements
    )


def _terms(labels: Mapping[str, Label]) -> str:
    """Returns a pattern for the English words of some labels and their inflections; longest words first."""
    words = {
        word.lower().replace("_", " ")
        for name, label in labels.items()
        for word in (name, *label.synonyms)
        if word.isascii()
    }
    if not words:
        return "(?!)"
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    return rf"\b(?:{alternatives})(?:s|es|ed|ing|y)?\b"
