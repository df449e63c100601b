from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from agent.events import ToolFinished, ToolStarted
from tests.agent.conftest import Bench
from tools.errors import UsageError


@pytest.mark.parametrize(
    ("tool", "given", "name"),
    [
        ("decide", ("img_001", "accept", "긁" * 1_000_000), "reason"),
        ("decide", ("x" * 1_000_000, "accept", "no"), "id"),
        ("measure", (["x" * 100] * 10_000,), "ids"),
        ("look", ("img_001", list(range(1_000_000))), "region"),
    ],
)
def test_endless_arguments_are_told_by_their_beginning(
    bench: Bench, tool: str, given: tuple[object, ...], name: str
) -> None:
    with pytest.raises(UsageError):
        bench.calls(tool, *given)
    (started,) = bench.told(ToolStarted)
    told = started.arguments[name]
    assert isinstance(told, str)
    assert len(told) < 2_100
    assert told.endswith(" …")


@pytest.mark.parametrize("reason", ["긁힘 " * 90, "x" * 500])
def test_arguments_of_common_length_are_told_whole(bench: Bench, reason: str) -> None:
    with suppress(UsageError):
        bench.calls("decide", "1", "reject", reason)
    (started,) = bench.told(ToolStarted)
    assert started.arguments == {"id": "img_001", "verdict": "reject", "reason": reason}


def test_many_ids_are_told_whole(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.calls("screen", ["img_001", "img_002"] * 1_000)
    (started,) = bench.told(ToolStarted)
    assert started.arguments == {"ids": ["img_001", "img_002"]}


def test_a_call_that_does_not_fit_is_told_as_one_that_failed(bench: Bench) -> None:
    with pytest.raises(UsageError, match="missing"):
        bench.calls("decide", "img_001", reason="x")
    (started,), (finished,) = bench.told(ToolStarted), bench.told(ToolFinished)
    assert (started.tool, started.arguments) == ("decide", {"0": "img_001", "reason": "x"})
    assert finished.call == started.call
    assert "call it as decide(" in finished.error
