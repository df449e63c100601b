"""How quickly the app paints, shows a large batch, and answers a key while an inspection runs."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_ROWS = 5_000
_MOST_S = 60.0
_KEY_PAUSE_S = 0.1

_FIRST_PAINT = """
import time; start = time.perf_counter()
import asyncio, threading
from tui.app import LoupeApp
from tui.chat.background import Start
async def main():
    app = LoupeApp(Start(("x",)), lambda *_: threading.Event().wait())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        print(time.perf_counter() - start)
asyncio.run(main())
"""


def lines(folder: Path, batch: Path) -> Iterator[str]:
    """Yields a line per figure.

    Args:
        folder: For what is written.
        batch: Photographs.
    """
    command = [sys.executable, "-c", _FIRST_PAINT]
    paints = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)]
    yield f"first paint {statistics.median(paints):.2f} s after the interpreter has started"
    yield f"{_ROWS} rows shown in {asyncio.run(_rows()):.2f} s"
    lags_ms = sorted(1_000 * lag for lag in asyncio.run(_lags(folder, batch)))
    middle, late = lags_ms[len(lags_ms) // 2], lags_ms[int(len(lags_ms) * 0.95)]
    yield (
        f"a key while an inspection runs: {middle:.0f} ms median, {late:.0f} ms at 95 %, "
        f"{lags_ms[-1]:.0f} ms at most, of {len(lags_ms)} keys"
    )


async def _rows() -> float:
    from textual.app import App, ComposeResult

    from tui.chat.batch import BatchPanel
    from tui.chat.board import Row
    from tui.chat.words import Words

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            yield BatchPanel(Words())

    rows = [
        Row(f"img_{n:04d}", f"{n}.jpg", "accept", "scratch", "1 mm", "rule", 0.1, n) for n in range(_ROWS)
    ]
    app = Bench()
    async with app.run_test() as pilot:
        started = time.perf_counter()
        app.query_one(BatchPanel).fill(rows, {})
        await pilot.pause()
        return time.perf_counter() - started


async def _lags(folder: Path, batch: Path) -> list[float]:
    """Types a letter ten times a second while the fixed pipeline inspects; returns seconds until it shows."""
    from tools.pipeline.engines import EngineOptions
    from tui.app import LoupeApp
    from tui.chat.background import Start
    from tui.chatting import session_opener

    opener = session_opener("bench", EngineOptions(), ledger=False)
    app = LoupeApp(Start((str(batch),), model="pocket", out=folder / "app"), opener)
    lags: list[float] = []
    async with app.run_test(size=(160, 48)) as pilot:
        while not (app.session and app.workspace.is_ready):
            await asyncio.sleep(_KEY_PAUSE_S)
        await app.begin(lambda session: session.use("inspect", {}, "/inspect"))
        area, began = app.workspace.prompt.area, time.perf_counter()
        while app.is_busy and time.perf_counter() - began < _MOST_S:
            length, pressed = len(area.text), time.perf_counter()
            app.simulate_key("x")
            while len(area.text) == length:
                await asyncio.sleep(0.001)
            lags.append(time.perf_counter() - pressed)
            await asyncio.sleep(_KEY_PAUSE_S)
        await pilot.press("ctrl+q")
    if app.closing is not None:
        app.closing.join()
    return lags
