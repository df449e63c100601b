from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tui.cli import main


class Done(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def loupe(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs the command in this process, as the console script would."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr("sys.argv", ["loupe", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capfd.readouterr()
        return Done(int(stopped.value.code or 0), captured.out, captured.err)

    return run
