"""The one builder of prompts: smolagents' messages to turns of a conversation, for every backend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from smolagents.models import ChatMessage

from agent.models.pictures import Picture

__all__ = ["Part", "Turn", "as_chat", "conversation", "pictures_of", "text_of"]

Part = str | Picture
Role = Literal["system", "user", "assistant"]

_ROLES: dict[str, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool-call": "assistant",
    "tool-response": "user",
}


@dataclass(frozen=True)
class Turn:
    """What one side says: text and pictures in order, no two texts side by side."""

    role: Role
    parts: tuple[Part, ...]


_CONTROL_TOKEN = re.compile(r"<\|(\w+)\|>")


def conversation(messages: Iterable[ChatMessage]) -> list[Turn]:
    """Turns smolagents' messages into turns: roles mapped, neighbours merged, empty ones left out.

    Control tokens of chat templates that stand in a text, such as `<|im_start|>` in the name of a file, are
    broken up: nobody but the template begins a turn or places a picture.

    Raises:
        TypeError: Content that is neither text nor a `Picture`.
    """
    turns: list[tuple[Role, list[Part]]] = []
    for message in messages:
        role = _ROLES[str(getattr(message.role, "value", message.role))]
        parts = _parts(message.content)
        if not parts:
            continue
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        _append(turns[-1][1], parts)
    return [Turn(role, tuple(parts)) for role, parts in turns]


def _parts(content: str | list[dict[str, Any]] | None) -> list[Part]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    found: list[Part] = []
    for element in content or []:
        part = element.get("text") if element.get("type") == "text" else element.get("image")
        if not isinstance(part, str | Picture):
            raise TypeError(f"a message holds {type(part).__name__}, which is neither text nor a Picture")
        if part != "":
            found.append(_CONTROL_TOKEN.sub(r"<| \1 |>", part) if isinstance(part, str) else part)
    return found


def _append(parts: list[Part], more: Iterable[Part]) -> None:
    for part in more:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] = f"{parts[-1]}\n{part}"
        else:
            parts.append(part)


def as_chat(turns: Iterable[Turn], picture: Callable[[Picture], dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns as chat templates and servers take them.

    Args:
        turns: The conversation.
        picture: How the backend wants a picture written.
    """
    return [
        {
            "role": turn.role,
            "content": [
                {"type": "text", "text": part} if isinstance(part, str) else picture(part)
                for part in turn.parts
            ],
        }
        for turn in turns
    ]


def pictures_of(turns: Iterable[Turn]) -> list[Picture]:
    """All pictures in the order in which the model meets them."""
    return [part for turn in turns for part in turn.parts if isinstance(part, Picture)]


def text_of(turns: Sequence[Turn], role: Role) -> str:
    """All that one side said, without pictures."""
    return "\n".join(
        part for turn in turns if turn.role == role for part in turn.parts if isinstance(part, str)
    )
