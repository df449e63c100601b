from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.tools.references.conftest import drawn_part
from tools.errors import ImageError
from tools.recipe import References
from tools.recipe.file import load_recipe
from tools.records import ImageRecord
from tools.references.templates import Templates


def templates(folder: Path, template: str) -> Templates:
    recipe = load_recipe().model_copy(update={"references": References(template=template)})
    return Templates(recipe.loaded_from(folder / "plate.yaml"))


@pytest.mark.parametrize(
    ("template", "name", "file"),
    [
        ("golden.png", "lot/part.jpg", "golden.png"),
        ("{stem}.png", "lot/part.jpg", "part.png"),
        ("{stem-_test}_temp.png", "lot/part_test.jpg", "part_temp.png"),
        ("{stem-_test}_temp.png", "part_test_7.jpg", "part_test_7_temp.png"),
        ("{stem-_test}/{stem}.png", "part_test.jpg", "part/part_test.png"),
    ],
)
def test_a_template_is_named_after_the_image(tmp_path: Path, template: str, name: str, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    Image.fromarray(drawn_part(3)).save(tmp_path / file)
    record = ImageRecord(id="img_001", name=name, width_px=160, height_px=120)
    assert templates(tmp_path, template).differences(record, drawn_part(4)) == ()


def test_a_template_that_is_missing_is_named(tmp_path: Path) -> None:
    record = ImageRecord(id="img_001", name="part_test.jpg", width_px=160, height_px=120)
    with pytest.raises(ImageError, match=r"no template part_temp\.png"):
        templates(tmp_path, "{stem-_test}_temp.png").differences(record, drawn_part(4))
