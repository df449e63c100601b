from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.errors import OutputError, RecipeError
from tools.recipe import ArucoScale, FixedScale, Recipe, References
from tools.recipe.file import bundled_recipes, load_recipe, new_recipe, render_recipe
from tools.recipe.problems import parse_recipe
from tools.recipe.schema import Captioning, Localization, Models, ReportFields, ScreeningSettings
from tools.records import Language

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "recipes"

HEAD = "recipe_version: 1\nname: test\npart: {name: plate}\n"
VALID = HEAD + "defects:\n  scratch: {}\n"
BOARD = "scale: {{homography: [{}], image_size_px: [{}], mm_per_px: 1, uncertainty_percent: 1}}\n"


def problems_of(text: str | bytes, folder: Path) -> str:
    path = folder / "metal.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    return caught.value.message.replace(f"{path}:", "")


def test_bundled_recipe_is_the_default() -> None:
    recipe = load_recipe()
    assert recipe == load_recipe("metal-surface") == load_recipe(Path("metal-surface"))
    assert recipe.type_names == ("scratch", "dent", "crack", "contamination")
    assert tuple(recipe.hard_negatives) == ("dust", "glare", "label", "tool mark")
    assert recipe.defects["crack"].accept.max_count == 0
    assert recipe.scale == FixedScale(
        mm_per_px=0.1, uncertainty_percent=1.0, detail="fixed camera, 0.1 mm per pixel"
    )
    assert bundled_recipes() == ("metal-surface",)


def test_the_example_is_the_bundled_recipe() -> None:
    bundled = ROOT / "tools" / "data" / "metal-surface.yaml"
    assert (EXAMPLES / "metal-surface.yaml").read_bytes() == bundled.read_bytes()


def test_painted_cover_shows_zones_marker_and_korean() -> None:
    recipe = load_recipe(EXAMPLES / "painted-cover.yaml")
    assert recipe.language is Language.KO
    assert isinstance(recipe.scale, ArucoScale)
    assert [zone.ignore for zone in recipe.zones] == [False, True]


def test_a_file_wins_over_a_bundled_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metal-surface").write_text(VALID)
    monkeypatch.chdir(tmp_path)
    assert load_recipe("metal-surface").name == "test"


def test_byte_order_mark_and_comments_change_nothing(tmp_path: Path) -> None:
    plain, marked = tmp_path / "a.yaml", tmp_path / "b.yaml"
    plain.write_text(VALID)
    marked.write_bytes(b"\xef\xbb\xbf# comment\n" + VALID.encode())
    assert load_recipe(plain).sha256 == load_recipe(marked).sha256


class LaterReferences(References):
    angles: int = 4


class LaterRecipe(Recipe):
    """The schema of an update that lets recipes say more."""

    references: LaterReferences = LaterReferences()
    humidity: float | None = None


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"references": {"overkill": 0.05}, "language": "en"}, True),  # as the defaults are
        ({"references": {"overkill": 0.1}}, False),
        ({"language": "ko"}, False),
    ],
)
def test_the_hash_is_of_what_a_recipe_says_and_outlives_an_update(
    changes: dict[str, object], is_same: bool
) -> None:
    said = load_recipe().model_dump(mode="json", exclude_unset=True)
    changed = Recipe.model_validate(said | changes)
    assert (changed.sha256 == load_recipe().sha256) is is_same
    assert LaterRecipe.model_validate(said | changes).sha256 == changed.sha256


BROKEN: list[tuple[str | bytes, str]] = [
    (
        VALID + "screening:\n  treshold: 0.4\n",
        "7: unknown key `treshold` in screening; did you mean `threshold`?",
    ),
    (VALID + "threshold: 0.4\n", "6: unknown key `threshold`; it belongs in `screening`"),
    (VALID + "zonez: []\n", "6: unknown key `zonez`; did you mean `zones`?"),
    (
        HEAD + "defects:\n  scratch:\n    accept:\n      max_lenght_mm: 3\n",
        "7: unknown key `max_lenght_mm` in defects.scratch.accept; did you mean `max_length_mm`?",
    ),
    (
        VALID + "zones:\n- name: a\n  polygon: [[0,0],[0,1],[1,1]]\n  acept: {}\n",
        "9: unknown key `acept` in zones[1]; did you mean `accept`?",
    ),
    (VALID + "name: again\n", "6: duplicate key `name`; it stands on line 2 already"),
    (
        HEAD + "defects:\n  scratch: {}\n  scratch: {}\n",
        "6: duplicate key `scratch`; it stands on line 5",
    ),
    (VALID + "language: fr\n", "6: `language` should be 'en' or 'ko' (it is `fr`)"),
    (
        VALID + "screening:\n\n  threshold: high\n",
        "8: `screening.threshold` should be a number (it is `high`)",
    ),
    (
        VALID + "screening: {threshold: yes}\n",
        "6: `screening.threshold` should be a number (it is `yes`)",
    ),
    (VALID + "screening: {threshold: 1.5}\n", "should be less than or equal to 1 (it is `1.5`)"),
    (VALID + "screening: {threshold: .nan}\n", "6: `screening.threshold`"),
    (VALID + "screening: {threshold: '0.5'}\n", "should be a number, without quotes (it is `0.5`)"),
    (VALID + "scale: {mm_per_px: .inf}\n", "6: `scale.mm_per_px` should be a finite number"),
    (
        VALID + "screening:\n  templates:\n  - a photo of a {}\n  - a photo\n",
        "9: the template `a photo` has no `{}`",
    ),
    (
        VALID + "zones:\n- {name: rim, polygon: [[0,0],[0,1],[1,1]]}\n"
        "- {name: rim, polygon: [[0,0],[0,1],[1,0]]}\n",
        "8: the zone `rim` stands on line 7 already",
    ),
    (
        VALID + "zones:\n- {name: rim, polygon: [[0,0],[1,1],[0.5,0.5]]}\n",
        "7: the polygon of `rim` encloses nothing",
    ),
    (VALID + "screening:\n", "6: `screening` should be a section of keys (it is empty)"),
    (
        VALID.replace("{name: plate}", "{name: plate, number: 0012}"),
        "3: `part.number` should be text; put it in quotes",
    ),
    (VALID + "normal_prompts: good\n", "6: `normal_prompts` should be a list (it is `good`)"),
    (HEAD + "defects:\n  a/b: {}\n", "5: `defects.a/b` should be a name without `/`"),
    (HEAD + "defects:\n  1: {}\n", "5: the key `1` should be text; put it in quotes"),
    (HEAD + "defects: {}\n", "4: `defects` needs at least 1 entries"),
    (HEAD + "defects: {normal: {}}\n", "4: `normal` is a word of Loupe's own"),
    (HEAD, "1: missing key `defects`"),
    ("name: x\n", "1: missing key `recipe_version`"),
    (VALID.replace("version: 1", "version: 3"), "1: recipe_version 3 is not known; this Loupe reads 1"),
    ("", "1: empty; a recipe begins with"),
    ("# nothing\n", "1: empty; a recipe begins with"),
    ("- a\n- b\n", "1: a recipe is a set of `key: value` lines"),
    ("a: [1, 2\nb: 3\n", "2: not valid YAML"),
    ("a:\n\t- b\n", "2: not valid YAML"),
    ("a: 1\nb: \x00\n", "2: not valid YAML"),
    ("[" * 5000, "not"),
    (VALID + "---\na: 1\n", "6: not valid YAML"),
    ("a: &x [1]\nb: *x\n", "2: aliases are not used in recipes"),
    (VALID + "models: {set: !!python/name:os.system x}\n", "6: the tag"),
    ("name: 흠집\n".encode("cp949"), "1: not UTF-8 text"),
    (VALID + "scale: {mm_per_px: -1}\n", "6: `scale.mm_per_px` should be greater than 0 (it is `-1`)"),
    (
        VALID + "scale:\n  aruco_side: 10\n",
        "7: unknown key `aruco_side` in scale; did you mean `aruco_side_mm`?",
    ),
    (
        VALID + "scale: {points_px: [[0, 0], [1, 1]]}\n",
        "6: missing key `distance_mm` in scale",
    ),
    (
        VALID + "scale: 0.1\n",
        "6: `scale` needs `mm_per_px`, `points_px` with `distance_mm`, `aruco_side_mm` or `homography`",
    ),
    (
        VALID + "zones:\n- name: z\n  polygon: [[0,0],[0,1],[1,1]]\n  accept:\n    scrach: {}\n",
        "10: zone `z` has criteria for `scrach`, no defect type; did you mean `scratch`?",
    ),
    (
        VALID + "hard_negatives:\n  scratch: {}\n",
        "7: `scratch` is both a defect type and a hard negative",
    ),
    (
        HEAD + "defects:\n  scratch: {ko: 기스}\n  crack:\n    synonyms: [금, 기 스]\n",
        "7: `기 스` names both `scratch` and `crack`",
    ),
    (VALID + "scale: {mm_per_px: 1e-3}\n", "should be a number (it is `1e-3`; write `0.001`)"),
    (VALID + "localization: {max_findings: 1e2}\n", "a whole number (it is `1e2`; write `100`)"),
    (
        VALID + "scale:\n  aruco_side_mm: 4\n  dictionary: DICT_6X6_5\n",
        "8: `scale.dictionary` is no ArUco dictionary; did you mean `DICT_6X6_50`?",
    ),
    (VALID + "scale: {aruco_side_mm: 4, dictionary: x}\n", "is no ArUco dictionary; known: DICT_4X4_100, "),
    (
        VALID + "scale:\n  points_px: [[1, 1], [1, 1]]\n  distance_mm: 4\n",
        "7: `scale.points_px` should be two points that differ",
    ),
    (
        VALID + "scale: {points_px: [[1, 1], [9, 1]], distance_mm: 4, image_size_px: [10, 0]}\n",
        "6: `scale.image_size_px[2]` should be greater than 0 (it is `0`)",
    ),
    (VALID + BOARD.format("1, 2, 3, 2, 4, 6, 0, 0, 1", "9, 9"), "6: `scale.homography` is singular"),
    (
        VALID + BOARD.format("1, 0, 0, 0, 1, 0, 0, 0, 1", "-10, 9"),
        "6: `scale.image_size_px[1]` should be greater than 0 (it is `-10`)",
    ),
    (
        HEAD + "defects:\n  scratch: {}\n  crack:\n    detector_classes: [gap, Scratch]\n",
        "7: `defects.crack.detector_classes[2]` takes the detector's class `Scratch`, which means `scratch`",
    ),
    (
        HEAD + "defects: {pit: {accept: {max_area_px2: 9}}}\nscale: {mm_per_px: 1}\n",
        "4: `defects.pit.accept.max_area_px2` does not hold beside a `scale`, "
        "which measures in mm; use `max_area_mm2`",
    ),
    (
        VALID
        + "zones:\n- name: rim\n  polygon: [[0,0],[0,1],[1,1]]\n  accept: {scratch: {max_width_px: 2}}\n"
        "scale: {mm_per_px: 1}\n",
        "9: `zones[1].accept.scratch.max_width_px` does not hold beside a `scale`",
    ),
    (
        VALID + "references: {accept: {max_length_px: 2}}\nscale: {mm_per_px: 1}\n",
        "6: `references.accept.max_length_px` does not hold beside a `scale`",
    ),
    *(
        (
            HEAD + f"defects:\n  pit:\n    accept:\n      {key}: {value}\n",
            f"7: `defects.pit.accept.{key}` {said}",
        )
        for key, value, said in [
            ("max_length_mm", "012", "should be a plain decimal number (it is `012`; write `12`)"),
            ("max_length_mm", "1_5", "should be a plain decimal number (it is `1_5`; write `15`)"),
            ("max_length_mm", "1:30", "should be a plain decimal number (it is `1:30`)"),
            ("max_length_mm", "0x1F", "should be a plain decimal number (it is `0x1F`)"),
            ("max_length_mm", "0x_", "should be a plain decimal number (it is `0x_`)"),
            ("max_length_mm", "0b_", "should be a plain decimal number (it is `0b_`)"),
            ("max_length_mm", "!!int abc", "should be a plain decimal number (it is `abc`)"),
            ("max_length_mm", "!!float x", "should be a plain decimal number (it is `x`)"),
            ("max_length_mm", "!!null 5", "should be a plain decimal number (it is `5`"),
            ("max_length_mm", 5_000 * "9", "should be a plain decimal number (it is `999"),
            ("max_count", "010", "should be a whole number (it is `010`; write `10`)"),
            ("max_count", "!!bool maybe", "should be a whole number (it is `maybe`)"),
        ]
    ),
    (VALID.replace("version: 1", "version: 01"), "1: recipe_version 01 is not known; this Loupe reads 1"),
    (
        HEAD + "defects: {pit: {accept: {max_count: 100}}}\n",
        "4: `defects.pit.accept.max_count` can never be exceeded: 100 findings of an image are kept",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_problems_name_line_and_remedy(text: str | bytes, message: str, tmp_path: Path) -> None:
    assert message in problems_of(text, tmp_path)


def test_all_problems_are_listed_in_order(tmp_path: Path) -> None:
    text = VALID + "colour: red\nlanguage: fr\nscale: {mm_per_px: 0}\nscreening: {treshold: 1, clahe: 3}\n"
    lines = problems_of(text, tmp_path).splitlines()
    assert [int(line.split(":")[0]) for line in lines] == [6, 7, 8, 9, 9]


def test_a_corner_outside_gives_one_message(tmp_path: Path) -> None:
    text = VALID + "zones:\n- {name: rim, polygon: [[0,0],[1,2],[1,1]]}\n"
    assert len(problems_of(text, tmp_path).splitlines()) == 1


def test_a_scale_gives_one_message(tmp_path: Path) -> None:
    assert len(problems_of(VALID + "scale: {mm_per_px: x}\n", tmp_path).splitlines()) == 1


def test_message_begins_with_the_file_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metal.yaml").write_text(VALID + "zonez: []\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match=r"^metal\.yaml:6: unknown key `zonez`"):
        load_recipe("metal.yaml")


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "cover.yaml").write_text(VALID)
    with pytest.raises(RecipeError, match=r"cover\.yaml`\?"):
        load_recipe(tmp_path / "cver.yaml")
    with pytest.raises(RecipeError, match="did you mean `metal-surface`"):
        load_recipe("metal-surfce")
    with pytest.raises(RecipeError, match="there is no recipe"):
        load_recipe(tmp_path / "no" / "such.yaml")


@pytest.mark.parametrize("path", [".", "a\0b"])
def test_what_is_no_file_cannot_be_read(path: str) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(path)


@pytest.mark.parametrize("part", ["Cover", '"quoted": #1 $name', "커버 {noun}"])
def test_new_recipe_is_valid_and_never_overwrites(part: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "커버 B.yaml"
    new_recipe(path, part)
    recipe = load_recipe(path)
    assert (recipe.name, recipe.part.name, recipe.scale) == ("커버 B", part, None)
    assert "#" in path.read_text(encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        new_recipe(path, "Other")
    assert path.read_bytes() == before


def test_all_that_a_recipe_may_say_stands_in_a_new_one_and_holds_as_it_stands(tmp_path: Path) -> None:
    new_recipe(tmp_path / "cover.yaml", "Cover")
    text = (tmp_path / "cover.yaml").read_text("utf-8")
    in_sections = re.sub(r"(?m)^  # (\w+: )", r"  \1", text)
    blocks = re.findall(r"(?m)^# \w+:\n(?:#   .*\n)+|^# scale: .*\n", text)
    assert len(blocks) == 8  # three scales, references, zones, localization, captioning, report
    for block in blocks:
        said = in_sections.replace(block, re.sub("(?m)^# ", "", block))
        assert parse_recipe(said, "cover.yaml").name == "cover"
    for section in (ScreeningSettings, References, Localization, Captioning, Models, ReportFields):
        assert [field for field in section.model_fields if f" {field}: " not in text] == []


def test_new_recipe_needs_a_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        new_recipe(tmp_path / "file" / "a.yaml", "Cover")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            Language.EN,
            ["scratch [major 3/5]: length ≤ 8 mm, width ≤ 0.4 mm, count ≤ 3", "crack", "none allowed"],
        ),
        (
            Language.KO,
            ["스크래치 [중결함 3/5]: 길이 ≤ 8 mm, 너비 ≤ 0.4 mm, 개수 ≤ 3", "크랙", "불허", "도장 커버"],
        ),
    ],
)
def test_render_recipe(language: Language, expected: list[str]) -> None:
    recipe = load_recipe(EXAMPLES / "painted-cover.yaml")
    text = render_recipe(recipe, language)
    for phrase in [*expected, "명판", "ArUco DICT_4X4_50, 10 mm", recipe.sha256]:
        assert phrase in text


def test_render_says_when_there_is_no_scale(tmp_path: Path) -> None:
    path = tmp_path / "metal.yaml"
    path.write_text(VALID)
    assert "limits in mm go to review" in render_recipe(load_recipe(path), Language.EN)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "unlike them: area ≤ 1234567 px², count ≤ 3"),
        (Language.KO, "양품과 다른 곳: 면적 ≤ 1234567 px², 개수 ≤ 3"),
    ],
)
def test_render_says_what_unlikeness_is_acceptable(tmp_path: Path, language: Language, said: str) -> None:
    path = tmp_path / "metal.yaml"
    path.write_text(VALID + "references: {accept: {max_area_px2: 1234567, max_count: 3}}\n")
    assert said in render_recipe(load_recipe(path), language)


@pytest.mark.parametrize(("overkill", "written"), [(0.05, "5%"), (0.005, "0.5%"), (0.015, "1.5%")])
@pytest.mark.parametrize("language", Language)
def test_an_overkill_is_written_with_all_its_digits(
    overkill: float, written: str, language: Language
) -> None:
    recipe = load_recipe().model_copy(update={"references": References(overkill=overkill)})
    assert f" {written}" in render_recipe(recipe, language)
