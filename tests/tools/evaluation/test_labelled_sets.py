from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tools.errors import UsageError
from tools.evaluation.labelled_sets import Truth, read_labelled_set


def write_image(path, size=(40, 30), value=120):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)


def write_coco(
    folder, *, images, annotations=(), categories=({"id": 1, "name": "scratch"},), name="annotations.json"
):
    rows = [{"id": number, "width": 40, "height": 30} | row for number, row in enumerate(images, start=1)]
    for row in rows:
        write_image(folder / row["file_name"])
    document = {"images": rows, "annotations": list(annotations), "categories": list(categories)}
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_coco_keeps_negatives_and_measured_truth(tmp_path):
    annotation = {"image_id": 2, "category_id": 1, "bbox": [4, 5, 20, 10], "length_mm": 2.5, "width_px": 3}
    write_coco(
        tmp_path,
        images=[{"file_name": "images/a.png"}, {"file_name": "images/b.png", "mm_per_px": 0.1}],
        annotations=[annotation],
    )
    good, bad = read_labelled_set(tmp_path).images
    assert (good.truth, good.classes, good.defects, good.is_located) == (Truth.GOOD, (), (), True)
    assert (bad.truth, bad.classes, bad.mm_per_px, bad.size_px) == (Truth.DEFECT, ("scratch",), 0.1, (40, 30))
    assert bad.defects[0].box_xyxy_px == (4.0, 5.0, 24.0, 15.0)
    assert bad.defects[0].quantities == {"length_mm": 2.5, "width_px": 3.0}


@pytest.mark.parametrize(
    ("segmentation", "quantities"),
    [([[4, 5, 24, 5, 24, 15]], {"area_px2": 100.0}), ([], {}), (None, {})],
)
def test_coco_area_is_truth_only_with_a_mask(tmp_path, segmentation, quantities):
    annotation = {
        "image_id": 1,
        "category_id": 1,
        "bbox": [4, 5, 20, 10],
        "area": 100,
        "segmentation": segmentation,
    }
    write_coco(tmp_path, images=[{"file_name": "a.png"}], annotations=[annotation])
    assert read_labelled_set(tmp_path).images[0].defects[0].quantities == quantities


def test_coco_labels_win_and_uncertain_is_set_aside(tmp_path):
    write_coco(
        tmp_path,
        images=[
            {"file_name": "a.png", "label": "normal"},
            {"file_name": "b.png", "label": "defect", "classes": ["cracked"]},
            {"file_name": "c.png", "label": "uncertain"},
            {"file_name": "d.png", "label": "defect"},
        ],
    )
    labelled = read_labelled_set(tmp_path)
    assert [image.truth for image in labelled.images] == ["good", "defect", "uncertain", "defect"]
    assert [image.path.name for image in labelled.judged] == ["a.png", "b.png", "d.png"]
    assert labelled.class_names == ("cracked", "defect")
    assert not labelled.has_boxes
    assert [image.is_located for image in labelled.judged] == [True, False, False]


def test_coco_parts_are_no_defects_where_defects_are_marked(tmp_path):
    write_coco(
        tmp_path,
        images=[{"file_name": "a.png"}, {"file_name": "b.png"}],
        categories=[
            {"id": 1, "name": "hole", "supercategory": "defect"},
            {"id": 2, "name": "screw", "supercategory": "part"},
        ],
        annotations=[
            {"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9]},
            {"image_id": 2, "category_id": 1, "bbox": [0, 0, 9, 9]},
            {"image_id": 2, "category_id": 2, "bbox": [9, 0, 9, 9]},
        ],
    )
    labelled = read_labelled_set(tmp_path)
    assert [image.truth for image in labelled.images] == [Truth.GOOD, Truth.DEFECT]
    assert labelled.class_names == ("hole",)


@pytest.mark.parametrize("name", ["annotations.json", "coco.json", "_annotations.coco.json"])
def test_coco_names(tmp_path, name):
    write_coco(tmp_path, images=[{"file_name": "a.png"}], name=name)
    assert read_labelled_set(tmp_path) == read_labelled_set(tmp_path / name)
    assert len(read_labelled_set(tmp_path).images) == 1


def test_coco_file_itself_with_images_beside_it(tmp_path):
    write_coco(tmp_path, images=[{"file_name": "images/a.png"}], name="instances.json")
    document = json.loads((tmp_path / "instances.json").read_text())
    document["images"][0]["file_name"] = "a.png"
    (tmp_path / "instances.json").write_text(json.dumps(document))
    assert read_labelled_set(tmp_path / "instances.json").images[0].path == tmp_path / "images" / "a.png"


def test_folders_at_the_top(tmp_path):
    write_image(tmp_path / "Good" / "1.png")
    write_image(tmp_path / "dent" / "1.png")
    write_image(tmp_path / "dent" / ".hidden.png")
    (tmp_path / "dent" / "notes.txt").write_text("no image")
    labelled = read_labelled_set(tmp_path)
    assert [(image.truth, image.classes) for image in labelled.images] == [
        ("good", ()),
        ("defect", ("dent",)),
    ]
    assert labelled.name == tmp_path.name


def test_folders_as_mvtec_has_them(tmp_path):
    write_image(tmp_path / "train" / "good" / "000.png")
    write_image(tmp_path / "test" / "good" / "000.png")
    write_image(tmp_path / "test" / "cut" / "000.png")
    write_image(tmp_path / "test" / "cut" / "001.png")
    mask = np.zeros((30, 40), np.uint8)
    mask[2:5, 4:14] = 255
    mask[20:24, 30:32] = 255
    (tmp_path / "ground_truth" / "cut").mkdir(parents=True)
    Image.fromarray(mask).save(tmp_path / "ground_truth" / "cut" / "000_mask.png")
    with_mask, without, good = read_labelled_set(tmp_path).images
    assert [defect.box_xyxy_px for defect in with_mask.defects] == [
        (4.0, 2.0, 14.0, 5.0),
        (30.0, 20.0, 32.0, 24.0),
    ]
    assert [defect.quantities["area_px2"] for defect in with_mask.defects] == [30.0, 8.0]
    assert (without.truth, without.is_located) == (Truth.DEFECT, False)
    assert good.truth is Truth.GOOD


@pytest.mark.parametrize("given", ["", "test"])
@pytest.mark.parametrize("name", ["000_mask.PNG", "000.bmp", "000.jpg", "000_mask.tif", "000/1.PNG"])
def test_masks_are_found_in_any_format_and_beside_test(tmp_path, name, given):
    write_image(tmp_path / "test" / "good" / "000.png", (64, 48))
    write_image(tmp_path / "test" / "cut" / "000.JPG", (64, 48))
    mask = np.zeros((48, 64), np.uint8)
    mask[16:32, 16:40] = 255
    file = tmp_path / "ground_truth" / "cut" / name
    file.parent.mkdir(parents=True)
    Image.fromarray(mask).save(file)
    bad, _ = read_labelled_set(tmp_path / given).images
    (defect,) = bad.defects
    assert defect.box_xyxy_px == pytest.approx((16, 16, 40, 32), abs=1)


def test_of_masks_with_one_name_the_png_counts(tmp_path):
    for path in ("good/1.png", "cut/2.png"):
        write_image(tmp_path / path)
    for suffix, value in ((".bmp", 0), (".png", 255), (".tif", 0)):
        write_image(tmp_path / "ground_truth" / "cut" / f"2{suffix}", value=value)
    assert len(read_labelled_set(tmp_path).images[0].defects) == 1


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "@eaDir", "__MACOSX", "masks", "ground_truth"])
def test_folders_of_systems_and_tools_are_no_defects(tmp_path, name):
    for folder in ("good", "cut", name):
        write_image(tmp_path / folder / "1.png")
    assert read_labelled_set(tmp_path).class_names == ("cut",)


def test_folders_as_mvtec_loco_has_them(tmp_path):
    write_image(tmp_path / "test" / "good" / "000.png")
    write_image(tmp_path / "test" / "logical" / "000.png")
    masks = tmp_path / "ground_truth" / "logical" / "000"
    masks.mkdir(parents=True)
    for name, places in (("000", [(2, 4), (20, 30)]), ("001", [(10, 12)]), ("002", [])):
        mask = np.zeros((30, 40), np.uint8)
        for row, column in places:
            mask[row : row + 3, column : column + 4] = 255
        Image.fromarray(mask).save(masks / f"{name}.png")
    _, logical = read_labelled_set(tmp_path).images
    assert [defect.box_xyxy_px for defect in logical.defects] == [
        (4.0, 2.0, 34.0, 23.0),
        (12.0, 10.0, 16.0, 13.0),
    ]
    assert [defect.quantities["area_px2"] for defect in logical.defects] == [24.0, 12.0]


def coco_text(**changes):
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 5, 5]}],
        "categories": [{"id": 1, "name": "scratch"}],
    }
    return json.dumps(document | changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "is not COCO", id="not JSON"),
        pytest.param("[]", "is not COCO", id="a list"),
        pytest.param("[" * 100_000, "is not COCO", id="nested without end"),
        pytest.param("{}", "'images' is missing", id="no images"),
        pytest.param(coco_text(images=[]), "refers to nothing", id="annotation of no image"),
        pytest.param(coco_text(images=[], annotations=[]), "holds no image", id="empty"),
        pytest.param(
            coco_text(images=[{"id": 1, "file_name": "gone.png"}]),
            "gone.png, which does not exist",
            id="file",
        ),
        pytest.param(
            coco_text(annotations=[{"image_id": 1, "category_id": 1}]), "'bbox' is missing", id="no box"
        ),
        pytest.param(
            coco_text(annotations=[{"image_id": 1, "category_id": 1, "bbox": [1, 2]}]),
            "is not COCO",
            id="half a box",
        ),
        pytest.param(
            coco_text(images=[{"id": 1, "file_name": "a.png", "label": "so-so"}]), "'so-so'", id="label"
        ),
        pytest.param(
            coco_text(images=[{"id": 1, "file_name": "a.png", "mm_per_px": -1}]), "negative", id="scale"
        ),
        pytest.param(
            coco_text(
                images=[{"id": 1, "file_name": "a.png"}],
                annotations=[{"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]}],
            ),
            "category_id 9 is among none of the categories",
            id="a defect of no category",
        ),
    ],
)
def test_broken_coco_says_what_is_wrong(tmp_path, text, words):
    write_image(tmp_path / "a.png")
    (tmp_path / "annotations.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"annotations.json|holds no image") as caught:
        read_labelled_set(tmp_path)
    assert words in caught.value.message
    assert "good/" in caught.value.hint or "annotation file" in caught.value.hint


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ((), "no annotations and no `good` folder"),
        (("dent",), "no annotations and no `good` folder"),
        (("good",), "holds no image labelled"),
    ],
)
def test_other_folders_are_refused(tmp_path, folders, words):
    for name in folders:
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError) as caught:
        read_labelled_set(tmp_path)
    assert words in caught.value.message
    assert "annotations.json" in caught.value.hint


def test_missing_folder(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_labelled_set(tmp_path / "nowhere")
