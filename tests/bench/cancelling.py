"""How long a cancelled turn takes to give the prompt back, in each state in which it can be cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
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
_SOON_S = 0.05
_LATER_S = 0.3  # after the beginning of a state that tells nothing while it lasts
_NUMBERS = count(1)
_HERE = '<code>\nfinal_answer("here")\n</code>'

Cancel = Callable[[], None]
Moment = Callable[[Event], float | None]
"""Seconds from an event until the turn is to be cancelled; None where it is not the moment."""


def _at(kind: type[Any], tool: str = "", later_s: float = 0.0) -> Moment:
    """The first event of a kind; where a tool is named, once it has begun."""
    begun = {""}

    def moment(event: Event) -> float | None:
        if isinstance(event, ToolStarted):
            begun.add(event.tool)
        return later_s if isinstance(event, kind) and tool in begun else None

    return moment


def _never(_: Event) -> None:
    """The moment of a state that cancels by itself: no event tells of it."""


def _cancelled(opened: Callable[[Cancel], Session], moment: Moment) -> float | None:
    """Cancels a turn at its moment and tries the next one.

    Returns:
        The seconds until the prompt is back; None where a fast machine was done with the turn before.
    """
    at: list[float] = []

    def cancel() -> None:
        if not at:
            at.append(time.perf_counter())
            session.cancel()

    waiting: threading.Timer | None = None
    with opened(cancel) as session:
        for event in session.ask("go"):
            if waiting is None and (wait := moment(event)) is not None:
                waiting = threading.Timer(wait, cancel)
                waiting.start()
        ended = time.perf_counter()
        if waiting is not None:
            waiting.join()
        if not at or not isinstance(event, TurnFinished) or event.outcome is not Outcome.CANCELLED:
            return None
        if not any(isinstance(event, Answer) and event.text == "here" for event in session.ask("again")):
            raise RuntimeError("the turn after the cancelled one has no answer")
    return ended - at[0]


class _Place:
    """Opens sessions over a few of the sample photographs, each in a folder of its own."""

    def __init__(self, folder: Path, batch: Path, recipe: Path) -> None:
        from tools.pipeline.engines import Engines
        from tools.recipe.file import load_recipe

        self.folder, self._recipe = folder, recipe
        self._images = sorted(batch.glob("*.jpg"))[:_IMAGES]
        self._engines: Engines = Engines(load_recipe(recipe))

    def open(self, model: VisionModel) -> Session:
        return Session(
            self._images,
            str(self._recipe),
            model,
            out=self.folder / f"session-{next(_NUMBERS)}",
            options=SessionOptions(self_test=False),
            engines=self._engines,
        )

    def program(self, code: str) -> Session:
        return self.open(ScriptedModel([f"<code>\n{code}\n</code>", _HERE]))


def _silent(cancel: Cancel) -> Callable[..., None]:
    """A server that takes the request and says nothing until the other side hangs up."""

    def answer(handler: Handler, _: dict[str, Any]) -> None:
        threading.Timer(_LATER_S, cancel).start()
        handler.connection.recv(1)
        handler.close_connection = True

    return answer


def _slow(cancel: Cancel) -> Callable[..., None]:
    """A server that streams a word, and no more until the other side hangs up."""
    from tests.agent.models.protocol import chunk

    def answer(handler: Handler, request: dict[str, Any]) -> None:
        handler.stream(chunk("thinking "))
        _silent(cancel)(handler, request)

    return answer


def _speaks(handler: Handler, _: dict[str, Any]) -> None:
    from tests.agent.models.protocol import chunk

    handler.stream(chunk(_HERE, finish="stop"), "[DONE]")


def _served(place: _Place, server: Server, first: Callable[..., None]) -> Session:
    server.answers = [first, _speaks]
    return place.open(ServerModel(server.address))


class _Thinking:
    """A local checkpoint of random weights; after its first answer it gives a written one."""

    def __init__(self, folder: Path) -> None:
        from agent.models.vlm import LocalModel
        from tests.agent.models.tiny import build
        from tools.checkpoints import Checkpoint

        checkpoint = build(folder / "checkpoint", context_tokens=32_768)
        self._model = LocalModel(Checkpoint("agent", "random", checkpoint), device="cpu")
        self._reply = self._model._reply

    def open(self, place: _Place, on_pixels: Cancel | None = None) -> Session:
        """Opens a session; `on_pixels` is called when the first pixels have been read."""
        calls = iter((self._reply, ScriptedModel([_HERE])._reply))
        self._model._reply = lambda question: next(calls)(question)  # type: ignore[method-assign]
        if on_pixels is not None:
            embed = self._model._model.model.visual.patch_embed
            embed.register_forward_hook(lambda *_: on_pixels())
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
    report = "inspect()\nwrite_report()"
    with serving() as server:
        states: tuple[tuple[str, Callable[[Cancel], Session], Callable[[], Moment]], ...] = (
            ("reading the prompt, local", lambda cancel: thinking.open(place, cancel), lambda: _never),
            ("writing, local", lambda _: thinking.open(place), lambda: _at(TextDelta)),
            ("server silent", lambda cancel: _served(place, server, _silent(cancel)), lambda: _never),
            ("server writing", lambda cancel: _served(place, server, _slow(cancel)), lambda: _never),
            (
                "program in a loop",
                lambda _: place.program("while True:\n    pass"),
                lambda: _at(CodeWritten, later_s=_LATER_S),
            ),
            (
                "loading weights",
                lambda _: _Place(folder, batch, recipe).program("screen()"),
                lambda: _at(ToolStarted, later_s=_SOON_S),
            ),
            ("screening", lambda _: place.program("screen()"), lambda: _at(ToolStarted, later_s=_LATER_S)),
            ("inspecting", lambda _: place.program("inspect()"), lambda: _at(ToolProgress)),
            (
                "writing the report",
                lambda _: place.program(report),
                lambda: _at(ToolStarted, "write_report", _LATER_S),
            ),
        )
        for name, opened, moment in states:
            rounds = [_cancelled(opened, moment()) for _ in range(_ROUNDS)]
            seconds = [each for each in rounds if each is not None]
            if seconds:
                yield f"{name:<28} {max(seconds):.2f} s to the prompt; the next turn answers"
            else:
                yield f"{name:<28} over before it could be cancelled"
