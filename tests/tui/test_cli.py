from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from agent import mcp_server
from tests.hub import HUB_ID, Hub
from tests.tui.conftest import Done
from tools.downloading import download
from tools.errors import ExitCode, LoupeError
from tui.cli import main

Loupe = Callable[..., Done]


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


def test_what_the_served_tools_download_is_told_on_stderr(
    loupe: Callable[..., Done], hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcp_server, "serve", lambda *_, **__: download(HUB_ID, ["*.json"]))
    done = loupe("mcp", "batch", "--no-ledger")
    assert done.stdout == ""
    assert f"Downloading {HUB_ID}" in done.stderr
