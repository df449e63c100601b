"""What a prompt holds at each step of ten, with ten pictures: our memory beside smolagents' own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from smolagents import CodeAgent, Tool
from smolagents.models import ChatMessage, MessageRole, Model
from smolagents.monitoring import LogLevel

from agent.models.messages import pictures_of, text_of
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions

__all__ = ["lines"]

_STEPS = 10
_SIDE_PX = 640


class _StockLook(Tool):  # type: ignore[misc]
    """Stands for a tool that says something of an image."""

    name = "look"
    description = "Looks at an image of the batch."
    inputs = {"id": {"type": "string", "description": "image id"}}  # noqa: RUF012
    output_type = "string"

    def forward(self, id: str) -> str:  # noqa: A002
        return f"{id}: one scratch, 12.3 mm"


class _Recorder(Model):  # type: ignore[misc]
    """Writes one look per step, and notes what it was sent."""

    def __init__(self) -> None:
        super().__init__(flatten_messages_as_text=False, model_id="recorder")
        self.sent: list[tuple[int, int]] = []

    def generate(self, messages: list[ChatMessage], *_: Any, **__: Any) -> ChatMessage:
        parts = [part for message in messages for part in message.content]
        characters = sum(len(part["text"]) for part in parts if part["type"] == "text")
        self.sent.append((characters, sum(part["type"] == "image" for part in parts)))
        step = len(self.sent)
        code = f'print(look("img_{step:03d}"))' if step < _STEPS else 'final_answer("done")'
        return ChatMessage(MessageRole.ASSISTANT, f"<code>\n{code}\n</code>")


def _stock(images: list[Image.Image]) -> list[tuple[int, int]]:
    model = _Recorder()
    agent = CodeAgent([_StockLook()], model, verbosity_level=LogLevel.OFF, max_steps=_STEPS)
    agent.run("Look at each image.", images=images)
    return model.sent


def _ours(folder: Path) -> list[tuple[int, int]]:
    looks = [f'<code>\nprint(look("img_{step:03d}"))\n</code>' for step in range(1, _STEPS)]
    model = ScriptedModel([*looks, '<code>\nfinal_answer("done")\n</code>'])
    options = SessionOptions(max_steps=_STEPS)
    with Session([folder], model=model, out=folder.parent / "out", options=options) as session:
        for _ in session.ask("Look at each image."):
            pass
    roles = ("system", "user", "assistant")
    return [
        (sum(len(text_of(turns, role)) for role in roles), len(pictures_of(turns))) for turns in model.sent
    ]


def lines(folder: Path) -> Iterator[str]:
    """Yields text characters and pictures per step.

    Args:
        folder: For the images and the session.
    """
    parts = folder / "parts"
    parts.mkdir()
    images = []
    for number in range(_STEPS):
        images.append(Image.new("RGB", (_SIDE_PX, _SIDE_PX), (20 * number, 90, 120)))
        images[-1].save(parts / f"part_{number}.png")
    stock, ours = _stock(images), _ours(parts)
    yield f"{'step':>6} {'smolagents: text':>17} {'pics':>5} {'Loupe: text':>12} {'pics':>5}"
    for step, (theirs, mine) in enumerate(zip(stock, ours, strict=True), start=1):
        yield f"{step:>6} {theirs[0]:>17,} {theirs[1]:>5} {mine[0]:>12,} {mine[1]:>5}"
    totals = [sum(row[0] for row in rows) for rows in (stock, ours)]
    pictures = [sum(row[1] for row in rows) for rows in (stock, ours)]
    yield f"{'sum':>6} {totals[0]:>17,} {pictures[0]:>5} {totals[1]:>12,} {pictures[1]:>5}"
