"""Whole screens as text, at three sizes; with `LOUPE_WRITE_SNAPSHOTS=1` they are written anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.tui.chat.desks import Desk, code, opened, play, say, until
from tests.tui.chat.staging import settled, told
from tools.records import Language
from tui.app import LoupeApp
from tui.chat.gallery import GalleryScreen
from tui.chat.reasons import ReasonScreen
from tui.chat.review import ReviewScreen
from tui.chat.words import Words

SNAPSHOTS = Path(__file__).with_name("snapshots")
PROGRAM = (
    "rows = inspect()",
    "decide('img_002', 'reject', 'scratched')",
    "decide('img_003', 'review', 'dust?')",
    "final_answer(f'{len(rows)} are inspected, one is rejected.')",
)
NARROW, MEDIUM, WIDE = (80, 24), (120, 36), (200, 60)

STEADY = {
    "seconds": 1.0,
    "tokens": 100,
    "read": 90,
    "written": 10,
}  # in place of what differs from run to run


async def answered(pilot: Any, app: LoupeApp) -> None:
    await say(pilot, app, "inspect and decide")
    await until(pilot, lambda: not app.workspace._changed)


async def reason(pilot: Any, app: LoupeApp) -> None:
    await pilot.press("f2", "space", "space", "r")
    await until(pilot, lambda: isinstance(app.screen, ReasonScreen))


async def thumbnails(pilot: Any, app: LoupeApp) -> None:
    await pilot.press("f2", "t")
    await until(pilot, lambda: isinstance(app.screen, GalleryScreen))


async def review(pilot: Any, app: LoupeApp) -> None:
    await answered(pilot, app)
    await pilot.press("f2", "w")
    await until(pilot, lambda: isinstance(app.screen, ReviewScreen))


async def help_(pilot: Any, app: LoupeApp) -> None:
    await pilot.press("f1")


async def picture(pilot: Any, app: LoupeApp) -> None:
    await answered(pilot, app)
    app.workspace.action_show_image("img_002")
    await settled(pilot)
    await pilot.press("f4")
    await settled(pilot)
    await pilot.press("z")


Flow = Callable[[Any, LoupeApp], Coroutine[Any, Any, None]]


@pytest.mark.parametrize(
    ("flow", "size", "language"),
    [
        (answered, NARROW, Language.EN),
        (answered, NARROW, Language.KO),
        (answered, MEDIUM, Language.EN),
        (answered, WIDE, Language.KO),
        (picture, NARROW, Language.KO),
        (picture, WIDE, Language.EN),
        (reason, NARROW, Language.KO),
        (thumbnails, MEDIUM, Language.EN),
        (review, NARROW, Language.EN),
        (review, WIDE, Language.KO),
        (help_, NARROW, Language.KO),
    ],
    ids=lambda each: getattr(each, "__name__", "x".join(map(str, each)) if isinstance(each, tuple) else each),
)
def test_the_screen_is_as_it_was_seen_to_be(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, flow: Flow, size: tuple[int, int], language: Language
) -> None:
    say_it = Words.__call__

    def steady(words: Words, key: str, **slots: object) -> str:
        return say_it(words, key, **slots | {name: STEADY[name] for name in slots.keys() & STEADY.keys()})

    monkeypatch.setattr(Words, "__call__", steady)
    monkeypatch.setattr("tui.chat.details._moment", lambda _: "2026-01-01 00:00")
    app = desk.app([code(*PROGRAM)], language=language, confirm=False)
    seen: list[str] = []

    async def steps(pilot: Any) -> None:
        await opened(pilot, app)
        await flow(pilot, app)
        await settled(pilot)
        seen.append(told(pilot))

    play(app, steps, size)
    text = "\n".join(line.rstrip() for line in seen[0].splitlines()) + "\n"
    path = SNAPSHOTS / f"{flow.__name__.strip('_')}-{size[0]}x{size[1]}-{language.value}.txt"
    if os.environ.get("LOUPE_WRITE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
