"""Writes sets of synthesised photographs: images, COCO annotations, captions and labels."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from tools.errors import OutputError
from tools.forge.camera import encode_jpeg
from tools.forge.scene import Options, synthesize
from tools.forge.sentences import defect_sentences, negative_sentence
from tools.forge.truth import DEFECT_TYPES, Sample

__all__ = ["coco_image", "run_lengths", "write_set"]

Json = dict[str, Any]

_JPEG_QUALITY = 92


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, list[int]]:
    """Returns a mask in COCO's uncompressed run-length form (column-major, zeros first)."""
    flat = np.concatenate(([False], mask.ravel(order="F"), [False]))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate(([0], changes, [mask.size] if not mask[-1, -1] else [])))
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": [int(count) for count in counts]}


def _coco_box(box: tuple[int, int, int, int]) -> list[int]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def coco_image(sample: Sample, image_id: int, name: str, first_annotation_id: int) -> tuple[Json, list[Json]]:
    """Returns the COCO record of an image and those of its defects; lengths in px and mm come on top."""
    height, width = sample.part_mask.shape
    image = {
        "id": image_id,
        "file_name": name,
        "width": width,
        "height": height,
        "seed": sample.seed,
        "label": "defect" if sample.defects else "normal",
        "material": sample.material,
        "mm_per_px": sample.mm_per_px,
        "aruco_side_mm": sample.aruco_side_mm,
        "negatives": [{"type": n.type, "bbox": _coco_box(n.box_xyxy_px)} for n in sample.negatives],
    }
    annotations = [
        {
            "id": first_annotation_id + index,
            "image_id": image_id,
            "category_id": DEFECT_TYPES.index(defect.type) + 1,
            "bbox": _coco_box(defect.box_xyxy_px),
            "area": defect.area_px2,
            "segmentation": run_lengths(defect.mask),
            "iscrowd": 0,
            "length_px": round(defect.length_px, 3),
            "width_px": round(defect.width_px, 3),
            "length_mm": round(defect.length_mm, 4),
            "width_mm": round(defect.width_mm, 4),
            "area_mm2": round(defect.area_mm2, 5),
            "place": defect.place,
        }
        for index, defect in enumerate(sample.defects)
    ]
    return image, annotations


def _captions(sample: Sample, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"file": name, "box_xyxy_px": None, "caption": s} for s in sample.sentences_en
    ]
    for defect in sample.defects:
        rows += [
            {"file": name, "box_xyxy_px": list(defect.box_xyxy_px), "caption": sentence}
            for sentence in defect_sentences(sample.material, defect)
        ]
    rows += [
        {"file": name, "box_xyxy_px": list(n.box_xyxy_px), "caption": negative_sentence(sample.material, n)}
        for n in sample.negatives
    ]
    return rows


def write_set(
    folder: Path | str,
    count: int,
    first_seed: int,
    progress: Callable[[int], None] | None = None,
    **options: Unpack[Options],
) -> None:
    """Writes `images/`, `annotations.json` (COCO), `captions.jsonl` and `labels.csv` into a folder.

    Args:
        folder: New or empty.
        count: How many photographs.
        first_seed: Seed of the first; the others follow on.
        progress: Called with the number of photographs written so far.
        **options: Passed on to `synthesize`.

    Raises:
        OutputError: The folder already holds something.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not an empty folder", "name a new folder for the set")
    (folder / "images").mkdir(parents=True)
    coco: dict[str, Any] = {
        "info": {"description": "Synthesised photographs of parts with known defects"},
        "images": [],
        "annotations": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(DEFECT_TYPES, start=1)],
    }
    captions: list[dict[str, Any]] = []
    for index in range(count):
        sample = synthesize(first_seed + index, **options)
        name = f"images/{first_seed + index:06d}.jpg"
        (folder / name).write_bytes(encode_jpeg(sample.image_rgb, _JPEG_QUALITY))
        image, annotations = coco_image(sample, index + 1, name, len(coco["annotations"]) + 1)
        coco["images"].append(image)
        coco["annotations"] += annotations
        captions += _captions(sample, name)
        if progress:
            progress(index + 1)
    _write_lists(folder, coco, captions)


def _write_lists(folder: Path, coco: Json, captions: list[Json]) -> None:
    (folder / "annotations.json").write_text(json.dumps(coco), encoding="utf-8")
    lines = [json.dumps(row) + "\n" for row in captions]
    (folder / "captions.jsonl").write_text("".join(lines), encoding="utf-8")
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("file", "label"))
        writer.writerows((image["file_name"], image["label"]) for image in coco["images"])
