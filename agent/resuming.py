"""What a later start of a session finds again, and what it must not change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tools.checkpoints import MODEL_SETS
from tools.errors import UsageError
from tools.images.files import from_root
from tools.recipe.file import is_bundled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agent.log import SessionHeader
    from tools.pipeline.engines import EngineOptions
    from tools.recipe import Recipe
    from tools.records import Inspection, Provenance

__all__ = ["found_again", "placed", "refuse_other", "refuse_other_weights", "seers_again"]


def found_again(recipe: Recipe, given: str) -> str:
    """Returns how a recipe is named so that a start from another folder finds it.

    Args:
        recipe: As loaded.
        given: As the user named it; empty for the default one.
    """
    is_ours = not given or (recipe.file is not None and is_bundled(recipe.file))
    return given if is_ours else str(from_root(given))


def placed(checkpoints: Mapping[str, str]) -> dict[str, str]:
    """Returns checkpoints, paths among them from the root, so that a start from another folder finds them."""
    paths = {name: from_root(value) for name, value in checkpoints.items()}
    return {
        name: str(paths[name]) if value not in MODEL_SETS and paths[name].exists() else value
        for name, value in checkpoints.items()
    }


def seers_again(given: EngineOptions, header: SessionHeader) -> EngineOptions:
    """Returns the options with the checkpoints that a session saw with, where none are chosen anew."""
    return given if given.named or not header.seers else given.naming(header.seers)


def refuse_other(folder: Path, earlier: SessionHeader, now: SessionHeader) -> None:
    """Looks whether two starts may share a log.

    Args:
        folder: Of the session.
        earlier: Header of its log.
        now: What this start is about.

    Raises:
        UsageError: They are about other images or another recipe, or see with other models.
    """
    for what in ("batch_sha256", "recipe_sha256"):
        if getattr(earlier, what) != getattr(now, what):
            raise UsageError(
                f"{folder} holds a session about another {what.partition('_')[0]}",
                "resume it with the images and the recipe that it was started with; an update of Loupe "
                "may have changed a bundled recipe: then start a new session",
            )
    if earlier.seers is not None and placed(earlier.seers) != now.seers:
        named = ", ".join(f"{name} {value}" for name, value in earlier.seers.items())
        raise UsageError(
            f"{folder} holds a session that saw with other models",
            f"resume it with those that it began with: {named}",
        )


def refuse_other_weights(inspections: Iterable[Inspection], models: Iterable[Provenance]) -> None:
    """Looks whether the models that a report would name are those that saw, also before a resume.

    Raises:
        UsageError: Weights have changed since; the name of their file may be the same.
    """
    now = {(each.tool, each.model): each.weights_sha256 for each in models}
    for inspection in inspections:
        seen_by = (
            *inspection.provenance,
            *([inspection.screening.provenance] if inspection.screening else []),
        )
        for each in seen_by:
            if now.get((each.tool, each.model), each.weights_sha256) != each.weights_sha256:
                raise UsageError(
                    f"{inspection.image.id} was seen with other weights of {each.model} than there are now",
                    "put the earlier weights back, or inspect anew in a new session",
                )
