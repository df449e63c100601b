from __future__ import annotations

import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from agent.events import (
    Answer,
    LoadProgress,
    Outcome,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from agent.log import LOG, SessionHeader, SessionLog, has_log, read_log, turns_of
from agent.results import turn_result
from tools.errors import OutputError

HEADER = SessionHeader(
    loupe_version="0",
    started_at="2026-01-01T00:00:00+00:00",
    images=("a",),
    recipe_sha256="r",
    batch_sha256="b",
    model="m",
)
TURN = [
    TurnStarted(turn=1, request="screen", at="2026-01-01T00:00:01+00:00"),
    ToolStarted(call=1, tool="screen", arguments={"ids": ["img_001"]}),
    ToolFinished(call=1, tool="screen", result=[{"id": "img_001"}]),
    Answer(turn=1, text="one row"),
    TurnFinished(
        turn=1, outcome=Outcome.ANSWERED, steps=1, usage=Usage(seconds=1.234), artifacts=("out/a.pdf",)
    ),
]


def written(folder: Path) -> Path:
    with SessionLog(folder, HEADER) as log:
        for event in TURN:
            log.append(event)
        log.append(TextDelta(turn=1, step=1, text="not worth keeping"))
        log.append(LoadProgress(load=1, hub_id="owner/name", done_mb=1, total_mb=2, seconds=1))
    return folder


def test_what_was_logged_is_read_back_but_for_pieces_of_text_and_downloads(tmp_path: Path) -> None:
    assert read_log(written(tmp_path)) == (HEADER, TURN)


def test_a_log_is_appended_to_and_keeps_its_first_header(tmp_path: Path) -> None:
    written(tmp_path)
    with SessionLog(tmp_path, HEADER.model_copy(update={"model": "other"})) as log:
        log.append(TurnStarted(turn=2, request="again", at="2026-01-01T00:00:02+00:00"))
    header, events = read_log(tmp_path)
    assert header == HEADER
    assert [len(turn) for turn in turns_of(events)] == [5, 1]


def test_a_line_that_a_kill_cut_short_is_left_out_and_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path) / LOG
    path.write_bytes(path.read_bytes() + b'{"kind":"answer","tu')
    assert read_log(tmp_path)[1] == TURN
    with SessionLog(tmp_path, HEADER) as log:
        log.append(TURN[0])
    assert read_log(tmp_path)[1] == [*TURN, TURN[0]]


def test_a_second_window_on_the_same_session_is_told_so(tmp_path: Path) -> None:
    with SessionLog(tmp_path, HEADER), pytest.raises(OutputError, match="open in another window"):
        SessionLog(tmp_path, HEADER)


def test_a_session_that_one_thread_opened_and_another_closed_is_free_again(tmp_path: Path) -> None:
    logs: list[SessionLog] = []
    opener = threading.Thread(target=lambda: logs.append(SessionLog(tmp_path, HEADER)))
    opener.start()
    opener.join()
    logs[0].close()
    SessionLog(tmp_path, HEADER).close()


@pytest.mark.parametrize("content", [b"", b"not json\n", b'{"kind":"session"}\n'])
def test_what_is_no_log_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOG).write_bytes(content)
    with pytest.raises(OutputError, match=LOG):
        read_log(tmp_path)


def test_no_log_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no session"):
        read_log(tmp_path)


def test_events_of_a_turn_fold_into_its_result() -> None:
    result = turn_result(TURN)
    assert result.model_dump(
        mode="json", exclude={"usage", "error", "unverified", "abstained", "meant", "meant_code"}
    ) == {
        "request": "screen",
        "answer": "one row",
        "outcome": "answered",
        "steps": 1,
        "seconds": 1.23,
        "tool_calls": [{"tool": "screen", "arguments": {"ids": ["img_001"]}}],
        "artifacts": ["out/a.pdf"],
    }


def test_a_turn_that_never_finished_counts_as_cancelled() -> None:
    assert turn_result(TURN[:3]).outcome is Outcome.CANCELLED


def test_a_call_that_failed_says_so_in_its_turns_result() -> None:
    finished = ToolFinished(call=7, tool="decide", error="unknown image id 'img_009'")
    result = turn_result([TURN[0], ToolStarted(call=7, tool="decide"), finished])
    assert result.printed()["tool_calls"] == [
        {"tool": "decide", "arguments": {}, "error": "unknown image id 'img_009'"}
    ]


def test_a_log_that_a_full_disk_left_empty_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: BinaryIO, line: str) -> None:
        file.write(line[:20].encode())
        file.flush()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("agent.log.append_line", full)
        with pytest.raises(OutputError, match="No space left"):
            SessionLog(tmp_path, HEADER)
    assert not has_log(tmp_path)
    assert read_log(written(tmp_path)) == (HEADER, TURN)
    assert has_log(tmp_path)
