from __future__ import annotations

import unicodedata
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


def test_a_template_that_is_exchanged_is_read_anew(tmp_path: Path) -> None:
    record = ImageRecord(id="img_001", name="part.jpg", width_px=160, height_px=120)
    found = []
    held = templates(tmp_path, "{stem}.png")
    for scratched in (False, True):
        Image.fromarray(drawn_part(3, scratched=scratched)).save(tmp_path / "part.png")
        found.append(held.differences(record, drawn_part(4)))
    assert found[0] == ()
    assert found[1]


@pytest.mark.parametrize(
    ("template", "files", "others"),
    [
        ("golden.png", ["golden.png"], ["silver.png"]),
        ("{stem}.png", ["a.png", "b.png"], ["c.jpg", "deeper/d.png"]),
        ("{stem-_test}_temp.png", ["a_temp.png", ".b_temp.png"], ["a.png"]),
        ("[1]/{stem-_test}/{stem}.png", ["[1]/a/a_test.png"], ["1/a/a_test.png"]),
        ("{folder}/{stem}.png", ["a.png"], []),
    ],
)
def test_whoever_exchanges_a_template_changes_what_stands_for_it(
    tmp_path: Path, template: str, files: list[str], others: list[str]
) -> None:
    for name in (*files, *others):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    pattern = template.replace("{folder}", str(tmp_path))
    held = templates(tmp_path, pattern)
    before = held.provenance
    assert (before.tool, before.model) == ("template", pattern)
    for name in others:
        (tmp_path / name).write_text("after")
    assert held.provenance == before
    for name in files:
        (tmp_path / name).write_text("after")
        assert held.provenance != before
        (tmp_path / name).write_text("before")
    (tmp_path / files[0]).unlink()
    assert held.provenance != before


def test_where_templates_lie_is_no_part_of_what_stands_for_them(tmp_path: Path) -> None:
    stood_for = []
    for folder in (tmp_path / "here", tmp_path / "there"):
        folder.mkdir()
        (folder / "a.png").write_text("picture")
        stood_for.append(templates(folder, "{stem}.png").provenance)
    assert stood_for[0] == stood_for[1]


def test_a_template_that_is_missing_is_named(tmp_path: Path) -> None:
    record = ImageRecord(id="img_001", name="part_test.jpg", width_px=160, height_px=120)
    with pytest.raises(ImageError, match=r"no template part_temp\.png"):
        templates(tmp_path, "{stem-_test}_temp.png").differences(record, drawn_part(4))


@pytest.mark.parametrize("template", ["{stem}.png", "양품/{stem}.png", "부품.png", "양품/부품.png"])
@pytest.mark.parametrize("folder", ["NFC", "NFD"])
@pytest.mark.parametrize("file", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
def test_a_template_is_found_in_whatever_unicode_form_it_lies(
    tmp_path: Path, template: str, folder: str, file: str, typed: str
) -> None:
    under, _, _ = template.rpartition("/")
    place = tmp_path / unicodedata.normalize(folder, under) / unicodedata.normalize(file, "부품.png")  # type: ignore[arg-type]
    place.parent.mkdir(exist_ok=True)
    Image.fromarray(drawn_part(3)).save(place)
    record = ImageRecord(id="img_001", name="lot/부품.jpg", width_px=160, height_px=120)
    held = templates(tmp_path, unicodedata.normalize(typed, template))  # type: ignore[arg-type]
    assert held.has(record)
    assert held.differences(record, drawn_part(4)) == ()
    before = held.provenance
    place.write_text("exchanged")
    assert held.provenance != before
