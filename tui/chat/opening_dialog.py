"""The window that opens a folder of images: a path, recent batches, or a walk through the folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import DirectoryTree, Input, Label, Markdown, OptionList, Static
from textual.widgets.option_list import Option

from tui.chat.words import Words

__all__ = ["OpenDialog"]


class ImageTree(DirectoryTree):
    """Folders, and files that may be images; hidden ones are left out."""

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        """Returns what is worth showing."""
        from tools.images import SUFFIXES  # with numpy: the first paint does without

        shown = SUFFIXES | {".txt"}  # which may list images
        for path in paths:
            if not path.name.startswith(".") and (path.suffix.lower() in shown or path.is_dir()):
                yield path


class OpenDialog(ModalScreen[tuple[str, ...]]):
    """Asks for images; returns paths as `loupe inspect` takes them, none where it was closed.

    Args:
        title: What they are for.
        recent: Images of batches that were opened before, newest first.
        words: Of the interface.
        introduction: Markdown above it, for the first start; empty for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Close", show=False),
        Binding("o", "open_folder", "Open this folder", show=False),
    ]

    def __init__(
        self,
        title: str,
        recent: Sequence[tuple[str, ...]],
        words: Words,
        introduction: str = "",
    ) -> None:
        super().__init__()
        self._title_text, self._recent, self._words = title, recent, words
        self._introduction = introduction

    def compose(self) -> ComposeResult:
        """Shows the ways to images."""
        words = self._words
        with Vertical(classes="dialog tall"):
            yield Label(Content(self._title_text), classes="dialog-title")
            if self._introduction:
                yield Markdown(self._introduction, id="introduction")
            yield Input(placeholder=words("open.path"), compact=True, id="path")
            if self._recent:
                yield Label(words("open.recent"), classes="dialog-part")
                yield OptionList(*(Option(Content(_shown(each))) for each in self._recent), id="recent")
            yield Label(words("open.folders"), classes="dialog-part")
            yield ImageTree(Path.cwd(), id="tree")
            yield Static(Content(words("open.hint")), classes="dialog-hint")

    def on_mount(self) -> None:
        """Begins where something can be typed."""
        self.query_one("#path", Input).focus()

    def action_leave(self) -> None:
        """Closes without images."""
        self.dismiss(())

    def action_open_folder(self) -> None:
        """Opens the folder under the cursor of the tree."""
        node = self.query_one(ImageTree).cursor_node
        if node is not None and node.data is not None:
            self.dismiss((str(node.data.path),))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        if text := event.value.strip():
            self.dismiss((text,))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._recent[event.option_index])

    @on(DirectoryTree.FileSelected)
    def _file(self, event: DirectoryTree.FileSelected) -> None:
        self.dismiss((str(event.path),))


def _shown(images: Sequence[str]) -> str:
    home = str(Path.home())
    first = images[0].replace(home, "~", 1) if images[0].startswith(home) else images[0]
    return first if len(images) == 1 else f"{first} … {len(images)}"
