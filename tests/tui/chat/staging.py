"""What the tests of the views share: one view in a small app, and waiting for what is drawn beside it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from tools.records import (
    Finding,
    HeatMap,
    ImageRecord,
    ImageStatus,
    Inspection,
    Judgement,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Severity,
    Unit,
    Verdict,
)

_OURS = ("loupe-thumbnails", "loupe-picture", "loupe-open", "loupe-decide", "loupe-report", "loupe-turn")


class Stage(App[None]):
    """Shows a widget, or a screen, and nothing else."""

    def __init__(self, shown: Widget) -> None:
        super().__init__()
        self.shown = shown

    def compose(self) -> ComposeResult:
        if not isinstance(self.shown, Screen):
            yield self.shown

    def on_mount(self) -> None:
        if isinstance(self.shown, Screen):
            self.push_screen(self.shown)


def play(
    shown: Widget, steps: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)
) -> None:
    """Runs steps against a widget or screen on a stage of its own."""

    async def run() -> None:
        async with Stage(shown).run_test(size=size, notifications=True) as pilot:
            await settled(pilot)
            await steps(pilot)

    asyncio.run(run())


async def settled(pilot: Pilot[Any]) -> None:
    """Waits until no thread of ours works any more and all that it told has been heard."""
    await pilot.pause()
    while threads := [thread for thread in threading.enumerate() if thread.name in _OURS]:
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await pilot.pause()
    await pilot.pause()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Presses keys, and waits after each."""
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def told(pilot: Pilot[Any]) -> str:
    """Returns the screen as text."""
    screen = pilot.app.screen
    width, height = screen.size
    lines = [
        "".join(segment.text for strip in [screen._compositor.render_strips()[y]] for segment in strip)
        for y in range(height)
    ]
    return "\n".join(line[:width] for line in lines)


def finding(
    number: int, box: tuple[float, float, float, float], type_name: str = "scratch", length: float = 3.2
) -> Finding:
    x_min, y_min, x_max, y_max = box
    return Finding(
        id=f"img_001-{number}",
        image_id="img_001",
        type=type_name,
        confidence=0.9,
        box_xyxy_px=box,
        contours_px=(((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max)),),
        origin=Origin.YOLO,
        place="upper-left",
        severity=Severity.MAJOR,
        severity_level=4,
        measurements=(
            Measurement(
                quantity=Quantity.LENGTH,
                value=length,
                unit=Unit.MM,
                uncertainty=0.1,
                method="calliper length",
            ),
        ),
    )


def inspection(
    *findings: Finding,
    image_id: str = "img_001",
    verdict: Verdict = Verdict.REJECT,
    suspicion: float = 0.9,
    is_readable: bool = True,
) -> Inspection:
    """An inspection of an image of 200 x 100 px, hot in its lower right corner."""
    size = 1 if is_readable else 0
    return Inspection(
        image=ImageRecord(
            id=image_id,
            name=f"{image_id}.png",
            width_px=200 * size,
            height_px=100 * size,
            status=ImageStatus.READABLE if is_readable else ImageStatus.UNREADABLE,
            reason="" if is_readable else "the file is cut off",
        ),
        screening=Screening(
            image_id=image_id,
            scores={"scratch": suspicion},
            suspicion=suspicion,
            label="scratch",
            status=ScreeningStatus.SUSPECT,
            threshold=0.5,
            heat_map=HeatMap(rows=2, columns=2, values=(0.0, 0.0, 0.0, 1.0)),
            provenance=Provenance(tool="screening"),
        )
        if is_readable
        else None,
        findings=findings,
        judgement=Judgement(
            verdict=verdict,
            rule="scratch.max_length_mm",
            reason_en="Scratch is 3.20 mm long; the limit is 2 mm.",
            reason_ko="스크래치 길이가 3.20 mm로 한계 2 mm를 넘습니다.",
            finding_ids=tuple(each.id for each in findings[-1:]),
        ),
    )
