from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from agent.log import LOG
from reports.publishing import Publisher
from tests.reports.builders import RUN, finding, inspection, mixed_batch, report
from tools.errors import Cancelled, LoupeError, OutputError
from tools.pipeline.journal import REPORT_FILES, Journal
from tools.records import Verdict


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def disk_full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("left", [(REPORT_FILES,), (LOG,), (REPORT_FILES, LOG)])
def test_a_session_s_report_is_no_run_to_go_on_with(tmp_path: Path, left: tuple[str, ...]) -> None:
    Publisher(tmp_path).publish(report(inspection(1, Verdict.ACCEPT)))
    if REPORT_FILES not in left:
        (tmp_path / REPORT_FILES).unlink()
    if LOG in left:
        (tmp_path / LOG).write_text("{}\n")
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="holds the report or the log of a session"):
        Journal(tmp_path, RUN)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("is_full", "expected"), [(False, Cancelled), (True, OutputError)])
@pytest.mark.parametrize("is_second", [True, False])
def test_a_report_that_is_stopped_leaves_the_earlier_one_whole(
    tmp_path: Path, is_full: bool, expected: type[LoupeError], is_second: bool
) -> None:
    publisher, cancel = Publisher(tmp_path), threading.Event()
    if is_second:
        publisher.publish(report(*mixed_batch()))
    before = contents(tmp_path)
    other = replace(report(inspection(1, findings=(finding(),))), run=RUN.model_copy(update={"lot": "B-1"}))
    while_drawn = disk_full if is_full else lambda *_: cancel.set()
    with pytest.raises(expected):
        publisher.publish(other, progress=while_drawn, cancel=cancel)
    assert contents(tmp_path) == before
    assert not (tmp_path / ".unfinished-report").exists()


def test_a_crash_while_a_report_moves_in_leaves_nothing_behind_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, move = Publisher(tmp_path), Path.replace
    publisher.publish(report(inspection(1), inspection(2)))

    def all_but_the_pdf(source: Path, target: Path) -> Path:
        if target == tmp_path / "report.pdf":
            disk_full()
        return move(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", all_but_the_pdf)
        with pytest.raises(OutputError, match="No space left"):
            publisher.publish(report(inspection(2), inspection(3)))
    (tmp_path / ".unfinished-report").mkdir()  # as a kill leaves it
    written = publisher.publish(report(inspection(3)))
    assert all(path.exists() for path in written)
    assert [path.name for path in (tmp_path / "labels").rglob("*.txt")] == ["cover_3.txt"]
    assert [path.name for path in (tmp_path / "overlays").iterdir()] == ["img_003.jpg"]
    assert not (tmp_path / ".unfinished-report").exists()


@pytest.mark.parametrize("is_second", [True, False])
def test_what_is_saved_while_a_report_is_drawn_stays(tmp_path: Path, is_second: bool) -> None:
    publisher, source, saved = Publisher(tmp_path), report(inspection(1)), tmp_path / "findings.csv"
    if is_second:
        publisher.publish(source)

    def save(*_: int) -> None:
        saved.write_text("edited")

    with pytest.raises(OutputError, match=r"findings\.csv"):
        publisher.publish(source, progress=save)
    assert saved.read_text() == "edited"


@pytest.mark.parametrize("name", ["findings.csv", "report.pdf", "labels/line/cover_1.txt"])
def test_what_was_changed_since_is_told_from_what_is_foreign(tmp_path: Path, name: str) -> None:
    publisher, source = Publisher(tmp_path), report(inspection(1))
    publisher.publish(source)
    edited = tmp_path / name
    edited.write_text("edited")
    before = contents(tmp_path)
    with pytest.raises(OutputError, match=rf"{name} was changed since this session wrote it") as raised:
        publisher.publish(source)
    assert "move or rename it" in str(raised.value.hint)
    assert contents(tmp_path) == before
    edited.rename(tmp_path / "mine")
    publisher.publish(source)
    assert (tmp_path / "mine").read_text() == "edited"
