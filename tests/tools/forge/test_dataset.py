from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.errors import OutputError
from tools.forge.__main__ import main
from tools.forge.dataset import run_lengths, write_set
from tools.forge.truth import DEFECT_TYPES

COUNT = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forge") / "set"
    write_set(folder, COUNT, 50, size_px=(240, 240), defect_rate=0.7)
    return folder


# pycocotools' own Cython arrays predate NumPy 2's __array__ signature.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_loads_and_masks_agree(folder: Path) -> None:
    from pycocotools.coco import COCO

    coco = COCO(str(folder / "annotations.json"))
    assert [coco.cats[i]["name"] for i in sorted(coco.cats)] == list(DEFECT_TYPES)
    assert len(coco.imgs) == COUNT
    assert coco.anns
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation)
        ys, xs = np.nonzero(mask)
        width, height = xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()
        assert annotation["area"] == mask.sum()
        assert annotation["bbox"] == [xs.min(), ys.min(), width, height]
        mm_per_px = coco.imgs[annotation["image_id"]]["mm_per_px"]
        assert annotation["length_mm"] == pytest.approx(annotation["length_px"] * mm_per_px, rel=1e-2)


def test_labels_follow_the_defects(folder: Path) -> None:
    coco = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    bad = {annotation["image_id"] for annotation in coco["annotations"]}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["file"] for row in rows] == [image["file_name"] for image in coco["images"]]
    assert {row["label"] for row in rows} == {"normal", "defect"}
    for row, image in zip(rows, coco["images"], strict=True):
        assert row["label"] == image["label"] == ("defect" if image["id"] in bad else "normal")


def test_images_open_at_their_size(folder: Path) -> None:
    files = sorted((folder / "images").iterdir())
    assert [file.name for file in files] == [f"{seed:06d}.jpg" for seed in range(50, 50 + COUNT)]
    for file in files:
        with Image.open(file) as image:
            assert (image.format, image.size) == ("JPEG", (240, 240))


def test_captions_name_the_types_and_their_boxes(folder: Path) -> None:
    coco = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()]
    for image in coco["images"]:
        types = {
            DEFECT_TYPES[a["category_id"] - 1] for a in coco["annotations"] if a["image_id"] == image["id"]
        }
        whole = [
            row["caption"] for row in rows if row["file"] == image["file_name"] and not row["box_xyxy_px"]
        ]
        assert len(whole) == 3
        assert {type_ for type_ in DEFECT_TYPES if type_ in whole[1]} == types
    boxes = {(row["file"], *row["box_xyxy_px"]) for row in rows if row["box_xyxy_px"]}
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    for annotation in coco["annotations"]:
        x, y, width, height = annotation["bbox"]
        assert (names[annotation["image_id"]], x, y, x + width, y + height) in boxes


def test_a_set_is_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    assert (
        main(
            [
                "make",
                str(tmp_path / "again"),
                "--count",
                "2",
                "--seed",
                "50",
                "--size",
                "240",
                "240",
                "--defect-rate",
                "0.7",
            ]
        )
        == 0
    )
    for name in ("images/000050.jpg", "images/000051.jpg"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(OutputError):
        write_set(folder, 1, 1)
    assert main(["make", str(folder), "--count", "1"]) == 2
    assert sorted(path.name for path in folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        ([[0, 0], [0, 0]], [4]),
        ([[1, 1], [1, 1]], [0, 4]),
        ([[0, 1], [0, 1]], [2, 2]),
        ([[1, 0], [0, 0]], [0, 1, 3]),
        ([[0, 0], [1, 0]], [1, 1, 2]),
    ],
)
def test_run_lengths_are_column_major_and_start_with_zeros(mask: list[list[int]], counts: list[int]) -> None:
    assert run_lengths(np.array(mask, bool)) == {"size": [2, 2], "counts": counts}
