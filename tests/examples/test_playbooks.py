from __future__ import annotations

import json
from pathlib import Path

from agent.log import read_log
from agent.phrases import in_language_of
from agent.playbooks import load_playbook
from tests.tui.conftest import Done

ROOT = Path(__file__).parents[2]
TWENTY = ROOT / "examples/playbooks/twenty.yaml"


def test_the_example_playbook_holds_on_the_scripted_model(loupe, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    played: Done = loupe("run", "examples/playbooks/shift-start.yaml", "--out", tmp_path)
    assert played.stdout.splitlines()[-1] == "3 of 3 conversations passed", played.stdout
    assert played.exit_code == 0
    header, events = read_log(tmp_path / "002")
    assert header.model == "scripted:shift-start.answers.yaml"
    assert [event.kind for event in events if event.kind == "decision"] == ["decision"]
    assert (tmp_path / "002" / "report.pdf").read_bytes().startswith(b"%PDF")

    replayed: Done = loupe("replay", tmp_path / "002")
    assert "img_004" in replayed.stdout
    assert "write_report(lot=" in replayed.stderr


def test_there_are_twenty_requests_in_two_languages():
    said = [turn.say for conversation in load_playbook(TWENTY).conversations for turn in conversation.turns]
    assert len(said) == 20
    assert [in_language_of(text) for text in said].count("ko") == 10


def test_the_twenty_requests_are_understood(loupe, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    played: Done = loupe("run", TWENTY, "--out", tmp_path, "--json")
    conversations = json.loads(played.stdout)["conversations"]
    assert len(conversations) == 16
    assert [each["name"] for each in conversations if each["misses"]] == []
