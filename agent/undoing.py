"""Which decisions stand, and which were taken together: what is taken back, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from agent.events import Decision

__all__ = ["acts_after", "newest_act", "numbered"]


def numbered(decisions: Sequence[Decision]) -> list[Decision]:
    """Returns the decisions of a log, each of those without an act of its own with its place for one."""
    return [
        each if each.act else each.model_copy(update={"act": place})
        for place, each in enumerate(decisions, start=1)
    ]


def acts_after(decisions: Sequence[Decision]) -> count[int]:
    """Returns the numbers of the acts that may follow the decisions of a log."""
    return count(max([len(decisions), *(each.act for each in decisions)]) + 1)


def newest_act(decisions: Sequence[Decision], lapsed: int = 0) -> list[Decision]:
    """Returns the decisions of the newest act that was not taken back; none where all were.

    Args:
        decisions: Of a session, the first first, numbered.
        lapsed: Among the first so many, what only another threshold decided stands no more.
    """
    taken_back = {(each.takes_back, each.image_id) for each in decisions if each.takes_back}
    standing = [
        each
        for place, each in enumerate(decisions)
        if not each.takes_back
        and (each.act, each.image_id) not in taken_back
        and not (each.by_threshold and place < lapsed)
    ]
    newest = max((each.act for each in standing), default=0)
    return [each for each in standing if each.act == newest]
