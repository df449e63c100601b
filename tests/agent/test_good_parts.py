from __future__ import annotations

import pytest

from agent.events import Event, GoodKept, Note
from agent.good_parts import changed_elsewhere


def kept(sha256: str | None) -> GoodKept:
    return GoodKept(
        image_ids=("img_001",), total=1, by="agent", at="2026-11-21T20:00:00+00:00", sha256=sha256
    )


@pytest.mark.parametrize(
    ("began_with", "events", "now", "expected"),
    [
        ("", [], "", []),
        ("a", [Note(text="x")], "a", []),
        ("a", [kept("b")], "b", []),
        ("", [], "a", ["a"]),
        ("a", [], "", [""]),
        ("a", [kept("b")], "a", ["a"]),
        ("a", [kept("b"), kept("c")], "b", ["b"]),
        (None, [], "a", []),
        (None, [kept(None)], "a", []),
        (None, [kept("b")], "a", ["a"]),
    ],
)
def test_good_parts_that_changed_outside_of_a_session_are_noticed(
    began_with: str | None, events: list[Event], now: str, expected: list[str]
) -> None:
    found = changed_elsewhere(began_with, events, now)
    assert [(each.sha256, each.image_ids) for each in found] == [(sha256, ()) for sha256 in expected]
