from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from agent import mcp_server
from tests.hub import HUB_ID, Hub
from tests.tui.conftest import Done
from tools.downloading import download
from tools.errors import ExitCode, LoupeError
from tools.pipeline.engines import EngineOptions
from tui.cli import app, main

Loupe = Callable[..., Done]


def commands(command: Any, *names: str) -> list[tuple[tuple[str, ...], Any]]:
    """Returns each command that does something, behind the words that call it."""
    if below := getattr(command, "commands", None):
        return [each for name, one in below.items() for each in commands(one, *names, name)]
    return [(names, command)]


COMMANDS = commands(typer.main.get_command(app))


def defaults(command: Any) -> list[str]:
    """What its help says of options that are left out, where that is written by hand."""
    return [shown for each in command.params if isinstance(shown := getattr(each, "show_default", None), str)]


@pytest.mark.parametrize(
    ("raised", "exit_code", "said"),
    [
        (LoupeError("no light", "switch it on"), ExitCode.USAGE, "hint: switch it on"),
        (KeyboardInterrupt(), ExitCode.CANCELLED, ""),
        (ZeroDivisionError("by zero"), ExitCode.DEFECT, "ZeroDivisionError: by zero"),
    ],
)
def test_no_error_says_that_a_part_was_rejected(
    loupe: Loupe, monkeypatch: pytest.MonkeyPatch, raised: BaseException, exit_code: int, said: str
) -> None:
    def fail() -> str:
        raise raised

    monkeypatch.setattr("tui.model_table.model_table", fail)
    done = loupe("models")
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in done.stderr


def test_what_the_terminal_cannot_write_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    monkeypatch.setattr("tui.cli.app", lambda **_: sys.stdout.write("부품 \udcff"))
    main()
    assert written.getvalue() == rb"\ubd80\ud488 \udcff"


@pytest.mark.parametrize("precision", ["int8", "int4"])
@pytest.mark.parametrize("words", [("inspect", "x"), ("good",), ("eval", "x"), ("mcp", "x")])
def test_a_command_without_an_agent_refuses_the_precisions_of_its_model(
    loupe: Loupe, words: tuple[str, ...], precision: str
) -> None:
    done = loupe(*words, "--precision", precision)
    assert done.exit_code == ExitCode.USAGE
    assert f"{precision} is for the agent's model" in done.stderr


def test_what_the_served_tools_download_is_told_on_stderr(
    loupe: Callable[..., Done], hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "serve", lambda *_, **__: download(HUB_ID, ["*.json"]))
    monkeypatch.setattr("tui.serving.end_at_once", lambda _: None)
    done = loupe("mcp", "batch", "--no-ledger")
    assert done.stdout == ""
    assert f"Downloading {HUB_ID}" in done.stderr


@pytest.mark.parametrize("words", [("ask", "batch", "hello"), ("chat", "batch"), ("mcp", "batch")])
def test_a_user_whose_name_no_file_can_hold_is_refused(loupe: Loupe, words: tuple[str, ...]) -> None:
    done = loupe(*words, "--user", "A\udcff")
    assert done.exit_code == ExitCode.USAGE
    assert "--user is not in UTF-8" in done.stderr


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (("ask", "batch", "hello"), "tui.asking.run_ask"),
        (("chat", "batch"), "tui.chatting.run_chat"),
        (("run", "book.yaml"), "tui.asking.run_playbook"),
        (("mcp", "batch"), "tui.serving.run_mcp"),
    ],
)
def test_every_command_that_inspects_takes_any_checkpoints(
    loupe: Loupe, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], runs: str
) -> None:
    given: list[EngineOptions] = []

    def run(*_: Any, **options: Any) -> int:
        places = (*_, *options.values(), *(getattr(each, "engines", None) for each in _))
        given.extend(each for each in places if isinstance(each, EngineOptions))
        return 0

    monkeypatch.setattr(runs, run)
    seers = ("--clip", "a/clip", "--blip", "a/blip", "--detector", "best.pt", "--trust-checkpoint")
    assert loupe(*words, *seers, "--batch-size", "3").exit_code == 0
    assert given == [
        EngineOptions(clip="a/clip", blip="a/blip", detector="best.pt", batch_size=3, trust_checkpoint=True)
    ]


@pytest.mark.parametrize(("names", "command"), COMMANDS, ids=str)
def test_help_shows_all_that_is_written_for_it(
    loupe: Loupe, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], command: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = " ".join(loupe(*names, "--help").stdout.replace("│", " ").split())
    for default in defaults(command):
        assert f"[default: ({default})]" in shown
    for each in command.params:
        assert " ".join((getattr(each, "help", None) or "").split()) in shown


def test_defaults_that_a_command_works_out_are_written_by_hand() -> None:
    said = {names[0]: defaults(command) for names, command in COMMANDS}
    assert said["inspect"] == ["metal-surface", "loupe-runs/<date-time>", "the recipe's"]
    assert said["chat"] == ["metal-surface", "loupe-runs/<date-time>", "the terminal's"]
    assert all("metal-surface" in said[name] for name in ("good", "ask", "mcp", "doctor", "eval", "recipe"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "empty"),
        ("inspect", "nowhere"),
        ("ask", "empty", "inspect everything"),
        ("run", "nowhere.yaml"),
        ("replay", "nowhere"),
        ("good", "--remove", "nothing"),
        ("eval", "empty"),
        ("doctor", "--recipe", "nowhere.yaml"),
    ],
)
def test_what_cannot_be_done_leaves_neither_half_json_nor_a_folder(
    loupe: Loupe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    done = loupe(*arguments, "--json")
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("recipe", "check", ""), "path"),
        (("recipe", "show", ""), "path"),
        (("recipe", "show", "--language", ""), "--language"),
        (("recipe", "new", "x.yaml", "--part", ""), "--part"),
        (("recipe", "new", "x.yaml", "--part", " "), "--part"),
        (("inspect", "batch", "--recipe", ""), "--recipe"),
        (("inspect", "batch", "-r", ""), "--recipe"),
        (("inspect", "batch", "--models", ""), "--models"),
        (("inspect", "batch", "--clip", ""), "--clip"),
        (("doctor", "--model", ""), "--model"),
        (("chat", "--language", ""), "--language"),
        (("recipe", "new", ""), "the name of a file or folder"),
        (("inspect", "batch", "--out", ""), "the name of a file or folder"),
        (("demo", "--out", ""), "the name of a file or folder"),
        (("ask", "--resume", "", "go"), "the name of a file or folder"),
        (("calibrate", "board.png", "--recipe", ""), "the name of a file or folder"),
        (("run", " "), "the name of a file or folder"),
        (("eval", ""), "the name of a file or folder"),
        (("replay", ""), "the name of a file or folder"),
        (("inspect", ""), "the name of a file or folder"),
    ],
)
def test_an_empty_name_is_not_one_that_was_left_out(
    loupe: Loupe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = loupe(*arguments)
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    assert f"{named} is empty" in done.stderr
    assert not list(tmp_path.iterdir())
