"""Naming good parts in a session: a decision on each image, and a comparison that starts anew with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.events import Event, GoodKept
from agent.phrases import phrase
from agent.rows import Row
from tools.errors import UsageError
from tools.records import Verdict
from tools.timing import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.verdicts import Verdicts
    from agent.workbench import Workbench

__all__ = ["changed_elsewhere", "kept_good"]


def kept_good(workbench: Workbench, verdicts: Verdicts, ids: list[str]) -> Row:
    """Keeps images of the batch as good parts of the recipe.

    Each is accepted on the record, once they are kept: whoever must approve a decision is asked before. Then
    what was seen of the batch so far is forgotten, for it was not held against these parts.

    Args:
        workbench: Holds the batch, and knows who says that they are good.
        verdicts: Of its images.
        ids: The images, by their id.

    Raises:
        UsageError: None was named, or one cannot be read, or the user did not agree.
        Cancelled: Stopped; the good parts and the verdicts are as they were.
    """
    if not ids:
        raise UsageError("name the images that are good", "ids is one id or a list of ids")
    records = [workbench.readable(image_id) for image_id in ids]
    by, act, why = workbench.acting, workbench.new_act(), phrase("named_good", workbench.spoken)
    decisions = [verdicts.proposed(i, Verdict.ACCEPT, why, by=by, act=act) for i in ids]
    decisions = [each.model_copy(update={"named_good": True}) for each in decisions]
    verdicts.ask(decisions)
    engines = workbench.engines
    found, new = engines.good_parts.add(
        workbench.batch,
        engines.words,
        engines.localizer,
        ids=ids,
        cancel=workbench.cancel,
        progress=workbench.progress,
    )
    names = {reference.picture_key: reference.name for reference in found.references}
    verdicts.record(
        decision.model_copy(update={"kept_as": names.get(record.picture_key, "")})
        for decision, record in zip(decisions, records, strict=True)
    )
    workbench.start_over()
    total, remark, now_held = len(found.references), found.calibration.remark, engines.good_sha256
    workbench.sink(GoodKept(image_ids=tuple(ids), total=total, by=by, at=now(), sha256=now_held))
    return {"good_parts": total, "added": new, "remark": remark or None}


def changed_elsewhere(began_with: str | None, events: Iterable[Event], sha256: str) -> list[GoodKept]:
    """Returns what a log lacks where good parts were changed since, outside of its session; else nothing.

    Args:
        began_with: Hash of the good parts when the session began; None where its log does not say.
        events: Of the log.
        sha256: Hash of the good parts now.
    """
    kept = (event.sha256 for event in events if isinstance(event, GoodKept))
    *_, known = began_with, *kept
    if known is None or known == sha256:
        return []
    return [GoodKept(image_ids=(), total=0, by="", at=now(), sha256=sha256)]
