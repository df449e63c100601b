"""Joining what a detector found in overlapping views of one picture into one box per defect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tools.evaluation.metrics import box_iou

if TYPE_CHECKING:
    from tools.records import BoxXyxyPx, Finding, PointPx
    from tools.windows import Window

__all__ = ["Detection", "ViewDetections", "merge_views", "without_doubles", "without_rivals"]

_BORDER_PX = 3.0  # a box that comes this near to its view's border is cut by it
_SAME_IF_INSIDE = 0.6  # share of the smaller box that lies in the larger one


@dataclass(frozen=True)
class Detection:
    """One box with its type, as a detector proposes it; in pixels of the whole picture.

    Attributes:
        contours_px: Outlines of the instance mask; empty for a detector without masks.
    """

    type: str
    confidence: float
    box_xyxy_px: BoxXyxyPx
    contours_px: tuple[tuple[PointPx, ...], ...] = ()


ViewDetections = tuple["Window", Sequence[Detection]]


@dataclass
class _Cluster:
    """The most confident detection of something and what other views add to it."""

    seed: Detection
    view: int
    is_cut: bool
    members: list[Detection]
    box: BoxXyxyPx

    def takes(self, other: Detection, view: int, is_cut: bool, iou: float) -> bool:
        """Whether the other is the same thing seen again, or the part of it beyond the view's border.

        Detections of one view have been through NMS already and stay apart.
        """
        if view == self.view or other.type != self.seed.type:
            return False
        shared = _area(_intersection(self.box, other.box_xyxy_px))
        if shared <= 0:
            return False
        inside = shared / min(_area(self.box), _area(other.box_xyxy_px)) >= _SAME_IF_INSIDE
        return inside or box_iou([self.box], [other.box_xyxy_px]).item() >= iou or (self.is_cut and is_cut)

    def add(self, other: Detection, is_cut: bool) -> None:
        if self.is_cut or is_cut:
            self.members.append(other)
            self.box = _union(self.box, other.box_xyxy_px)

    def result(self) -> Detection:
        if len(self.members) == 1:
            return self.seed
        outlines = [outline for member in self.members for outline in member.contours_px]
        return replace(self.seed, box_xyxy_px=self.box, contours_px=_united(outlines, self.box))


def merge_views(views: Sequence[ViewDetections], size_px: tuple[int, int], *, iou: float) -> list[Detection]:
    """One detection per defect, the most confident first.

    Greedy merging as in sliced inference (SAHI; Akyon et al., ICIP 2022, arXiv 2202.06934): of the same type,
    boxes that overlap by IoU, or of which one lies mostly in the other, are one thing. A box that its view's
    border cuts is joined with what continues it; among uncut ones the most confident box stands.

    Args:
        views: Each view as (x_min, y_min, x_max, y_max) with its detections, in pixels of the picture.
        size_px: Width and height of the picture.
        iou: Overlap from which two boxes of one type are the same thing.
    """
    waiting = [
        (detection, number, _is_cut(detection.box_xyxy_px, view, size_px))
        for number, (view, detections) in enumerate(views)
        for detection in detections
    ]
    waiting.sort(key=lambda entry: -entry[0].confidence)
    merged = []
    while waiting:
        seed, view, is_cut = waiting.pop(0)
        cluster = _Cluster(seed, view, is_cut, [seed], seed.box_xyxy_px)
        while taken := [entry for entry in waiting if cluster.takes(*entry, iou)]:
            for detection, _, cut in taken:
                cluster.add(detection, cut)
            waiting = [entry for entry in waiting if not any(entry is one for one in taken)]
        merged.append(cluster.result())
    return merged


def without_rivals(findings: Sequence[Finding], iou: float) -> tuple[Finding, ...]:
    """Keeps the first where two types claim one place, so that a defect is counted once.

    It is for what a person reads: a detector's precision is measured before, type by type.

    Args:
        findings: The most confident first.
        iou: Overlap from which two boxes are one place.
    """
    kept: list[Finding] = []
    for finding in findings:
        if not (box_iou([finding.box_xyxy_px], [other.box_xyxy_px for other in kept]) >= iou).any():
            kept.append(finding)
    return tuple(kept)


def without_doubles(findings: Sequence[Finding], iou: float) -> tuple[Finding, ...]:
    """Keeps the first of one type whose outlines cover the same place: boxes that differ may hold one defect.

    Args:
        findings: As measured, the most confident first; what has no outlines stays.
        iou: Overlap from which two outlined areas are one thing.
    """
    kept: list[Finding] = []
    for finding in findings:
        if not any(finding.type == other.type and _outlined_iou(finding, other) >= iou for other in kept):
            kept.append(finding)
    return tuple(kept)


def _outlined_iou(a: Finding, b: Finding) -> float:
    """Intersection over union of what two findings' outlines enclose, to the pixel."""
    import cv2

    if not (a.contours_px and b.contours_px) or not _area(_intersection(a.box_xyxy_px, b.box_xyxy_px)):
        return 0.0
    points = [np.concatenate([np.asarray(line) for line in each.contours_px]) for each in (a, b)]
    start = np.floor(np.minimum(*(each.min(axis=0) for each in points)))
    width, height = (np.ceil(np.maximum(*(each.max(axis=0) for each in points))) - start + 1).astype(int)
    masks = []
    for each in (a, b):
        lines = [np.round(np.asarray(line) - start - 0.5).astype(np.int32) for line in each.contours_px]
        masks.append(cv2.fillPoly(np.zeros((height, width), np.uint8), lines, 1) > 0)
    return float((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())


def _is_cut(box: BoxXyxyPx, view: Window, size_px: tuple[int, int]) -> bool:
    inner_start = (view[side] > 0 and box[side] - view[side] <= _BORDER_PX for side in (0, 1))
    inner_end = (view[s] < size_px[s - 2] and view[s] - box[s] <= _BORDER_PX for s in (2, 3))
    return any(inner_start) or any(inner_end)


def _intersection(a: BoxXyxyPx, b: BoxXyxyPx) -> BoxXyxyPx:
    return max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])


def _union(a: BoxXyxyPx, b: BoxXyxyPx) -> BoxXyxyPx:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _area(box: BoxXyxyPx) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _united(outlines: Sequence[Sequence[PointPx]], box: BoxXyxyPx) -> tuple[tuple[PointPx, ...], ...]:
    """Outlines of the area that any of the outlines encloses."""
    if not outlines:
        return ()
    from skimage.draw import polygon2mask

    from tools.measurement.outlines import outlines as outlines_of

    left, top = int(box[0]) - 1, int(box[1]) - 1
    shape = (int(box[3]) - top + 2, int(box[2]) - left + 2)
    mask = np.zeros(shape, dtype=bool)
    for outline in outlines:
        # polygon2mask counts (row, column) from pixel centres.
        mask |= polygon2mask(shape, np.asarray(outline)[:, ::-1] - (top + 0.5, left + 0.5))
    outer, _ = outlines_of(mask.astype(np.float32), offset_xy=(left, top))
    return tuple(tuple((float(x), float(y)) for x, y in points) for points in outer)
