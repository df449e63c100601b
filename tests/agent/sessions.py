"""Sessions over fake engines and written answers, and what their tests say and look for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.events import Event
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines, write_batch
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus


def code(*lines: str) -> str:
    return "<code>\n" + "\n".join(lines) + "\n</code>"


def last(events: Sequence[Event], kind: type[Any]) -> Any:
    return next(event for event in reversed(events) if isinstance(event, kind))


class Bench:
    """A folder of four grey parts, the second of which has a scratch, and sessions about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_batch(folder / "parts", 4)
        statuses = {"img_002": ScreeningStatus.SUSPECT}
        self.engines = FakeEngines(load_recipe(), statuses, ["img_002"])
        self.model = ScriptedModel([])

    def open(self, *answers: str, **options: object) -> Session:
        self.model = ScriptedModel(list(answers))
        return Session(
            [self.folder / "parts"],
            model=self.model,
            out=self.folder / "out",
            options=SessionOptions(**options),
            engines=self.engines.as_engines,
        )
