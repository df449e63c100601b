from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.events import (
    Answer,
    CodeWritten,
    Decision,
    Event,
    GoodKept,
    ImageShown,
    Note,
    Outcome,
    StepFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from agent.log import LOG, read_log
from agent.memory import Budget
from agent.models.messages import pictures_of, text_of
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeGoodParts
from tests.agent.sessions import Bench, code, last
from tools.errors import OutputError, UsageError
from tools.pipeline.engines import EngineOptions
from tools.records import Verdict


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_session_without_a_folder_stays_out_of_its_photographs(
    bench: Bench, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder / "parts")
    with Session(["."], model=ScriptedModel([]), engines=bench.engines.as_engines) as session:
        assert session.out.parent == own_home / "runs"


def test_a_turn_runs_programs_until_an_answer(bench: Bench) -> None:
    with bench.open(
        code("rows = screen()", "print(len(rows))"),
        code("n = sum(r['status'] == 'suspect' for r in rows)", "final_answer(f'{n} of {len(rows)}')"),
    ) as session:
        events = list(session.ask("how many are suspect?"))
    assert last(events, Answer).text == "1 of 4"
    assert last(events, Answer).unverified == ()
    finished = last(events, TurnFinished)
    assert (finished.outcome, finished.steps) == (Outcome.ANSWERED, 2)
    assert next(event.code for event in events if isinstance(event, CodeWritten)).startswith(
        "rows = screen()"
    )
    assert [turn.role for turn in bench.model.sent[1]][-2:] == ["assistant", "user"]


@pytest.mark.parametrize(
    ("question", "reason"), [("is it good?", "All criteria met"), ("이거 괜찮아?", "모든 기준 충족")]
)
def test_reasons_are_given_in_the_language_of_who_asks(bench: Bench, question: str, reason: str) -> None:
    with bench.open(code('final_answer(inspect("img_001")[0]["reason"])')) as session:
        assert reason in last(list(session.ask(question)), Answer).text


@pytest.mark.parametrize(
    ("question", "language"), [("anything odd on img_001?", "English"), ("img_001 이상해?", "Korean")]
)
def test_candidates_are_asked_for_in_the_language_of_who_asks(
    bench: Bench, question: str, language: str
) -> None:
    with bench.open(code('print(examine("img_001"))'), "[]", code('final_answer("nothing")')) as session:
        events = list(session.ask(question))
    assert last(events, Answer).text == "nothing"
    (asked,) = bench.model.sent[1]
    assert f"in a few words of {language}" in text_of([asked], "user")


def test_a_report_names_the_model_that_wrote_the_programs(bench: Bench) -> None:
    with bench.open(code("write_report()", 'final_answer("done")')) as session:
        list(session.ask("write the report"))
    models = json.loads((bench.folder / "out" / "run.json").read_text())["models"]
    assert [(each["tool"], each["model"]) for each in models] == [
        ("screening", "fake"),
        ("localization", "fake"),
        ("agent", "scripted"),
    ]


def test_what_is_looked_at_is_before_the_model_at_the_next_step_under_its_name(bench: Bench) -> None:
    with bench.open(code('look("img_002")'), code('final_answer("seen")')) as session:
        events = list(session.ask("look at img_002"))
    assert last(events, ImageShown).image_id == "img_002"
    first, second = (pictures_of(turns) for turns in bench.model.sent)
    assert [picture.label for picture in first] == ["contact sheet"]
    assert [picture.label for picture in second] == ["contact sheet", "img_002"]


def test_a_turn_whose_log_cannot_be_written_ends_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(event: Event) -> None:
        if not isinstance(event, TurnStarted):
            raise OSError(28, "No space left on device")

    with bench.open(code('final_answer("done")')) as session:
        monkeypatch.setattr(session._log, "append", full)
        events = list(session.ask("inspect everything"))
        assert last(events, TurnFinished).outcome is Outcome.FAILED
        assert "No space left" in last(events, Answer).text
        assert session.turns[-1].outcome is Outcome.FAILED
        assert not session.is_running


def test_a_decision_is_recorded_with_the_words_of_the_user_and_stands(bench: Bench) -> None:
    with bench.open(
        code('decide("img_003", "reject", "scratched")', 'final_answer("img_003 is rejected.")')
    ) as session:
        events = list(session.ask("reject img_003, the fixture slipped"))
        assert last(events, Decision).reason == 'scratched ("reject img_003, the fixture slipped")'
        assert session.verdicts() == {"img_003": Verdict.REJECT}
        (call,) = session.result()["turns"][0]["tool_calls"]
    assert call["arguments"] == {"id": "img_003", "verdict": "reject", "reason": "scratched"}
    assert "decision" in (bench.folder / "out" / LOG).read_text()


def test_an_answer_that_nothing_backs_is_sent_back_once_with_the_reason(bench: Bench) -> None:
    with bench.open(
        code('final_answer("There are 17 scratches.")'), code('final_answer("I have not looked yet.")')
    ) as session:
        events = list(session.ask("how many scratches?"))
    assert "17" in next(event for event in events if isinstance(event, StepFinished)).error
    assert last(events, Answer).text == "I have not looked yet."
    assert last(events, Answer).unverified == ()


def test_an_answer_that_stays_unbacked_is_marked(bench: Bench) -> None:
    with bench.open(*[code('final_answer("There are 17 scratches.")')] * 2) as session:
        events = list(session.ask("how many scratches?"))
    assert "17" in last(events, Answer).unverified[0]
    assert last(events, TurnFinished).outcome is Outcome.ANSWERED


def test_a_declined_request_is_one_sentence(bench: Bench) -> None:
    with bench.open(code('final_answer(decline("검사만 도와 드릴 수 있습니다."))')) as session:
        events = list(session.ask("시를 써 줘"))
    assert last(events, TurnFinished).outcome is Outcome.DECLINED
    assert last(events, Answer).text == "검사만 도와 드릴 수 있습니다."


def test_an_error_of_the_program_goes_back_to_the_model(bench: Bench) -> None:
    with bench.open(code('look("img_999")'), code('final_answer("no such image")')) as session:
        events = list(session.ask("look at 999"))
    error = next(event for event in events if isinstance(event, StepFinished)).error
    assert "img_999" in error
    assert "img_004" in error
    assert last(events, TurnFinished).outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("said", "steps", "is_verified"),
    [
        (["I cannot tell dust from a dent here."], 1, True),
        (["먼지인지 흠집인지 알 수 없습니다."], 1, True),
        (["There are 17 scratches."] * 2, 2, False),
        (["There are 17 scratches.", "I have not looked at them."], 2, True),
        (["img_099 is scratched.", "I do not know such an image."], 2, True),
    ],
)
def test_an_answer_in_plain_words_goes_through_the_same_gate(
    bench: Bench, said: list[str], steps: int, is_verified: bool
) -> None:
    with bench.open(*said) as session:
        events = list(session.ask("what is it?"))
    assert last(events, Answer).text == said[-1]
    assert (last(events, Answer).unverified == ()) is is_verified
    finished = last(events, TurnFinished)
    assert (finished.outcome, finished.steps) == (Outcome.ANSWERED, steps)


@pytest.mark.parametrize("announced", ["I will now screen all images.", "먼저 모든 이미지를 검사하겠습니다."])
def test_a_model_that_announces_work_is_reminded_once(bench: Bench, announced: str) -> None:
    work = code("rows = screen()", "final_answer(f'{len(rows)} screened')")
    with bench.open(announced, work, announced, announced, announced) as session:
        events = list(session.ask("screen them"))
        assert "nothing has been done yet" in next(e for e in events if isinstance(e, StepFinished)).error
        assert last(events, Answer).text == "4 screened"
        events = list(session.ask("screen them again"))
    assert last(events, TurnFinished).outcome is Outcome.FAILED
    assert last(events, TurnFinished).steps == 2
    assert "does not do it" in last(events, TurnFinished).error


def test_what_was_unparsable_is_counted_anew_in_each_turn(bench: Bench) -> None:
    with bench.open("(", "(", "(", "(", code('final_answer("at last")')) as session:
        list(session.ask("first"))
        assert last(list(session.ask("second")), Answer).text == "at last"


@pytest.mark.parametrize(
    ("answers", "options", "reason"),
    [
        (["(", "((", "((("], {}, "no program"),
        ([code("print(1)")] * 3, {"max_steps": 3}, "3 steps"),
        ([], {}, "no further answer"),
    ],
)
def test_a_failing_model_is_said_and_the_pipeline_offered(
    bench: Bench, answers: list[str], options: dict[str, int], reason: str
) -> None:
    with bench.open(*answers, **options) as session:
        events = list(session.ask("inspect"))
    assert last(events, TurnFinished).outcome is Outcome.FAILED
    assert reason in last(events, TurnFinished).error
    assert "loupe inspect" in last(events, Answer).text


@pytest.mark.parametrize("request_", ["inspect", "전부 검사해 줘"])
def test_the_pipeline_is_offered_as_the_user_can_start_it_where_they_are(bench: Bench, request_: str) -> None:
    with bench.open(inspect_command="/inspect") as session:
        answer = last(list(session.ask(request_)), Answer).text
    assert "`/inspect`" in answer
    assert "loupe inspect" not in answer


def test_headless_the_pipeline_takes_over_from_a_failing_model(bench: Bench) -> None:
    with bench.open(fallback=True) as session:
        events = list(session.ask("전부 검사해 줘"))
        assert len(session.verdicts()) == 4
    assert "고정 검사 절차를 실행" in last(events, Answer).text
    assert last(events, TurnFinished).outcome is Outcome.FAILED
    assert any(name.endswith(".pdf") for name in last(events, TurnFinished).artifacts)


def test_a_question_on_the_side_replaces_nobodys_report(bench: Bench) -> None:
    report = code('write_report(lot="A-17", ids=["img_003", "img_004"])', 'final_answer("written")')
    with bench.open(report, fallback=True) as session:
        list(session.ask("report on 3 and 4, lot A-17"))
        before = (bench.folder / "out" / "run.json").read_bytes()
        events = list(session.ask("why is img_003 fine?"))
        assert len(session.verdicts()) == 4
    assert (bench.folder / "out" / "run.json").read_bytes() == before
    assert last(events, Answer).text.endswith("for review.")
    assert [event.tool for event in events if isinstance(event, ToolStarted)] == ["inspect"]
    with bench.open(fallback=True) as session:
        events = list(session.ask("and img_004?"))
    assert (bench.folder / "out" / "run.json").read_bytes() == before


def test_a_report_that_is_written_again_is_told_again(bench: Bench) -> None:
    write = code("write_report()", "write_report()", 'final_answer("done")')
    with bench.open(write, write) as session:
        first, second = (last(list(session.ask("report")), TurnFinished).artifacts for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first) > 0


def test_a_picture_that_cannot_be_shown_ends_no_turn(bench: Bench) -> None:
    torn = bench.folder / "parts" / "part_1.png"
    torn.write_bytes(torn.read_bytes()[:60])
    look = code('look("img_001")', 'look("img_002")')
    with bench.open(look, code('final_answer("one of them")')) as session:
        events = list(session.ask("look at 1 and 2"))
    assert last(events, TurnFinished).outcome is Outcome.ANSWERED
    assert "img_001 cannot be shown: " in last(events[:-4], StepFinished).observation
    assert [picture.label for picture in pictures_of(bench.model.sent[1])] == ["contact sheet", "img_002"]


def test_the_turn_after_a_failed_one_works(bench: Bench) -> None:
    with bench.open("(", "(", "(", code('final_answer("back again")')) as session:
        list(session.ask("first"))
        assert last(list(session.ask("second")), Answer).text == "back again"


@pytest.mark.parametrize("where", ["in the program", "in a tool", "between tokens"])
def test_a_cancelled_turn_ends_and_the_next_one_works(bench: Bench, where: str) -> None:
    answer = {
        "in the program": code("while True: pass"),
        "in a tool": code("screen()"),
        "between tokens": "\n".join(["thinking"] * 5),
    }[where]
    with bench.open(answer, code('final_answer("still here")')) as session:
        if where == "in a tool":
            bench.engines.screener.before_each = session.cancel
        events = []
        for event in session.ask("go"):
            events.append(event)
            if (where, event.kind) in (("in the program", "code_written"), ("between tokens", "text_delta")):
                session.cancel()
        assert last(events, TurnFinished).outcome is Outcome.CANCELLED
        bench.engines.screener.before_each = lambda: None
        assert last(list(session.ask("again")), Answer).text == "still here"


def test_variables_live_from_turn_to_turn(bench: Bench) -> None:
    with bench.open(
        code("n = len(images())", "final_answer('counted')"), code("final_answer(f'{n} images')")
    ) as session:
        list(session.ask("count them"))
        assert last(list(session.ask("and?")), Answer).text == "4 images"


def test_one_session_has_one_window(bench: Bench) -> None:
    with bench.open(), pytest.raises(OutputError, match="another window"):
        bench.open()


def test_ten_turns_with_ten_pictures_stay_within_the_budget(bench: Bench) -> None:
    looks = [code(f'look("img_00{number % 4 + 1}")') for number in range(10)]
    answers = [part for look in looks for part in (look, code('final_answer("seen")'))]
    with bench.open(*answers, budget=Budget(tokens=6000, pictures=2)) as session:
        for number in range(10):
            list(session.ask(f"look at number {number}"))
        usages = [turn.usage for turn in session.turns]
    assert all(usage.images <= 2 * 3 for usage in usages)
    assert max(usage.input_tokens for usage in usages) <= 2 * 6000


def test_a_blind_model_is_named_as_such_once(bench: Bench) -> None:
    with bench.open(*["red"] * 5, code('final_answer("one")'), code('final_answer("two")')) as session:
        bench.model.has_eyes = True  # type: ignore[misc]
        events = [event for request in ("first", "second") for event in session.ask(request)]
    (note,) = [event.text for event in events if isinstance(event, Note) and "sandbox" not in event.text]
    assert "blind" in note
    assert last(events, Answer).text == "two"


def test_a_model_whose_sight_cannot_be_tested_is_still_asked(bench: Bench) -> None:
    with bench.open() as session:
        bench.model = ScriptedModel({"two scratches": [code('final_answer("none known")')]})
        bench.model.has_eyes = True  # type: ignore[misc]
        session.switch_model(bench.model)
        events = list(session.ask("are there two scratches?"))
    (note,) = [event.text for event in events if isinstance(event, Note) and "sandbox" not in event.text]
    assert "could not be tested" in note
    assert last(events, TurnFinished).outcome is Outcome.ANSWERED


def test_a_request_must_say_something(bench: Bench) -> None:
    with bench.open() as session, pytest.raises(UsageError, match="empty"):
        session.ask("  ")


def test_a_second_request_waits_for_the_first(bench: Bench) -> None:
    with bench.open(code("while True: pass")) as session:
        first = session.ask("go on for ever")
        next(first)
        with pytest.raises(UsageError, match="still running"):
            session.ask("and now?")
        session.cancel()
        assert last(list(first), TurnFinished).outcome is Outcome.CANCELLED


def test_a_tool_is_used_without_the_model_and_told_like_a_turn(bench: Bench) -> None:
    with bench.open() as session:
        events = list(session.use("inspect", {"ids": ["img_002"]}, "/inspect img_002"))
        assert session.turns[0].request == "/inspect img_002"
        assert session.inspection("img_002") is not None
        assert session.inspection("img_001") is None
    assert last(events, TurnFinished).outcome is Outcome.ANSWERED
    assert bench.model.sent == []


@pytest.mark.parametrize("agreed", [True, False])
def test_a_decision_of_the_agent_needs_the_users_approval_where_that_is_wanted(
    bench: Bench, agreed: bool
) -> None:
    asked: list[Decision] = []

    def approve(decisions: Sequence[Decision]) -> bool:
        asked.extend(decisions)
        return agreed

    with bench.open(
        code('decide("img_003", "reject", "scratched")', 'final_answer("It is rejected.")'),
        code('final_answer("It stays as it is.")'),
        approve=approve,
    ) as session:
        list(session.ask("reject img_003"))
        assert session.verdicts() == ({"img_003": Verdict.REJECT} if agreed else {})
        session.decide("img_003", Verdict.ACCEPT, "only dust")
    assert [(each.image_id, each.verdict, each.by) for each in asked] == [
        ("img_003", Verdict.REJECT, "agent")
    ]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("reject img_003", "You did not agree, so nothing was changed for img_003."),
        ("img_003 불합격 처리해 줘", "동의하지 않으셔서 img_003 판정은 그대로 두었습니다."),
    ],
)
@pytest.mark.parametrize(
    "lines",
    [
        ['decide("img_003", "reject", "scratched")', 'final_answer("img_003 cannot be read.")'],
        [
            "for _ in range(5):",
            "    try:",
            '        decide("img_003", "reject", "scratched")',
            "    except Exception:",
            "        pass",
            'final_answer("img_003 is rejected, 77 mm.")',
        ],
    ],
)
def test_a_refusal_ends_the_turn_in_words_of_loupe(
    bench: Bench, lines: list[str], request_: str, said: str
) -> None:
    asked: list[Decision] = []
    later = code('final_answer("Nothing was said of it.")')

    def refuse(decisions: Sequence[Decision]) -> bool:
        asked.extend(decisions)
        return False

    with bench.open(code(*lines), later, approve=refuse) as session:
        events = list(session.ask(request_))
        assert last(events, Answer) == Answer(turn=1, text=said)
        assert last(events, TurnFinished).outcome is Outcome.DECLINED
        assert len(asked) == len(bench.model.sent) == 1
        events = list(session.ask("and now?"))
        assert last(events, Answer).text == "Nothing was said of it."
        assert last(events, TurnFinished).outcome is Outcome.ANSWERED


def test_an_endless_answer_is_cut(bench: Bench) -> None:
    with bench.open(code('final_answer("report " * 28_000)')) as session:
        answer = last(list(session.ask("report")), Answer)
    assert len(answer.text) < 100_010
    assert answer.text.endswith(" …")


def test_what_the_user_types_is_the_users_decision_and_needs_no_approval(bench: Bench) -> None:
    bench.engines.good_parts = FakeGoodParts()
    program = code('decide("img_003", "reject", "bent")', 'final_answer("done")')
    with bench.open(
        program, user="Kim", approve=lambda each: [one.by for one in each] == ["agent"]
    ) as session:
        list(session.use("keep_good", {"ids": ["img_001", "img_002"]}, "/good img_001 img_002"))
        list(session.use("keep_good", {"ids": ["img_9"]}, "/good img_9"))
        list(session.ask("reject img_003"))
    events = read_log(session.out)[1]
    decided = [(event.image_id, event.by) for event in events if isinstance(event, Decision)]
    assert decided == [("img_001", "Kim"), ("img_002", "Kim"), ("img_003", "agent")]
    assert [event.by for event in events if isinstance(event, GoodKept)] == ["Kim"]


def test_another_model_goes_on_with_what_was_said(bench: Bench) -> None:
    other = ScriptedModel([code('final_answer("second")')], name="other")
    with bench.open(code('final_answer("first")')) as session:
        list(session.ask("one"))
        session.switch_model(other)
        assert (session.model_name, session.is_model_loaded) == ("other", False)
        list(session.ask("two"))
    assert "first" in text_of(other.sent[0], "assistant")


@pytest.mark.parametrize(("given", "wanted"), [("", "site"), ("mine", "mine")])
def test_the_model_is_the_one_given_or_the_sites_and_goes_where_the_options_say(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, given: str, wanted: str
) -> None:
    asked: list[tuple[str, str, str]] = []

    def load(spec: str, *, device: str, precision: str) -> ScriptedModel:
        asked.append((spec, device, precision))
        return ScriptedModel([code('final_answer("here")')])

    (bench.folder / "loupe.toml").write_text('model = "site"\n')
    monkeypatch.chdir(bench.folder)
    monkeypatch.setattr("agent.models.loading.load_model", load)
    options = SessionOptions(engines=EngineOptions(device="cuda:1", precision="bfloat16"))
    with Session(
        ["parts"], model=given, out=bench.folder / "out", options=options, engines=bench.engines.as_engines
    ) as session:
        assert last(list(session.ask("are you there?")), Answer).text == "here"
    assert asked == [(wanted, "cuda:1", "bfloat16")]
