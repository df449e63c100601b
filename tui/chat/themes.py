"""Colours of the app's own: one theme of high contrast, beside those that Textual brings."""

from __future__ import annotations

from textual.theme import Theme

__all__ = ["HIGH_CONTRAST", "SHORT_NAMES", "THEMES", "full_name"]

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    boost="#262626",
    success="#00ff66",
    warning="#ffcc00",
    error="#ff8080",
    dark=True,
    variables={
        "text-muted": "#e0e0e0",
        "border": "#ffffff",
        "footer-key-foreground": "#ffff00",
        "input-cursor-background": "#ffff00",
        "input-selection-background": "#ffff00 40%",
    },
)

# What `/theme` offers first: dark, light, high contrast, and the terminal's own sixteen colours.
THEMES = ("textual-dark", "textual-light", HIGH_CONTRAST.name, "ansi-dark", "ansi-light")

# As `loupe chat --theme` explains itself.
SHORT_NAMES = {
    "dark": "textual-dark",
    "light": "textual-light",
    "contrast": HIGH_CONTRAST.name,
    "ansi": "ansi-dark",
}


def full_name(theme: str) -> str:
    """Returns the name of the theme that a short name stands for; any other name as it is."""
    return SHORT_NAMES.get(theme, theme)
