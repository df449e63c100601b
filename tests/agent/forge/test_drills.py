from __future__ import annotations

import ast
import random

import pytest

from agent.forge.cases import make_case
from agent.forge.drills import drill
from tools.records import Language


def _said(code: str) -> list[str]:
    call = ast.parse(code.removeprefix("<code>\n").removesuffix("\n</code>"), mode="eval").body
    assert isinstance(call, ast.Call)
    said: list[str] = ast.literal_eval(call.args[0])
    return said


@pytest.mark.parametrize("language", [*Language])
def test_an_exercise_says_again_what_was_asked_in_that_order(language: Language) -> None:
    rng = random.Random(3)
    case = make_case(rng, 12)
    copied = 0
    for _ in range(300):
        asked, answered = drill(rng, case.records, case.recipe, language)
        (request,), (code,) = asked.parts, answered.parts
        assert isinstance(request, str)
        assert isinstance(code, str)
        at = 0
        for value in _said(code):
            if value in request:  # ids, names of types and percentages may be spelled in another way
                found = request.find(value, at)
                at = found if found >= 0 else at
                copied += found >= 0
    assert copied > 600


def test_no_two_exercises_are_alike() -> None:
    rng = random.Random(0)
    case = make_case(rng, 5)
    asked = [str(drill(rng, case.records, case.recipe, Language.EN)[0].parts) for _ in range(200)]
    assert len({*asked}) > 195
