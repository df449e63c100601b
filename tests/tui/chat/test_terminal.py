from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.log import read_log
from tests.agent.fakes import write_batch

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 90

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")


class Terminal:
    """A real terminal of 100 x 30 cells with a program in it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self._socket), "-u", *words], capture_output=True, text=True, check=False
        )
        return done.stdout

    def start(self, *words: object) -> None:
        command = [sys.executable, "-m", "tests.tui.chat.program", *map(str, words)]
        self.tmux("new-session", "-d", "-s", "loupe", "-x", "100", "-y", "30", "-c", str(ROOT), *command)

    def see(self, text: str) -> None:
        until = time.monotonic() + PATIENCE_S
        screen = ""
        while text not in screen:
            assert time.monotonic() < until, f"{text!r} is not on the screen:\n{screen}"
            screen = self.tmux("capture-pane", "-p", "-t", "loupe")

    def press(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "loupe", *keys)

    def wait_for_the_end(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while "loupe" in self.tmux("list-sessions"):
            assert time.monotonic() < until


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "tmux")
    yield terminal
    terminal.tmux("kill-server")


def test_an_inspection_by_keystrokes_survives_a_kill_and_goes_on(terminal: Terminal, tmp_path: Path) -> None:
    write_batch(tmp_path / "parts", 3)
    (tmp_path / "answers.yaml").write_text(
        "- |\n  <code>\n  rows = inspect()\n  final_answer(f'{len(rows)} parts are inspected')\n  </code>\n"
    )
    out = tmp_path / "out"
    terminal.start(out, tmp_path / "parts")
    terminal.see("Say what you want")
    terminal.press("inspect everything", "Enter")
    terminal.see("3 parts are inspected")
    terminal.see("✓ accept")
    terminal.press("F2")
    terminal.press("r")
    terminal.see("Why reject?")
    terminal.press("1")
    terminal.see("✗ reject")
    os.kill(int(terminal.tmux("list-panes", "-t", "loupe", "-F", "#{pane_pid}")), signal.SIGKILL)
    terminal.wait_for_the_end()
    terminal.start(out)
    terminal.see("3 parts are inspected")
    terminal.see("✗ reject")
    terminal.press("C-q")
    terminal.wait_for_the_end()
    kinds = [event.kind for event in read_log(out)[1]]
    assert (kinds.count("inspected"), kinds.count("decision")) == (3, 1)
