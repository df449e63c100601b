"""Which images wait for a person, and which of them first: the doubtful before the plain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tools.records import ImageStatus, Inspection, Verdict

__all__ = ["doubt", "review_queue"]

_NOT_INSPECTED, _UNREADABLE = -1.0, -2.0


def doubt(inspection: Inspection | None) -> float:
    """Returns how doubtful an image is: 1 where a score lies on its limit, 0 where all are far from it.

    The nearest of them counts: the suspicion of screening to its threshold, and each finding's confidence to
    one half. Without an inspection, or without pixels, there is nothing to weigh: these come last.
    """
    if inspection is None:
        return _NOT_INSPECTED
    if inspection.image.status is ImageStatus.UNREADABLE:
        return _UNREADABLE
    distances = [abs(finding.confidence - 0.5) for finding in inspection.findings]
    if inspection.screening:
        distances.append(abs(inspection.screening.suspicion - inspection.screening.threshold))
    return 1.0 - min(distances, default=1.0)


def review_queue(
    ids: Iterable[str],
    verdicts: Mapping[str, Verdict],
    inspections: Mapping[str, Inspection | None],
) -> list[str]:
    """Returns the images without a verdict, or sent to review, the most doubtful first.

    Args:
        ids: Of the batch, in its order, which decides between equals.
        verdicts: By image id.
        inspections: By image id.
    """
    open_ids = [i for i in ids if verdicts.get(i) in (None, Verdict.REVIEW)]
    return sorted(open_ids, key=lambda i: -doubt(inspections.get(i)))
