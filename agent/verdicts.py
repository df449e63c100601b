"""The verdicts of a session: what the rules judged, and who decided otherwise, when and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from agent.events import Approve, Decision, Event, GoodKept, Inspected, Note, Sink, Tried
from agent.phrases import phrase
from agent.undoing import acts_after, numbered, opinions
from tools.digits import plain
from tools.errors import LoupeError, UsageError
from tools.overriding import AGENT, overridden
from tools.records import Inspection, Judgement, Language, Verdict
from tools.timing import now
from tools.wording import with_judgement

if TYPE_CHECKING:
    from reports.ledger import Ledger
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["Verdicts"]


class Verdicts:
    """Keeps rule and decision apart: no verdict differs from the rule's without a recorded decision.

    Args:
        batch: The images.
        recipe: Its threshold is the one of the rules.
        sink: Is told each decision.
        ledger: Keeps each decision; None for none.
        approve: Is asked before decisions of the agent; None lets it decide.

    Attributes:
        inspected: Inspections as the rules judged them, by image id.
    """

    def __init__(
        self,
        batch: Batch,
        recipe: Recipe,
        sink: Sink,
        ledger: Ledger | None,
        approve: Approve | None = None,
    ) -> None:
        self._records = {record.id: record for record in batch.records}
        self._recipe, self._sink, self._ledger, self._approve = recipe, sink, ledger, approve
        self.inspected: dict[str, Inspection] = {}
        self._decisions: dict[str, Decision] = {}
        self._taken: list[Decision] = []
        self._at_threshold: dict[str, Inspection] = {}
        self._acts = acts_after(())

    def new_act(self) -> int:
        """Returns a number for decisions that are taken together."""
        return next(self._acts)

    def keep(self, inspections: Iterable[Inspection]) -> None:
        """Takes inspections as the rules judged them."""
        for inspection in inspections:
            image_id = inspection.image.id
            self.inspected[image_id] = inspection
            standing = self._decisions.get(image_id)
            if standing and standing.takes_back and self._replaced_nothing(standing):
                del self._decisions[image_id]

    def _replaced_nothing(self, back: Decision) -> bool:
        """Whether what a decision takes back was the first word on its image: then the rule is the next."""
        place = back.takes_back, back.image_id
        return any((each.act, each.image_id) == place and each.before is None for each in self._taken)

    def forget(self) -> None:
        """Takes back all inspections; what somebody decided stays, unless it was taken back."""
        self.inspected.clear()
        self._at_threshold.clear()
        self._decisions = opinions(self._taken)

    def current(self) -> dict[str, Verdict]:
        """Returns the verdict of each image that has one, in batch order."""
        # Copies, which are made at once: a screen asks while the turn's thread inspects.
        verdicts = {i: inspection.judgement.verdict for i, inspection in self.inspected.copy().items()}
        verdicts |= {i: decision.verdict for i, decision in self._decisions.copy().items()}
        return {i: verdicts[i] for i in self._records if i in verdicts}

    def _verdict(self, image_id: str) -> Verdict | None:
        if decision := self._decisions.get(image_id):
            return decision.verdict
        inspection = self.inspected.get(image_id)
        return inspection.judgement.verdict if inspection else None

    def inspection(self, image_id: str) -> Inspection:
        """Returns the inspection of an image with the decision on it, if there is one."""
        inspection = self._at_threshold.get(image_id, self.inspected[image_id])
        decision = self._decisions.get(image_id)
        if decision is None or (decision.is_return and decision.verdict is inspection.judgement.verdict):
            return inspection
        why, ko = decision.why(Language.EN), decision.why(Language.KO)
        return overridden(inspection, decision.verdict, why, reason_ko=ko, by=decision.by, at=decision.at)

    def tried(self) -> Iterator[Inspection]:
        """Yields what was found at another threshold than the recipe's, where that holds."""
        yield from self._at_threshold.copy().values()

    def before(self, decision: Decision) -> Verdict:
        """Returns what an image goes back to where a decision is taken back.

        It is the rule's verdict where nothing was before the decision, and review where there is none yet.
        """
        rule = self.inspected.get(decision.image_id)
        if rule and (decision.by_threshold or decision.before is None):
            return rule.judgement.verdict
        return decision.before or Verdict.REVIEW

    def proposed(
        self,
        image_id: str,
        verdict: Verdict,
        reason: str,
        *,
        by: str,
        act: int = 0,
        takes_back: int = 0,
        by_threshold: bool = False,
    ) -> Decision:
        """Returns a decision that is not yet taken; one without an act is an act of its own."""
        return Decision(
            image_id=image_id,
            before=self._verdict(image_id),
            verdict=verdict,
            reason=reason,
            by=by,
            at=now(),
            act=act or self.new_act(),
            takes_back=takes_back,
            by_threshold=by_threshold,
        )

    def ask(self, decisions: Sequence[Decision]) -> None:
        """Asks whoever must approve what the agent decides, once for all.

        Raises:
            UsageError: They did not.
        """
        asked = [decision for decision in decisions if decision.by == AGENT]
        if not asked or self._approve is None or self._approve(asked):
            return
        if len(asked) == 1:
            raise UsageError(
                f"the user did not agree to {asked[0].verdict} {asked[0].image_id}",
                "leave its verdict as it is, and say so",
            )
        raise UsageError(
            f"the user did not agree to change {len(asked)} verdicts", "leave them as they are, and say so"
        )

    def record(self, decisions: Iterable[Decision]) -> None:
        """Takes decisions, and tells them; where the ledger cannot take one they stand all the same."""
        for decision in decisions:
            image_id, replaced = decision.image_id, self._decisions.get(decision.image_id)
            self._sink(decision)  # first: what cannot be logged is not decided
            self._take(decision)
            if decision.takes_back and replaced and replaced.by_threshold and image_id in self._at_threshold:
                self._tell(Tried(image_ids=(image_id,)))
            self._put_on_record(decision)

    def _take(self, decision: Decision) -> None:
        self._decisions[decision.image_id] = decision
        self._taken.append(decision)

    def _put_on_record(self, decision: Decision) -> None:
        if self._ledger is None:
            return
        record, before, verdict = self._records[decision.image_id], decision.before, decision.verdict
        try:
            self._ledger.add_decision(
                record, before, verdict, decision.reason, by=decision.by, at=decision.at
            )
        except LoupeError as error:
            self._sink(Note(text=f"the ledger lacks a decision on {decision.image_id}: {error.message}"))

    def restore(self, events: Sequence[Event]) -> None:
        """Takes up what a log says, as it came to be; nothing of it is told again."""
        logged = [event for event in events if isinstance(event, Decision)]
        self._acts, decisions = acts_after(logged), iter(numbered(logged))
        for event in events:
            match event:
                case Inspected(inspection=inspection):
                    self.keep([inspection])
                case Decision():
                    self._take(next(decisions))
                case Tried():
                    self._try(event)
                case GoodKept():
                    self.forget()

    def judge_at(
        self, threshold: float, inspections: Mapping[str, Inspection], by: str, language: Language
    ) -> None:
        """Lets verdicts at another threshold stand as decisions; what was decided before stays.

        What was seen there is shown from now on, beside the verdict of the rules at the recipe's threshold.

        Args:
            threshold: Of the inspections.
            inspections: As judged there, by image id; those at the recipe's threshold are kept already.
            by: Who asked for it.
            language: Of the reason.

        Raises:
            UsageError: Whoever must approve did not; all stays as it is.
        """
        act, own, decided = self.new_act(), plain(self._recipe.screening.threshold), opinions(self._taken)
        changes = []
        for image_id, at in inspections.items():
            reason, standing = at.judgement.reason(language), self._decisions.get(image_id)
            why = phrase("by_threshold", language, threshold=plain(threshold), own=own, reason=reason)
            tried = standing if standing and standing.by_threshold and not standing.takes_back else None
            is_other = tried is not None and tried.reason != why
            is_change = is_other or at.judgement.verdict is not self._verdict(image_id)
            if is_change and image_id not in decided:
                verdict = at.judgement.verdict
                changes.append(self.proposed(image_id, verdict, why, by=by, act=act, by_threshold=True))
        self.ask([each for each in changes if each.verdict is not each.before])
        seen = tuple(_judged_as(at, self.inspected[i].judgement) for i, at in inspections.items())
        self._tell(Tried(image_ids=tuple(inspections), inspections=seen))
        self.record(changes)

    def _tell(self, tried: Tried) -> None:
        self._try(tried)
        self._sink(tried)

    def _try(self, tried: Tried) -> None:
        kept = {i: each for i, each in self._at_threshold.items() if i not in tried.image_ids}
        self._at_threshold = kept | {each.image.id: each for each in tried.inspections}

    def return_to_rule(self, ids: Iterable[str], by: str, language: Language) -> None:
        """Takes back what only another threshold decided.

        Raises:
            UsageError: Whoever must approve did not; all stays as it is.
        """
        asked, act, why = set(ids), self.new_act(), phrase("own_threshold", language)
        changes = []
        for image_id in sorted(asked & self._decisions.keys()):
            decision, rule = self._decisions[image_id], self.inspected[image_id].judgement.verdict
            if decision.by_threshold and not decision.takes_back:
                back = self.proposed(image_id, rule, why, by=by, act=act, takes_back=decision.act)
                changes.append(back.model_copy(update={"by_threshold": True}))
        self.ask([each for each in changes if each.verdict is not each.before])
        if tried := sorted(asked & self._at_threshold.keys()):
            self._tell(Tried(image_ids=tuple(tried)))
        self.record(changes)


def _judged_as(inspection: Inspection, rule: Judgement) -> Inspection:
    """The inspection with the rules' judgement where its own verdict is another."""
    judgement, description = inspection.judgement, inspection.description
    if judgement.verdict is rule.verdict:
        return inspection
    if description is not None:
        description = with_judgement(description, judgement, rule)
    return inspection.model_copy(update={"judgement": rule, "description": description})
