"""Commands that begin with a slash, and what can be completed while one writes; no screen."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from tui.chat.paths import home_expanded

__all__ = ["COMMANDS", "Command", "Completion", "complete", "dropped_paths", "parse", "without_mentions"]

_MOST_OFFERED = 50
_DRIVE = re.compile(r"""(?:^|[\s"'])[A-Za-z]:\\""")  # a path as Windows writes it: no character is escaped


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: Without the slash.
        takes: What may follow, as it is shown.
        choices: Which values are offered: `ids`, `themes`, `models`, `recipes`, or the values themselves.
        tool: The inspection tool that it uses without the model; empty for commands of the app.
        is_worded: Whether the tool answers in a language.
    """

    name: str
    takes: str = ""
    choices: str | tuple[str, ...] = ()
    tool: str = ""
    is_worded: bool = False

    @property
    def usage(self) -> str:
        """The command as one types it."""
        return f"/{self.name} {self.takes}".strip()


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("inspect", "[IDS]", "ids", "inspect"),
        Command("screen", "[IDS]", "ids", "screen"),
        Command("locate", "[IDS]", "ids", "locate"),
        Command("measure", "[IDS]", "ids", "measure"),
        Command("describe", "[IDS]", "ids", "describe", is_worded=True),
        Command("findings", "[IDS]", "ids", "findings"),
        Command("good", "IDS", "ids", "keep_good"),
        Command("look", "ID", "ids"),
        Command("thumbnails"),
        Command("review"),
        Command("report", "[LOT]"),
        Command("undo"),
        Command("open", "[FOLDER]"),
        Command("add", "[FOLDER]"),
        Command("sessions"),
        Command("model", "[NAME]", "models"),
        Command("recipe", "[NAME]", "recipes"),
        Command("confirm", "[on|off]", ("on", "off")),
        Command("export", "[FILE]"),
        Command("copy", "[all]", ("all",)),
        Command("theme", "[NAME]", "themes"),
        Command("language", "en|ko", ("en", "ko")),
        Command("help"),
        Command("quit"),
    )
}


@dataclass(frozen=True)
class Completion:
    """A text that may stand in place of the word that is being written.

    Attributes:
        text: Replaces the last `replaces` characters before the cursor.
        replaces: Characters.
        key: Of the words that explain it; empty for none.
        is_other: Whether the word is whole as it stands, and this something else.
    """

    text: str
    replaces: int
    key: str = ""
    is_other: bool = False


def parse(text: str) -> tuple[str, list[str]] | None:
    """Returns the name and the arguments of a command; None for what is no command."""
    stripped = text.strip()
    if not stripped.startswith("/") or "\n" in stripped:
        return None
    name, *arguments = _words_of(stripped[1:]) or [""]
    return name.lower(), [argument.removeprefix("@").strip(",") for argument in arguments]


def _words_of(text: str) -> list[str]:
    """Splits as a shell does, so that names with spaces can be quoted; an apostrophe alone is a letter."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    if _DRIVE.search(text):
        lexer.escape = ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def dropped_paths(text: str) -> list[str]:
    """Returns the files and folders that a pasted text names, as a terminal writes what is dropped on it.

    Empty where it names anything else: then it is a text like any other.
    """
    words = [unquote(word.removeprefix("file://")) for word in _words_of(text)]
    paths = [word for word in words if word.startswith(("/", "~")) or word[1:3] in (":\\", ":/")]
    # lexists says no to what cannot be examined: a name that is too long, a folder that may not be read.
    is_all = 0 < len(words) == len(paths) and all(os.path.lexists(home_expanded(path)) for path in paths)
    return paths if is_all else []


def without_mentions(text: str) -> str:
    """Returns a request with `@img_004` as `img_004`, which is how the model knows the image."""
    return re.sub(r"@(?=[a-z]+_\d)", "", text)


def complete(before: str, values: dict[str, Sequence[str]]) -> list[Completion]:
    """Returns what the word before the cursor may become.

    Args:
        before: The text up to the cursor.
        values: What is offered per kind of argument: `ids`, `themes`, `models`, `recipes`.
    """
    word = re.split(r"\s", before)[-1]
    if before.startswith("/") and word == before:
        names = [name for name in COMMANDS if name.startswith(word[1:].lower())]
        return [Completion(f"/{name}", len(word), f"slash.{name}") for name in names]
    if word.startswith("@"):
        return _offered(word[1:], values.get("ids", ()), len(word), "@")
    found = parse(before)
    if found is None:
        return []
    command, has_more = COMMANDS.get(found[0]), len(found[1]) > 0
    if command is None or (not word and has_more):
        return []
    choices = command.choices
    known = values.get(choices, ()) if isinstance(choices, str) else choices
    return _offered(word, known, len(word), "")


def _offered(word: str, known: Sequence[str], replaces: int, prefix: str) -> list[Completion]:
    """Values that begin with the word, then those that hold it: `4` finds img_004."""
    folded, is_whole = word.lower(), word in known
    ranked = sorted(
        (each for each in known if folded in each.lower() and each != word),
        key=lambda each: not each.lower().startswith(folded),
    )
    return [Completion(f"{prefix}{each}", replaces, is_other=is_whole) for each in ranked[:_MOST_OFFERED]]
