from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from reports.coco import coco_document
from reports.source import ReportInput
from tests.reports.builders import HOLE, SQUARE, finding, inspection, mixed_batch, report, unreadable
from tools.records import PointPx

# pycocotools still decodes masks in a way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BESIDE: tuple[PointPx, ...] = ((70.0, 60.0), (80.0, 60.0), (80.0, 70.0), (70.0, 70.0))
SLIVER: tuple[PointPx, ...] = ((20.1, 20.1), (60.0, 20.3), (20.1, 20.3))


def read_back(source: ReportInput, folder: Path) -> COCO:
    path = folder / "coco.json"
    path.write_text(json.dumps(coco_document(source)))
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


@pytest.mark.parametrize(
    ("contours", "holes", "area", "bbox", "source"),
    [
        ((SQUARE,), (), 40 * 30, [20, 20, 40, 30], "mask"),
        ((SQUARE,), (HOLE,), 40 * 30 - 10 * 10, [20, 20, 40, 30], "mask"),
        ((SQUARE, BESIDE), (), 40 * 30 + 10 * 10, [20, 20, 60, 50], "mask"),  # beyond the detector's box
        ((), (), 44 * 33, [18, 19, 44, 33], "box"),
        ((SQUARE[:2],), (), 44 * 33, [18, 19, 44, 33], "box"),  # two points are no outline
    ],
)
def test_area_and_box_are_those_of_the_mask(
    tmp_path: Path,
    contours: tuple[tuple[PointPx, ...], ...],
    holes: tuple[tuple[PointPx, ...], ...],
    area: float,
    bbox: list[float],
    source: str,
) -> None:
    found = finding(contours_px=contours, holes_px=holes)
    coco = read_back(report(inspection(1, findings=(found,))), tmp_path)
    (annotation,) = coco.anns.values()
    assert annotation["area"] == coco.annToMask(annotation).sum() == area
    assert annotation["area_source"] == source
    assert annotation["iscrowd"] == 0
    assert annotation["bbox"] == list(coco_mask.toBbox(coco.annToRLE(annotation))) == bbox
    assert annotation["detected_bbox"] == [18, 19, 44, 33]


def test_a_crack_thinner_than_a_pixel_keeps_an_area(tmp_path: Path) -> None:
    coco = read_back(report(inspection(1, findings=(finding(contours_px=(SLIVER,)),))), tmp_path)
    (annotation,) = coco.anns.values()
    assert 0 < annotation["area"] < 45
    assert coco.annToMask(annotation).shape == (90, 120)


def test_good_images_stay_and_unreadable_ones_do_not(tmp_path: Path) -> None:
    coco = read_back(report(*mixed_batch()), tmp_path)
    assert [image["loupe_id"] for image in coco.imgs.values()] == ["img_001", "img_002", "img_003"]
    assert coco.getAnnIds(imgIds=[2]) == []
    assert coco.imgs[1]["file_name"] == "line/cover_1.jpg"
    assert coco.imgs[2]["verdict"] == "accept"


def test_category_ids_follow_the_recipe(tmp_path: Path) -> None:
    strange = finding(number=2, defect_type="unclassified")
    coco = read_back(report(inspection(1, findings=(strange,)), inspection(2)), tmp_path)
    names = {key: value["name"] for key, value in coco.cats.items()}
    assert names == {1: "scratch", 2: "dent", 3: "unclassified"}
    assert [a["category_id"] for a in coco.anns.values()] == [3]


def test_a_batch_without_any_picture_is_still_a_data_set(tmp_path: Path) -> None:
    coco = read_back(report(unreadable(1)), tmp_path)
    assert coco.imgs == coco.anns == {}
    assert len(coco.cats) == 2
