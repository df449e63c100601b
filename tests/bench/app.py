"""How quickly the app paints, shows a large batch, and answers a key while an inspection runs."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_ROWS = 5_000
_MOST_S = 20.0
_KEY_PAUSE_S = 0.1
_AT_ONCE_MS = 50.0

_FIRST_PAINT = """
import time; start, worked = time.perf_counter(), time.process_time()
import asyncio, threading
from tui.app import LoupeApp
from tui.chat.background import Start
async def main():
    app = LoupeApp(Start(("x",)), lambda *_: threading.Event().wait())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        print(time.perf_counter() - start, time.process_time() - worked)
asyncio.run(main())
"""


def lines(folder: Path, batch: Path) -> Iterator[str]:
    """Yields a line per figure.

    Args:
        folder: For what is written.
        batch: Photographs.
    """
    paints = [_first_paint(folder) for _ in range(4)][1:]  # the first compiles, as an installation does
    wall, work = (statistics.median(each) for each in zip(*paints, strict=True))
    yield f"first paint {wall:.2f} s after the interpreter has started, {work:.2f} s of them computing"
    yield f"{_ROWS} rows shown in {asyncio.run(_rows()):.2f} s"
    lags = asyncio.run(_lags(folder, batch))
    walls, works = sorted(wall for wall, _ in lags), sorted(work for _, work in lags)
    yield f"a key from the moment a batch is open until its inspection ends, {len(lags)} keys: {_told(walls)}"
    yield f"the same in computing time of the program, whatever else the machine does: {_told(works)}"


def _told(lags_ms: list[float]) -> str:
    """Median, percentile, worst, and how many were answered at once."""
    middle, late = lags_ms[len(lags_ms) // 2], lags_ms[int(len(lags_ms) * 0.95)]
    late_count = sum(lag > _AT_ONCE_MS for lag in lags_ms)
    return (
        f"{middle:.0f} ms median, {late:.0f} ms at 95 %, {lags_ms[-1]:.0f} ms at most; "
        f"{late_count} later than {_AT_ONCE_MS:.0f} ms"
    )


def _first_paint(folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of computing, in an interpreter of its own that finds its modules compiled."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", _FIRST_PAINT]
    told = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.split()
    return float(told[0]), float(told[1])


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


async def _lags(folder: Path, batch: Path) -> list[tuple[float, float]]:
    """Types a letter ten times a second while libraries are imported and the fixed pipeline inspects.

    Returns:
        For each the milliseconds until it shows, and those that this program computed meanwhile.
    """
    from tools.pipeline.engines import EngineOptions
    from tui.app import LoupeApp
    from tui.chat.background import Start
    from tui.chatting import session_opener

    opener = session_opener("bench", EngineOptions(), ledger=False, warms=True)
    app = LoupeApp(Start((str(batch),), model="pocket", out=folder / "app"), opener)
    lags: list[tuple[float, float]] = []
    async with app.run_test(size=(160, 48)) as pilot:
        while not (app.session and app.workspace.is_ready):
            await asyncio.sleep(_KEY_PAUSE_S)
        await app.begin(lambda session: session.use("inspect", {}, "/inspect"))
        area, began = app.workspace.prompt.area, time.perf_counter()
        while app.is_busy and time.perf_counter() - began < _MOST_S:
            length, pressed, worked = len(area.text), time.perf_counter(), time.process_time()
            app.simulate_key("x")
            while len(area.text) == length:
                await asyncio.sleep(0.001)
            lags.append((1e3 * (time.perf_counter() - pressed), 1e3 * (time.process_time() - worked)))
            await asyncio.sleep(_KEY_PAUSE_S)
        await pilot.press("ctrl+q")
    if app.closing is not None:
        app.closing.join()
    return lags
