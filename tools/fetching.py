"""Brings the checkpoints that a recipe names onto this machine, or says in one error what they all lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from tools.checkpoints import MODEL_SETS, Kind, checkpoint_folder, located, resolve
from tools.errors import ModelError

if TYPE_CHECKING:
    from tools.checkpoints import Checkpoint
    from tools.recipe import Recipe

__all__ = ["fetch_checkpoints", "kinds_of_inspection", "megabytes"]


def fetch_checkpoints(recipe: Recipe, kinds: Sequence[Kind], say: Callable[[str], None]) -> None:
    """Looks for each checkpoint before any is loaded, and downloads what a hub id names.

    Args:
        recipe: Names the models, what describes the patches of images, and the captions' translator.
        kinds: What will be needed of its models.
        say: Told of a download before it begins.

    Raises:
        UsageError: The recipe names a model set that does not exist.
        ModelError: Some are not there; the message names all of them, the hint tells once what to do.
    """
    problems: list[ModelError] = []
    for find, instead in _needed(recipe, kinds):
        try:
            checkpoint_folder(find(), on_download=lambda hub_id: say(_downloading(hub_id)))
        except ModelError as error:
            problems.append(ModelError(error.message, "\n".join(filter(None, [error.hint, instead]))))
    if problems:
        hints = [line for problem in problems for line in problem.hint.split("\n")]
        told_once = reversed(dict.fromkeys(reversed(hints)))  # at the last place, below what differs
        messages = dict.fromkeys(problem.message for problem in problems)
        raise ModelError("\n".join(messages), "\n".join(told_once))


def kinds_of_inspection(recipe: Recipe) -> tuple[Kind, ...]:
    """Returns the kinds of models that a recipe's fixed pipeline uses."""
    return ("clip", "detector", "blip") if recipe.captioning.enabled else ("clip", "detector")


def _needed(recipe: Recipe, kinds: Sequence[Kind]) -> Iterator[tuple[Callable[[], Checkpoint], str]]:
    """Yields what finds each checkpoint, and what else a person may do where it is not there."""
    from tools.references.backbones import TEXTURE, backbone_names
    from tools.references.keeping import GoodParts

    models, settings = recipe.models, recipe.references
    for kind in kinds:
        yield partial(resolve, kind, models), ""
    if GoodParts(recipe).exist or (settings.batch and not settings.template):
        for name in backbone_names(recipe):
            if name not in (TEXTURE, "clip"):
                named = models.model_copy(update={"clip": name})
                yield partial(resolve, "clip", named), "Or set `references.backbone: texture`."
    if "blip" in kinds and recipe.captioning.translator:
        found = partial(located, "translator", recipe.captioning.translator)
        yield found, "Or leave `captioning.translator` empty."


def megabytes(size_mb: int) -> str:
    """Writes a size as people read it: `605 MB`, `7.5 GB`; `none` for 0."""
    if size_mb == 0:
        return "none"
    return f"{size_mb} MB" if size_mb < 1000 else f"{size_mb / 1000:.1f} GB"


def _downloading(hub_id: str) -> str:
    choices = chain.from_iterable(kinds.values() for kinds in MODEL_SETS.values())
    size = next((f" ({megabytes(choice.download_mb)})" for choice in choices if choice.id == hub_id), "")
    return f"Looking for {hub_id}{size} on the model hub ..."
