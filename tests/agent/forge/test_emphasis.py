from __future__ import annotations

import random
from collections import Counter
from functools import partial

from agent.forge.emphasis import Emphasis
from agent.forge.trajectories import Past, drawn_intent
from tools.records import Language


def test_what_fails_is_asked_more_and_what_is_known_still_now_and_then() -> None:
    emphasis = Emphasis()
    past, rng = Past(Language.KO), random.Random(0)
    assert emphasis.weight(past.language, "look") == 1.0
    for _ in range(200):
        intent = drawn_intent(rng, past, partial(emphasis.weight, past.language))
        emphasis.note(past.language, [(intent, 0.9 if intent == "look" else 0.0)] * 20)
    drawn = Counter(drawn_intent(rng, past, partial(emphasis.weight, past.language)) for _ in range(2000))
    assert drawn["look"] == max(drawn.values())
    assert drawn["measure_all"] > 0
    assert emphasis.weight(past.language, "look") == 3.0
    assert emphasis.weight(past.language, "measure_all") < 1.0
    assert emphasis.hardest(1) == "look ko 0.90"
    assert emphasis.weight(Language.EN, "measure_all") > 1.0  # not tried yet in that language
