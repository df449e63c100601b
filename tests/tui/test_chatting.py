from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from agent.events import Answer
from tests.agent.fakes import write_batch
from tools.errors import ExitCode, UsageError
from tools.pipeline.engines import EngineOptions
from tools.records import Language
from tui.app import LoupeApp
from tui.chat.background import Start
from tui.chat.words import language_of_terminal
from tui.chatting import run_chat, session_opener


def test_without_a_terminal_the_way_for_scripts_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        run_chat([str(tmp_path)])
    assert "loupe ask" in refused.value.hint


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run_in_terminal(monkeypatch: pytest.MonkeyPatch, theme: str = "") -> ExitCode:
    """Runs the app in a terminal that shows nothing; the process does not end with it."""
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}", Terminal())
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    monkeypatch.setattr("tui.chat.graphics.graphics_widget", lambda: None)
    monkeypatch.setattr("tui.chatting.end_at_once", lambda _: None)
    return run_chat(theme=theme)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"images": ["photos"]}, "IMAGES"),
        ({"out": Path("new")}, "--out"),
        ({"recipe": "metal-surface"}, "--recipe"),
    ],
)
def test_what_a_session_brings_itself_is_not_given_beside_it(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], named: str
) -> None:
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{name}", Terminal())
    with pytest.raises(UsageError, match=f"does not go with {named}"):
        run_chat(**given, resume=Path("session"))


async def leave(pilot: Pilot[Any]) -> None:
    await pilot.press("ctrl+q")


async def crash(pilot: Pilot[Any]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("by zero")

    pilot.app.call_later(fail)
    await pilot.pause()


@pytest.mark.parametrize(("pilot", "expected"), [(leave, ExitCode.ACCEPTED), (crash, ExitCode.DEFECT)])
def test_an_app_that_crashed_does_not_say_that_all_is_well(
    monkeypatch: pytest.MonkeyPatch, pilot: Any, expected: ExitCode
) -> None:
    monkeypatch.setattr(LoupeApp, "run", lambda app: App.run(app, headless=True, auto_pilot=pilot))
    assert run_in_terminal(monkeypatch) is expected


@pytest.mark.parametrize(
    ("theme", "expected"),
    [
        ("dark", "textual-dark"),
        ("light", "textual-light"),
        ("contrast", "high-contrast"),
        ("ansi", "ansi-dark"),
        ("nord", "nord"),
    ],
)
def test_a_theme_is_named_as_the_help_does_or_in_full(
    monkeypatch: pytest.MonkeyPatch, theme: str, expected: str
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(LoupeApp, "run", lambda app: shown.append(app.theme))
    run_in_terminal(monkeypatch, theme)
    assert shown == [expected]


def test_the_themes_there_are_are_named_where_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no such theme") as refused:
        run_in_terminal(monkeypatch, "purple")
    assert refused.value.hint.startswith("known: dark, light, contrast, ansi, ")


@pytest.mark.parametrize(
    ("locale", "expected"), [("ko_KR.UTF-8", Language.KO), ("C.UTF-8", Language.EN), ("", Language.EN)]
)
def test_the_interface_speaks_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, locale: str, expected: Language
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", locale)
    assert language_of_terminal() is expected


def test_in_the_app_the_pipeline_is_offered_as_its_own_command(tmp_path: Path) -> None:
    write_batch(tmp_path / "parts", 1)
    start = Start((str(tmp_path / "parts"),), model=str(tmp_path / "no-model"), out=tmp_path / "out")
    opened = session_opener("kim", EngineOptions(), ledger=False)(start, lambda _: True, lambda *_: None)
    with opened as session:
        answers = [event.text for event in session.ask("inspect") if isinstance(event, Answer)]
    assert "`/inspect`" in answers[0]


def test_the_app_paints_before_models_and_the_agent_are_imported() -> None:
    program = (
        "import sys\nimport tui.app\n"
        "heavy = {'torch', 'transformers', 'ultralytics', 'cv2', 'smolagents', 'skimage', 'numpy'}\n"
        "sys.stdout.write(' '.join(sorted(heavy & set(sys.modules))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
