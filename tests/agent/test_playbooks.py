from __future__ import annotations

from pathlib import Path

import pytest

from agent.events import Outcome
from agent.playbooks import Expectation, load_playbook, misses_of
from agent.results import MadeCall, TurnResult
from tools.errors import UsageError
from tools.records import Verdict

RESULT = TurnResult(
    request="reject it, then report",
    answer="img_004 is Rejected.",
    outcome=Outcome.ANSWERED,
    tool_calls=(
        MadeCall(tool="decide", arguments={"id": "img_004", "verdict": "reject", "reason": "scratched"}),
        MadeCall(tool="screen", arguments={"ids": ["img_001", "img_002"], "threshold": 0.3}),
        MadeCall(tool="decide", arguments={"id": "img_009"}, error="unknown image id 'img_009'"),
    ),
    artifacts=("out/report.pdf", "out/findings.csv"),
)
TURN = "[{name: one, turns: [{say: hi, expect: "
VERDICTS = {"img_004": Verdict.REJECT}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"calls": [{"tool": "decide", "arguments": {"id": "img_004", "verdict": "reject"}}]},
        {"calls": [{"tool": "decide", "arguments": {"id": ["img_004"]}}]},
        {"calls": [{"tool": "screen", "arguments": {"ids": ["img_002", "img_001"], "threshold": 0.30}}]},
        {"forbid": ["write_report"], "outcome": "answered"},
        {"forbid": "write_report"},
        {"answer": {"contains": ["rejected"]}, "verdicts": {"img_004": "reject"}},
        {"files": ["*.pdf", "findings.*"]},
    ],
)
def test_what_holds_is_no_miss(expected: dict[str, object]) -> None:
    assert list(misses_of(Expectation.model_validate(expected), RESULT, VERDICTS)) == []


@pytest.mark.parametrize(
    ("expected", "what"),
    [
        ({"calls": [{"tool": "measure"}]}, "no call measure()"),
        ({"calls": [{"tool": "decide", "arguments": {"id": "img_005"}}]}, "img_005"),
        ({"calls": [{"tool": "decide", "arguments": {"lot": "A"}}]}, "lot"),
        ({"calls": [{"tool": "screen", "arguments": {"threshold": 0.4}}]}, "0.4"),
        ({"calls": [{"tool": "decide", "arguments": {"id": "img_009"}}]}, "failed (unknown image id"),
        ({"forbid": ["decide"]}, "decide was called"),
        ({"outcome": "declined"}, "answered, not declined"),
        ({"answer": {"contains": "accepted"}}, "accepted"),
        ({"verdicts": {"img_004": "accept"}}, "img_004 is reject"),
        ({"verdicts": {"img_001": "accept"}}, "undecided"),
        ({"files": ["*.xlsx"]}, "no file *.xlsx"),
    ],
)
def test_what_does_not_hold_is_a_miss_that_says_what(expected: dict[str, object], what: str) -> None:
    (miss,) = misses_of(Expectation.model_validate(expected), RESULT, VERDICTS)
    assert what in miss


@pytest.mark.parametrize(
    ("expected", "misses"),
    [
        ({"forbid": ["decide"]}, ["outcome failed: the server is down"]),
        ({"outcome": "failed"}, []),
        ({"outcome": "answered"}, ["outcome failed, not answered: the server is down"]),
    ],
)
def test_a_turn_that_failed_is_a_miss_unless_it_is_expected(
    expected: dict[str, object], misses: list[str]
) -> None:
    failed = TurnResult(request="inspect", answer="", outcome=Outcome.FAILED, error="the server is down")
    assert list(misses_of(Expectation.model_validate(expected), failed, {})) == misses


def test_paths_are_found_beside_the_playbook(tmp_path: Path) -> None:
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "one.png").touch()
    (tmp_path / "said.yaml").touch()
    path = tmp_path / "book.yaml"
    path.write_text(
        "images: [batch, batch/*.png, nowhere]\nrecipe: metal-surface\nmodel: scripted:said.yaml\n"
        "conversations: [{name: one, turns: [{say: hi}]}]\n"
    )
    playbook = load_playbook(path)
    assert playbook.images == (str(tmp_path / "batch"), str(tmp_path / "batch" / "*.png"), "nowhere")
    assert (playbook.recipe, playbook.model) == ("metal-surface", f"scripted:{tmp_path / 'said.yaml'}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("images: [", "no YAML"),
        ("images: a\n", "conversations"),
        ("images: a\nconversations: [{name: one, turns: [{say: hi, expects: {}}]}]\n", "expects"),
        ("images: a\nconversations: [{name: one, turns: [{say: hi, expect: {outcome: done}}]}]\n", "outcome"),
        ("images: a\nconversations: []\n", "conversations"),
        ("images: a\nconversations: [{name: one, turns: []}]\n", r"conversations\.0\.turns"),
        ("images: a\nconversations: [{name: one, turns: [{say: ' '}]}]\n", r"turns\.0\.say"),
        (f"images: a\nconversations: {TURN}{{forbid: dcide}}}}]}}]\n", "no tool is called 'dcide'"),
        (
            f"images: a\nconversations: {TURN}{{calls: [{{tool: mesure}}]}}}}]}}]\n",
            "no tool is called 'mesure'",
        ),
        (
            f"images: a\nconversations: {TURN}{{forbid: look, forbid: decide}}}}]}}]\n",
            "'forbid' stands twice",
        ),
    ],
)
def test_a_playbook_that_does_not_fit_names_the_place(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "book.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=what):
        load_playbook(path)


def test_a_missing_playbook_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml"):
        load_playbook(tmp_path / "nowhere.yaml")
