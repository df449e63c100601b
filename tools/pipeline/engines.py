"""The engines that a recipe and its user name, each loaded when it is first needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tools.checkpoints import MODEL_SETS, Runtime
from tools.errors import UsageError
from tools.quantizing import QUANTIZED

if TYPE_CHECKING:
    from tools.captioning.captioner import Captioner
    from tools.captioning.translation import Translator
    from tools.localization.localizer import Localizer
    from tools.measurement.measurer import Measurer
    from tools.pipeline.fixed import Pipeline
    from tools.pipeline.stepwise import Known
    from tools.recipe import Recipe
    from tools.records import Provenance
    from tools.references.keeping import GoodParts
    from tools.screening.combined import CombinedScreener
    from tools.screening.screener import Screener

__all__ = ["EngineOptions", "Engines"]

_SEERS = ("set", "clip", "blip", "detector")  # in a recipe's `models`
_DEVICE = re.compile(r"auto|cpu|cuda(:\d+)?|mps")
_PRECISIONS = ("auto", "float32", "bfloat16", "float16", *QUANTIZED)  # the last for the agent's model alone


@dataclass(frozen=True)
class EngineOptions:
    """Which checkpoints see, and on what; empty strings leave the recipe's choice.

    Raises:
        UsageError: The model set, the device or the precision is none of those there are.
    """

    models: str = ""
    clip: str = ""
    blip: str = ""
    detector: str = ""
    device: str = "auto"
    precision: str = "auto"
    batch_size: int | None = None
    trust_checkpoint: bool = False

    def __post_init__(self) -> None:
        if self.models and self.models not in MODEL_SETS:
            raise UsageError(
                f"There is no model set `{self.models}`.", f"Choose one of: {', '.join(MODEL_SETS)}."
            )
        if not _DEVICE.fullmatch(self.device):
            raise UsageError(
                f"There is no device `{self.device}`.",
                "Choose auto, cpu, cuda, cuda:0 (or 1, 2, ...) or mps.",
            )
        if self.precision not in _PRECISIONS:
            raise UsageError(
                f"There is no precision `{self.precision}`.", f"Choose one of: {', '.join(_PRECISIONS)}."
            )

    @property
    def runtime(self) -> Runtime:
        """On what the models that see run: they are small, and few bits are for the agent's model alone."""
        precision = "auto" if self.precision in QUANTIZED else self.precision
        return Runtime(self.device, precision, self.batch_size)

    @property
    def named(self) -> dict[str, str]:
        """The checkpoints that are chosen, as a recipe's `models` names them."""
        given = (self.models, self.clip, self.blip, self.detector)
        return {name: value for name, value in zip(_SEERS, given, strict=True) if value}

    def chosen_for(self, recipe: Recipe) -> dict[str, str]:
        """Returns the checkpoints that see by these options and a recipe, as its `models` names them."""
        models = self.applied_to(recipe).models
        return {name: value for name in _SEERS if (value := getattr(models, name))}

    def naming(self, checkpoints: Mapping[str, str]) -> EngineOptions:
        """Returns these options with other checkpoints, named as in a recipe's `models`."""
        models, clip, blip, detector = (checkpoints.get(name, "") for name in _SEERS)
        return replace(self, models=models, clip=clip, blip=blip, detector=detector)

    def applied_to(self, recipe: Recipe) -> Recipe:
        """Returns the recipe with these choices in place of its own."""
        return recipe.model_copy(update={"models": recipe.models.model_copy(update=self.named)})


class Engines:
    """What sees for one recipe. Each attribute loads its checkpoint at the first use.

    Args:
        recipe: Names the checkpoints, unless the options do.
        options: Choices that go before the recipe's.

    Attributes:
        recipe: The recipe with the options applied.
        known: What they have seen so far, by the hash of the batch; see `Stepwise`.

    Raises:
        ModelError: On first use of an attribute: its checkpoint cannot be found, loaded or trusted.
    """

    def __init__(self, recipe: Recipe, options: EngineOptions | None = None) -> None:
        self._options = options or EngineOptions()
        self.recipe = self._options.applied_to(recipe)
        self.known: dict[str, Known] = {}

    @cached_property
    def screener(self) -> CombinedScreener:
        """The recipe's CLIP, with the good parts, the template or the batch that images are held against."""
        from tools.references.templates import Templates
        from tools.screening.combined import CombinedScreener

        settings, parts = self.recipe.references, self.good_parts
        good = parts.load() if parts.exist else None
        is_batch = settings.batch and good is None and not settings.template
        return CombinedScreener(
            self.words,
            self.recipe,
            good=good,
            backbones=parts.backbones() if is_batch else (),
            templates=Templates(self.recipe) if settings.template else None,
            detector=None if self.recipe.screening.detector_from is None else self.localizer,
        )

    @cached_property
    def good_parts(self) -> GoodParts:
        """Where the recipe's good parts are kept; loads nothing."""
        from tools.references.keeping import GoodParts

        on = self._options.runtime
        return GoodParts(self.recipe, device=on.device, precision=on.precision)

    @cached_property
    def good_sha256(self) -> str:
        """Hash of the good parts that images are held against; empty where there are none."""
        return self.good_parts.sha256

    def forget_good_parts(self) -> None:
        """Reads the good parts anew at the next use, as they have changed; no checkpoint is loaded again."""
        for name in ("screener", "good_sha256"):
            self.__dict__.pop(name, None)
        self.known.clear()

    @cached_property
    def words(self) -> Screener:
        """The recipe's CLIP alone."""
        from tools.checkpoints import resolve
        from tools.screening.screener import Screener

        return Screener(
            resolve("clip", self.recipe.models),
            self.recipe,
            self._options.runtime,
        )

    @cached_property
    def localizer(self) -> Localizer:
        """The recipe's detector."""
        from tools.checkpoints import resolve
        from tools.localization.localizer import Localizer

        return Localizer(
            resolve("detector", self.recipe.models),
            self.recipe,
            self._options.runtime,
            trust_checkpoint=self._options.trust_checkpoint,
        )

    @cached_property
    def measurer(self) -> Measurer:
        """What measures findings; it needs no checkpoint."""
        from tools.measurement.measurer import Measurer

        return Measurer(self.recipe)

    @cached_property
    def captioner(self) -> Captioner | None:
        """The recipe's BLIP; None where the recipe asks for no captions."""
        if not self.recipe.captioning.enabled:
            return None
        from tools.captioning.captioner import Captioner
        from tools.checkpoints import resolve

        return Captioner(
            resolve("blip", self.recipe.models),
            self.recipe,
            self._options.runtime,
        )

    @cached_property
    def translate(self) -> Translator | None:
        """Turns an English caption into Korean; None where the recipe names none, or asks for no captions."""
        if not (self.recipe.captioning.enabled and self.recipe.captioning.translator):
            return None
        from tools.captioning.translation import Translator

        return Translator(self.recipe.captioning.translator)

    @property
    def models(self) -> tuple[Provenance, ...]:
        """What each model is, without timings; loads those that are not yet loaded."""
        writers = [each.provenance for each in (self.captioner, self.translate) if each]
        return (*self.screener.models, self.localizer.provenance, *writers)

    def pipeline(self) -> Pipeline:
        """Returns the fixed pipeline over these engines; all are loaded."""
        from tools.pipeline.fixed import Pipeline

        if self.translate:
            self.translate.load()
        return Pipeline(
            self.recipe, self.screener, self.localizer, self.measurer, self.captioner, self.translate
        )
