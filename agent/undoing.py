"""Which decisions stand, and which were taken together: what is taken back, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from agent.events import Decision

__all__ = ["acts_after", "newest_act", "numbered", "opinions"]


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
    tried = {each.image_id: place for place, each in enumerate(decisions) if each.by_threshold}
    standing = [
        each
        for place, each in _not_taken_back(decisions)
        # Of several thresholds the last one holds, and what was before it is no more.
        if not each.by_threshold or place == tried[each.image_id] >= lapsed
    ]
    newest = max((each.act for each in standing), default=0)
    return [each for each in standing if each.act == newest]


def opinions(decisions: Sequence[Decision]) -> dict[str, Decision]:
    """Returns by image id what somebody thinks of it: the newest decision that nobody took back.

    Args:
        decisions: Of a session, the first first, numbered.
    """
    return {each.image_id: each for _, each in _not_taken_back(decisions) if not each.by_threshold}


def _not_taken_back(decisions: Sequence[Decision]) -> Iterator[tuple[int, Decision]]:
    """Yields decisions that stand, each with its place."""
    taken_back = {(each.takes_back, each.image_id) for each in decisions if each.takes_back}
    for place, each in enumerate(decisions):
        if not each.takes_back and (each.act, each.image_id) not in taken_back:
            yield place, each
