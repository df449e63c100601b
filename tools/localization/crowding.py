"""A remark that findings carry to judging: there may be more in their image than the recipe keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.localization.merging import Detection
from tools.records import Finding, Provenance

__all__ = ["is_full", "kept_of_more", "more_than"]

_KEPT = "findings_kept_of_more"


def is_full(found: Sequence[Detection], most: int, confidence: float) -> bool:
    """Whether a detector may have left out, in one view, what is as sure as a finding has to be.

    Args:
        found: In the view, hard negatives included: they too take the place of others.
        most: It returns no more of a view.
        confidence: From which a detection is a finding.
    """
    return len(found) >= most and min(each.confidence for each in found) >= confidence


def more_than(kept: int) -> Provenance:
    """Returns the remark that an image's findings are as many as its recipe keeps, and not all there are."""
    return Provenance(tool="localization", parameters={_KEPT: kept})


def kept_of_more(findings: Iterable[Finding]) -> int | None:
    """Returns how many findings were kept of an image that holds more; None where none was left out."""
    kept = (step.parameters.get(_KEPT) for finding in findings for step in finding.provenance)
    return next((each for each in kept if isinstance(each, int)), None)
