"""The app over fake engines and written answers, for the Pilot tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from agent.events import Approve
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from reports.ledger import Ledger
from tests.agent.fakes import FakeEngines, write_batch
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus
from tui.app import LoupeApp
from tui.chat.background import Start

Flow = Callable[[Any], Coroutine[Any, Any, None]]

_PATIENCE = 2_000  # rounds of the event loop's shortest pauses


def code(*lines: str) -> str:
    return "<code>\n" + "\n".join(lines) + "\n</code>"


class Desk:
    """A folder of grey parts, the second of which has a scratch, and apps about it."""

    def __init__(self, folder: Path, count: int = 4) -> None:
        self.folder = folder
        write_batch(folder / "parts", count)
        self.engines = FakeEngines(load_recipe(), {"img_002": ScreeningStatus.SUSPECT}, ["img_002"])
        self.model = ScriptedModel([])
        self.opened: list[Start] = []
        self.ledger: Ledger | None = None

    def app(
        self,
        answers: Mapping[str, Sequence[str]] | Sequence[str] = (),
        start: Start | None = None,
        **options: Any,
    ) -> LoupeApp:
        self.model = ScriptedModel(answers)

        def open_session(wanted: Start, approve: Approve, progress: Callable[[int, int], None]) -> Session:
            self.opened.append(wanted)
            given = SessionOptions(
                user="Kim", approve=approve, progress=progress, self_test=False, ledger=self.ledger
            )
            engines = self.engines.as_engines
            if wanted.resume:
                return Session.resume(wanted.resume, self.model, options=given)
            out = wanted.out or self.folder / f"out-{len(self.opened)}"
            return Session(wanted.images, wanted.recipe, self.model, out=out, options=given, engines=engines)

        return LoupeApp(start or Start((str(self.folder / "parts"),)), open_session, **options)


async def until(pilot: Pilot[Any], holds: Callable[[], object]) -> None:
    """Lets the app work until something holds."""
    for _ in range(_PATIENCE):
        if holds():
            return
        await pilot.pause()
        await asyncio.sleep(0.01)  # the work is done in threads: let them have the interpreter
    raise AssertionError("it never came to hold")


async def opened(pilot: Pilot[Any], app: LoupeApp) -> None:
    await until(pilot, lambda: app.session and app.workspace.is_ready)


async def say(pilot: Pilot[Any], app: LoupeApp, text: str) -> None:
    """Types a request, sends it, and waits until the turn is over."""
    app.workspace.prompt.write(text)
    await pilot.pause()
    app.workspace.prompt.close_offers()
    await pilot.press("enter")
    await until(pilot, lambda: not app.workspace.prompt.area.text)
    for _ in range(3):  # from the prompt to the workspace to the app
        await pilot.pause()
    await until(pilot, lambda: not app.is_busy)
    await pilot.pause()


def play(
    app: LoupeApp, flow: Flow, size: tuple[int, int] = (120, 40), *, notifications: bool = False
) -> None:
    async def run() -> None:
        async with app.run_test(size=size, notifications=notifications) as pilot:
            await flow(pilot)
        if app._leaving is not None:
            app._leaving.join()
        if app.closing is not None:
            app.closing.join()
        elif app.session is not None:
            app.session.close()

    asyncio.run(run())


def shown(app: LoupeApp) -> str:
    """All that static texts and Markdown on the screen say."""
    texts = [str(widget.render()) for widget in app.screen.query(Static)]
    return "\n".join(texts + [widget.source for widget in app.screen.query(Markdown)])
