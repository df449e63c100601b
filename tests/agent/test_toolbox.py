from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from smolagents.tools import validate_tool_arguments

from agent.calls import TOOL_NAMES, Calls
from agent.toolbox import InspectionTool, build_tools
from agent.workbench import Workbench
from reports.ledger import Ledger
from tests.agent.fakes import FakeEngines, write_batch
from tools.recipe.file import load_recipe


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, InspectionTool]:
    engines = FakeEngines(load_recipe())
    workbench = Workbench(
        write_batch(tmp_path / "batch", 2),
        engines.recipe,
        out=tmp_path / "out",
        engines=engines.as_engines,
        ledger=Ledger(tmp_path / "ledger.sqlite"),
        ask_candidates=lambda picture, labels: [],
    )
    return build_tools(Calls(workbench))


def test_every_tool_is_a_smolagents_tool_that_shows_itself_in_two_lines(
    tools: dict[str, InspectionTool],
) -> None:
    assert tuple(tools) == TOOL_NAMES
    prompts = [tool.to_code_prompt() for tool in tools.values()]
    assert prompts[1] == (
        "def screen(ids: str | list[str] | None = None, threshold: float | None = None) -> list[dict]:\n"
        '    """Screens with CLIP. Rows: id, suspicion 0..1, label, status clear|suspect|unsure."""\n'
    )
    assert all(len(prompt.splitlines()) == 2 for prompt in prompts)
    assert sum(map(len, prompts)) < 2_600


@pytest.mark.parametrize(
    ("tool", "arguments", "is_valid"),
    [
        ("screen", {}, True),
        ("screen", {"ids": ["img_001"], "threshold": 1}, True),
        ("screen", {"ids": None, "threshold": None}, True),
        ("screen", {"path": "/"}, False),
        ("decide", {"id": 1, "verdict": "accept"}, False),
        ("decide", {"id": 1, "verdict": "accept", "reason": 5}, False),
        ("write_report", {"lot": "A-17"}, True),
    ],
)
def test_smolagents_checks_arguments_by_the_signature(
    tools: dict[str, InspectionTool], tool: str, arguments: dict[str, Any], is_valid: bool
) -> None:
    if is_valid:
        validate_tool_arguments(tools[tool], arguments)
    else:
        with pytest.raises((TypeError, ValueError)):
            validate_tool_arguments(tools[tool], arguments)


def test_a_tool_is_called_by_position_and_by_name(tools: dict[str, InspectionTool]) -> None:
    assert tools["screen"](["2"]) == tools["screen"](ids="img_002")
    assert tools["look"]("img_001")["shown"] == "at the next step"  # type: ignore[index,call-overload]


def test_a_tool_of_another_part_shows_itself_alike() -> None:
    class Declines(InspectionTool):
        name = "decline"
        description = "Declines."
        inputs = {"reason": {"type": "string", "description": "Why."}}  # noqa: RUF012
        output_type = "string"

        def forward(self, reason: str) -> str:
            return reason

    tool = Declines()
    assert tool.to_code_prompt() == 'def decline(reason: str) -> str:\n    """Declines."""\n'
    assert tool("no") == "no"
