"""From the text of a recipe to the recipe, or to the list of all its problems, each with its line."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tools.errors import RecipeError
from tools.glossary import NORMAL, UNCLASSIFIED, UNKNOWN, fold
from tools.recipe import ArucoScale, ChessboardScale, FixedScale, Recipe, TwoPointScale
from tools.recipe.conflicts import conflicts

__all__ = ["parse_recipe"]

Loc = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

_HINT = "`loupe recipe show metal-surface` shows a recipe that holds; `loupe recipe new FILE` writes one."

# The key that tells one kind of scale from the others, most telling first.
_SCALE_KEYS: dict[str, type[BaseModel]] = {
    "homography": ChessboardScale,
    "aruco_side_mm": ArucoScale,
    "points_px": TwoPointScale,
    "distance_mm": TwoPointScale,
    "mm_per_px": FixedScale,
}

_VERSION: Loc = ("recipe_version",)

# What screening and localization call what is no label of the recipe.
_RESERVED = (NORMAL, UNKNOWN, UNCLASSIFIED)

# Where a template says that the part in its state goes.
_PLACES = ("{}", "{noun} with {state}")

# Twice the part of the picture that a zone must enclose, in which rounding leaves nothing.
_LEAST_AREA = 1e-9

# A number to YAML 1.2; to 1.1 only with a point, and a sign before its exponent.
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d{1,2}")

# How values are written that everybody reads alike. YAML 1.1 reads far more: `012` as 10, `1:30` as 90.
_PLAIN = {
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"yes|no|true|false|on|off", re.IGNORECASE),
    "int": re.compile(r"[-+]?(0|[1-9]\d{0,17})"),
    "float": re.compile(
        r"[-+]?((0|[1-9]\d{0,17})(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?|[-+]?\.inf|\.nan", re.IGNORECASE
    ),
}

# A number that is plain without the zeros before it and the lines between its digits.
_PADDED = re.compile(r"([-+]?)0*(\d[\d_]{0,17}(?:\.[\d_]*)?)")

# What pydantic's error types mean in a recipe; others keep pydantic's own words.
_EXPECTED = {
    "string_type": "text; put it in quotes",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a section of keys",
    "model_type": "a section of keys",
    "string_pattern_mismatch": "a name without `/`, `\\` and leading spaces",
}


@dataclass(frozen=True, order=True)
class _Problem:
    line: int
    text: str


def parse_recipe(text: str, shown: str) -> Recipe:
    """Reads a recipe from YAML.

    YAML aliases and custom tags are refused: a recipe is short, and an alias can make it endless.

    Args:
        text: The file's text.
        shown: The file's name as it should stand in messages.

    Raises:
        RecipeError: It does not hold; the message has one line per problem, `metal.yaml:14: unknown key …`.
    """
    document = _Document()
    try:
        if aliases := _alias_problems(text):
            raise _error(shown, aliases)
        data = document.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise _error(shown, [_Problem(mark.line + 1 if mark else 1, f"not valid YAML: {reason}")]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _error(shown, [_Problem(line, f"not valid YAML: {error.reason}")]) from error
    except RecursionError as error:
        raise _error(shown, [_Problem(1, "nested too deeply for a recipe")]) from error
    recipe, problems = _validate(data, document)
    problems += document.problems
    if recipe is None or problems:
        raise _error(shown, problems)
    return recipe


def _error(shown: str, problems: Iterable[_Problem]) -> RecipeError:
    lines = [f"{shown}:{problem.line}: {problem.text}" for problem in sorted(set(problems))]
    return RecipeError("\n".join(lines), _HINT)


def _alias_problems(text: str) -> list[_Problem]:
    return [
        _Problem(event.start_mark.line + 1 if event.start_mark else 1, "aliases are not used in recipes")
        for event in yaml.parse(text, yaml.SafeLoader)
        if isinstance(event, yaml.AliasEvent)
    ]


class _Document:
    """A YAML text as plain data, with the line of every key and item.

    Attributes:
        lines: Line (from 1) per path of keys and indexes.
        sources: Text of every scalar as it was written.
        quoted: Paths of the scalars that stand in quotes.
        odd: Paths of the numbers and the like that not everybody reads alike; none of them is a value.
        problems: What YAML allows but a recipe does not.
    """

    def __init__(self) -> None:
        self.lines: dict[Loc, int] = {(): 1}
        self.sources: dict[Loc, str] = {}
        self.quoted: set[Loc] = set()
        self.odd: set[Loc] = set()
        self.problems: list[_Problem] = []
        self._scalars = yaml.constructor.SafeConstructor()

    def read(self, text: str) -> object:
        """Returns the text as plain data; an empty text as None."""
        node = yaml.compose(text, yaml.SafeLoader)
        return None if node is None else self._value(node, (), 1)

    def line(self, loc: Loc) -> int:
        """Returns the line of a path, or of the nearest section around it that was written."""
        while loc not in self.lines:
            loc = loc[:-1]
        return self.lines[loc]

    def _value(self, node: yaml.Node, loc: Loc, line: int) -> object:
        self.lines[loc] = line
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [
                self._value(item, (*loc, i), item.start_mark.line + 1) for i, item in enumerate(node.value)
            ]
        self.sources[loc] = node.value
        if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"'):
            self.quoted.add(loc)
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in _PLAIN:
            if _PLAIN[kind].fullmatch(node.value):
                return self._scalars.construct_object(node)
            self.odd.add(loc)
            return math.nan  # which no key takes, be it for text, numbers, lists or sections
        if kind not in ("str", "timestamp"):
            self.problems.append(_Problem(line, f"the tag {node.tag!r} is not used in recipes"))
        return node.value

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key_node.tag != "tag:yaml.org,2002:str":
                self.problems.append(_Problem(line, f"the key `{key}` should be text; put it in quotes"))
            elif key in mapping:
                first = self.lines[(*loc, key)]
                self.problems.append(
                    _Problem(line, f"duplicate key `{key}`; it stands on line {first} already")
                )
                continue
            mapping[key] = self._value(value_node, (*loc, key), line)
        return mapping


def _validate(data: object, document: _Document) -> tuple[Recipe | None, list[_Problem]]:
    if data is None:
        return None, [_Problem(1, "empty; a recipe begins with `recipe_version: 1`")]
    if not isinstance(data, dict):
        return None, [
            _Problem(1, "a recipe is a set of `key: value` lines, beginning with `recipe_version: 1`")
        ]
    known = get_args(Recipe.model_fields["recipe_version"].annotation)
    version = data.get("recipe_version", known[-1])
    if version not in known:
        shown = document.sources[_VERSION] if _VERSION in document.odd else repr(version)
        text = f"recipe_version {shown} is not known; this Loupe reads {', '.join(map(str, known))}"
        return None, [_Problem(document.line(_VERSION), text)]
    recipe, errors = _parsed(Recipe, data)
    errors = [error for error in errors if not _is_consequence(error, errors)]
    problems = [_problem(error, document) for error in errors if error["loc"] and error["loc"][0] != "scale"]
    problems += _scale_problems(data.get("scale"), document)
    if problems:
        return None, problems
    problems = [
        *_dangling(data, document),
        *_clashes(data, document),
        *_idle_zones(data, document),
        *_templates(data, document),
    ]
    if recipe is not None and not problems:
        problems = [_Problem(document.line(loc), f"`{_path(loc)}` {said}") for loc, said in conflicts(recipe)]
    elif not problems:
        problems = [_Problem(1, error["msg"].removeprefix("Value error, ")) for error in errors]
    return recipe, problems


def _is_consequence(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Whether a list is too short only because an entry of it does not hold."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _parsed(model: type[ModelT], data: object) -> tuple[ModelT | None, list[ErrorDetails]]:
    """Validates strictly through JSON: `yes` is no number and `007` no text, while lists become tuples."""
    try:
        return model.model_validate_json(json.dumps(data), strict=True), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _problem(
    error: ErrorDetails, document: _Document, root: type[BaseModel] = Recipe, prefix: Loc = ()
) -> _Problem:
    inner = tuple(part for part in error["loc"] if part != "[key]")
    loc = (*prefix, *inner)
    line = document.line(loc)
    section, key = _path(loc[:-1]), loc[-1] if loc else ""
    if error["type"] == "extra_forbidden":
        return _Problem(
            line, f"unknown key `{key}`{section and f' in {section}'}{_nearest(key, inner[:-1], root)}"
        )
    if error["type"] == "missing":
        return _Problem(line, f"missing key `{key}`{section and f' in {section}'}")
    if expected := _EXPECTED.get(error["type"]):
        said = f"should be {expected}{', without quotes' if loc in document.quoted else ''}"
    elif error["type"] == "finite_number" and loc in document.odd:
        said = "should be a plain decimal number"
    elif error["type"] == "too_short":
        said = f"needs at least {error['ctx']['min_length']} entries"
    else:
        said = error["msg"].replace("Input should", "should").removeprefix("Value error, ")
    return _Problem(
        line, f"`{_path(loc)}` {said}{_found(document.sources.get(loc), error, loc in document.odd)}"
    )


def _found(source: str | None, error: ErrorDetails, is_odd: bool) -> str:
    """Tells what stands there, and how to write a number that YAML 1.1 takes for text or another number."""
    if not source:
        return "" if source is None else " (it is empty)"
    if error["type"] in ("float_type", "int_type", "finite_number"):
        if _EXPONENT.fullmatch(source):
            return f" (it is `{source}`; write `{Decimal(source):f}`)"
        if is_odd and (padded := _PADDED.fullmatch(source)):
            return f" (it is `{source}`; write `{padded[1]}{padded[2].replace('_', '')}`)"
    return f" (it is `{source[:60]}`)"


def _path(loc: Loc) -> str:
    """Writes a path as a person reads it: `zones[2].accept`, counted from 1."""
    written = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc)
    return written.removeprefix(".")


def _nearest(key: str | int, section: Loc, root: type[BaseModel]) -> str:
    fields = _fields_at(section, root)
    if near := difflib.get_close_matches(str(key), fields, n=1):
        return f"; did you mean `{near[0]}`?"
    homes = [name for name in Recipe.model_fields if key in _fields_at((name,), Recipe)]
    if homes:
        return f"; it belongs in `{homes[0]}`"
    return f"; known here: {', '.join(fields)}" if fields else ""


def _fields_at(loc: Loc, root: type[BaseModel]) -> Sequence[str]:
    """Returns the keys that the schema knows in a section; none where names are free."""
    annotation: Any = root
    for part in loc:
        if get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif get_origin(annotation) is tuple:
            annotation = get_args(annotation)[0]
        else:
            annotation = annotation.model_fields[part].annotation
    return tuple(getattr(annotation, "model_fields", ()))


def _scale_problems(scale: object, document: _Document) -> list[_Problem]:
    """Judges the scale by the one kind that its keys tell of, not by all four."""
    if scale is None:
        return []
    keys = list(scale) if isinstance(scale, dict) else []
    telling = next((key for key in _SCALE_KEYS if key in keys), None)
    near = (difflib.get_close_matches(str(key), _SCALE_KEYS, n=1) for key in keys)
    telling = telling or next((match[0] for match in near if match), None)
    if telling is None:
        text = "`scale` needs `mm_per_px`, `points_px` with `distance_mm`, `aruco_side_mm` or `homography`"
        return [_Problem(document.line(("scale",)), text)]
    model = _SCALE_KEYS[telling]
    _, errors = _parsed(model, scale)
    told = (error for error in errors if not _is_consequence(error, errors))
    return [_problem(error, document, model, ("scale",)) for error in told]


def _dangling(data: Mapping[str, Any], document: _Document) -> Iterator[_Problem]:
    """Yields zone criteria for what is no defect type, and names that a label cannot bear."""
    types = list(data["defects"])
    for i, zone in enumerate(data.get("zones") or ()):
        for name in zone.get("accept") or ():
            if name not in types:
                near = difflib.get_close_matches(name, types, n=1)
                advice = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(types)}"
                line = document.line(("zones", i, "accept", name))
                yield _Problem(
                    line, f"zone `{zone['name']}` has criteria for `{name}`, no defect type{advice}"
                )
    for section in ("defects", "hard_negatives"):
        for name in data.get(section) or ():
            if name in _RESERVED:
                yield _Problem(
                    document.line((section, name)), f"`{name}` is a word of Loupe's own; choose another"
                )
            elif section == "hard_negatives" and name in types:
                line = document.line((section, name))
                yield _Problem(line, f"`{name}` is both a defect type and a hard negative")


def _clashes(data: Mapping[str, Any], document: _Document) -> Iterator[_Problem]:
    """Yields words that name two labels: whoever says one of them could mean either."""
    owners: dict[str, str] = {}
    for section in ("defects", "hard_negatives"):
        for name, label in (data.get(section) or {}).items():
            here: Loc = (section, name)
            words = [(here, name), ((*here, "ko"), label.get("ko", ""))]
            words += [((*here, "synonyms", i), word) for i, word in enumerate(label.get("synonyms", ()))]
            for loc, word in words:
                owner = owners.setdefault(fold(word), name) if word else name
                if owner != name:
                    yield _Problem(document.line(loc), f"`{word}` names both `{owner}` and `{name}`")


def _idle_zones(data: Mapping[str, Any], document: _Document) -> Iterator[_Problem]:
    """Yields zones that no finding could be in: a name taken before, or corners that enclose nothing."""
    taken: dict[str, int] = {}
    for i, zone in enumerate(data.get("zones") or ()):
        line = document.line(("zones", i, "name"))
        if zone["name"] in taken:
            first = taken[zone["name"]]
            yield _Problem(line, f"the zone `{zone['name']}` stands on line {first} already")
        taken.setdefault(zone["name"], line)
        corners = zone["polygon"]
        following = [*corners[1:], corners[0]]
        doubled = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(corners, following, strict=True))
        if abs(doubled) < _LEAST_AREA:
            yield _Problem(
                document.line(("zones", i, "polygon")), f"the polygon of `{zone['name']}` encloses nothing"
            )


def _templates(data: Mapping[str, Any], document: _Document) -> Iterator[_Problem]:
    """Yields templates without a place for the part, as `tools.screening.prompts` fills it."""
    for i, template in enumerate((data.get("screening") or {}).get("templates") or ()):
        if not any(place in template for place in _PLACES):
            line = document.line(("screening", "templates", i))
            yield _Problem(
                line,
                f"the template `{template}` has no `{{}}` where the part goes: `a macro photo of a {{}}`",
            )
