from __future__ import annotations

import random

import pytest

from agent.events import ToolStarted
from agent.forge.cases import make_case
from agent.forge.language import Request, Wish
from agent.forge.player import Player
from agent.forge.programs import PROGRAMS, after_error, pieces, written
from agent.forge.simulated import SimulatedSteps, SimulatedWorkbench
from agent.forge.trajectories import Past, Stage, begun, make_example, prompt_of
from agent.workbench import Workbench
from tests.agent.forge.conftest import MakeStage
from tools.errors import ImageError, UsageError
from tools.records import ImageStatus, Language

EN, KO = Language.EN, Language.KO


def player_of(stage: Stage) -> Player:
    return Player(stage.steps, has_ledger=stage.has_ledger, has_eyes=stage.has_eyes, picture=stage.picture)


def saying(text: str, *wishes: Wish, language: Language = EN) -> Request:
    return Request(text, language, wishes[0][0], wishes)


ON_ONE = saying("how big is 2?", ("measure", {"ids": '"img_002"'}))


@pytest.mark.parametrize(
    ("second", "call"),
    [
        (saying("and 3?", ("follow_same", {"id": '"img_003"'})), 'measure("img_003")'),
        (saying("reject it", ("follow_reject", {})), 'decide(each, "reject", "the user asked for it")'),
        (saying("show me", ("follow_look", {})), 'look("img_002")'),
        (saying("그거 설명", ("follow_describe", {}), language=KO), 'describe("img_002", language="ko")'),
        (saying("now the report", ("follow_report", {})), "write_report()"),
        (saying("next one", ("follow_next", {})), 'measure("img_003")'),
        (saying("the one before", ("follow_before", {})), 'measure("img_001")'),
        (saying("where on it?", ("follow_locate", {})), 'locate("img_002")'),
        (saying("so is it ok?", ("follow_inspect", {})), 'inspect("img_002")[0]'),
        (saying("hold it", ("follow_review", {})), 'decide(each, "review", "the user asked for it")'),
        (saying("beside 3?", ("follow_compare", {"id": '"img_003"'})), 'compare("img_002", "img_003")'),
        (saying("reject both", ("follow_reject_them", {})), "Which image"),
    ],
)
def test_a_second_turn_leans_on_the_first(make_stage: MakeStage, second: Request, call: str) -> None:
    player = player_of(make_stage())
    player.take(ON_ONE)
    assert call in player.take(second)[0]


@pytest.mark.parametrize(
    ("second", "call"),
    [
        (saying("same for 3", ("follow_same", {"id": '"img_003"'})), 'decide(each, "reject"'),
        (saying("what about 3?", ("follow_same", {"id": '"img_003"'})), 'inspect("img_003")'),
        (saying("3번도", ("follow_same", {"id": '"img_003"'}), language=KO), 'decide(each, "reject"'),
        (saying("how big is 3", ("follow_same", {"id": '"img_003"'})), 'measure("img_003")'),
        (saying("Measure 3 too", ("follow_measure", {"id": '"img_003"'})), 'measure("img_003")'),
        (saying("3번 치수도", ("follow_measure", {"id": '"img_003"'}), language=KO), 'measure("img_003")'),
        (saying("3번도 재 줘", ("follow_measure", {"id": '"img_003"'}), language=KO), 'measure("img_003")'),
        (saying("3번도 몇 mm", ("follow_measure", {"id": '"img_003"'}), language=KO), 'measure("img_003")'),
        (saying("3번도 재검토", ("follow_same", {"id": '"img_003"'}), language=KO), 'decide(each, "reject"'),
    ],
)
def test_only_an_order_decides_alike(make_stage: MakeStage, second: Request, call: str) -> None:
    player = player_of(make_stage())
    player.take(saying("reject 2", ("decide", {"several": '"img_002"', "verdict": "reject", "reason": "x"})))
    assert call in player.take(second)[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (saying("measure 1 and 2", ("measure", {"ids": '["img_001", "img_002"]'})), "follow_next"),
        (saying("look at 1", ("look", {"id": '"img_001"'})), "follow_before"),
        (saying("inspect everything", ("inspect", {"ids": ""})), "follow_next"),
    ],
)
def test_beside_which_image_is_asked_back_where_that_is_not_one(
    make_stage: MakeStage, first: Request, second: str
) -> None:
    player = player_of(make_stage())
    player.take(first)
    assert "Which image" in player.take(saying("go one on", (second, {})))[0]


def test_the_next_image_after_a_verdict_gets_none(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    player.take(saying("reject 2", ("decide", {"several": '"img_002"', "verdict": "reject", "reason": "x"})))
    assert 'inspect("img_003")' in player.take(saying("the next one as well", ("follow_next", {})))[0]


@pytest.mark.parametrize("given", ["", '"img_002"', '["img_001", "img_002"]'])
@pytest.mark.parametrize("before", ["inspect", "screen", "locate", "measure", "describe"])
def test_the_same_for_another_image_works_after_any_number_of_images(
    make_stage: MakeStage, before: str, given: str
) -> None:
    player = player_of(make_stage())
    player.take(saying("this", (before, {"ids": given})))
    [program] = player.take(saying("same for 3", ("follow_same", {"id": '"img_003"'})))
    assert f'{before}("img_003")' in program


@pytest.mark.parametrize(
    ("second", "call"),
    [
        (saying("reject both", ("follow_reject_them", {})), 'for each in ["img_001", "img_003"]'),
        (
            saying("they pass", ("follow_accept_them", {})),
            '"accept", "the user asked for it") for each in ["img_0',
        ),
        (saying("sizes?", ("follow_measure_them", {})), 'measure(["img_001", "img_003"])'),
        (
            saying("둘 다 설명", ("follow_describe_them", {}), language=KO),
            'describe(["img_001", "img_003"], language="ko")',
        ),
        (saying("reject it", ("follow_reject", {})), "Which image"),
        (saying("all three pass", ("follow_accept_them", {})), "Which image"),
        (saying("네 장 다 불합격", ("follow_reject_them", {}), language=KO), "어느 이미지"),
        (saying("둘 다 불합격", ("follow_reject_them", {}), language=KO), 'each in ["img_001", "img_003"]'),
    ],
)
def test_they_are_the_images_of_the_turn_before(make_stage: MakeStage, second: Request, call: str) -> None:
    player = player_of(make_stage())
    player.take(saying("locate 1 and 3", ("locate", {"ids": '["img_001", "img_003"]'})))
    assert call in player.take(second)[0]


@pytest.mark.parametrize(
    ("wishes", "again"),
    [
        ((("follow_reject", {}), ("decide", {"several": '"img_002"'})), True),
        ((("follow_reject", {}), ("decide", {"several": '"img_004"'})), False),
        ((("follow_compare", {"id": '"img_002"'}),), True),
        ((("follow_same", {"id": '"img_002"'}),), False),
        ((("decide", {"several": '"img_002"'}),), False),
    ],
)
def test_a_request_does_not_name_what_it_leans_on_as_another(
    make_stage: MakeStage, wishes: tuple[Wish, ...], again: bool
) -> None:
    player = player_of(make_stage())
    player.take(ON_ONE)
    assert player.names_again(saying("this", *wishes)) is again


@pytest.mark.parametrize("wish", ["measure_type", "biggest_type"])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_asked_of_a_type_is_said_of_that_type_alone(
    make_stage: MakeStage, wish: str, seed: int
) -> None:
    player = player_of(make_stage(9, seed=seed))
    player.take(saying("the scratches", (wish, {"type": "scratch"})))
    measured = [row for row in player.workbench.measure() if row["type"] == "scratch" and row["length"]]
    longest = sorted(measured, key=lambda row: row["length"], reverse=True)
    named = {row["finding"] for row in (longest if wish == "measure_type" else longest[:1])}
    assert {row["finding"] for row in measured if row["finding"] + ":" in player.turns[-1].answer} == named
    assert measured or "no defect to measure" in player.turns[-1].answer


def test_a_rejected_image_without_a_finding_is_not_said_to_pass(make_stage: MakeStage) -> None:
    stage = make_stage(6, seed=2)
    clean = next(id_ for id_, found in stage.steps.case.findings.items() if not found)
    player = player_of(stage)
    player.take(saying("inspect", ("inspect", {"ids": ""})))
    others = [row["id"] for row in player.workbench.inspect() if row["id"] != clean]
    for each in others:
        player.workbench.decide(each, "accept", "x")
    player.workbench.decide(clean, "reject", "x")
    player.take(saying("the bad ones", ("measure_bad", {})))
    assert player.turns[-1].answer == "There is no defect to measure."


def test_of_two_wishes_none_is_done_where_one_is_unclear(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    asked = saying("reject it and write the report", ("follow_reject", {}), ("report", {"options": ""}))
    [program] = player.take(asked)
    assert "Which image" in program
    assert "write_report" not in program


@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize("wish", ["measure_bad", "describe_bad", "report_bad"])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_asked_of_rejected_images_is_done_with_these_alone(
    make_stage: MakeStage, wish: str, language: Language, seed: int
) -> None:
    stage = make_stage(9, seed=seed)
    player = player_of(stage)
    player.take(
        saying("the bad ones", (wish, {} if wish == "measure_bad" else {"more": ""}), language=language)
    )
    rejected = [row["id"] for row in player.workbench.inspect() if row["verdict"] == "reject"]
    started = [event for event in player.events if isinstance(event, ToolStarted)]
    wanted = {"measure_bad": "measure", "describe_bad": "describe", "report_bad": "write_report"}[wish]
    assert [event.tool for event in started] == ["inspect", *([wanted] if rejected else [])]
    if rejected:
        assert started[-1].arguments["ids"] == rejected
    else:
        assert player.turns[-1].answer in ("No image is rejected.", "불합격 이미지가 없습니다.")


def test_what_leans_on_nothing_is_asked_back(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    player.take(saying("reject it", ("follow_reject", {})))
    assert player.turns[-1].answer.startswith("Which image")
    assert not player.workbench.verdicts()


def test_it_means_the_first_image_that_the_answer_names(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    player.take(saying("screen all", ("screen", {"ids": ""})))
    first = player.turns[-1].answer.split(": ")[1][:7]
    assert f'look("{first}")' in player.take(saying("show it", ("follow_look", {})))[0]


def test_an_image_that_is_not_there_is_said_with_those_that_are(make_stage: MakeStage) -> None:
    player = player_of(make_stage(5))
    programs = player.take(saying("measure 9", ("measure", {"ids": '"img_009"'})))
    assert len(programs) == 2
    assert (
        player.turns[-1]
        .steps[0]
        .observation.startswith('Error: Line 1, `rows = measure("img_009")`: ToolError:')
    )
    assert player.turns[-1].answer == "There is no such image; the ids run from img_001 to img_005."


def test_a_look_is_answered_from_the_description(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    programs = player.take(saying("look at 1", ("look", {"id": '"img_001"'})))
    assert [program.split("(")[0] for program in programs] == ["look", "rows = describe"]
    assert player.turns[-1].steps[0].pictures
    assert player.turns[-1].answer.startswith("img_001: ")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("search_text", {"has_ledger": False}, "keeps no record"),
        ("examine", {"has_eyes": False}, "No vision model"),
    ],
)
def test_what_a_session_lacks_is_said(
    make_stage: MakeStage, name: str, options: dict[str, bool], said: str
) -> None:
    player = player_of(make_stage(**options))
    player.take(saying("x", (name, {"text": "burr", "id": '"img_001"'})))
    assert said in player.turns[-1].answer


def test_facts_are_those_of_a_session(make_stage: MakeStage) -> None:
    player = player_of(make_stage())
    player.take(ON_ONE)
    assert player.turns[-1].facts[0].startswith('measure(ids=["img_002"]) -> ')


def test_the_simulated_workbench_shows_the_real_tools() -> None:
    prompt = prompt_of(has_ledger=True, has_eyes=True)
    for name in ("examine", "write_report"):
        assert (getattr(Workbench, name).__doc__ or "").partition("\n\n")[0].strip() in prompt
    assert "def search(" not in prompt_of(has_ledger=False, has_eyes=True)


def test_the_simulated_workbench_refuses_as_the_real_one() -> None:
    for seed in range(40):
        case = make_case(random.Random(seed), 12)
        lost = [record.id for record in case.records if record.status is ImageStatus.UNREADABLE]
        if lost:
            break
    bench = SimulatedWorkbench(SimulatedSteps(case))
    assert bench.measure(lost[0])[0]["status"] == "unreadable"
    with pytest.raises(ImageError, match="cannot be read"):
        bench.look(lost[0])
    with pytest.raises(UsageError, match="unknown image id"):
        bench.measure("img_099")
    with pytest.raises(UsageError, match="unknown verdict"):
        bench.decide(1, "burn", "x")


@pytest.mark.parametrize(
    ("error", "wish"),
    [
        (
            "unknown image id 'x'. valid ids: img_001 to img_024",
            ("no_image", {"first": "img_001", "last": "img_024"}),
        ),
        ("unknown image id 'x'. the only id: img_001", ("only_image", {"first": "img_001"})),
        ("img_004 cannot be read: it is empty", ("unreadable", {"image": "img_004"})),
        ("the report cannot be written", ("failed", {})),
    ],
)
def test_errors_have_answers(error: str, wish: Wish) -> None:
    assert after_error(error) == wish
    assert written(*wish, EN) != written(*wish, KO)


def test_programs_are_made_of_the_pieces_that_tokens_are_made_of() -> None:
    code = written("compare", {"id": '"img_001"', "other": '"img_002"'}, EN)
    assert all(line in {piece.rstrip("\n") for piece in pieces()} for line in code.splitlines()[1:])
    assert set(PROGRAMS) >= {"inspect", "look", "gibberish", "which"}


@pytest.mark.parametrize("language", [*Language])
def test_what_is_to_be_written_depends_on_what_was_said_alone(
    make_stage: MakeStage, language: Language
) -> None:
    for seed in range(60):
        stage, past = make_stage(9, seed=seed), Past(language, 2, seed)
        before = begun(stage, past)
        again, anew = (
            make_example(random.Random(seed), stage, past, before=who).programs for who in (before, None)
        )
        assert again == anew
        assert len(before.turns) == 2
