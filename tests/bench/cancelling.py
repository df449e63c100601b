"""How long a cancelled turn takes to give the prompt back, in each state in which it can be cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.events import (
    Answer,
    CodeWritten,
    Event,
    Outcome,
    TextDelta,
    ToolProgress,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from agent.models.scripted import ScriptedModel
from agent.models.server import ServerModel
from agent.session import Session, SessionOptions

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from tests.agent.models.protocol import Handler, Server
    from tools.pipeline.engines import Engines

__all__ = ["lines"]

_ROUNDS = 3
_IMAGES = 6
_LATER_S = 0.3  # after the beginning of a state that tells nothing while it lasts
_HERE = '<code>\nfinal_answer("here")\n</code>'

Moment = Callable[[Event], float | None]
"""Seconds from an event until the turn is to be cancelled; None where it is not the moment."""


def _at(kind: type[Any], tool: str = "", later_s: float = 0.0) -> Moment:
    """The first event of a kind; of a tool where one is named, which is told apart by its beginning."""
    begun = {"": True}

    def moment(event: Event) -> float | None:
        if isinstance(event, ToolStarted):
            begun[event.tool] = True
        return later_s if isinstance(event, kind) and begun.get(tool) else None

    return moment


def _cancelled(session: Session, moment: Moment) -> float:
    """Cancels a turn at its moment; returns the seconds until its prompt is back, and tries the next turn."""
    at: list[float] = []

    def cancel() -> None:
        at.append(time.perf_counter())
        session.cancel()

    waiting: threading.Timer | None = None
    with session:
        for event in session.ask("go"):
            if waiting is None and (wait := moment(event)) is not None:
                waiting = threading.Timer(wait, cancel)
                waiting.start()
        seconds = time.perf_counter() - at[0] if at else float("nan")
        if not isinstance(event, TurnFinished) or event.outcome is not Outcome.CANCELLED:
            raise RuntimeError(f"the turn was over before it was cancelled: {event}")
        if not any(isinstance(event, Answer) and event.text == "here" for event in session.ask("again")):
            raise RuntimeError("the turn after the cancelled one has no answer")
    return seconds


class _Place:
    """Opens sessions over a few of the sample photographs, each in a folder of its own."""

    def __init__(self, folder: Path, batch: Path, recipe: Path) -> None:
        from tools.pipeline.engines import Engines
        from tools.recipe.file import load_recipe

        self.folder, self._recipe = folder, recipe
        self._images = sorted(batch.glob("*.jpg"))[:_IMAGES]
        self._engines: Engines = Engines(load_recipe(recipe))
        self._opened = 0

    def open(self, model: VisionModel) -> Session:
        self._opened += 1
        return Session(
            self._images,
            str(self._recipe),
            model,
            out=self.folder / f"session-{self._opened}",
            options=SessionOptions(self_test=False),
            engines=self._engines,
        )

    def program(self, code: str) -> Session:
        return self.open(ScriptedModel([f"<code>\n{code}\n</code>", _HERE]))


def _silent(handler: Handler, _: dict[str, Any]) -> None:
    """Says nothing until the other side hangs up."""
    handler.connection.recv(1)
    handler.close_connection = True


def _slow(handler: Handler, _: dict[str, Any]) -> None:
    """Streams a word, then waits until the other side hangs up."""
    from tests.agent.models.protocol import chunk

    handler.stream(chunk("thinking "))
    _silent(handler, {})


def _speaks(handler: Handler, _: dict[str, Any]) -> None:
    from tests.agent.models.protocol import chunk

    handler.stream(chunk(_HERE, finish="stop"), "[DONE]")


def _served(place: _Place, server: Server, first: Callable[..., None]) -> Session:
    server.answers = [first, _speaks]
    return place.open(ServerModel(server.address))


class _Thinking:
    """A local checkpoint of random weights, and written answers once it was cancelled."""

    def __init__(self, folder: Path) -> None:
        from agent.models.vlm import LocalModel
        from tests.agent.models.tiny import build
        from tools.checkpoints import Checkpoint

        checkpoint = build(folder / "checkpoint", context_tokens=32_768)
        self._model = LocalModel(Checkpoint("agent", "random", checkpoint), device="cpu")
        self._reply = self._model._reply

    def open(self, place: _Place) -> Session:
        calls = iter((self._reply, ScriptedModel([_HERE])._reply))
        self._model._reply = lambda question: next(calls)(question)  # type: ignore[method-assign]
        return place.open(self._model)


def lines(folder: Path, batch: Path, recipe: Path) -> Iterator[str]:
    """Yields the seconds of each state, the slowest of three.

    Args:
        folder: For the sessions.
        batch: Photographs.
        recipe: For their inspection.
    """
    from tests.agent.models.protocol import serving

    place, thinking = _Place(folder, batch, recipe), _Thinking(folder)
    with ExitStack() as stack:
        server = stack.enter_context(serving())
        states: tuple[tuple[str, Callable[[], Session], Callable[[], Moment]], ...] = (
            (
                "reading the prompt, local",
                lambda: thinking.open(place),
                lambda: _at(TurnStarted, later_s=0.5),
            ),
            ("writing, local", lambda: thinking.open(place), lambda: _at(TextDelta)),
            ("server silent", lambda: _served(place, server, _silent), lambda: _at(TurnStarted, later_s=0.5)),
            ("server writing", lambda: _served(place, server, _slow), lambda: _at(TextDelta)),
            (
                "program in a loop",
                lambda: place.program("while True:\n    pass"),
                lambda: _at(CodeWritten, later_s=_LATER_S),
            ),
            ("screening", lambda: place.program("screen()"), lambda: _at(ToolStarted, later_s=_LATER_S)),
            ("inspecting", lambda: place.program("inspect()"), lambda: _at(ToolProgress)),
            (
                "writing the report",
                lambda: place.program("inspect()\nwrite_report()"),
                lambda: _at(ToolStarted, "write_report", _LATER_S),
            ),
        )
        for name, opened, moment in states:
            seconds = [_cancelled(opened(), moment()) for _ in range(_ROUNDS)]
            yield f"{name:<28} {max(seconds):.2f} s to the prompt; the next turn answers"
