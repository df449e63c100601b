"""Puts a scale into a recipe file and leaves every other line, comments included, as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tools.errors import RecipeError
from tools.recipe.problems import parse_recipe
from tools.writing import replace_file

if TYPE_CHECKING:
    from tools.recipe import ScaleSpec

__all__ = ["scale_yaml", "write_scale"]


def scale_yaml(spec: ScaleSpec) -> str:
    """Returns the `scale` section of a recipe as YAML text, ending in a newline."""
    values = spec.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump({"scale": values}, sort_keys=False, allow_unicode=True, default_flow_style=None)


def write_scale(path: Path, spec: ScaleSpec) -> None:
    """Replaces the recipe's `scale` section, or adds one at the end.

    The file is replaced in one step, so a crash leaves either the old or the new recipe.

    Raises:
        RecipeError: The file is not a YAML mapping, cannot be written, does not hold with this scale, or is
            laid out so that the scale cannot be put into it. It is as it was.
    """
    try:
        text = path.read_bytes().decode()  # with its own line ends
        root = yaml.compose(text)
        if not isinstance(root, yaml.MappingNode):
            raise RecipeError(f"{path}: not a recipe", "a recipe is a YAML mapping; see `loupe recipe new`")
        written = _with_section(text, root, scale_yaml(spec))
        if _others(written) != _others(text):
            section = json.dumps(spec.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
            raise RecipeError(
                f"{path}: a scale cannot be put into a recipe of this layout; nothing was written",
                f'write it by hand, beside `name`: "scale": {section}',
            )
        parse_recipe(written, str(path))
        replace_file(path, written)
    except FileNotFoundError as error:
        raise RecipeError(
            f"there is no recipe file {path}",
            "`loupe recipe new FILE` writes one to start from; the bundled recipes are left as they are",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}", "check the file and its permissions") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: not valid YAML: {error}", "run `loupe recipe check`") from error


def _with_section(text: str, root: yaml.MappingNode, section: str) -> str:
    """Returns the text with the section in place of its `scale`, or at its end."""
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    start, end = _section_lines(root, "scale", len(lines))
    while end > start and not lines[end - 1].strip():  # a block scalar has blank lines behind it for its own
        end -= 1
    if start and not lines[start - 1].endswith("\n"):
        lines[start - 1] += newline
    lines[start:end] = [section.replace("\n", newline)]
    return "".join(lines)


def _others(text: str) -> object:
    """Returns what a recipe says besides its scale, each value as it is written; None of what is no YAML."""
    try:
        data = yaml.load(text, yaml.BaseLoader)
    except yaml.YAMLError:
        return None
    return {key: value for key, value in data.items() if key != "scale"}


def _section_lines(root: yaml.MappingNode, name: str, line_count: int) -> tuple[int, int]:
    """Returns the half-open range of lines that a top-level section takes; empty at the end when absent.

    A block's end mark lies at the next token, behind blank lines and comments that belong to what
    follows; so the last scalar inside decides.
    """
    for key, value in root.value:
        if key.value == name:
            return key.start_mark.line, _last_line(value) + 1
    return line_count, line_count


def _last_line(node: yaml.Node) -> int:
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        mark = node.end_mark
        return int(mark.line) - (mark.column == 0)  # a block scalar ends where the next line begins
    children = [child for item in node.value for child in (item if isinstance(item, tuple) else (item,))]
    return max(_last_line(child) for child in children)
