"""A line of keys with what they do, in the interface's language; a click does the same as the key."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widgets import Static

__all__ = ["KeyHints"]

_NO_BREAK = "\u00a0"


class KeyHints(Static):
    """Shows keys that work here and now.

    Attributes:
        told: What is shown, as `tell` takes it.
    """

    DEFAULT_CSS = """
    KeyHints { height: auto; max-height: 2; padding: 0 1; link-style: none;
        link-color: $text-muted; link-background-hover: $boost; link-color-hover: $text; }
    """

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes, markup=False)
        self.told: Sequence[tuple[str, str, str]] = ()

    def tell(self, hints: Sequence[tuple[str, str, str]]) -> None:
        """Shows other hints.

        Args:
            hints: Name of each key as Textual calls it, as it is shown, and what it does.
        """
        self.told, parts = hints, []
        for key, shown, doing in hints:
            click = Style.from_meta({"@click": f"press({key!r})"})
            shown = shown.replace(" ", _NO_BREAK)
            parts.append(
                Content.assemble(
                    (shown, "bold $text-accent"), f"{_NO_BREAK}{doing.replace(' ', _NO_BREAK)}"
                ).stylize(click)
            )
        self.update(Content("  ").join(parts))

    def action_press(self, key: str) -> None:
        """Does what a key does."""
        self.app.simulate_key(key)
