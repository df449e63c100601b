"""Recipes as files: finding, loading, starting and showing them."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from string import Template

from tools.digits import plain, plain_percent
from tools.errors import OutputError, RecipeError
from tools.glossary import label_name, unit_symbol, word
from tools.recipe import (
    Acceptance,
    ArucoScale,
    ChessboardScale,
    FixedScale,
    Recipe,
    ScaleSpec,
    TwoPointScale,
)
from tools.recipe.problems import parse_recipe
from tools.records import Language, Unit

__all__ = ["DEFAULT_RECIPE", "bundled_recipes", "is_bundled", "load_recipe", "new_recipe", "render_recipe"]

DEFAULT_RECIPE = "metal-surface"

_DATA = Path(__file__).parent.parent / "data"
_TERMS = {
    Language.EN: {
        "length": "length",
        "width": "width",
        "area": "area",
        "count": "count",
        "none": "none allowed",
        "any": "no limit",
        "recipe": "Recipe",
        "part": "Part",
        "defects": "Defect types and what is acceptable",
        "zone": "Zone",
        "ignored": "findings inside do not count",
        "negatives": "No defects",
        "screening": "Screening",
        "threshold": "suspect from {threshold}, review within ±{band}",
        "references": "Good parts",
        "overkill": "{backbone}, at most {overkill} suspect",
        "unlike": "unlike them",
        "scale": "Scale",
        "unscaled": "none: sizes in px, limits in mm go to review",
        "models": "Models",
        "synonyms": "also called",
    },
    Language.KO: {
        "length": "길이",
        "width": "너비",
        "area": "면적",
        "count": "개수",
        "none": "불허",
        "any": "제한 없음",
        "recipe": "레시피",
        "part": "부품",
        "defects": "결함 유형과 허용 기준",
        "zone": "영역",
        "ignored": "내부의 결함은 제외",
        "negatives": "결함 아님",
        "screening": "선별",
        "threshold": "의심 기준 {threshold}, 재검토 구간 ±{band}",
        "references": "양품",
        "overkill": "{backbone}, 의심 비율 최대 {overkill}",
        "unlike": "양품과 다른 곳",
        "scale": "척도",
        "unscaled": "없음: 크기는 px, mm 기준은 재검토",
        "models": "모델",
        "synonyms": "다른 이름",
    },
}


def bundled_recipes() -> tuple[str, ...]:
    """Returns the names of the recipes that come with Loupe."""
    return tuple(sorted(path.stem for path in _DATA.glob("*.yaml")))


def is_bundled(file: Path) -> bool:
    """Whether a recipe's file comes with Loupe: nothing is written beside it."""
    return file.parent == _DATA


def load_recipe(path: Path | str | None = None) -> Recipe:
    """Loads a recipe.

    Args:
        path: A recipe file, or the bare name of a bundled recipe; None for the default one.

    Raises:
        RecipeError: It is missing, cannot be read, or does not hold; the message names file, line and,
            for an unknown key, the nearest key, one line per problem.
    """
    shown = str(path or DEFAULT_RECIPE)
    file = Path(shown)
    if not file.is_file() and shown in bundled_recipes():
        file = _DATA / f"{shown}.yaml"
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise _missing(file) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RecipeError(f"{shown} cannot be read: {reason}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{shown}:{line}: not UTF-8 text", "Save the file as UTF-8.") from error
    return parse_recipe(text, shown).loaded_from(file)


def _missing(file: Path) -> RecipeError:
    siblings = [path.name for path in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
    near = [str(file.with_name(name)) for name in difflib.get_close_matches(file.name, siblings)]
    near += difflib.get_close_matches(file.stem, bundled_recipes())
    advice = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
    return RecipeError(
        f"there is no recipe {file}{advice}",
        f"Bundled recipes: {', '.join(bundled_recipes())}. `loupe recipe new FILE` writes one to start from.",
    )


def new_recipe(path: Path, part: str) -> None:
    """Writes a commented recipe to start from; its name is the file's.

    Args:
        path: File to write; its folder is made when missing.
        part: Name of the part.

    Raises:
        OutputError: The file exists, or cannot be written.
        RecipeError: File or part have a name that a recipe cannot bear.
    """
    name = path.name.removesuffix(".yaml").removesuffix(".yml")
    template = Template((_DATA / "starter.yaml.in").read_text(encoding="utf-8"))
    # A JSON string is a YAML string too, whatever stands in it.
    text = template.substitute(
        name=json.dumps(name, ensure_ascii=False), part=json.dumps(part, ensure_ascii=False)
    )
    parse_recipe(text, str(path))
    if path.exists():
        raise OutputError(f"{path} exists already", "Choose another name, or delete it first.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:  # x: whoever made it meanwhile keeps it
            file.write(text)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def render_recipe(recipe: Recipe, language: Language) -> str:
    """Writes what a recipe inspects and accepts, for a person to read."""
    terms = _TERMS[language]
    part = recipe.part
    name = part.name_ko if language is Language.KO and part.name_ko else part.name
    identity = " ".join(filter(None, (part.number, part.revision)))
    lines = [
        f"{terms['recipe']}: {recipe.name} (sha256 {recipe.sha256})",
        f"{terms['part']}: {name}{identity and f' ({identity})'}",
        "",
        f"{terms['defects']}:",
    ]
    for type_name, defect in recipe.defects.items():
        severity = f"{word(defect.severity, language)} {defect.severity_level}/5"
        lines.append(
            f"  {label_name(recipe, type_name, language)} [{severity}]: {_limits(defect.accept, language)}"
        )
        if defect.synonyms:
            lines.append(f"    {terms['synonyms']} {', '.join(defect.synonyms)}")
    for zone in recipe.zones:
        lines.append(f"{terms['zone']} {zone.name}: {terms['ignored'] if zone.ignore else ''}".rstrip())
        for type_name, accept in zone.accept.items():
            lines.append(f"  {label_name(recipe, type_name, language)}: {_limits(accept, language)}")
    negatives = ", ".join(label_name(recipe, negative, language) for negative in recipe.hard_negatives)
    screening = recipe.screening
    threshold = terms["threshold"].format(
        threshold=plain(screening.threshold), band=plain(screening.review_band)
    )
    compared = recipe.references
    overkill = plain_percent(compared.overkill)
    references = terms["overkill"].format(backbone=compared.backbone, overkill=overkill)
    models = [f"{kind}={value}" for kind, value in recipe.models if value]
    lines += [
        "",
        *([f"{terms['negatives']}: {negatives}"] if negatives else []),
        f"{terms['screening']}: {threshold}",
        f"{terms['references']}: {references}",
        *([f"  {terms['unlike']}: {_limits(compared.accept, language)}"] if compared.accept else []),
        f"{terms['scale']}: {_scale(recipe.scale) or terms['unscaled']}",
        f"{terms['models']}: {', '.join(models)}",
    ]
    return "\n".join(lines)


def _limits(accept: Acceptance, language: Language) -> str:
    """Writes criteria in one line, e.g. `length ≤ 5 mm, count ≤ 2`; what is not limited is left out."""
    terms = _TERMS[language]
    if accept.max_count == 0:
        return terms["none"]
    written = []
    for field, value in accept:
        _, quantity, *unit = field.split("_")
        if value is not None:
            written.append(
                " ".join([f"{terms[quantity]} ≤ {plain(value)}", *map(unit_symbol, map(Unit, unit))])
            )
    return ", ".join(written) or terms["any"]


def _scale(scale: ScaleSpec | None) -> str:
    match scale:
        case FixedScale() | ChessboardScale():
            written = f"{scale.mm_per_px:g} mm/px ± {scale.uncertainty_percent:g} %"
            return f"{written}, {scale.detail}" if scale.detail else written
        case TwoPointScale(points_px=(start, end)):
            return f"{start} – {end} = {plain(scale.distance_mm)} mm"
        case ArucoScale():
            return f"ArUco {scale.dictionary}, {plain(scale.aruco_side_mm)} mm"
        case None:
            return ""
