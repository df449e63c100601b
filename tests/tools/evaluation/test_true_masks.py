from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tools.errors import UsageError
from tools.evaluation.true_masks import TrueMask, read_mask

# Of pycocotools with numpy 2, which answers as numpy 1 asked; the result is right.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def write_mask(path, box, size=(40, 30)):
    picture = Image.new("L", size)
    picture.paste(255, box)
    picture.save(path)
    return path


BOX = np.zeros((30, 40), dtype=bool)
BOX[5:15, 4:24] = True


@pytest.mark.parametrize(
    "segmentation",
    [
        pytest.param([[4, 5, 24, 5, 24, 15, 4, 15]], id="polygon"),
        pytest.param([[4, 5, 14, 5, 14, 15, 4, 15], [14, 5, 24, 5, 24, 15, 14, 15]], id="two parts"),
        # Column by column, as COCO counts: 4 empty columns and 5 rows, then 10 rows of each of 20 columns.
        pytest.param({"size": [30, 40], "counts": [125, *([10, 20] * 19), 10, 495]}, id="runs"),
    ],
)
def test_coco_outlines(segmentation):
    assert np.array_equal(TrueMask(segmentations=(segmentation,)).read(40, 30), BOX)


def test_files_and_outlines_are_one_mask(tmp_path):
    files = (write_mask(tmp_path / "a.png", (0, 0, 2, 2)), write_mask(tmp_path / "b.png", (38, 28, 40, 30)))
    mask = TrueMask(files=files, segmentations=([[4, 5, 24, 5, 24, 15, 4, 15]],)).read(40, 30)
    assert mask.sum() == 4 + 4 + 200
    assert mask[0, 0]
    assert mask[29, 39]


def labels(value, dtype):
    return np.where(BOX, value, 0).astype(dtype)


def painted(colour, alpha, *, background=(0, 0, 0, 0)):
    picture = np.empty((*BOX.shape, 4), np.uint8)
    picture[:], picture[BOX] = background, (*colour, alpha)
    return Image.fromarray(picture)


def with_transparent(number):
    """A palette of black, white and grey in which a number is transparent."""
    picture = Image.fromarray(labels(1, np.uint8)).convert("P")
    picture.putpalette([0, 0, 0, 255, 255, 255, 90, 90, 90])
    picture.info["transparency"] = number
    return picture


@pytest.mark.parametrize(
    ("picture", "suffix"),
    [
        pytest.param(Image.fromarray(labels(1, np.uint16)), "png", id="16 bit, label 1"),
        pytest.param(Image.fromarray(labels(100, np.uint16)), "tif", id="16 bit, label 100"),
        pytest.param(Image.fromarray(labels(65535, np.uint16)), "png", id="16 bit, white"),
        pytest.param(Image.fromarray(labels(3, np.int32)), "tif", id="32 bit"),
        pytest.param(Image.fromarray(labels(0.25, np.float32)), "tif", id="floating point"),
        pytest.param(Image.fromarray(labels(1, np.uint8)), "png", id="8 bit, label 1"),
        pytest.param(Image.fromarray(BOX), "png", id="1 bit"),
        pytest.param(painted((255, 255, 255), 255), "png", id="white on nothing"),
        pytest.param(painted((0, 0, 0), 128), "png", id="black on nothing"),
        pytest.param(painted((9, 0, 0), 255, background=(255, 255, 255, 0)), "tif", id="on clear white"),
        pytest.param(painted((9, 0, 0), 255, background=(0, 0, 0, 255)), "png", id="opaque"),
        pytest.param(painted((9, 0, 0), 90, background=(0, 0, 0, 255)), "png", id="thin paint on opaque"),
        pytest.param(painted((9, 0, 0), 255).convert("LA"), "png", id="grey on nothing"),
        pytest.param(with_transparent(0), "png", id="palette with a clear black"),
        pytest.param(with_transparent(2), "png", id="palette with a clear colour that is not used"),
    ],
)
def test_any_value_above_0_is_defect(tmp_path, picture, suffix):
    picture.save(tmp_path / f"a.{suffix}")
    assert np.array_equal(read_mask(tmp_path / f"a.{suffix}"), BOX)


@pytest.mark.parametrize("background", [(0, 0, 0, 0), (255, 255, 255, 0), (0, 0, 0, 255)])
def test_a_mask_of_nothing(tmp_path, background):
    Image.new("RGBA", (40, 30), background).save(tmp_path / "a.png")
    assert not read_mask(tmp_path / "a.png").any()


def test_stored_values_are_turned_as_the_picture_is(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    for name, picture in (("a", Image.fromarray(labels(1, np.uint16))), ("b", painted((9, 9, 9), 255))):
        picture.save(tmp_path / f"{name}.png", exif=exif)
        assert np.array_equal(read_mask(tmp_path / f"{name}.png"), np.rot90(BOX, -1))


def test_a_mask_that_cannot_be_read_is_told_as_any_picture(tmp_path):
    Image.fromarray(labels(1, np.uint16)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for content, words in ((whole[:60], "cut short|damaged"), (b"text", "no JPEG"), (b"", "empty")):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(UsageError, match=words) as refused:
            read_mask(tmp_path / "a.png")
        assert "0 where all is well" in refused.value.hint


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"size": [3, 4], "counts": [12]}, "4x3"),
        ({"size": [30, 40]}, "not COCO"),
        ("scratch", "not COCO"),
        ([["a", "b"]], "not COCO"),
    ],
)
def test_what_is_no_mask_of_the_image(segmentation, words):
    with pytest.raises(UsageError, match=words):
        TrueMask(segmentations=(segmentation,)).read(40, 30)


def test_a_mask_of_another_size(tmp_path):
    with pytest.raises(UsageError, match="40x30"):
        TrueMask(files=(write_mask(tmp_path / "a.png", (0, 0, 2, 2)),)).read(30, 40)
