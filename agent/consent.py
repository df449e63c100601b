"""Whether the user agrees to what the agent decides: a no holds for the rest of the turn."""

from __future__ import annotations

from collections.abc import Sequence

from agent.events import Approve, Decision
from agent.phrases import phrase
from tools.records import Language, Verdict

__all__ = ["Consent"]

_MOST_NAMED = 5


class Consent:
    """Asks whoever must approve, and does not ask the same again in one turn.

    Args:
        approve: Is asked; None lets the agent decide.
    """

    def __init__(self, approve: Approve | None) -> None:
        self._approve = approve
        self._refused: set[tuple[str, Verdict]] = set()

    def begin_turn(self) -> None:
        """Forgets what was refused in the turn before."""
        self._refused.clear()

    def __call__(self, decisions: Sequence[Decision]) -> bool:
        """Returns whether the agent may take decisions, which are one question together."""
        wanted = {(decision.image_id, decision.verdict) for decision in decisions}
        if self._refused.isdisjoint(wanted) and (self._approve is None or self._approve(decisions)):
            return True
        self._refused |= wanted
        return False

    @property
    def is_refused(self) -> bool:
        """Whether something was refused in this turn."""
        return bool(self._refused)

    def refusal(self, language: Language) -> str:
        """Returns in a sentence what was refused in this turn, as its answer."""
        ids = sorted({image_id for image_id, _ in self._refused})
        named = ", ".join(ids[:_MOST_NAMED]) + (" …" if len(ids) > _MOST_NAMED else "")
        return phrase("not_agreed", language, ids=named)
