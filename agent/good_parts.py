"""Naming good parts in a session: a decision on each image, and a comparison that starts anew with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.events import Event, GoodKept, Inspected
from agent.rows import Row
from agent.verdicts import now
from tools.errors import UsageError
from tools.records import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.workbench import Workbench
    from tools.records import Inspection

__all__ = ["inspected_since_good_kept", "kept_good"]

_WHY = "named as a good part"


def kept_good(workbench: Workbench, ids: list[str], by: str) -> Row:
    """Keeps images of the batch as good parts of the recipe.

    Each is accepted on the record first, so that whoever must approve a decision is asked; then what was seen
    of the batch so far is forgotten, for it was not held against these parts.

    Args:
        workbench: Holds the batch.
        ids: The images, by their id.
        by: Who says that they are good.

    Raises:
        UsageError: None was named, or one cannot be read, or the user did not agree.
        Cancelled: Stopped; the good parts are as they were.
    """
    if not ids:
        raise UsageError("name the images that are good", "ids is one id or a list of ids")
    for image_id in ids:
        workbench.readable(image_id)
    act = workbench.new_act()
    for image_id in ids:
        workbench.override(image_id, Verdict.ACCEPT, _WHY, by=by, act=act)
    engines = workbench.engines
    found, new = engines.good_parts.add(
        workbench.batch,
        engines.words,
        engines.localizer,
        ids=ids,
        cancel=workbench.cancel,
        progress=workbench.progress,
    )
    workbench.start_over()
    total, remark = len(found.references), found.calibration.remark
    workbench.sink(GoodKept(image_ids=tuple(ids), total=total, by=by, at=now()))
    return {"good_parts": total, "added": new, "remark": remark or None}


def inspected_since_good_kept(events: Sequence[Event]) -> list[Inspection]:
    """The inspections of a log that still hold: those made after good parts were last kept."""
    last = max((n for n, event in enumerate(events) if isinstance(event, GoodKept)), default=0)
    return [event.inspection for event in events[last:] if isinstance(event, Inspected)]
