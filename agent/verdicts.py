"""The verdicts of a session: what the rules judged, and who decided otherwise, when and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from agent.events import Decision, Sink
from agent.undoing import acts_after
from tools.errors import UsageError
from tools.overriding import AGENT, overridden
from tools.records import ImageRecord, Inspection, Judgement, Verdict
from tools.wording import with_judgement

if TYPE_CHECKING:
    from reports.ledger import Ledger
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["Verdicts", "now"]


class Verdicts:
    """Keeps rule and decision apart: no verdict differs from the rule's without a recorded decision.

    Args:
        batch: The images.
        recipe: Its threshold is the one of the rules.
        sink: Is told each decision.
        ledger: Keeps each decision; None for none.
        approve: Is asked before a decision of the agent; None lets it decide.

    Attributes:
        inspected: Inspections as the rules judged them, by image id.
    """

    def __init__(
        self,
        batch: Batch,
        recipe: Recipe,
        sink: Sink,
        ledger: Ledger | None,
        approve: Callable[[Decision], bool] | None = None,
    ) -> None:
        self._records = {record.id: record for record in batch.records}
        self._recipe, self._sink, self._ledger, self._approve = recipe, sink, ledger, approve
        self.inspected: dict[str, Inspection] = {}
        self._decisions: dict[str, Decision] = {}
        self._by_threshold: set[str] = set()
        self._at_threshold: dict[str, Inspection] = {}
        self._acts = acts_after(())

    def new_act(self) -> int:
        """Returns a number for decisions that are taken together."""
        return next(self._acts)

    def keep(self, inspections: Iterable[Inspection]) -> None:
        """Takes inspections as the rules judged them."""
        self.inspected |= {inspection.image.id: inspection for inspection in inspections}

    def forget(self) -> None:
        """Takes back all inspections; what was decided stays, but for what only another threshold did."""
        self.inspected.clear()
        self._at_threshold.clear()
        for image_id in self._by_threshold:
            del self._decisions[image_id]
        self._by_threshold.clear()

    def current(self) -> dict[str, Verdict]:
        """Returns the verdict of each image that has one, in batch order."""
        verdicts = {i: inspection.judgement.verdict for i, inspection in self.inspected.items()}
        verdicts |= {i: decision.verdict for i, decision in self._decisions.items()}
        return {i: verdicts[i] for i in self._records if i in verdicts}

    def inspection(self, image_id: str) -> Inspection:
        """Returns the inspection of an image with the decision on it, if there is one."""
        inspection = self._at_threshold.get(image_id, self.inspected[image_id])
        decision = self._decisions.get(image_id)
        if decision is None:
            return inspection
        return overridden(inspection, decision.verdict, decision.reason, by=decision.by, at=decision.at)

    def decide(
        self,
        record: ImageRecord,
        verdict: Verdict,
        reason: str,
        *,
        by: str,
        act: int = 0,
        takes_back: int = 0,
    ) -> Decision:
        """Records a decision, and tells it; one without an act is an act of its own.

        Raises:
            UsageError: The agent decided, and whoever is asked to approve did not.
        """
        decision = self._proposed(record, verdict, reason, by, act or self.new_act(), takes_back)
        if by == AGENT and self._approve is not None and not self._approve(decision):
            raise UsageError(
                f"the user did not agree to {verdict} {record.id}", "leave its verdict as it is, and say so"
            )
        return self._record(record, decision)

    def _proposed(
        self, record: ImageRecord, verdict: Verdict, reason: str, by: str, act: int, takes_back: int = 0
    ) -> Decision:
        return Decision(
            image_id=record.id,
            before=self.current().get(record.id),
            verdict=verdict,
            reason=reason,
            by=by,
            at=now(),
            act=act,
            takes_back=takes_back,
        )

    def _record(self, record: ImageRecord, decision: Decision) -> Decision:
        if self._ledger is not None:
            verdict, reason = decision.verdict, decision.reason
            self._ledger.add_decision(
                record, decision.before, verdict, reason, by=decision.by, at=decision.at
            )
        self._decisions[record.id] = decision
        self._by_threshold.discard(record.id)
        self._sink(decision)
        return decision

    def _follow(self, image_id: str, verdict: Verdict, reason: str, act: int) -> None:
        """Records what follows from a threshold that the user let the agent use."""
        record = self._records[image_id]
        self._record(record, self._proposed(record, verdict, reason, AGENT, act))

    def restore(self, decisions: Sequence[Decision]) -> None:
        """Takes up decisions that were recorded before; they are not told again."""
        self._acts = acts_after(decisions)
        self._decisions |= {decision.image_id: decision for decision in decisions}

    def judge_at(self, threshold: float, inspections: Mapping[str, Inspection]) -> None:
        """Lets verdicts at another threshold stand as decisions of the agent; what was decided before stays.

        What was seen there is shown from now on, beside the verdict of the rules at the recipe's threshold.

        Args:
            threshold: Of the inspections.
            inspections: As judged there, by image id; those at the recipe's threshold are kept already.
        """
        act = self.new_act()
        why = f"threshold {threshold:g} in place of the recipe's {self._recipe.screening.threshold:g}"
        for image_id, at in inspections.items():
            self._at_threshold[image_id] = _judged_as(at, self.inspected[image_id].judgement)
            if image_id in self._decisions and image_id not in self._by_threshold:
                continue
            if at.judgement.verdict is not self.current()[image_id]:
                said = f"{why}: {at.judgement.reason(self._recipe.language)}"
                self._follow(image_id, at.judgement.verdict, said, act)
                self._by_threshold.add(image_id)

    def return_to_rule(self, ids: Iterable[str]) -> None:
        """Takes back what only another threshold decided."""
        asked, act = set(ids), self.new_act()
        self._at_threshold = {i: each for i, each in self._at_threshold.items() if i not in asked}
        for image_id in sorted(self._by_threshold & asked):
            rule = self.inspected[image_id].judgement.verdict
            if self._decisions[image_id].verdict is not rule:
                self._follow(image_id, rule, "the recipe's own threshold again", act)
            self._by_threshold.discard(image_id)


def _judged_as(inspection: Inspection, rule: Judgement) -> Inspection:
    """The inspection with the rules' judgement where its own verdict is another."""
    judgement, description = inspection.judgement, inspection.description
    if judgement.verdict is rule.verdict:
        return inspection
    if description is not None:
        description = with_judgement(description, judgement, rule)
    return inspection.model_copy(update={"judgement": rule, "description": description})


def now() -> str:
    """Returns the time as ISO 8601 with zone, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
