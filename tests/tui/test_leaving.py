from __future__ import annotations

import threading

import pytest

from tools.errors import ExitCode
from tui.leaving import end_at_once


@pytest.mark.parametrize(("modules", "expected"), [({"numpy"}, []), ({"numpy", "torch"}, [3])])
def test_the_program_does_not_wait_until_large_libraries_are_taken_apart(
    monkeypatch: pytest.MonkeyPatch, modules: set[str], expected: list[int]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    end_at_once(ExitCode.REVIEW, modules)
    assert ended == expected


def test_the_program_ends_at_once_while_a_thread_of_ours_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    goes_on = threading.Event()
    hanging = threading.Thread(target=goes_on.wait, name="loupe-hangs", daemon=True)
    hanging.start()
    end_at_once(ExitCode.REVIEW, ())
    assert ended == [3]
    goes_on.set()
    hanging.join()
