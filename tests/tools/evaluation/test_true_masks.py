from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tools.errors import UsageError
from tools.evaluation.true_masks import TrueMask

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
