"""Seconds per stage of the fixed pipeline over the sample batch, models loaded before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.captioning.captioner import Captioner
from tools.checkpoints import resolve
from tools.images import Batch
from tools.localization.localizer import Localizer
from tools.measurement.measurer import Measurer
from tools.pipeline.fixed import Pipeline
from tools.recipe.file import load_recipe
from tools.screening.screener import Screener

_LOAD = "loading the models"
_REST = "reading, wording, judging"


class Timed:
    """Stands in for one stage and adds up what its method, or the iterator it returns, takes."""

    def __init__(self, stage: object, method: str, name: str, seconds: dict[str, float]) -> None:
        self._stage = stage
        self._name = name
        self._seconds = seconds
        seconds[name] = 0.0
        setattr(self, method, self._timed(getattr(stage, method)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object, **options: object) -> Any:
            result = self._clocked(lambda: method(*arguments, **options))
            return self._each(result) if isinstance(result, Iterator) else result

        return call

    def _each(self, results: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (result := self._clocked(lambda: next(results, end))) is not end:
            yield result

    def _clocked(self, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self._seconds[self._name] += time.perf_counter() - start


def lines(images: Path, recipe_file: Path) -> Iterator[str]:
    """Runs the pipeline once without a report."""
    recipe = load_recipe(recipe_file)
    seconds: dict[str, float] = {}
    start = time.perf_counter()
    pipeline = Pipeline(
        recipe,
        Timed(Screener(resolve("clip", recipe.models), recipe), "screen", "screening", seconds),
        Timed(Localizer(resolve("detector", recipe.models), recipe), "locate", "localization", seconds),
        Timed(Measurer(recipe), "measure", "measurement", seconds),
        Timed(Captioner(resolve("blip", recipe.models), recipe), "caption", "captioning", seconds),
    )
    seconds[_LOAD] = time.perf_counter() - start
    start = time.perf_counter()
    inspections = list(pipeline.inspect(Batch.open([images])))
    total_s = time.perf_counter() - start
    seconds[_REST] = total_s - sum(value for name, value in seconds.items() if name != _LOAD)
    findings = sum(len(inspection.findings) for inspection in inspections)
    for name, value in seconds.items():
        yield f"{name}: {value:.2f} s"
    yield (
        f"{len(inspections)} images, {findings} findings: {total_s:.2f} s without loading, "
        f"{len(inspections) / total_s:.2f} images/s"
    )
