from __future__ import annotations

import io
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.chat.staging import finding, inspection, play, settled, told
from tui.chat import graphics
from tui.chat.graphics import graphics_widget
from tui.chat.lens import Lens
from tui.chat.picture import PicturePanel


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Shown(Widget):
    """Stands for textual-image's widget."""

    image: ClassVar[Image.Image | None] = None


def install(monkeypatch: pytest.MonkeyPatch, best: str) -> type[Widget]:
    renderables = SimpleNamespace(TGPImage="tgp", SixelImage="sixel", HalfcellImage="half")
    renderables.Image = best
    modules = {
        "textual_image.renderable": renderables,
        "textual_image.widget": SimpleNamespace(Image=Shown),
    }
    package = ModuleType("textual_image")
    package.__spec__ = ModuleSpec("textual_image", None)
    monkeypatch.setitem(sys.modules, "textual_image", package)
    monkeypatch.setattr(graphics, "import_module", modules.__getitem__)
    return Shown


@pytest.mark.parametrize(("best", "is_used"), [("tgp", True), ("sixel", True), ("half", False)])
def test_the_terminals_own_pictures_are_used_where_it_has_them(
    monkeypatch: pytest.MonkeyPatch, best: str, *, is_used: bool
) -> None:
    widget = install(monkeypatch, best)
    monkeypatch.setattr(sys, "__stdout__", Terminal())
    assert graphics_widget() is (widget if is_used else None)


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tgp")
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    assert graphics_widget() is None


def test_a_picture_of_the_terminal_keeps_its_proportions_in_the_middle() -> None:
    panel = PicturePanel(graphics=Shown)

    async def steps(pilot: Pilot[None]) -> None:
        panel.show(
            "img_001", inspection(finding(1, (20, 20, 60, 40))), Image.new("RGB", (200, 100), (90, 90, 90))
        )
        await settled(pilot)
        shown, lens = panel.query_one(Shown), panel.query_one(Lens)
        assert shown.image is not None
        assert shown.image.width == lens.size.width * 10
        assert shown.size.width == pytest.approx(4 * shown.size.height, abs=2)  # cells are half as wide
        assert shown.region.y - lens.region.y == pytest.approx(
            (lens.size.height - shown.size.height) / 2, abs=1
        )
        panel.show("img_002", None, None)
        await settled(pilot)
        assert not shown.display
        assert "cannot be shown" in told(pilot)

    play(panel, steps)
