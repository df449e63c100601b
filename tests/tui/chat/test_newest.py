from __future__ import annotations

import threading

from tui.chat.newest import Newest


def test_what_was_overtaken_is_never_started() -> None:
    done: list[int] = []
    started, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        started.set()
        go_on.wait(5)
        done.append(1)

    newest = Newest("loupe-picture")
    newest.submit(first)
    assert started.wait(5)
    newest.submit(lambda: done.append(2))
    newest.submit(lambda: done.append(3))

    def last() -> None:
        done.append(4)
        finished.set()

    newest.submit(last)
    go_on.set()
    assert finished.wait(5)
    assert done == [1, 4]


def test_it_works_again_after_it_had_nothing_to_do() -> None:
    newest = Newest("loupe-picture")
    for _ in range(3):
        finished = threading.Event()
        newest.submit(finished.set)
        assert finished.wait(5)
