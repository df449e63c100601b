"""The keys of the workspace in one table: the bottom line, the help and the palette all show it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EVERYWHERE", "KEYS", "Key", "hints_at"]

EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Key:
    """A key and what it does.

    Attributes:
        key: As Textual names it.
        shown: As people read it.
        word: Of the interface's words, below `key.`.
        is_hint: Whether the bottom line names it too; there is room for a few.
    """

    key: str
    shown: str
    word: str
    is_hint: bool = True


# By the place that has the focus; `everywhere` comes last in the bottom line.
KEYS: dict[str, tuple[Key, ...]] = {
    EVERYWHERE: (
        Key("f1", "F1", "help"),
        Key("f2", "F2", "focus_batch"),
        Key("f3", "F3", "focus_prompt"),
        Key("f4", "F4", "focus_picture"),
        Key("ctrl+o", "^O", "open"),
        Key("ctrl+s", "^S", "sessions", is_hint=False),
        Key("ctrl+p", "^P", "palette"),
        Key("escape", "Esc", "stop", is_hint=False),
        Key("ctrl+q", "^Q", "quit"),
    ),
    "prompt": (
        Key("enter", "Enter", "send"),
        Key("ctrl+j", "^J", "newline"),
        Key("alt+enter", "Alt+Enter", "newline", is_hint=False),
        Key("escape", "Esc", "stop"),
        Key("up", "↑ ↓", "history", is_hint=False),
        Key("tab", "Tab", "complete", is_hint=False),
    ),
    "batch": (
        Key("a", "a", "accept"),
        Key("r", "r", "reject"),
        Key("v", "v", "review"),
        Key("u", "u", "undo"),
        Key("space", "Space", "select"),
        Key("asterisk", "*", "select_all", is_hint=False),
        Key("f", "f", "filter"),
        Key("s", "s", "sort"),
        Key("t", "t", "thumbnails"),
        Key("m", "m", "mention"),
        Key("w", "w", "walk"),
    ),
    "picture": (
        Key("z", "z", "zoom"),
        Key("left_square_bracket", "[", "previous"),
        Key("right_square_bracket", "]", "next"),
        Key("b", "b", "marks"),
        Key("h", "h", "heat"),
        Key("o", "o", "viewer"),
        Key("plus", "+ -", "nearer", is_hint=False),
        Key("0", "0", "whole", is_hint=False),
        Key("up", "← ↑ ↓ →", "move", is_hint=False),
    ),
    "conversation": (
        Key("e", "e", "edit"),
        Key("c", "c", "copy"),
        Key("enter", "Enter", "fold"),
    ),
}


def hints_at(place: str) -> list[Key]:
    """Returns the keys that the bottom line names while a place has the focus, each once."""
    keys = {key.key: key for key in (*KEYS[place], *KEYS[EVERYWHERE]) if key.is_hint}
    return list(keys.values())
