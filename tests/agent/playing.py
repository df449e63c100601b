"""The example playbook, played over four photographs by any model."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from PIL import Image

from agent.playbooks import ConversationResult, load_playbook, play
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines
from tools.recipe.file import load_recipe
from tools.records import ScreeningStatus

if TYPE_CHECKING:
    from agent.events import Event
    from agent.models.base import VisionModel

__all__ = ["WORST", "answers", "endings", "photographs", "played"]

_EXAMPLES = Path(__file__).parents[2] / "examples"
_SIZE_PX = (280, 196)  # multiples of 28: what is sent is what was photographed
WORST = "img_002"


def answers() -> Mapping[str, Sequence[str]]:
    """The written answers to each request."""
    content = (_EXAMPLES / "playbooks" / "shift-start.answers.yaml").read_text("utf-8")
    written: Mapping[str, Sequence[str]] = yaml.safe_load(content)
    return written


def endings() -> dict[str, str]:
    """The answers by the last text before each, a remark in them being the model's own choice.

    Second steps come after a picture that was looked at.
    """
    found: dict[str, str] = {}
    for request, written in answers().items():
        for ending, answer in zip((request, "<|vision_end|>"), written, strict=False):
            found[ending] = answer.replace("<code>\n", "<code>\n#\n", 1).strip()
    return found


def photographs(folder: Path, *, changed: tuple[int, int] | None = None, inverted: bool = False) -> Path:
    """Writes four photographs of the sample batch, small; of the worst one pixel may be changed.

    Args:
        folder: Is made.
        changed: x and y of the pixel.
        inverted: Turns all colours round.
    """
    folder.mkdir()
    for number in range(1, 5):
        name = f"cover_{number:03d}"
        image = Image.open(_EXAMPLES / "batch" / f"{name}.jpg").convert("RGB").resize(_SIZE_PX)
        if inverted:
            image = image.point(lambda value: 255 - value)
        if changed and name.endswith(WORST[-3:]):
            red, green, blue = image.getpixel(changed)  # type: ignore[misc]
            image.putpixel(changed, ((red + 128) % 256, green, blue))
        image.save(folder / f"{name}.png")
    return folder


def played(
    model: VisionModel, photos: Path, out: Path, conversations: slice = slice(None)
) -> tuple[list[ConversationResult], list[Event]]:
    """Plays the example playbook, with engines that answer at once; returns what came of it."""
    playbook = load_playbook(_EXAMPLES / "playbooks" / "shift-start.yaml")
    playbook = playbook.model_copy(update={"conversations": playbook.conversations[conversations]})
    engines = FakeEngines(load_recipe(playbook.recipe), {WORST: ScreeningStatus.SUSPECT}, [WORST])
    events: list[Event] = []
    folders = iter(out / str(number) for number, _ in enumerate(playbook.conversations))
    results = play(
        playbook,
        lambda _: Session(
            [photos],
            playbook.recipe,
            model,
            out=next(folders),
            options=SessionOptions(self_test=False),
            engines=engines.as_engines,
        ),
        events.append,
        threading.Event(),
    )
    return list(results), events
