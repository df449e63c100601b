from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from agent.events import Answer, TurnFinished
from agent.log import read_log
from agent.models.messages import text_of
from agent.session import Session
from tests.agent.sessions import Bench, code, last
from tools.errors import UsageError
from tools.records import Verdict


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_session_goes_on_where_it_was_left(bench: Bench) -> None:
    with bench.open(
        code("inspect()", 'decide("img_001", "reject", "bent")', 'final_answer("img_001 is rejected.")')
    ) as session:
        list(session.ask("inspect and reject the first"))
        before = session.verdicts()
    with bench.open(code('final_answer("img_001 is rejected, as before.")')) as resumed:
        assert resumed.verdicts() == before
        assert resumed.turns[0].answer == "img_001 is rejected."
        events = list(resumed.ask("what about the first?"))
    assert last(events, TurnFinished).turn == 2
    assert last(events, Answer).unverified == ()
    said = str(bench.model.sent[0])
    assert "Request: inspect and reject the first" in said
    assert "decide(" in said
    assert len(read_log(bench.folder / "out")[1]) > 5


def test_what_only_the_model_said_is_no_evidence_after_a_resume(bench: Bench) -> None:
    invented = code('final_answer("The scratch is 77.3 mm long.")')
    with bench.open(invented, invented) as session:
        assert last(list(session.ask("how long is it?")), Answer).unverified
    with bench.open(invented, invented) as session:
        assert last(list(session.ask("how long was it?")), Answer).unverified


def test_later_reports_are_of_the_same_lot_also_after_a_resume(bench: Bench) -> None:
    with bench.open() as session:
        list(session.use("write_report", {"lot": "A-17", "ids": ["img_002"]}, "/report"))
    with bench.open() as session:
        list(session.use("write_report", {}, "/report"))
    assert json.loads((bench.folder / "out" / "run.json").read_text())["lot"] == "A-17"


def test_a_later_report_is_of_the_first_start_and_names_all_who_wrote(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> tuple[str, list[str]]:
        content = json.loads((bench.folder / "out" / "run.json").read_text())
        return content["started_at"], [each["tool"] for each in content["models"]]

    with bench.open(code("write_report()", 'final_answer("done")')) as session:
        list(session.ask("report"))
    first = run()
    monkeypatch.setattr("agent.session.now", lambda: "2099-01-01T00:00:00+00:00")
    monkeypatch.setattr("agent.workbench.now", lambda: "2099-01-01T00:00:00+00:00")
    with bench.open() as session:
        list(session.use("write_report", {}, "/report"))
    assert run() == first


def test_no_report_names_other_weights_than_those_that_saw(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.open() as session:
        list(session.use("inspect", {}, "/inspect"))
    other = bench.engines.localizer.provenance.model_copy(update={"weights_sha256": "f" * 64})
    monkeypatch.setattr(bench.engines, "models", (bench.engines.screener.provenance, other))
    with bench.open() as session:
        events = list(session.use("write_report", {}, "/report"))
    assert "img_002 was seen with other weights of fake" in last(events, TurnFinished).error
    assert not (bench.folder / "out" / "run.json").exists()


def test_a_session_about_other_images_is_not_resumed(bench: Bench) -> None:
    bench.open().close()
    Image.new("RGB", (64, 64)).save(bench.folder / "parts" / "part_9.png")
    with pytest.raises(UsageError, match="another batch"):
        bench.open()


def test_a_decision_before_the_first_turn_is_known_to_a_resumed_session(bench: Bench) -> None:
    with bench.open() as session:
        session.decide("img_001", Verdict.REJECT, "dented in transport")
    with bench.open(code('final_answer("ready")')) as session:
        assert session.verdicts() == {"img_001": Verdict.REJECT}
        assert session.turns == []
        events = list(session.ask("are you there?"))
    assert last(events, Answer).turn == 1


def test_what_was_held_against_other_good_parts_is_not_gone_on_with(bench: Bench) -> None:
    def inspected(session: Session) -> list[str]:
        return [f"img_00{n}" for n in (1, 2, 3, 4) if session.inspection(f"img_00{n}")]

    with bench.open() as session:
        list(session.use("inspect", {"ids": ["img_001", "img_002"]}, "/inspect"))
        session.decide("img_002", Verdict.REJECT, "bent")
    with bench.open() as session:
        assert inspected(session) == ["img_001", "img_002"]
    bench.engines.good_sha256 = "b" * 64  # `loupe good` ran meanwhile
    with bench.open() as session:
        assert inspected(session) == []
        assert session.verdicts() == {"img_002": Verdict.REJECT}
        list(session.use("inspect", {"ids": ["img_003"]}, "/inspect"))
    with bench.open() as session:
        assert inspected(session) == ["img_003"]


def test_undo_after_other_good_parts_accepts_nothing_that_another_threshold_rejected(bench: Bench) -> None:
    with bench.open() as session:
        session.decide("img_001", Verdict.REJECT, "bent")
        list(session.use("inspect", {"threshold": 0.05}, "/inspect"))
        assert len(session.verdicts()) == 4
    bench.engines.good_sha256 = "b" * 64  # `loupe good` ran meanwhile
    for expected in (["img_001"], []):
        with bench.open() as session:
            assert session.verdicts().keys() == {"img_001"}
            assert [each.image_id for each in session.undo(lambda reason: f"back: {reason}")] == expected


@pytest.mark.parametrize("tool", ["screen", "stopped", "look"])
def test_a_turn_of_no_answer_reads_the_same_to_a_resumed_session(bench: Bench, tool: str) -> None:
    out, copy, question = bench.folder / "out", bench.folder / "copy", code('final_answer("ready")')
    with bench.open(question) as session:
        if tool == "stopped":
            bench.engines.screener.before_each = session.cancel
        used = "look" if tool == "look" else "screen"
        list(session.use(used, {"id": "img_9"} if tool == "look" else {}, f"/{used}"))
        shutil.copytree(out, copy)
        list(session.ask("are you there?"))
        live = bench.model.sent[0]
    shutil.rmtree(out)
    copy.rename(out)
    with bench.open(question) as session:
        list(session.ask("are you there?"))
        resumed = bench.model.sent[0]
    expected = {"screen": "screen has run", "stopped": "the turn was stopped", "look": "could not finish"}
    assert expected[tool] in text_of(live, "assistant")
    assert [text_of(resumed, role) for role in ("assistant", "user")] == [
        text_of(live, role) for role in ("assistant", "user")
    ]


def test_all_decisions_on_an_image_are_known_also_after_a_resume(bench: Bench) -> None:
    with bench.open() as session:
        session.decide("img_001", Verdict.REJECT, "bent")
        session.decide("img_002", Verdict.ACCEPT, "glare")
        session.decide("img_001", Verdict.REVIEW, "not sure")
        before = session.decisions("img_001")
    assert [decision.reason for decision in before] == ["bent", "not sure"]
    with bench.open() as resumed:
        assert resumed.decisions("img_001") == before
        assert resumed.decisions("img_003") == []
        assert resumed.turns == []
