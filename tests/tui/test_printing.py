from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from tests.reports.builders import inspection
from tests.tui.conftest import Done
from tools.errors import ExitCode
from tools.records import Language
from tui.cli import main
from tui.inspecting import print_result
from tui.narration import Narrator
from tui.printing import print_out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp949", "utf-16"])
def test_json_is_read_rightly_in_whatever_encoding_stdout_is(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    name = "부품 é €\t\U0001f600 \udcff"
    written = io.BytesIO()
    monkeypatch.setattr("sys.argv", ["loupe", "eval", "--json"])
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
    monkeypatch.setattr("tui.cli.app", lambda **_: print_out(json.dumps([name], ensure_ascii=False)))
    main()
    assert json.loads(written.getvalue().decode("utf-8")) == [name]


@pytest.fixture
def left() -> Iterator[TextIO]:
    """A pipe whose reader has left, as `head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 -- a descriptor has no path
        yield stream


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_that_left_changes_nothing(
    left: TextIO, monkeypatch: pytest.MonkeyPatch, name: str, as_json: bool
) -> None:
    monkeypatch.setattr(f"sys.{name}", left)
    seen = [inspection(number) for number in range(1, 4)]
    print_result(seen, Path("out"), [], Language.EN, Narrator(), as_json=as_json)
    left.write("what comes later\n")
    left.flush()


@pytest.mark.parametrize("command", [["recipe", "show"], ["recipe", "check", "metal-surface"], ["models"]])
def test_a_command_whose_reader_left_does_not_say_that_a_part_was_rejected(
    left: TextIO, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["loupe", *command])
    monkeypatch.setattr("sys.stdout", left)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, None)


@pytest.mark.parametrize("command", [["--version"], ["recipe", "show"], ["models"]])
def test_a_closed_stdout_changes_nothing(
    loupe: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("sys.stdout", None)  # as Python has it then
    assert loupe(*command) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize("command", [["--version"], ["recipe", "show"], ["models"]])
def test_a_full_disk_is_an_error_that_says_so(
    loupe: Callable[..., Done], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stdout", full)
        done = loupe(*command)
    assert done.exit_code == ExitCode.USAGE
    assert "cannot write to stdout: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
def test_an_error_that_cannot_be_told_keeps_its_status(
    loupe: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        monkeypatch.setattr("sys.stderr", full)
        assert loupe("recipe", "show", "nowhere").exit_code == ExitCode.USAGE


def test_what_is_still_read_arrives(capfd: pytest.CaptureFixture[str]) -> None:
    print_result([inspection(1)], Path("out"), [], Language.EN, Narrator(), as_json=False)
    assert capfd.readouterr().out == "img_001  line/cover_1.jpg  reject  Longer than 5 mm.\n"
