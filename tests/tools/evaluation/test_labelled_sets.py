from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tools.errors import UsageError
from tools.evaluation.labelled_sets import Truth, read_labelled_set

NAN, INF = float("nan"), float("inf")


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


def names_of(labelled):
    return [labelled.name_of(image.path) for image in labelled.images]


def test_photographs_in_subfolders_count_in_natural_order(tmp_path):
    for name in ("2.png", "lot10/1.png", "lot2/1.png", "lot2/ground_truth/1.png", "lot2/@eaDir/1.png/t.jpg"):
        write_image(tmp_path / "bent" / name)
    write_image(tmp_path / "good" / "line" / "monday" / "1.png")
    labelled = read_labelled_set(tmp_path)
    assert names_of(labelled) == [
        "bent/2.png",
        "bent/lot2/1.png",
        "bent/lot10/1.png",
        "good/line/monday/1.png",
    ]
    assert [image.classes for image in labelled.images] == [("bent",)] * 3 + [()]
    assert labelled.empty_classes == ()


def test_masks_lie_in_subfolders_of_the_same_names(tmp_path):
    for name in ("good/1.png", "cut/1.png", "cut/lot/1.png", "cut/lot/2.png"):
        write_image(tmp_path / "test" / name)
    for name in ("cut/lot/1_mask.png", "cut/lot/2/0.png"):
        write_image(tmp_path / "ground_truth" / name, value=255)
    labelled = read_labelled_set(tmp_path)
    assert names_of(labelled)[:3] == ["test/cut/1.png", "test/cut/lot/1.png", "test/cut/lot/2.png"]
    assert [len(image.defects) for image in labelled.images] == [0, 1, 1, 0]


def test_classes_without_a_photograph_are_told(tmp_path):
    write_image(tmp_path / "good" / "1.png")
    for name in ("bent", "cut/.hidden", "cut/masks"):
        (tmp_path / name).mkdir(parents=True)
    write_image(tmp_path / "cut" / "masks" / "1.png")
    assert read_labelled_set(tmp_path).empty_classes == ("bent", "cut")


def test_good_parts_within_a_defect_folder_are_refused(tmp_path):
    for name in ("good/1.png", "bent/lot/OK/1.png"):
        write_image(tmp_path / name)
    with pytest.raises(UsageError, match=r"bent/lot/OK would count as `bent`"):
        read_labelled_set(tmp_path)


@pytest.mark.parametrize("named", ["scratch", ["scratch"]])
def test_coco_classes_may_be_one_word(tmp_path, named):
    write_coco(tmp_path, images=[{"file_name": "a.png", "label": "defect", "classes": named}])
    assert read_labelled_set(tmp_path).class_names == ("scratch",)


@pytest.mark.parametrize("named", [None, "", []])
def test_coco_classes_may_be_none(tmp_path, named):
    write_coco(tmp_path, images=[{"file_name": "a.png", "label": "defect", "classes": named}])
    assert read_labelled_set(tmp_path).class_names == ("defect",)


def test_a_name_counts_from_the_sets_folder(tmp_path):
    write_image(tmp_path / "elsewhere" / "b.png")
    elsewhere = str(tmp_path / "elsewhere" / "b.png")
    write_coco(tmp_path / "set", images=[{"file_name": "images/a.png"}, {"file_name": elsewhere}])
    assert names_of(read_labelled_set(tmp_path / "set")) == ["images/a.png", elsewhere]


def with_box(bbox=(0, 0, 5, 5), **truth):
    return coco_text(annotations=[{"image_id": 1, "category_id": 1, "bbox": bbox, **truth}])


def with_images(*images):
    return coco_text(images=[{"id": 1, "file_name": "a.png"} | image for image in images])


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
        pytest.param(
            with_images({"mm_per_px": NAN}), "the mm_per_px of a.png is nan", id="scale of no value"
        ),
        pytest.param(with_images({"mm_per_px": INF}), "the mm_per_px of a.png is inf", id="boundless scale"),
        pytest.param(with_images({"width": INF, "height": 9}), "infinity", id="boundless picture"),
        pytest.param(with_box((0, NAN, 5, 5)), "the bbox of a defect in a.png is nan", id="box of no value"),
        pytest.param(with_box((0, 0, INF, 5)), "the bbox of a defect in a.png is inf", id="boundless box"),
        pytest.param(with_box(width_px=NAN), "the width_px of a defect in a.png is nan", id="quantity"),
        pytest.param(with_box(length_mm=-INF), "the length_mm of a defect in a.png is -inf", id="length"),
        pytest.param(
            with_box(segmentation=[[0, 0, 5, 5, 0, 5]], area=NAN), "the area of a defect in a.png", id="area"
        ),
        pytest.param(
            with_box(segmentation=[[0, 0, NAN, 5, 0, 5]]),
            "the segmentation of a defect in a.png",
            id="outline",
        ),
        pytest.param(
            with_images({}, {"file_name": "b.png"}),
            "id 1 stands for both a.png and b.png",
            id="an image's id",
        ),
        pytest.param(with_images({}, {"id": 2}), "a.png 2 times", id="one file under two ids"),
        pytest.param(
            coco_text(categories=[{"id": 1, "name": "scratch"}, {"id": 1, "name": "dent"}]),
            "id 1 stands for both scratch and dent",
            id="a category's id",
        ),
        pytest.param(
            with_images({"label": "OK"}), "a.png is labelled OK, and yet has annotations", id="a good defect"
        ),
    ],
)
def test_broken_coco_says_what_is_wrong(tmp_path, text, words):
    write_image(tmp_path / "a.png")
    (tmp_path / "annotations.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"annotations.json|holds no image") as caught:
        read_labelled_set(tmp_path)
    assert words in caught.value.message
    assert any(
        word in caught.value.hint
        for word in ("good/", "annotation file", " id", "finite", "one or the other")
    )


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
