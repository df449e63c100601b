from __future__ import annotations

import random
from collections import Counter
from functools import partial

from agent.forge.emphasis import Emphasis
from agent.forge.language import Request, Scope, make_request, templates
from agent.forge.trajectories import Past, drawn_intent
from tests.agent.forge.conftest import MakeStage
from tools.records import Language


def asked(intent: str, language: Language = Language.KO, template: str = "") -> Request:
    return Request("", language, intent, (), template)


def test_what_fails_is_asked_more_and_what_is_known_still_now_and_then() -> None:
    emphasis = Emphasis()
    past, rng = Past(Language.KO), random.Random(0)
    assert emphasis.weight(past.language, "look") == 1.0
    for _ in range(200):
        intent = drawn_intent(rng, past, partial(emphasis.weight, past.language))
        emphasis.note([(asked(intent), 0.9 if intent == "look" else 0.0)] * 20)
    drawn = Counter(drawn_intent(rng, past, partial(emphasis.weight, past.language)) for _ in range(2000))
    assert drawn["look"] == max(drawn.values())
    assert drawn["measure_all"] > 0
    assert emphasis.weight(past.language, "look") == 3.0
    assert emphasis.weight(past.language, "measure_all") < 1.0
    assert emphasis.hardest(1) == "look ko 0.90"
    assert emphasis.weight(Language.EN, "measure_all") > 1.0  # not tried yet in that language


def test_a_phrasing_that_fails_is_asked_more_than_those_that_are_known(make_stage: MakeStage) -> None:
    emphasis, rng = Emphasis(), random.Random(0)
    hard, *known = templates("report", Language.EN, held_out=False)
    assert emphasis.share(hard) == 1.0  # untried
    for text in known:
        emphasis.note([(asked("report", Language.EN, text), 0.0)] * 6)
    emphasis.note([(asked("report", Language.EN, hard), 1.0)])
    case = make_stage().steps.case
    scope = Scope(case.records, case.recipe, share=emphasis.share)
    drawn = Counter(make_request(rng, scope, Language.EN, "report").template for _ in range(4000))
    assert drawn[hard] == max(drawn.values())
    assert len(drawn) > len(known) / 2  # and they are asked still
