"""`loupe eval`: the figures of a checkpoint and a recipe on labelled photographs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tools.errors import Cancelled, UsageError
from tools.pipeline.engines import EngineOptions, Engines
from tools.records import Source
from tui.narration import Narrator, bar_setter, cancel_on_interrupt, stopped_at_once
from tui.printing import print_out

if TYPE_CHECKING:
    import threading

    from tools.evaluation.figures import ErrorRates, Evaluation, FindingFigures
    from tools.evaluation.labelled_sets import LabelledSet
    from tools.recipe import Recipe

__all__ = ["drawn_good", "run_eval"]


def run_eval(
    folder: Path,
    recipe_name: str,
    noun: str,
    target_escape: float,
    options: EngineOptions,
    *,
    good: int = 0,
    draw: int = 1,
    verdicts: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Evaluates and prints the figures on stdout; with `verdicts` also those of the whole pipeline.

    With `good`, so many good images of the set, drawn at random, stand for the recipe's good parts.

    Raises:
        LoupeError: No labelled set, a recipe that does not hold, or a model that cannot be loaded.
        Cancelled: The user stopped it.
    """
    from tools.evaluation.labelled_sets import read_labelled_set
    from tools.evaluation.proposal import UNMOVED
    from tools.evaluation.table import render_text
    from tools.fetching import fetch_checkpoints, kinds_of_inspection
    from tools.recipe.file import load_recipe

    narrator = Narrator(quiet=quiet)
    recipe = options.applied_to(load_recipe(recipe_name or None))
    if noun:
        recipe = recipe.model_copy(update={"part": recipe.part.model_copy(update={"noun": noun})})
    labelled = read_labelled_set(folder)
    kinds = kinds_of_inspection(recipe) if verdicts else ("clip", "detector")
    with narrator.downloads():  # here Ctrl-C ends a download
        fetch_checkpoints(recipe, kinds, narrator.say)
    with ExitStack() as stack:
        cancel = stack.enter_context(cancel_on_interrupt(narrator))
        sha256 = recipe.sha256  # of what it says, wherever a copy of it stands
        if good:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="loupe-eval-")))
            recipe = _moved(recipe, folder / "recipe.yaml")
            _learn(drawn_good(labelled, good, draw), recipe, options, narrator, cancel)
        unmoved = (*UNMOVED, Source.REFERENCES) if good else UNMOVED
        evaluation = _evaluate(labelled, recipe, target_escape, unmoved, options, narrator, cancel)
        if verdicts:
            figures = _pipeline_figures(labelled, recipe, options, narrator, cancel)
            evaluation = evaluation.model_copy(update=figures)
    evaluation = evaluation.model_copy(update={"recipe_sha256": sha256})
    text = evaluation.model_dump_json(indent=2) if as_json else render_text(evaluation)
    print_out(text + "\n")


def drawn_good(labelled: LabelledSet, count: int, draw: int) -> list[Path]:
    """Returns good images of the set, picked at random; the same draw picks the same.

    Raises:
        UsageError: The set has no good image besides.
    """
    from tools.evaluation.labelled_sets import Truth

    paths = [image.path for image in labelled.images if image.truth is Truth.GOOD]
    if count >= len(paths):
        raise UsageError(
            f"{labelled.name} has {len(paths)} good images, so {count} as references leave none to judge",
            f"at most {len(paths) - 1} can be drawn",
        )
    return sorted(random.Random(draw).sample(paths, count))


def _moved(recipe: Recipe, file: Path) -> Recipe:
    """The recipe as though it stood in another file; its template stays where it is."""
    references = recipe.references
    if references.template:
        folder = recipe.file.parent if recipe.file else Path()
        template = (folder / references.template).absolute()
        references = references.model_copy(update={"template": str(template)})
    return recipe.model_copy(update={"references": references}).loaded_from(file)


def _learn(
    paths: list[Path], recipe: Recipe, options: EngineOptions, narrator: Narrator, cancel: threading.Event
) -> None:
    """Makes the good parts of a recipe that stands in a folder of its own."""
    from tools.images import Batch

    engines = Engines(recipe, options)
    batch = Batch.open([str(path) for path in paths], cancel=cancel)
    narrator.say(f"Learning {len(batch)} good images ...")
    with stopped_at_once(cancel):
        words, localizer = engines.words, engines.localizer
    engines.good_parts.add(batch, words, localizer, cancel=cancel)


def _evaluate(
    labelled: LabelledSet,
    recipe: Recipe,
    target_escape: float,
    unmoved: Sequence[Source],
    options: EngineOptions,
    narrator: Narrator,
    cancel: threading.Event,
) -> Evaluation:
    from tools.evaluation.evaluate import evaluate, recipe_for_evaluation
    from tools.measurement.measurer import Measurer

    narrator.say(f"{len(labelled.judged)} labelled images. Loading models ({recipe.models.set}) ...")
    with stopped_at_once(cancel):
        screener = Engines(recipe, options).screener
        localizer = Engines(recipe_for_evaluation(recipe), options).localizer
    with narrator.progress("Evaluating", len(labelled.judged)) as bar:
        return evaluate(
            labelled,
            recipe,
            screener,
            localizer,
            Measurer(recipe),
            target_escape=target_escape,
            unmoved=unmoved,
            cancel=cancel,
            progress=bar_setter(bar),
        )


def _pipeline_figures(
    labelled: LabelledSet,
    recipe: Recipe,
    options: EngineOptions,
    narrator: Narrator,
    cancel: threading.Event,
) -> dict[str, ErrorRates | FindingFigures | None]:
    """Inspects the set as `loupe inspect` would; captions too, as one that is dropped asks for a person."""
    from tools.evaluation.evaluate import known_good, pipeline_findings, pipeline_rates
    from tools.images import Batch

    engines = Engines(recipe, options)
    with stopped_at_once(cancel):
        pipeline = engines.pipeline()
    known = known_good(engines.screener)
    batch = Batch.open([image.path for image in labelled.judged], cancel=cancel)
    inspections = []
    with narrator.progress("Inspecting", len(batch)) as bar:
        for inspection in pipeline.inspect(batch, cancel=cancel):
            if inspection.image.picture_key not in known:
                inspections.append(inspection)
            bar.advance(bar.task_ids[0])
    if cancel.is_set():
        raise Cancelled("the evaluation was stopped", "its figures need the whole set, so there are none")
    return {
        "pipeline": pipeline_rates(labelled, inspections),
        "findings": pipeline_findings(labelled, inspections),
    }
