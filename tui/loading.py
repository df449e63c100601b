"""Loads the checkpoints that a recipe and the command line name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.pipeline.engines import EngineOptions, Engines

if TYPE_CHECKING:
    from tools.localization.localizer import Localizer
    from tools.pipeline.fixed import Pipeline
    from tools.recipe import Recipe
    from tools.records import Provenance
    from tools.screening.screener import Screener

__all__ = ["ModelOptions", "load_localizer", "load_pipeline", "load_screener"]

ModelOptions = EngineOptions


def load_screener(recipe: Recipe, options: ModelOptions) -> Screener:
    """Loads the recipe's CLIP."""
    return Engines(recipe, options).screener


def load_localizer(recipe: Recipe, options: ModelOptions) -> Localizer:
    """Loads the recipe's detector."""
    return Engines(recipe, options).localizer


def load_pipeline(recipe: Recipe, options: ModelOptions) -> tuple[Pipeline, tuple[Provenance, ...]]:
    """Loads everything that sees.

    Returns:
        The pipeline, and what each model is, without timings.

    Raises:
        ModelError: A checkpoint cannot be found, loaded or trusted.
    """
    engines = Engines(recipe, options)
    return engines.pipeline(), engines.models
