"""Puts a scale into a recipe file and leaves every other line, comments included, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tools.errors import RecipeError
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
        RecipeError: The file is not a YAML mapping, or cannot be written.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text)
        if not isinstance(root, yaml.MappingNode):
            raise RecipeError(f"{path}: not a recipe", "a recipe is a YAML mapping; see `loupe recipe new`")
        lines = text.splitlines(keepends=True)
        start, end = _section_lines(root, "scale", len(lines))
        if start and not lines[start - 1].endswith("\n"):
            lines[start - 1] += "\n"
        lines[start:end] = [scale_yaml(spec)]
        replace_file(path, "".join(lines))
    except FileNotFoundError as error:
        raise RecipeError(
            f"there is no recipe file {path}",
            "`loupe recipe new FILE` writes one to start from; the bundled recipes are left as they are",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: {error}", "check the file and its permissions") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{path}: not valid YAML: {error}", "run `loupe recipe check`") from error


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
        return int(node.end_mark.line)
    children = [child for item in node.value for child in (item if isinstance(item, tuple) else (item,))]
    return max(_last_line(child) for child in children)
