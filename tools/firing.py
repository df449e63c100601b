"""A rule that did not let a part pass, and the judgement that follows from those that fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tools.records import Judgement, Severity, Verdict

__all__ = ["Fired", "judgement_of", "merged"]

_VERDICTS = tuple(Verdict)
_SEVERITIES = (None, *Severity)


@dataclass(frozen=True)
class Fired:
    """A rule that did not let the part pass.

    Attributes:
        verdict: Review or reject.
        finding_ids: The finding it fired on; all of them for a count; none for screening and flags.
    """

    verdict: Verdict
    rule: str
    reason_en: str
    reason_ko: str
    finding_ids: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def gravity(self) -> tuple[int, int]:
        """Sorts by verdict, then severity."""
        return _VERDICTS.index(self.verdict), _SEVERITIES.index(self.severity)


def merged(worst: Fired, fired: Sequence[Fired]) -> Fired:
    """Adds the other findings on which the same rule fired with the same verdict."""
    same = [firing for firing in fired if firing.rule == worst.rule and firing.verdict is worst.verdict]
    ids = tuple(dict.fromkeys(id_ for firing in same for id_ in firing.finding_ids))
    if len(same) == 1:
        return worst
    more = len(same) - 1
    return replace(
        worst,
        reason_en=f"{worst.reason_en} The same holds for {more} more.",
        reason_ko=f"{worst.reason_ko} 같은 사유가 {more}건 더 있습니다.",
        finding_ids=ids,
    )


def judgement_of(fired: Fired) -> Judgement:
    """The judgement of a rule that fired."""
    return Judgement(
        verdict=fired.verdict,
        rule=fired.rule,
        reason_en=fired.reason_en,
        reason_ko=fired.reason_ko,
        finding_ids=fired.finding_ids,
        severity=fired.severity,
    )
