"""Takes the pictures of the app that the README shows: `make screens`."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL.Image import Image
from textual.strip import Strip

from tools.pipeline.engines import EngineOptions
from tools.records import Language, Verdict
from tui.app import LoupeApp
from tui.chat import canvas, halfcell
from tui.chat.background import Start
from tui.chat.dialogs import ApproveDialog
from tui.chat.reasons import usual_reasons
from tui.chat.review import ReviewScreen
from tui.chatting import session_opener

_EXAMPLES = Path("examples")
_MODEL = f"scripted:{_EXAMPLES / 'playbooks' / 'shift-start.answers.yaml'}"
_REQUESTS = (
    "/inspect",
    "screen img_001 to img_004, which one is the worst?",
    "show me that one",
    "it is scratched, reject it",
)
_SENT_TO_REVIEW = ("img_008", "img_005", "img_014")  # the first of them is shown
_COLOURS = 20  # of a photograph: neighbouring cells of one colour are one element, which saves most bytes
_PAUSE_S = 0.05


def main() -> None:
    """Inspects the sample batch as a user would, in both languages, and writes a picture of each screen."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    canvas.half_cells = _half_cells
    with tempfile.TemporaryDirectory(prefix="loupe-screens-") as folder:
        session = Path(folder) / "session"
        asyncio.run(_talk(session, out))
        asyncio.run(_review(session, out))


def _half_cells(image: Image) -> list[Strip]:
    return halfcell.half_cells(image.quantize(_COLOURS).convert("RGB"))


def _app(start: Start, language: Language) -> LoupeApp:
    return LoupeApp(start, session_opener("Kim", EngineOptions(), ledger=False), language=language)


async def _talk(folder: Path, out: Path) -> None:
    """The workspace, after a few requests."""
    app = _app(Start((str(_EXAMPLES / "batch"),), model=_MODEL, out=folder), Language.EN)
    async with app.run_test(size=(150, 40)) as pilot:
        await _until(pilot, lambda: app.session and app.workspace.is_ready)
        for request in _REQUESTS:
            app.workspace.post_message(app.workspace.Asked(request))
            await _until(pilot, lambda: app.is_busy)
            await _until(pilot, lambda: not app.is_busy or isinstance(app.screen, ApproveDialog))
            if isinstance(app.screen, ApproveDialog):
                await pilot.press("ctrl+y")
                await _until(pilot, lambda: not app.is_busy)
        await pilot.press("f4", "z")
        await _still(pilot)
        _write(app, out / "workspace.svg")
        await pilot.press("ctrl+q")
    if app.closing is not None:
        app.closing.join()


async def _review(folder: Path, out: Path) -> None:
    """Review mode, in Korean: what the inspector wants to see again, in a terminal of the usual size."""
    app = _app(Start(resume=folder, model=_MODEL), Language.KO)
    async with app.run_test(size=(100, 30)) as pilot:
        await _until(pilot, lambda: app.session and app.workspace.is_ready)
        workspace, session = app.workspace, app.session
        reason = usual_reasons(Verdict.REVIEW, Language.KO)[1]
        assert session is not None
        workspace.post_message(workspace.DecisionWanted(session, _SENT_TO_REVIEW, Verdict.REVIEW, reason))
        await _until(pilot, lambda: all(session.decisions(each) for each in _SENT_TO_REVIEW))
        await pilot.press("f2", "w")
        await _until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        while isinstance(app.screen, ReviewScreen) and app.screen.image_id != _SENT_TO_REVIEW[0]:
            await pilot.press("n")
        await pilot.press("z")
        await _still(pilot)
        _write(app, out / "review.svg")
        await pilot.press("ctrl+q")
    if app.closing is not None:
        app.closing.join()


async def _until(pilot: Any, holds: Callable[[], object]) -> None:
    while not holds():
        await pilot.pause(_PAUSE_S)


async def _still(pilot: Any) -> None:
    """Waits until the screen does not change any more."""
    before = None
    while before != (before := pilot.app.export_screenshot()):
        await pilot.pause(1.0)


def _write(app: LoupeApp, path: Path) -> None:
    svg = lighter(app.export_screenshot(simplify=True))
    path.write_text(svg, encoding="utf-8")
    sys.stdout.write(f"{path}: {len(svg) / 1000:.0f} kB\n")


def lighter(svg: str) -> str:
    """Returns a screenshot without the fonts that would be fetched, and without what each element repeats."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<clipPath id=\"[^\"]*line-\d+\">.*?</clipPath>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r" clip-path=\"url\(#[^)]*line-\d+\)\"", "", svg)
    svg = svg.replace(' shape-rendering="crispEdges"', "").replace(
        "<style>", "<style>rect{shape-rendering:crispEdges}", 1
    )
    return re.sub(r"terminal-\d+", "t", svg)


if __name__ == "__main__":
    main()
