"""Brings the checkpoints that a recipe names onto this machine, or says in one error what they all lack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from tools.checkpoints import MODEL_SETS, Kind, checkpoint_folder, resolve
from tools.errors import ModelError

if TYPE_CHECKING:
    from tools.recipe import Models

__all__ = ["fetch_checkpoints", "megabytes"]


def fetch_checkpoints(models: Models, kinds: Sequence[Kind], say: Callable[[str], None]) -> None:
    """Looks for each checkpoint before any is loaded, and downloads what a hub id names.

    Args:
        models: The recipe's choice.
        kinds: What will be needed.
        say: Told of a download before it begins.

    Raises:
        ModelError: Some are not there; the message names all of them, the hint tells once what to do.
    """
    problems: list[ModelError] = []
    for kind in kinds:
        try:
            checkpoint_folder(resolve(kind, models), on_download=lambda hub_id: say(_downloading(hub_id)))
        except ModelError as problem:
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        hints = [line for problem in problems for line in problem.hint.split("\n")]
        told_once = reversed(dict.fromkeys(reversed(hints)))  # at the last place, below what differs
        raise ModelError("\n".join(problem.message for problem in problems), "\n".join(told_once))


def megabytes(size_mb: int) -> str:
    """Writes a size as people read it: `605 MB`, `7.5 GB`; `none` for 0."""
    if size_mb == 0:
        return "none"
    return f"{size_mb} MB" if size_mb < 1000 else f"{size_mb / 1000:.1f} GB"


def _downloading(hub_id: str) -> str:
    choices = chain.from_iterable(kinds.values() for kinds in MODEL_SETS.values())
    size = next((f" ({megabytes(choice.download_mb)})" for choice in choices if choice.id == hub_id), "")
    return f"Looking for {hub_id}{size} on the model hub ..."
