"""Places where an image is unlike what it is held against, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.glossary import UNCLASSIFIED
from tools.records import Finding, HeatMap, ImageRecord, Origin, Provenance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import BoxXyxyPx

__all__ = ["beside", "finding_at", "hot_regions"]

_MOST = 5  # regions of one image; more are a part of another kind
_BELOW_BAR = 1.1  # in logits: as warm as this, what touches a hot cell belongs to its region
_BELOW_PEAK = 0.7  # in logits: what is nearly as hot as the peak belongs to a region where nothing is hot


def hot_regions(
    heat: HeatMap, threshold: float, size_px: tuple[int, int], cells: NDArray[np.bool_] | None = None
) -> list[tuple[BoxXyxyPx, float]]:
    """Connected places of a heat map that reach a threshold, the strongest first, each with its peak.

    What is nearly as hot around them belongs to them: at the threshold alone, on real parts, a region was the
    core of a defect (over four sets half as many defects were covered by a third or more).

    Where no cell reaches it, although the image as a whole does, the surroundings of the peak stand for it.

    Args:
        heat: On the scale of the threshold.
        threshold: From which a cell is hot.
        size_px: Width and height of the image.
        cells: Which to look at, shape (rows, columns); all when None.
    """
    from scipy.ndimage import find_objects, label

    values = np.clip(np.reshape(heat.values, (heat.rows, heat.columns)), 1e-4, 1 - 1e-4)
    logits = np.where(True if cells is None else cells, np.log(values / (1 - values)), -np.inf)
    bar = min(float(np.log(threshold / (1 - threshold))), float(logits.max()) - _BELOW_PEAK)
    rim = bar - _BELOW_BAR
    labels, _ = label(logits >= rim, structure=np.ones((3, 3)))
    strength = np.bincount(labels.ravel(), weights=(logits - rim).ravel())
    strength[np.setdiff1d(labels, labels[logits >= bar])] = 0.0
    down, across = size_px[1] / heat.rows, size_px[0] / heat.columns
    found = []
    for number in np.argsort(-strength, kind="stable")[:_MOST]:
        if strength[number] > 0:
            rows, columns = find_objects(labels)[number - 1]
            box = (columns.start * across, rows.start * down, columns.stop * across, rows.stop * down)
            found.append((box, float(values[labels == number].max())))
    return found


def finding_at(
    record: ImageRecord, number: int, box_xyxy_px: BoxXyxyPx, confidence: float, provenance: Provenance
) -> Finding:
    """A finding of origin `reference` that is of no type yet; `number` counts from 1 within the image."""
    return Finding(
        id=f"{record.id}-{number}",
        image_id=record.id,
        type=UNCLASSIFIED,
        confidence=round(min(max(confidence, 0.0), 1.0), 6),
        box_xyxy_px=box_xyxy_px,
        origin=Origin.REFERENCE,
        provenance=(provenance,),
    )


def beside(
    regions: Sequence[tuple[BoxXyxyPx, float]], found: Sequence[Finding]
) -> Iterator[tuple[BoxXyxyPx, float]]:
    """Yields the regions that are not what a detector has found already: neither holds the other's centre."""
    for box, peak in regions:
        others = [finding.box_xyxy_px for finding in found]
        if not any(_holds(box, other) or _holds(other, box) for other in others):
            yield box, peak


def _holds(box: BoxXyxyPx, other: BoxXyxyPx) -> bool:
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= x < box[2] and box[1] <= y < box[3]
