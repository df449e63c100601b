"""How well a checkpoint sees: questions about pictures of known content, and what it answers."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.sight import Gallery
from agent.models.messages import Turn
from tools.evaluation.metrics import box_iou

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from tools.forge.training_set import Photo
    from tools.records import BoxXyxyPx

__all__ = ["is_right", "report"]

_KINDS = ("colour", "type", "box")
_MOST_TOKENS = 48
_LEAST_IOU = 0.5  # of a box that counts as found
_MOST_MISTAKES = 6  # that are told


def report(folder: Path, photos: Sequence[Photo], count: int, seed: int) -> Iterator[str]:
    """Yields the lines of a report: how many answers of each kind are right, and which types it mixes up.

    Args:
        folder: Of the checkpoint.
        photos: Synthesised photographs that it was not trained on.
        count: Questions of each kind.
        seed: Of the questions.
    """
    from agent.models.vlm import LocalModel
    from tools.checkpoints import Checkpoint

    model = LocalModel(Checkpoint("agent", str(folder), folder), max_tokens=_MOST_TOKENS)
    gallery = Gallery(photos, random.Random(seed))
    try:
        for kind in _KINDS:
            answers = [_answered(model, gallery.task(kind)) for _ in range(count)]
            yield f"{kind:8} {sum(is_right(said, true) for said, true in answers)} of {count} right"
            mistakes = Counter(f"{said!r} for {true}" for said, true in answers if said != true)
            if kind == "type" and mistakes:
                yield "         " + ", ".join(
                    f"{n} {pair}" for pair, n in mistakes.most_common(_MOST_MISTAKES)
                )
    finally:
        model.close()


def _answered(model: VisionModel, task: Sequence[Turn]) -> tuple[str, str]:
    """What the model says, and what it should say."""
    from smolagents.models import ChatMessage, MessageRole

    question, answer = task
    picture, request = question.parts
    content = [{"type": "image", "image": picture}, {"type": "text", "text": request}]
    said = model.generate([ChatMessage(MessageRole.USER, content)], max_tokens=_MOST_TOKENS)
    return str(said.content).strip(), str(answer.parts[0])


def is_right(said: str, true: str) -> bool:
    """Whether an answer is the true one: the same word, or a box that overlaps the true one by half."""
    drawn, found = _box(true), _box(said)
    if drawn is None:
        return said.casefold() == true
    return found is not None and float(box_iou([drawn], [found])[0, 0]) >= _LEAST_IOU


def _box(text: str) -> BoxXyxyPx | None:
    numbers = [float(number) for number in re.findall(r"(?<![a-z_\d])\d+", text)]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if len(numbers) == 4 else None
