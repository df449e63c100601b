from __future__ import annotations

from tools.progress import Steps


def test_steps_are_told_and_never_more_than_there_are() -> None:
    told: list[tuple[int, int]] = []
    steps = Steps(lambda done, total: told.append((done, total)), 2)
    for _ in range(3):
        steps.advance()
    assert told == [(1, 2), (2, 2)]


def test_nobody_has_to_listen() -> None:
    Steps(None, 1).advance()
