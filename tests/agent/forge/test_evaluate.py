from __future__ import annotations

import random

import pytest

from agent.forge.evaluate import Judge, Kind, Trial, distinct
from agent.forge.language import FOLLOWING, Request, Share, intents
from agent.forge.trajectories import Past, asked, begun
from agent.models.scripted import ScriptedModel
from tests.agent.forge.conftest import MakeStage
from tools.records import Language


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ('final_answer(measure("img_001"))', Kind.TOOL),
        ('final_answer(write_report(lot="no such lot"))', Kind.ARGUMENTS),
        ('final_answer("x")', Kind.TOOL),
        ("pass", Kind.BROKEN),
    ],
)
def test_a_judge_says_what_is_wrong(make_stage: MakeStage, code: str, kind: Kind) -> None:
    judge = Judge(ScriptedModel([f"<code>\n{code}\n</code>"] * 4))
    try:
        trial = judge.trial(random.Random(1), make_stage(), Past(Language.EN), "report_lot")
    finally:
        judge.close()
    assert trial.kind is kind
    assert trial.is_wrong_change is (kind is Kind.ARGUMENTS)


def test_a_judge_knows_what_is_right(make_stage: MakeStage) -> None:
    past, stage = Past(Language.EN, 1, 3), make_stage()
    first = Judge(ScriptedModel(["<code>\nfinal_answer(1)\n</code>"]))
    right = first.trial(random.Random(1), stage, past, "follow_reject").expected
    first.close()
    judge = Judge(ScriptedModel([f"<code>\n{code}\n</code>" for code in right]))
    assert judge.trial(random.Random(1), stage, past, "follow_reject").kind is Kind.RIGHT
    judge.close()


@pytest.mark.parametrize(
    ("intent", "written", "otherwise", "kind"),
    [
        ("report_lot", '")\n', '", language="en")\n', Kind.RIGHT),
        ("accept", "the user asked for it", "it is fine", Kind.RIGHT),
        ("accept", '"accept"', '"review"', Kind.ARGUMENTS),
        ("measure_over", " > ", " > 1000 + ", Kind.ANSWER),
        ("count_by_type", "inspect()\n", "rows = findings()\ninspect()\n", Kind.TOOL),
        ("count_by_type", "counts = {}", "counts = {'x': 77}", Kind.ANSWER),
        ("inspect_all", "inspect()", "inspect(threshold=None)", Kind.RIGHT),
    ],
)
def test_a_judge_accepts_what_does_the_same_and_nothing_else(
    make_stage: MakeStage, intent: str, written: str, otherwise: str, kind: Kind
) -> None:
    past, stage = Past(Language.EN), make_stage(12, seed=5)
    request = asked(random.Random(3), stage, past, "single", intent, share=Share.JUDGING)
    [program] = begun(stage, past).take(request)
    assert written in program
    judge = Judge(ScriptedModel([f"<code>\n{program.replace(written, otherwise)}\n</code>"] * 4))
    assert judge.trial(random.Random(3), stage, past, intent).kind is kind
    judge.close()


@pytest.mark.parametrize("language", [*Language])
def test_every_program_runs_behind_the_walls_as_it_did_in_training(
    make_stage: MakeStage, language: Language
) -> None:
    stage, wanted = make_stage(9, seed=2), [*intents(language), "pair", "pair", "pair"]
    pasts = [Past(language, int(intent in FOLLOWING), n) for n, intent in enumerate(wanted)]
    programs: list[str] = []
    for n, (intent, past) in enumerate(zip(wanted, pasts, strict=True)):
        kind = "pair" if intent == "pair" else "single"
        request = asked(random.Random(n), stage, past, kind, intent, share=Share.JUDGING)
        programs += begun(stage, past).take(request)
    judge = Judge(ScriptedModel([f"<code>\n{program}\n</code>" for program in programs]))
    trials = [
        judge.trial(random.Random(n), stage, past, intent)
        for n, (intent, past) in enumerate(zip(wanted, pasts, strict=True))
    ]
    judge.close()
    assert [trial for trial in trials if trial.kind is not Kind.RIGHT] == []


def test_a_request_that_is_drawn_twice_counts_once() -> None:
    def trial(text: str, kind: Kind) -> Trial:
        return Trial(Request(text, Language.EN, "report", ()), kind, (), (), (), is_wrong_change=False)

    first, again, other = trial("a", Kind.RIGHT), trial("a", Kind.TOOL), trial("b", Kind.TOOL)
    assert [*distinct([first, again, other])] == [first, other]
