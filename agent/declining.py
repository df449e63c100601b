"""The tool by which the model says that a request is none of its business."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from agent.toolbox import InspectionTool

__all__ = ["DeclineTool"]


class DeclineTool(InspectionTool):
    """Makes the turn count as declined.

    Args:
        on_decline: Called at once.
    """

    name = "decline"
    description = "Marks the request as declined; give its result to final_answer."
    inputs: ClassVar[dict[str, dict[str, str]]] = {
        "reason": {"type": "string", "description": "One sentence to the user, in their language."}
    }
    output_type = "string"

    def __init__(self, on_decline: Callable[[], None]) -> None:
        super().__init__()
        self._on_decline = on_decline

    def forward(self, reason: str) -> str:
        """Notes the decline and returns the sentence."""
        self._on_decline()
        return reason
