from __future__ import annotations

from typing import Any

import pytest

from tests.tui.chat.desks import Desk, code, opened, play, say, until
from tests.tui.chat.staging import told
from tui.chat.hints import KeyHints
from tui.chat.steps import StepView
from tui.chat.themes import THEMES


def test_rows_filters_steps_and_hints_are_clicked(desk: Desk) -> None:
    app = desk.app([code("inspect()", 'final_answer("done")')])

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, "inspect everything")
        await until(pilot, lambda: not app.workspace._changed)
        board = app.workspace.board
        await pilot.click(board.table, offset=(4, 3))  # the heading is line 0
        await until(pilot, lambda: board.current == "img_003")
        line = str(board.query_one("#filters").render())
        await pilot.click("#filters", offset=(line.index("✓") + 1, 0))
        await until(pilot, lambda: board.filter == "accept")
        (step,) = app.workspace.query(StepView)
        await pilot.click(step.query_one("CollapsibleTitle"))
        await until(pilot, lambda: not step.collapsed)
        hints = app.workspace.query_one(KeyHints)
        before = type(app.screen)
        told_hints = str(hints.render())
        await pilot.click(hints, offset=(told_hints.index("F1") + 1, 0))
        await until(pilot, lambda: type(app.screen) is not before)

    play(app, flow)


@pytest.mark.parametrize("theme", THEMES)
def test_in_every_theme_a_verdict_is_told_by_sign_and_word(desk: Desk, theme: str) -> None:
    app = desk.app([code("decide('img_002', 'reject', 'bent')", 'final_answer("done")')], confirm=False)

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await say(pilot, app, f"/theme {theme}")
        assert app.theme == theme
        await say(pilot, app, "reject the second")
        await until(pilot, lambda: "✗ reject" in told(pilot))
        assert "✗1" in told(pilot).replace(" ", "")

    play(app, flow)
