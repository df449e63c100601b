"""The figures by which inspection is judged: pure functions of scores, counts and boxes.

Each returns None where it is not defined (a class without members), never a NaN that would poison a table.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.records import BoxXyxyPx

__all__ = [
    "Box",
    "MeanPrecision",
    "average_precision",
    "box_iou",
    "image_auroc",
    "match_boxes",
    "mean_average_precision",
    "precisions_at",
    "threshold_for_escape",
    "wilson_interval",
]

_MAX_DETECTIONS = 100  # per image and class, as COCO counts
_MIN_IOU = 0.5  # of boxes that are a pair


class Box(NamedTuple):
    """A true or found box of one image; `score` is 1 for true ones."""

    image: int
    category: str
    box_xyxy_px: BoxXyxyPx
    score: float = 1.0


class MeanPrecision(NamedTuple):
    """Mean average precision at IoU 0.5, and averaged over IoU 0.50, 0.55 … 0.95."""

    at_50: float
    at_50_95: float


def image_auroc(scores: Sequence[float], is_defect: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often a defect image scores above a good one, ties counting half.

    The rank form of Mann and Whitney (1947).

    Returns:
        A value in [0, 1], or None unless both classes have members.
    """
    from scipy.stats import rankdata

    truth = np.asarray(is_defect, dtype=bool)
    defects, goods = int(truth.sum()), int((~truth).sum())
    if not defects or not goods:
        return None
    rank_sum = float(rankdata(scores)[truth].sum())
    return (rank_sum - defects * (defects + 1) / 2) / (defects * goods)


def average_precision(scores: Sequence[float], is_defect: Sequence[bool]) -> float | None:
    """Step-wise area under the precision-recall curve: sum of (R_n - R_(n-1)) P_n over distinct scores.

    Without interpolation, so it is not optimistic; images of equal score enter together.

    Returns:
        A value in (0, 1], or None when no image is a defect.
    """
    values, truth = np.asarray(scores, dtype=float), np.asarray(is_defect, dtype=bool)
    if not truth.any():
        return None
    order = np.argsort(-values, kind="stable")
    last_of_score = np.append(np.diff(values[order]) != 0, True)
    hits = np.cumsum(truth[order])[last_of_score]
    flagged = (np.arange(len(values)) + 1)[last_of_score]
    recall = hits / truth.sum()
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / flagged))


def wilson_interval(count: int, total: int) -> tuple[float, float] | None:
    """Score interval of a proportion at 95 % confidence; honest for small samples and for 0 of n.

    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.

    Returns:
        Lower and upper bound in [0, 1], or None when `total` is 0.
    """
    if total == 0:
        return None
    z = NormalDist().inv_cdf(0.975)
    share = count / total
    scale = 1 / (1 + z * z / total)
    centre = scale * (share + z * z / (2 * total))
    half = scale * z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, centre - half), min(1.0, centre + half)


def threshold_for_escape(
    scores: Sequence[float], is_defect: Sequence[bool], target_escape: float
) -> float | None:
    """The highest threshold at which no more than `target_escape` of the defect images score below it.

    It is put halfway to the next lower score of any image: the same images are flagged, and a new image
    that scores like the last one caught is not lost by a rounding error.

    Returns:
        The threshold (an image is flagged from it upwards), or None when no image is a defect.
    """
    values, truth = np.asarray(scores, dtype=float), np.asarray(is_defect, dtype=bool)
    of_defects = np.sort(values[truth])
    if not len(of_defects):
        return None
    # The small term keeps 0.02 * 50 = 1 from falling to 0 for want of the last binary digit.
    allowed = math.floor(target_escape * len(of_defects) + 1e-9)
    last_caught = float(of_defects[min(allowed, len(of_defects) - 1)])
    below = values[values < last_caught]
    return (last_caught + float(below.max())) / 2 if len(below) else last_caught


def box_iou(first: Sequence[BoxXyxyPx], second: Sequence[BoxXyxyPx]) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes, shape (len(first), len(second))."""
    a = np.asarray(first, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(second, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0.0, None).prod(axis=-1)
    union = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1) - shared
    iou: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    return iou


def match_boxes(true: Sequence[BoxXyxyPx], found: Sequence[BoxXyxyPx]) -> list[tuple[int, int, float]]:
    """Pairs true with found boxes one to one, the best overlap first, those of an IoU of at least 0.5.

    Returns:
        (index of the true box, index of the found box, IoU) of each pair.
    """
    iou = box_iou(true, found)
    pairs = []
    while iou.size and float(iou.max()) >= _MIN_IOU:
        row, column = (int(i) for i in np.unravel_index(int(iou.argmax()), iou.shape))
        pairs.append((row, column, float(iou[row, column])))
        iou[row, :] = iou[:, column] = -1.0
    return pairs


def mean_average_precision(
    true: Sequence[Box], found: Sequence[Box], images: Sequence[int], *, by_category: bool
) -> MeanPrecision | None:
    """COCO's bounding-box mAP (101-point interpolation, at most 100 detections an image), by pycocotools.

    Args:
        true: The boxes that should be found.
        found: The detector's boxes, down to a confidence near 0: what it leaves out counts as missed.
        images: Every image that was looked at, those without any box included.
        by_category: Whether a box must also have the right category. Only categories that occur among the
            true boxes are averaged over.

    Returns:
        The two figures, or None when there is no true box.
    """
    if not true:
        return None
    names = sorted({box.category for box in true})
    ids = {name: number for number, name in enumerate(names, start=1)} if by_category else {}
    precision = _precision(true, found, images, ids)
    return MeanPrecision(float(precision[0].mean()), float(precision.mean()))


def precisions_at(
    ious: Sequence[float], true: Sequence[Box], found: Sequence[Box], images: Sequence[int]
) -> tuple[float, ...] | None:
    """COCO's average precision at other overlaps, whatever the boxes are called; None without a true box."""
    if not true:
        return None
    return tuple(float(each.mean()) for each in _precision(true, found, images, {}, ious))


def _precision(
    true: Sequence[Box],
    found: Sequence[Box],
    images: Sequence[int],
    ids: Mapping[str, int],
    ious: Sequence[float] | None = None,
) -> NDArray[np.float64]:
    """Precision of shape (overlaps, recalls, categories, 1, 1); without `ious` at COCO's ten overlaps."""
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools narrates on stdout
        run = COCOeval(_coco(true, images, ids), _coco(found, images, ids), "bbox")
        run.params.maxDets = [_MAX_DETECTIONS]
        if ious is not None:
            run.params.iouThrs = np.array(ious)
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
        run.accumulate()
    precision: NDArray[np.float64] = run.eval["precision"]
    return precision


def _coco(boxes: Sequence[Box], images: Sequence[int], ids: Mapping[str, int]) -> object:
    """A COCO index of the boxes; with `ids` empty, all are of one category."""
    from pycocotools.coco import COCO

    index = COCO()
    kept = [box for box in boxes if not ids or box.category in ids]
    index.dataset = {
        "images": [{"id": image} for image in images],
        "categories": [{"id": number} for number in ids.values()] or [{"id": 1}],
        "annotations": [
            _annotation(number, box, ids.get(box.category, 1)) for number, box in enumerate(kept, start=1)
        ],
    }
    index.createIndex()
    return index


def _annotation(number: int, box: Box, category_id: int) -> dict[str, object]:
    x_min, y_min, x_max, y_max = box.box_xyxy_px
    return {
        "id": number,
        "image_id": box.image,
        "category_id": category_id,
        "bbox": [x_min, y_min, x_max - x_min, y_max - y_min],
        "area": (x_max - x_min) * (y_max - y_min),
        "iscrowd": 0,
        "score": box.score,
    }
