"""The command palette: every command, every key of every panel, and the images of the batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SystemCommand
from textual.command import Hit, Hits, Provider
from textual.screen import Screen

from tui.chat.hints import KeyHints
from tui.chat.keys import EVERYWHERE, KEYS
from tui.chat.slash import COMMANDS
from tui.chat.words import WORDS, Words
from tui.chat.workspace import Workspace

if TYPE_CHECKING:
    from textual.app import App

__all__ = ["ImageProvider", "system_commands"]

_MOST = 30
_PANELS = ("batch", "picture", "conversation")  # whose keys make sense without anything being typed
_ELSEWHERE = frozenset({"Quit", "Keys", "Theme"})  # of Textual's own, what our commands do already


def system_commands(
    app: App[Any], screen: Screen[Any], words: Words, own: Iterable[SystemCommand]
) -> Iterator[SystemCommand]:
    """Yields what the palette offers on a screen.

    Args:
        app: Whose keys are pressed.
        screen: Over which the palette is opened.
        words: Of the interface.
        own: What Textual offers.
    """
    if isinstance(screen, Workspace):
        for name, command in COMMANDS.items():
            asked = partial(screen.post_message, Workspace.Asked(f"/{name}"))
            yield SystemCommand(_as_markup(command.usage), words(f"slash.{name}"), asked)
        for place in (*_PANELS, EVERYWHERE):
            for key in KEYS[place]:
                title = f"{words(f'palette.{place}')}: {words(f'key.{key.word}')}"
                yield SystemCommand(title, key.shown, partial(_press, screen, place, key.key))
    else:
        for hints in screen.query(KeyHints):
            for name, shown, doing in hints.told:
                yield SystemCommand(doing, shown, partial(app.simulate_key, name))
    for each in own:
        if each.title not in _ELSEWHERE:
            word = f"palette.{each.title.lower()}"
            title, told = (words(word), words(f"{word}.help")) if word in WORDS else (each.title, each.help)
            yield SystemCommand(title, told, each.callback)


def _press(workspace: Workspace, place: str, key: str) -> None:
    """Presses a key in a panel."""
    if place != EVERYWHERE:
        workspace.action_focus_panel(place)
    workspace.app.simulate_key(key)


def _as_markup(text: str) -> str:
    """Markup that shows a text; Textual's own `escape` leaves brackets before capitals."""
    return text.replace("[", "\\[")


class ImageProvider(Provider):
    """Finds images of the batch: a few letters of a name or an id go to the image."""

    async def search(self, query: str) -> Hits:
        """Yields the images whose id or file name fits."""
        workspace = self.screen
        if not isinstance(workspace, Workspace) or workspace.session is None:
            return
        matcher, found = self.matcher(query), 0
        for record in workspace.session.batch.records:
            name = f"{record.id} {record.name}"
            if (score := matcher.match(name)) > 0:
                show = partial(workspace.action_show_image, record.id)
                yield Hit(score, matcher.highlight(_as_markup(name)), show)
                found += 1
            if found == _MOST:
                return
