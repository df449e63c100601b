"""The `loupe recipe` commands: declarations only, as in `tui.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.options import named_path, not_empty
from tui.printing import print_out

__all__ = ["recipe_app"]

recipe_app = typer.Typer(help="Write, check and show recipes.", no_args_is_help=True)


@recipe_app.command("new")
def recipe_new(
    path: Annotated[Path, typer.Argument(parser=named_path, help="File to write; never overwritten.")],
    part: Annotated[str, typer.Option(callback=not_empty, help="Name of the part.")] = "My part",
) -> None:
    """Write a commented recipe to start from."""
    from tools.recipe.file import new_recipe

    new_recipe(path, part)
    print_out(f"{path}\n")


@recipe_app.command("check")
def recipe_check(
    path: Annotated[str, typer.Argument(callback=not_empty, help="Recipe file or bundled name.")],
) -> None:
    """Check a recipe; every problem is named with file and line, and what is seldom meant is noted."""
    from tools.recipe.file import load_recipe
    from tools.recipe.remarks import remarks
    from tui.narration import Narrator

    recipe = load_recipe(path)
    print_out(f"{path}: valid, {len(recipe.defects)} defect types, sha256 {recipe.sha256}\n")
    for remark in remarks(recipe):
        Narrator().say(f"note: {remark}.")


@recipe_app.command("show")
def recipe_show(
    path: Annotated[
        str,
        typer.Argument(callback=not_empty, help="Recipe file or bundled name.", show_default="metal-surface"),
    ] = "",
    language: Annotated[
        str, typer.Option(callback=not_empty, help="en or ko.", show_default="the recipe's")
    ] = "",
) -> None:
    """Show what a recipe inspects and accepts."""
    from tools.recipe.file import load_recipe, render_recipe
    from tui.arguments import language_of

    recipe = load_recipe(path or None)
    print_out(render_recipe(recipe, language_of(language, recipe)) + "\n")
