"""Exercises for a model that cannot copy yet: a request full of ids, lots and numbers, to be said again.

What a program takes over from a request is two or three values among a dozen tokens that are always alike, so
from conversations alone a small model finds out late that it is to copy at all, and digit by digit. Here
nearly every token is a copy (induction heads: Olsson et al. 2022, arXiv 2209.11895).
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence

from agent.forge import slots
from agent.models.messages import Turn as Message
from tools.recipe import Recipe
from tools.records import ImageRecord, Language

__all__ = ["drill"]

_MOST = 8
_ECHOES = 0.4  # of exercises repeat one long code
_SIGNS = string.digits * 3 + string.ascii_uppercase + string.ascii_lowercase + "-/_."
_GLUE = {
    Language.EN: (", ", " and ", " ", "; ", ", the ", " then ", " on ", " over ", " with "),
    Language.KO: (", ", "랑 ", " ", "; ", " 그리고 ", "하고 ", " 또 "),
}


def drill(
    rng: random.Random, records: Sequence[ImageRecord], recipe: Recipe, language: Language
) -> tuple[Message, ...]:
    """Returns a request and the program that says its values again, as programs spell them."""
    if rng.random() < _ECHOES:
        signs = rng.choice((string.digits, _SIGNS))
        return _exercise(code := "".join(rng.choices(signs, k=rng.randint(4, 20))), [code])
    makers: tuple[Callable[[], slots.Spelled], ...] = (
        lambda: (slots.lot(rng),) * 2,
        lambda: slots.one_image(rng, records, language),
        lambda: slots.images(rng, records, language, 1)[0],
        lambda: slots.threshold(rng, language),
        lambda: (slots.millimetres(rng),) * 2,
        lambda: slots.type_name(rng, recipe, language),
        lambda: (slots.phrase(rng, language),) * 2,
    )
    pairs = [rng.choices(makers, (4, 2, 2, 1, 2, 1, 1))[0]() for _ in range(rng.randint(2, _MOST))]
    asked = rng.choice(_GLUE[language]).join(spelled for spelled, _ in pairs)
    return _exercise(asked, [value.strip('"') for _, value in pairs])


def _exercise(asked: str, values: Sequence[str]) -> tuple[Message, ...]:
    said = '", "'.join(values)
    return (
        Message("user", (f"Request: copy: {asked}",)),
        Message("assistant", (f'<code>\nfinal_answer(["{said}"])\n</code>',)),
    )
