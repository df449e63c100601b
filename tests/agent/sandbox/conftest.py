from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from smolagents.default_tools import FinalAnswerTool
from smolagents.tools import Tool

from agent.cancelling import TurnCancelled
from agent.sandbox.executor import SandboxExecutor
from tools.errors import UsageError

KNOWN = ("img_001", "img_002")


class Measure(Tool):
    name = "measure"
    description = "Measures."
    inputs: ClassVar = {
        "ids": {"type": "array", "description": "which"},
        "threshold": {"type": "number", "description": "from where", "nullable": True},
    }
    output_type = "any"
    skip_forward_signature_validation = True

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def forward(self, ids, threshold=None):
        self.calls.append((ids, threshold))
        for image_id in ids:
            if image_id not in KNOWN:
                raise UsageError(f"unknown id {image_id!r}", "Known: img_001, img_002.")
        return [{"id": image_id, "length_mm": 2.5} for image_id in ids]


class Trouble(Tool):
    """Answers as a tool should not, or stops the turn."""

    name = "trouble"
    description = "Makes trouble."
    inputs: ClassVar = {"kind": {"type": "string", "description": "which"}}
    output_type = "any"

    def __init__(self, cancel: threading.Event) -> None:
        super().__init__()
        self.cancel = cancel

    def forward(self, kind):
        match kind:
            case "object":
                return object()
            case "not a number":
                return float("nan")
            case "bug":
                raise ZeroDivisionError("a bug in the tool")
            case "huge":
                return "x" * 2**23
            case "cancel":
                self.cancel.set()
                raise TurnCancelled
            case "cancel later":
                self.cancel.set()
        return kind


class Bench:
    """An executor with tools, and its event."""

    def __init__(self, **options: Any) -> None:
        self.cancel = threading.Event()
        self.measure = Measure()
        self.executor = SandboxExecutor(cancel=self.cancel, **options)
        self.executor.send_variables({})
        self.executor.send_tools(
            {"measure": self.measure, "trouble": Trouble(self.cancel), "final_answer": FinalAnswerTool()}
        )

    def run(self, code: str) -> Any:
        return self.executor(code)


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Shared: a test leaves it usable, whatever it does to the child."""
    bench = Bench()
    yield bench
    bench.executor.close()
