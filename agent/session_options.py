"""How a session works: who decides, how much it may do, and what it shares with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.memory import Budget

if TYPE_CHECKING:
    from agent.abstention import Abstention
    from agent.events import Approve
    from reports.ledger import Ledger
    from tools.pipeline.engines import EngineOptions

__all__ = ["SessionOptions"]


@dataclass(frozen=True)
class SessionOptions:
    """How a session works.

    Attributes:
        user: Who decides and inspects, for the ledger and the report; empty where nobody said.
        max_steps: Rounds of model and code per turn.
        fallback: Runs the fixed pipeline where the model fails, instead of only offering it.
        inspect_command: What the user types to run the fixed pipeline, where it is offered.
        self_test: Shows the model pictures of known content before the first turn.
        engines: Checkpoints that see, and on what.
        budget: What a prompt may hold.
        ledger: Past and future cases; None keeps none.
        abstention: How sure the model must be of its programs; None takes what `loupe.toml` says,
            else what the checkpoint says.
        approve: Is asked, in the turn's thread, before the agent changes verdicts; None lets it.
        progress: Is told, while the images are found and read, how many of how many are.
    """

    user: str = ""
    max_steps: int = 8
    fallback: bool = False
    inspect_command: str = "loupe inspect"
    self_test: bool = True
    engines: EngineOptions | None = None
    budget: Budget = field(default_factory=Budget)
    ledger: Ledger | None = None
    abstention: Abstention | None = None
    approve: Approve | None = None
    progress: Callable[[int, int], None] | None = None

    @property
    def decider(self) -> str:
        """What decisions of the user are signed with; a report names only an inspector who was named."""
        return self.user or "user"
