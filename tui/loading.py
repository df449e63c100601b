"""Loads the checkpoints that a recipe and the command line name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tools.localization import Localizer
    from tools.pipeline import Pipeline
    from tools.recipe import Recipe
    from tools.records import Provenance
    from tools.screening import Screener

__all__ = ["ModelOptions", "load_localizer", "load_pipeline", "load_screener"]


@dataclass(frozen=True)
class ModelOptions:
    """Which checkpoints see, and on what; empty strings leave the recipe's choice."""

    models: str = ""
    clip: str = ""
    blip: str = ""
    detector: str = ""
    device: str = "auto"
    precision: str = "auto"
    batch_size: int = 32
    trust_checkpoint: bool = False

    def applied_to(self, recipe: Recipe) -> Recipe:
        """Returns the recipe with these choices in place of its own."""
        given = {"set": self.models, "clip": self.clip, "blip": self.blip, "detector": self.detector}
        update = {name: value for name, value in given.items() if value}
        return recipe.model_copy(update={"models": recipe.models.model_copy(update=update)})


def load_screener(recipe: Recipe, options: ModelOptions) -> Screener:
    """Loads the recipe's CLIP."""
    from tools.checkpoints import resolve
    from tools.screening import Screener

    return Screener(
        resolve("clip", recipe.models),
        recipe,
        device=options.device,
        precision=options.precision,
        batch_size=options.batch_size,
    )


def load_localizer(recipe: Recipe, options: ModelOptions) -> Localizer:
    """Loads the recipe's detector."""
    from tools.checkpoints import resolve
    from tools.localization import Localizer

    return Localizer(
        resolve("detector", recipe.models),
        recipe,
        device=options.device,
        precision=options.precision,
        batch_size=options.batch_size,
        trust_checkpoint=options.trust_checkpoint,
    )


def load_pipeline(recipe: Recipe, options: ModelOptions) -> tuple[Pipeline, tuple[Provenance, ...]]:
    """Loads everything that sees.

    Returns:
        The pipeline, and what each model is, without timings.

    Raises:
        ModelError: A checkpoint cannot be found, loaded or trusted.
    """
    from tools.captioning import Captioner
    from tools.checkpoints import resolve
    from tools.measurement import Measurer
    from tools.pipeline import Pipeline
    from tools.translation import Translator

    screener, localizer = load_screener(recipe, options), load_localizer(recipe, options)
    captioner = None
    if recipe.captioning.enabled:
        checkpoint = resolve("blip", recipe.models)
        captioner = Captioner(checkpoint, recipe, device=options.device, precision=options.precision)
    translator = Translator(recipe.captioning.translator) if recipe.captioning.translator else None
    models = (screener.provenance, localizer.provenance, *([captioner.provenance] if captioner else []))
    return Pipeline(recipe, screener, localizer, Measurer(recipe), captioner, translator), models
