from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.abstention import FILE, Abstention, Unsure, changes, offer, read_abstention, sure_of
from agent.events import Abstained, Answer, CodeWritten, Note, Outcome, ToolStarted, TurnFinished
from agent.log import read_log
from agent.models.base import Question, Reply
from agent.models.messages import text_of
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import ModelError
from tools.recipe.file import load_recipe
from tools.records import ImageRecord, ImageStatus, Language, ScreeningStatus, Verdict

EN, KO = Language.EN, Language.KO
LOOK, DECIDE = "final_answer(str(len(screen())))", 'final_answer(decide("img_001", "reject", "bent")["id"])'


class Doubtful(ScriptedModel):
    """Writes one program per call, each as surely as it is told."""

    def __init__(self, *answers: tuple[str, float]) -> None:
        super().__init__([f"<code>\n{code}\n</code>" for code, _ in answers])
        self._sure = [sureness for _, sureness in answers]

    def _reply(self, question: Question) -> Reply:
        reply = super()._reply(question)
        end = len(reply.text)
        return replace(reply, tokens=((end // 2, self._sure.pop(0)), (end, 0.0)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_batch(tmp_path / "parts", 3)
    return tmp_path


def opened(folder: Path, model: ScriptedModel, **options: object) -> Session:
    engines = FakeEngines(load_recipe(), {"img_002": ScreeningStatus.SUSPECT}, ["img_002"])
    return Session(
        [folder / "parts"],
        model=model,
        out=folder / "out",
        options=SessionOptions(**options),
        engines=engines.as_engines,
    )


@pytest.mark.parametrize(
    ("code", "sureness", "runs"),
    [
        (LOOK, -0.4, True),
        (LOOK, -0.6, False),
        (DECIDE, -0.4, False),
        (DECIDE, -0.05, True),
    ],
)
def test_what_changes_something_must_be_surer(folder: Path, code: str, sureness: float, runs: bool) -> None:
    model = Doubtful((code, sureness))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        events = list(session.ask("img_001"))
        assert any(isinstance(event, ToolStarted) for event in events) is runs
        assert session.turns[0].outcome is (Outcome.ANSWERED if runs else Outcome.DECLINED)
        assert session.turns[0].abstained is not runs
        assert bool(session.verdicts()) is (runs and code == DECIDE)
        assert session.result()["turns"][0].get("abstained", False) is not runs


class Silent(ScriptedModel):
    """Does not tell how sure it is, as some servers."""

    def _reply(self, question: Question) -> Reply:
        return replace(super()._reply(question), tokens=())


def test_who_does_not_tell_how_sure_it_is_changes_nothing_unasked(folder: Path) -> None:
    model = Silent([f"<code>\n{code}\n</code>" for code in (LOOK, DECIDE)])
    with opened(folder, model, abstention=Abstention(looking=-0.5, changing=-0.1)) as session:
        looked, decided = (list(session.ask(each)) for each in ("how many?", "reject img_001"))
        assert [turn.outcome for turn in session.turns] == [Outcome.ANSWERED, Outcome.DECLINED]
        assert not session.verdicts()
        [note] = [event.text for event in (*looked, *decided) if isinstance(event, Note)][-1:]
        assert note == "scripted does not tell how sure it is, and changes nothing unasked"


def test_who_never_measured_it_runs_everything(folder: Path) -> None:
    with opened(folder, Doubtful((LOOK, -9.0))) as session:
        assert [event.text for event in session.ask("x") if isinstance(event, Answer)] == ["3"]


def test_what_the_session_is_told_wins_over_the_checkpoint(folder: Path) -> None:
    model = Doubtful((LOOK, -0.6))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model, abstention=Abstention(looking=-1, changing=-1)) as session:
        list(session.ask("x"))
        assert session.turns[0].outcome is Outcome.ANSWERED


def test_what_loupe_toml_says_holds_for_any_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "loupe.toml").write_text("[abstention]\nlooking = -0.5\nchanging = -0.1\n")
    monkeypatch.chdir(folder)
    with opened(folder, Doubtful((LOOK, -0.6))) as session:
        list(session.ask("x"))
        assert session.turns[0].abstained


def test_an_abstention_is_told_in_the_users_language_logged_and_forgotten_by_the_model(folder: Path) -> None:
    model = Doubtful((LOOK, -0.6), (LOOK, -0.01))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        first = list(session.ask("뷁뷁"))
        list(session.ask("how many?"))
    [answer] = [event for event in first if isinstance(event, Answer)]
    assert answer.text.startswith("이해하지 못해 아무것도 하지 않았습니다.")
    assert "img_001 보여 줘" in answer.text
    [abstained] = [event for event in read_log(folder / "out")[1] if isinstance(event, Abstained)]
    assert (abstained.sureness, abstained.least) == (-0.6, -0.5)
    assert isinstance(first[-1], TurnFinished)
    assert "뷁" not in text_of(model.sent[1], "user")

    resumed = Doubtful((LOOK, -0.01))
    with opened(folder, resumed) as session:
        list(session.ask("again"))
    assert "뷁" not in text_of(resumed.sent[0], "user")
    assert "how many?" in text_of(resumed.sent[0], "user")


REJECT = 'rows = [decide(each, "reject", "bent") for each in ["img_001"]]\nfinal_answer(rows[0]["id"])'


@pytest.mark.parametrize(("reply", "happens"), [("yes", True), ("네", True), ("no", False)])
def test_who_is_asked_what_was_meant_may_say_yes(folder: Path, reply: str, happens: bool) -> None:
    model = Doubtful((REJECT, -0.3), (LOOK, -0.01))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        [answer] = [event for event in session.ask("1 is rubbish") if isinstance(event, Answer)]
        assert "Did you mean: reject img_001? You can also say: inspect everything; screen all" in answer.text
        assert session.verdicts() == {}
        events = list(session.ask(reply))
        assert session.verdicts() == ({"img_001": Verdict.REJECT} if happens else {})
        if happens:  # the very program that was shown runs: the model is not asked for another
            assert [event.code for event in events if isinstance(event, CodeWritten)] == [REJECT]
            assert len(model.sent) == 1
            list(session.ask("how many?"))
    said = text_of(model.sent[1], "user")
    assert ("Request: reject img_001" in said) is happens
    assert ("Request: no" in said) is not happens


ASK = 'final_answer("Which image do you mean?")'


@pytest.mark.parametrize(
    ("alone", "doubts"),
    [
        ((LOOK, -0.01), []),
        ((LOOK, -0.6), [-0.7]),
        ((REJECT, -0.3), [-0.3]),
        ((ASK, -0.01), [-0.7]),
    ],
)
def test_what_is_doubtful_after_other_turns_is_read_once_more_without_them(
    folder: Path, alone: tuple[str, float], doubts: list[float]
) -> None:
    model = Doubtful((LOOK, -0.01), (DECIDE, -0.7), alone)
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        list(session.ask("how many are there?"))
        events = list(session.ask("count 1 too"))
        assert session.turns[1].outcome is (Outcome.DECLINED if doubts else Outcome.ANSWERED)
        assert session.turns[1].meant == ("reject img_001" if doubts == [-0.3] else "")
        assert session.verdicts() == {}
    before, again = (text_of(sent, "user") for sent in model.sent[1:])
    assert "how many are there?" in before
    assert "how many are there?" not in again
    assert "count 1 too" in again
    [written] = [event.code for event in events if isinstance(event, CodeWritten)]
    assert written == (DECIDE if doubts == [-0.7] else alone[0])
    assert [event.sureness for event in events if isinstance(event, Abstained)] == doubts


@pytest.mark.parametrize("given", [None, Abstention(looking=-1, changing=-1)])
def test_only_so_many_turns_are_put_before_a_model_that_more_would_mislead(
    folder: Path, given: Abstention | None
) -> None:
    model = Doubtful(*[(LOOK, -0.01)] * 3)
    model.abstention = Abstention(looking=-0.5, changing=-0.1, turns=1)
    with opened(folder, model, abstention=given) as session:
        for request in ("the first", "the second", "the third"):
            list(session.ask(request))
    said = text_of(model.sent[2], "user")
    assert ("the first" in said, "the second" in said, "the third" in said) == (False, True, True)


def test_a_yes_to_a_question_counts_after_the_session_was_resumed_too(folder: Path) -> None:
    asking = Doubtful((REJECT, -0.3))
    asking.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, asking) as session:
        list(session.ask("1 is rubbish"))
    with opened(folder, Doubtful()) as session:
        list(session.ask("yes"))
        assert session.verdicts() == {"img_001": Verdict.REJECT}
    model = Doubtful((LOOK, -0.01))
    with opened(folder, model) as session:
        list(session.ask("how many?"))
        assert session.verdicts() == {"img_001": Verdict.REJECT}
    said = text_of(model.sent[0], "user")
    requests = [line[9:] for line in said.splitlines() if line.startswith("Request: ")]
    assert requests == ["reject img_001", "how many?"]


def test_what_the_model_goes_on_with_after_a_yes_must_be_sure_again(folder: Path) -> None:
    first = 'row = decide("img_001", "reject", "bent")'
    model = Doubtful((first, -0.3), (DECIDE.replace("001", "002"), -0.3))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        assert list(session.ask("1 is rubbish"))
        assert session.turns[0].meant == "reject img_001"
        list(session.ask("yes"))
        assert session.verdicts() == {"img_001": Verdict.REJECT}
        assert session.turns[1].abstained


def test_a_yes_after_something_else_is_no_answer_to_the_question(folder: Path) -> None:
    model = Doubtful((REJECT, -0.3), (LOOK, -0.01))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        list(session.ask("1 is rubbish"))
        list(session.use("screen", {}, "/screen"))
        list(session.ask("yes"))
        assert session.verdicts() == {}
    assert "Request: yes" in text_of(model.sent[1], "user")


@pytest.mark.parametrize(("code", "sureness"), [(REJECT, -0.6), (REJECT.replace("001", "003"), -0.3)])
def test_nothing_is_guessed_far_below_or_of_what_nobody_named(
    folder: Path, code: str, sureness: float
) -> None:
    model = Doubtful((code, sureness), (LOOK, -0.01))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        [answer] = [event for event in session.ask("1 is rubbish") if isinstance(event, Answer)]
        assert "Did you mean" not in answer.text
        list(session.ask("yes"))
    assert "Request: yes" in text_of(model.sent[1], "user")


def test_what_ran_before_the_doubt_is_not_denied(folder: Path) -> None:
    model = Doubtful((DECIDE.replace("final_answer", "print"), -0.01), (LOOK, -0.6))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        [answer] = [event for event in session.ask("reject 1") if isinstance(event, Answer)]
        assert "stopped here" in answer.text
        assert session.verdicts() == {"img_001": Verdict.REJECT}


@pytest.mark.parametrize(
    ("verdicts", "has_report", "language", "offered"),
    [
        ({}, False, EN, "inspect everything; screen all images; show me img_002."),
        ({}, False, KO, "전체 검사해 줘; 전체 선별해 줘; img_002 보여 줘."),
        ({"img_002": "accept"}, False, EN, "show me img_002; write the report; list the verdicts."),
        (
            {"img_003": "reject"},
            False,
            EN,
            "measure the defects of img_003; write the report; show me img_003.",
        ),
        ({"img_003": "review"}, True, KO, "img_003 결함 크기 재 줘; 판정 목록 보여 줘; img_003 보여 줘."),
        ({"img_002": "accept"}, True, EN, "show me img_002; list the verdicts; inspect everything."),
    ],
)
def test_three_things_are_offered_that_fit_the_batch(
    verdicts: dict[str, str], has_report: bool, language: Language, offered: str
) -> None:
    records = [
        ImageRecord(id="img_001", name="a.jpg", status=ImageStatus.UNREADABLE, reason="empty"),
        ImageRecord(id="img_002", name="b.jpg", sha256="2" * 64, width_px=9, height_px=9),
        ImageRecord(id="img_003", name="c.jpg", sha256="3" * 64, width_px=9, height_px=9),
    ]
    known = {each: Verdict(verdict) for each, verdict in verdicts.items()}
    assert offer(Unsure(1), records, known, language, has_report=has_report).endswith(": " + offered)


@pytest.mark.parametrize(
    ("code", "is_changing"),
    [
        (LOOK, False),
        (DECIDE, True),
        ("f = write_report\nf()", True),
        ('final_answer("decide")', False),
        ("decide(", False),
        ("rows = inspect()", False),
        ('inspect("img_003")', False),
        ("rows = inspect(threshold=0.3)", True),
        ('inspect(["img_003"], 0.3)', True),
        ('inspect(**{"threshold": 0.3})', True),
        ("inspect(*given)", True),
        ("f = inspect\nf(threshold=0.3)", True),
        ("list(map(inspect, ids, thresholds))", True),
        ("inspect(ids=[i for i in inspect()])", False),
        ("inspect(ids=inspect)", True),
        ("[tool() for tool in (screen, inspect)]", True),
        ("row['inspect'].inspect(threshold=1)", False),
        ("screen(threshold=0.3)", False),
    ],
)
def test_a_program_that_names_what_changes_something_may_change_it(code: str, is_changing: bool) -> None:
    assert changes(code) is is_changing


@pytest.mark.parametrize(
    ("code", "least"),
    [
        ('rows = measure("img_001")', -0.9),
        ('row = write_report(lot="A-17")', -0.5),
        ("rows = inspect()\nrow = write_report()", -0.5),
        (DECIDE, -0.2),
        (f"write_report()\n{DECIDE}", -0.2),
        ("write_report()\nrows = inspect(threshold=0.4)", -0.2),
    ],
)
def test_how_sure_a_program_must_be_depends_on_what_it_changes(code: str, least: float) -> None:
    assert Abstention(looking=-0.9, changing=-0.2, reporting=-0.5).least(code) == least
    assert Abstention(looking=-0.9, changing=-0.2).least(code) == max(least, -0.2 if changes(code) else -0.9)


def test_thresholds_lie_beside_the_weights(tmp_path: Path) -> None:
    assert read_abstention(tmp_path) is None
    given = Abstention(looking=-0.5, changing=-0.1)
    (tmp_path / FILE).write_text(given.model_dump_json())
    assert read_abstention(tmp_path) == given


@pytest.mark.parametrize("text", ["", "{}", '{"looking": 0.5, "changing": -0.1}', '{"looking": -1'])
def test_damaged_thresholds_are_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ModelError, match=FILE):
        read_abstention(tmp_path)


@pytest.mark.parametrize(
    ("request_", "code", "is_named"),
    [
        ("measure img_004", 'measure("img_004")', True),
        ("measure img_004", 'measure("img_002")', False),
        ("4번 불합격", 'decide("img_004", "reject", "x")', True),
        ("4번 불합격", 'decide("img_014", "reject", "x")', False),
        ("reject 4 and 12", '[decide(each, "reject", "x") for each in ["img_004", "img_012"]]', True),
        ("reject 4 and 12", '[decide(each, "reject", "x") for each in ["img_004", "img_002"]]', False),
        ("inspect 3 to 6", 'inspect(["img_003", "img_004", "img_005", "img_006"])', True),
        ("3번부터 6번까지", 'inspect(["img_003", "img_005", "img_006"])', True),
        ("inspect 3 to 6", 'inspect(["img_003", "img_008"])', False),
        ("inspect img_003 up to img_006", 'inspect(["img_003", "img_005", "img_006"])', True),
        ("inspect 3 thru 6", 'inspect(["img_003", "img_008"])', False),
        ("inspect 3 till 6", 'inspect(["img_003", "img_004", "img_006"])', True),
        ("3번에서부터 6번까지", 'inspect(["img_003", "img_005", "img_006"])', True),
        ("measure everything between 3 and 6", 'measure(["img_003", "img_004", "img_006"])', True),
        ("show the last one", 'look("img_009")', True),
        ("compare it with 5", 'compare("img_007", "img_005")', True),
        ("report, lot A-17", 'write_report(lot="A-17")', True),
        ("report, lot a-17", 'write_report(lot="A-17", language="ko")', True),
        ("report, lot A-17", 'write_report(lot="A-71")', False),
        ("the report for that lot", 'write_report(lot="QX-9")', True),
        ("report", 'write_report(lot="")', True),
        ("report, lot A-170", 'write_report(lot="A-17")', False),
        ("A-17로 성적서", 'write_report(lot="A-17")', True),
        ("report, lot B-17", 'write_report(lot="B")', False),
        ("report, lot B-17", 'write_report(lot="17")', False),
        ("report, lot B-17.", 'write_report(lot="B-17")', True),
        ("reject it", 'decide("img_007", "reject", "x")', True),
        ("reject it", 'decide("img_008", "reject", "x")', False),
        ("reject the first one", 'decide("img_001", "reject", "x")', True),
        ("show it", 'look("img_008")', True),
        ("measure 4", "measure(", True),
        ("report, lot A-17", 'write_report("A-17")', True),
        ("report, lot A-17", 'write_report("A-71")', False),
        ("reject 4", 'decide(4, "reject", "x")', True),
        ("reject 4", 'decide(8, "reject", "x")', False),
        ("screen at 0.5", "screen(None, 0.5)", True),
    ],
)
def test_a_program_that_names_what_nobody_named_is_not_sure_at_all(
    request_: str, code: str, is_named: bool
) -> None:
    earlier = ["img_007, and this is lot QX-9"]
    assert sure_of(code, -0.01, request_, earlier) == (-0.01 if is_named else -100.0)
    assert sure_of(code, None, request_, earlier) is None


def test_what_nobody_named_is_not_decided(folder: Path) -> None:
    model = Doubtful((DECIDE, -0.001))
    model.abstention = Abstention(looking=-0.5, changing=-0.1)
    with opened(folder, model) as session:
        list(session.ask("reject 2"))
        assert session.turns[0].abstained
        assert session.verdicts() == {}
