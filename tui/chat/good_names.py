"""What a person types to take good parts out again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tools.recipe.file import DEFAULT_RECIPE, is_bundled

if TYPE_CHECKING:
    from tools.recipe import Recipe

__all__ = ["removal_command"]

_MOST_NAMES = 3  # more would fill the screen


def removal_command(recipe: Recipe, names: Sequence[str]) -> str:
    """Returns the command that removes good parts of a recipe; for many, with `NAME` in place of the names.

    Args:
        recipe: Whose good parts they are.
        names: Theirs, as they are kept.
    """
    words = ["loupe", "good"]
    for name in names if len(names) <= _MOST_NAMES else ["NAME"]:
        words += ["--remove", name]
    if recipe.file is not None:
        named = recipe.file.stem if is_bundled(recipe.file) else str(recipe.file)
        words += [] if named == DEFAULT_RECIPE else ["--recipe", named]
    return shlex.join(words)
