"""The findings of a run as a COCO data set that pycocotools, and any trainer, can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco_mask

from reports.source import ReportInput
from reports.statistics import is_inspected
from tools.measurement.outlines import covered_pixels, signed_area
from tools.records import BoxXyxyPx, Finding, ImageRecord, Inspection, PointPx

if TYPE_CHECKING:
    from pydantic import JsonValue

__all__ = ["coco_document", "enclosing_box", "export_types"]


def export_types(report: ReportInput) -> tuple[str, ...]:
    """Types in the recipe's order, then any other that occurs (such as `unclassified`) by name."""
    known = report.recipe.type_names
    others = {finding.type for i in report.inspections for finding in i.findings} - set(known)
    return (*known, *sorted(others))


def enclosing_box(finding: Finding) -> BoxXyxyPx:
    """Returns the box around a finding's outlines, as data sets mean it; without any, where it was found."""
    points = [point for outline in _outlines(finding) for point in outline]
    if not points:
        return finding.box_xyxy_px
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def coco_document(report: ReportInput) -> dict[str, JsonValue]:
    """Builds the data set (cocodataset.org, object detection format).

    Category ids count from 1 in the recipe's order. Images without findings are kept: they are what a
    trainer learns good parts from. Unreadable files have no pixels and are left out. `iscrowd` is 0
    throughout. Beyond COCO's own keys, images carry their verdict and annotations their measurements;
    `area_source` tells a measured mask from a bare box, and `detected_bbox` is the box it was found in.
    """
    types = export_types(report)
    images: list[JsonValue] = []
    annotations: list[JsonValue] = []
    for image_id, inspection in enumerate(report.inspections, start=1):
        if not is_inspected(inspection):
            continue
        images.append(_image(image_id, inspection))
        for finding in inspection.findings:
            annotation = _annotation(finding, inspection.image)
            annotation |= {
                "id": len(annotations) + 1,
                "image_id": image_id,
                "category_id": types.index(finding.type) + 1,
            }
            annotations.append(annotation)
    return {
        "info": {
            "description": f"Loupe inspection with recipe {report.run.recipe_name}",
            "version": report.run.loupe_version,
            "date_created": report.created_at,
            "recipe_sha256": report.run.recipe_sha256,
            "lot": report.run.lot,
        },
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": index, "name": name, "supercategory": "defect"}
            for index, name in enumerate(types, start=1)
        ],
    }


def _image(image_id: int, inspection: Inspection) -> JsonValue:
    image = inspection.image
    return {
        "id": image_id,
        "file_name": image.name,
        "width": image.width_px,
        "height": image.height_px,
        "loupe_id": image.id,
        "sha256": image.sha256,
        "verdict": inspection.judgement.verdict.value,
        "rule": inspection.judgement.rule,
        "decided_by": inspection.judgement.decided_by.value,
        "mm_per_px": inspection.scale.mm_per_px if inspection.scale else None,
    }


def _annotation(finding: Finding, image: ImageRecord) -> dict[str, JsonValue]:
    around = x_min, y_min, x_max, y_max = enclosing_box(finding)
    outlines = _outlines(finding)
    holes = [outline for outline in finding.holes_px if len(outline) >= 3]
    # A polygon has no holes in COCO, so those masks are written as run lengths.
    size = (image.height_px, image.width_px)
    segmentation: Any
    if not outlines:
        segmentation = [[x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max]]
        area = (x_max - x_min) * (y_max - y_min)
    elif holes:
        segmentation = _mask_with_holes(outlines, holes, size)
        area = float(coco_mask.area(segmentation))
    else:
        segmentation = [_flat(outline) for outline in outlines]
        area = float(coco_mask.area(coco_mask.merge(coco_mask.frPyObjects(segmentation, *size))))
    if isinstance(segmentation, dict):
        segmentation = {"size": list(size), "counts": segmentation["counts"].decode("ascii")}
    return {
        "bbox": _xywh(around),
        "detected_bbox": _xywh(finding.box_xyxy_px),
        "segmentation": segmentation,
        # A crack thinner than a pixel covers no pixel centre: its outline still has an area.
        "area": area or sum(abs(signed_area(np.array(outline))) for outline in outlines),
        "area_source": "mask" if outlines else "box",
        "iscrowd": 0,
        "score": finding.confidence,
        "loupe_id": finding.id,
        "origin": finding.origin.value,
        "severity": finding.severity.value if finding.severity else None,
        "measurements": [m.model_dump(mode="json") for m in finding.measurements],
    }


def _outlines(finding: Finding) -> list[tuple[PointPx, ...]]:
    return [outline for outline in finding.contours_px if len(outline) >= 3]


def _xywh(box_xyxy_px: BoxXyxyPx) -> list[JsonValue]:
    x_min, y_min, x_max, y_max = box_xyxy_px
    return [x_min, y_min, x_max - x_min, y_max - y_min]


def _flat(outline: Sequence[PointPx]) -> list[float]:
    return [coordinate for point in outline for coordinate in point]


def _mask_with_holes(
    outlines: Sequence[Sequence[PointPx]], holes: Sequence[Sequence[PointPx]], size: tuple[int, int]
) -> dict[str, Any]:
    inside = covered_pixels(outlines, holes, *size)
    encoded: dict[str, Any] = coco_mask.encode(np.asfortranarray(inside, dtype=np.uint8))
    return encoded
