from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.errors import UsageError
from tui.chat.opening import open_file


def test_the_systems_own_program_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    open_file(Path("report.pdf"))
    assert started == [["/usr/bin/xdg-open", "report.pdf"]]


def test_where_there_is_none_the_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match="no program") as refused:
        open_file(Path("report.pdf"))
    assert "report.pdf" in refused.value.hint


def test_a_program_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(UsageError, match="Permission denied"):
        open_file(Path("report.pdf"))
