"""Verdicts that an agent or a person decided against the rules: the rule's judgement stays beside them."""

from __future__ import annotations

from tools.records import DecidedBy, Inspection, Judgement, Verdict
from tools.wording import with_judgement

__all__ = ["AGENT", "is_changed", "is_confirmed", "overridden", "rule_judged"]

AGENT = "agent"


def overridden(
    inspection: Inspection, verdict: Verdict, reason: str, *, by: str, at: str, reason_ko: str = ""
) -> Inspection:
    """Returns the inspection with another verdict, and all that an auditor asks about it.

    Deciding again replaces the earlier decision; deciding what the rule says confirms it.

    Args:
        inspection: As the rules judged it, or overridden before.
        verdict: The new one.
        reason: Why, in the words of whoever decided; it stands in both languages.
        by: `agent`, or a person's name.
        at: ISO 8601 with zone.
        reason_ko: Why in Korean, where it is not in the words of whoever decided.
    """
    before = inspection.judgement
    rule = before.overrides or before
    decided = {
        "verdict": verdict,
        "reason_en": reason,
        "reason_ko": reason_ko or reason,
        "decided_by": DecidedBy.AGENT if by == AGENT else DecidedBy.HUMAN,
        "decided_name": by,
        "decided_at": at,
        "overrides": rule,
    }
    after = rule.model_copy(update=decided)
    description = inspection.description
    if description is not None:
        description = with_judgement(description, before, after)
    return inspection.model_copy(update={"judgement": after, "description": description})


def is_changed(judgement: Judgement) -> bool:
    """Whether somebody decided otherwise than the rules say."""
    return judgement.overrides is not None and judgement.overrides.verdict is not judgement.verdict


def is_confirmed(judgement: Judgement) -> bool:
    """Whether somebody decided just what the rules say."""
    return judgement.overrides is not None and judgement.overrides.verdict is judgement.verdict


def rule_judged(inspection: Inspection) -> Verdict:
    """Returns the verdict of the rules, whatever was decided since."""
    judgement = inspection.judgement
    return (judgement.overrides or judgement).verdict
