"""Seconds per stage of the fixed pipeline over a batch, models loaded before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.evaluation.reading import Clock
from tools.images import Batch

if TYPE_CHECKING:
    from tools.pipeline.engines import Engines

_LOAD = "loading the models"
_REST = "reading, wording, judging"
# The localizer stands first: the screener, which is built with it, asks it too.
_STAGES = {
    "localizer": "localization",
    "screener": "screening",
    "measurer": "measurement",
    "captioner": "captioning",
}


class Timed:
    """Stands in for a stage; what is called on it, and each step of what that yields, counts for its name."""

    def __init__(self, stage: object, name: str, clock: Clock) -> None:
        self._stage, self._name, self._clock = stage, name, clock

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._stage, attribute)
        return self._timed(value) if callable(value) else value

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object, **options: object) -> Any:
            with self._clock.stage(self._name):
                result = method(*arguments, **options)
            return self._each(result) if isinstance(result, Iterator) else result

        return call

    def _each(self, results: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while True:
            with self._clock.stage(self._name):
                result = next(results, end)
            if result is end:
                return
            yield result


def lines(images: Path, engines: Engines) -> Iterator[str]:
    """Runs the pipeline once without a report."""
    clock = Clock()
    with clock.stage(_LOAD):
        for attribute, name in _STAGES.items():
            stage = getattr(engines, attribute)
            setattr(engines, attribute, stage and Timed(stage, name, clock))
        pipeline = engines.pipeline()
    with clock.stage(_REST):
        inspections = list(pipeline.inspect(Batch.open([images])))
    total_s = sum(clock.seconds.values()) - clock.seconds[_LOAD]
    findings = sum(len(inspection.findings) for inspection in inspections)
    for name, seconds in clock.seconds.items():
        yield f"{name}: {seconds:.2f} s"
    yield (
        f"{len(inspections)} images, {findings} findings: {total_s:.2f} s without loading, "
        f"{len(inspections) / total_s:.2f} images/s"
    )
