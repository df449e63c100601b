from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from textual.pilot import Pilot

from tests.tui.chat.staging import finding, inspection, play, press, settled, told
from tools.errors import ImageError, UsageError
from tools.records import Language
from tui.chat import darkroom
from tui.chat.lens import Lens
from tui.chat.picture import PicturePanel

PHOTO = Image.new("RGB", (200, 100), (90, 90, 90))
TWO = inspection(finding(1, (20, 20, 60, 40)), finding(2, (150, 60, 170, 80), "dent", 7.5))


async def show(pilot: Pilot[None], panel: PicturePanel, known: object = TWO) -> Lens:
    panel.show("img_001", known, PHOTO)  # type: ignore[arg-type]
    canvas = panel.query_one(Lens)
    canvas.focus()
    await settled(pilot)
    return canvas


def test_an_empty_panel_says_what_to_do() -> None:
    async def steps(pilot: Pilot[None]) -> None:
        assert "Choose an image" in told(pilot)

    play(PicturePanel(), steps)


@pytest.mark.parametrize("size", [(24, 20), (60, 40), (80, 24), (120, 40)])
def test_picture_and_words_are_there_at_every_size(size: tuple[int, int]) -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel)
        text = told(pilot)
        assert "✗ REJECT  img_001" in text
        assert "▸2" in text
        assert "▀▀▀▀" in text
        assert "finding 2 of 2" in text

    play(panel, steps, size)


def test_the_words_are_set_anew_where_only_their_own_room_changes() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        panel.query_one(".details").styles.width = 20
        await settled(pilot)
        await show(pilot, panel)
        assert "Scratch is 3.20 mm long; the limit" not in told(pilot)
        panel.query_one(".details").styles.width = "1fr"
        await settled(pilot)
        await settled(pilot)
        assert "Scratch is 3.20 mm long; the limit" in told(pilot)

    play(panel, steps, (120, 40))


def test_zoom_goes_to_the_finding_and_back() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        canvas = await show(pilot, panel)
        await press(pilot, "z")
        assert canvas.frame
        x_min, _, x_max, _ = canvas.frame.drawing.region_xyxy_px
        assert x_min <= 150
        assert x_max >= 170
        assert x_max - x_min < 100
        assert "zoom ×" in told(pilot)
        await press(pilot, "left_square_bracket")
        assert canvas.frame
        assert canvas.frame.drawing.region_xyxy_px[0] <= 20
        assert "finding 1 of 2" in told(pilot)
        await press(pilot, "z")
        assert canvas.frame
        assert canvas.frame.drawing.region_xyxy_px == (0, 0, 200, 100)

    play(panel, steps)


def test_marks_and_heat_are_switched_and_named() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        canvas = await show(pilot, panel)
        await press(pilot, "b")
        assert "marks off" in told(pilot)
        assert canvas.frame
        assert canvas.frame.drawing.tags == ()
        await press(pilot, "h")
        assert "heat map · marks off" in told(pilot)
        await press(pilot, "b", "h")
        assert "marks off" not in told(pilot)
        assert "heat map" not in told(pilot)

    play(panel, steps)


def test_without_a_heat_map_a_notice_says_so() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel, TWO.model_copy(update={"screening": None}))
        await press(pilot, "h")
        assert not panel.view.has_heat
        assert [notice.severity for notice in pilot.app._notifications] == ["warning"]

    play(panel, steps)


def test_the_view_is_kept_when_the_same_image_is_known_better_and_left_at_the_next() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel)
        await press(pilot, "z", "b")
        zoom = panel.view.zoom
        assert zoom > 1
        panel.show("img_001", TWO, PHOTO)
        assert panel.view.zoom == zoom
        panel.show("img_002", None, PHOTO)
        assert panel.view.zoom == 1
        assert panel.view.chosen is None
        assert not panel.view.has_marks

    play(panel, steps)


def test_the_newest_image_wins() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        for number in range(1, 9):
            panel.show(f"img_00{number}", None, Image.new("RGB", (200, 100), (number * 20, 0, 0)))
        await settled(pilot)
        canvas = panel.query_one(Lens)
        assert canvas.frame
        assert canvas.frame.drawing.image.getpixel((0, 0)) == (160, 0, 0)
        assert "img_008" in told(pilot)

    play(panel, steps)


def test_an_image_that_cannot_be_read_is_told_in_its_place() -> None:
    panel = PicturePanel()

    def cut_off() -> Image.Image:
        raise ImageError("the file is cut off")

    async def steps(pilot: Pilot[None]) -> None:
        panel.show("img_001", None, cut_off)
        await settled(pilot)
        assert "the file is cut off" in told(pilot)
        panel.show("img_002", None, None)
        await settled(pilot)
        assert "cannot be shown" in told(pilot)

    play(panel, steps)


def test_the_wheel_zooms_and_a_click_chooses() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        canvas = await show(pilot, panel)
        assert canvas.frame
        scale = canvas.frame.drawing.scale
        left = (canvas.size.width - canvas.frame.drawing.image.width) // 2
        top = (canvas.size.height - canvas.frame.drawing.image.height // 2) // 2
        await pilot.click(canvas, offset=(left + int(40 * scale), top + int(30 * scale / 2)))
        await settled(pilot)
        assert panel.view.chosen == 0
        await pilot._post_mouse_events([_wheel()], canvas, offset=(left + 5, top + 5))
        await settled(pilot)
        assert panel.view.zoom > 1

    play(panel, steps)


def _wheel() -> type:
    from textual.events import MouseScrollUp

    return MouseScrollUp


def test_it_speaks_korean_from_one_moment_to_the_next() -> None:
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel)
        panel.language = Language.KO
        await settled(pilot)
        assert "불합격" in told(pilot)
        assert "결함 2/2" in told(pilot)

    play(panel, steps)


def test_the_picture_is_opened_in_full_size_with_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Image.Image] = []
    monkeypatch.setattr(darkroom, "open_file", lambda path: opened.append(Image.open(path).copy()))
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel)
        await press(pilot, "o")

    play(panel, steps)
    (image,) = opened
    assert image.size == (200, 100)
    assert len(image.getcolors() or []) > 1


def test_where_nothing_opens_files_a_notice_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise UsageError("no program to open files was found", f"the file is {path}")

    monkeypatch.setattr(darkroom, "open_file", refuse)
    panel = PicturePanel()

    async def steps(pilot: Pilot[None]) -> None:
        await show(pilot, panel)
        await press(pilot, "o")
        (notice,) = pilot.app._notifications
        assert "img_001.png" in notice.message

    play(panel, steps)
