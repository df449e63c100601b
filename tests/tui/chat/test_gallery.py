from __future__ import annotations

from typing import Any

from tests.tui.chat.desks import Desk, opened, play, shown, until
from tui.chat.gallery import GalleryScreen, Tile


def drawn(screen: Any) -> int:
    return sum(bool(tile._thumb.lines) for tile in screen.query(Tile))


def test_thumbnails_are_selected_and_chosen_by_keys(desk: Desk) -> None:
    app = desk.app()

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        await pilot.press("f2", "t")
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen))
        await until(pilot, lambda: drawn(app.screen) == 4)
        assert "img_004" in shown(app)
        await pilot.press("space", "right", "enter")
        await until(pilot, lambda: not isinstance(app.screen, GalleryScreen))
        assert app.workspace.board.selected == {"img_001"}
        assert app.workspace.board.current == "img_003"

    play(app, flow)


def test_only_what_is_in_view_is_decoded_and_a_click_chooses(desk: Desk) -> None:
    app = desk.app()
    loaded: list[str] = []

    async def flow(pilot: Any) -> None:
        await opened(pilot, app)
        assert app.session is not None
        load = app.session.batch.load_small

        def counted(image_id: str, side_px: int) -> Any:
            loaded.append(image_id)
            return load(image_id, side_px)

        app.session.batch.load_small = counted  # type: ignore[method-assign]
        app.workspace.action_thumbnails()
        await until(pilot, lambda: isinstance(app.screen, GalleryScreen) and drawn(app.screen) == 1)
        assert loaded == ["img_001"]
        await pilot.press("pagedown")
        await until(pilot, lambda: "2 of 4" in shown(app) and len(loaded) == 2)
        await pilot.click(Tile)
        await until(pilot, lambda: app.workspace.board.current == "img_002")

    play(app, flow, (40, 12))
