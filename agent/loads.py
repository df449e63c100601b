"""Tells that a model is being loaded, what for, and how that ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count
from typing import TYPE_CHECKING

from agent.cancelling import TurnCancelled
from agent.events import LoadEnd, LoadFinished, LoadProgress, LoadStarted, Note, Purpose
from tools.downloading import telling_downloads
from tools.errors import ModelError

if TYPE_CHECKING:
    from agent.cancelling import Pending
    from agent.events import Sink
    from agent.models.base import VisionModel
    from agent.workbench import Workbench
    from tools.downloading import Download

__all__ = ["load_after", "tell_sight", "told", "told_of"]

_BEHIND: dict[str, tuple[Purpose, str]] = {
    "screener": (Purpose.SCREENING, "clip"),
    "words": (Purpose.SCREENING, "clip"),
    "localizer": (Purpose.LOCALIZATION, "detector"),
    "captioner": (Purpose.CAPTIONS, "blip"),
    "models": (Purpose.REPORT, "set"),
}
_numbers = count(1)


def told_of(workbench: Workbench, attribute: str) -> AbstractContextManager[None]:
    """Tells that an attribute of a workbench's engines is made, where that loads a model."""
    recipe = workbench.recipe
    if attribute == "translate":
        return told(workbench.sink, Purpose.TRANSLATION, recipe.captioning.translator)
    if attribute not in _BEHIND:
        return nullcontext()
    purpose, kind = _BEHIND[attribute]
    return told(workbench.sink, purpose, getattr(recipe.models, kind) or recipe.models.set)


def load_after(warming: Pending[None] | None, spec: str, *, device: str, precision: str) -> VisionModel:
    """Loads a model; one that runs here after the libraries that are being imported, if any are."""
    from agent.models.loading import is_local, load_model

    if warming is not None and is_local(spec):
        warming.wait(None)
    return load_model(spec, device=device, precision=precision)


def tell_sight(model: VisionModel, sink: Sink) -> None:
    """Shows a model pictures of known content, once, and tells where it does not see them."""
    from agent.models.selftest import Sight, vision_self_test

    if model.has_eyes and model.sight is None:
        try:
            with told(sink, Purpose.SIGHT, model.name):
                seen = vision_self_test(model)
        except ModelError as error:
            sink(Note(text=f"{model.name}: its sight could not be tested: {error.message}"))
            return
        model.sight = seen.sight
        if seen.sight is not Sight.PASSED:
            sink(Note(text=f"{model.name}: {seen.detail} Do not trust what it says of pictures."))


@contextmanager
def told(sink: Sink, purpose: Purpose, model: str) -> Iterator[None]:
    """Tells the beginning and the end of what is done inside, and how far what it downloads is.

    Args:
        sink: Is told.
        purpose: What the model is for.
        model: As the user names it.
    """
    load, started, end = next(_numbers), time.monotonic(), LoadEnd.FAILED
    sink(LoadStarted(load=load, purpose=purpose, model=model))
    try:
        with telling_downloads(_in_steps(sink, load)):
            yield
        end = LoadEnd.LOADED
    except TurnCancelled:
        end = LoadEnd.LEFT
        raise
    finally:
        sink(LoadFinished(load=load, end=end, seconds=round(time.monotonic() - started, 3)))


def _in_steps(sink: Sink, load: int) -> Callable[[Download], None]:
    """Returns what tells downloads in thousandths: each event of a turn is kept until it ends."""
    told_steps: dict[str, int] = {}

    def tell(download: Download) -> None:
        step = 1000 * download.done_bytes // download.total_bytes
        if told_steps.get(download.hub_id) != step:
            told_steps[download.hub_id] = step
            sink(
                LoadProgress(
                    load=load,
                    hub_id=download.hub_id,
                    done_mb=download.done_bytes / 1e6,
                    total_mb=download.total_bytes / 1e6,
                    seconds=download.seconds,
                )
            )

    return tell
