"""Turns what people type on the command line into values, or into an error that says what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.records import Language

if TYPE_CHECKING:
    from reports.ledger import Ledger
    from tools.recipe import Recipe

__all__ = ["language_of", "open_ledger", "refuse_beside_resume"]


def language_of(given: str, recipe: Recipe) -> Language:
    """Returns the language asked for, or the recipe's when none was.

    Raises:
        UsageError: There is no such language.
    """
    if not given:
        return recipe.language
    try:
        return Language(given.lower())
    except ValueError:
        known = ", ".join(language.value for language in Language)
        raise UsageError(f"--language {given}: no such language", f"known: {known}") from None


def refuse_beside_resume(resume: Path | None, given: Mapping[str, object]) -> None:
    """Refuses what a session that is resumed brings itself.

    Args:
        resume: The session's folder; None where a new one begins.
        given: Values by the name of their option or argument.

    Raises:
        UsageError: One is given beside a session.
    """
    named = [name for name, value in given.items() if value]
    if resume is not None and named:
        raise UsageError(
            f"--resume {resume} does not go with {', '.join(named)}",
            "the session has its images, recipe and folder; leave these out, or leave out --resume",
        )


def open_ledger(*, wanted: bool) -> Ledger | None:
    """Returns the ledger of past cases; None where neither the command nor `loupe.toml` wants one.

    Raises:
        OutputError: It cannot be used.
    """
    from agent.settings import load_settings
    from reports.ledger import Ledger

    return Ledger() if wanted and load_settings().ledger else None
