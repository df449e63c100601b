"""Shows a model coloured patches and a box at a known place: who cannot see, or sees askew, is named."""

from __future__ import annotations

import re
from enum import StrEnum, auto
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw
from smolagents.models import ChatMessage, MessageRole

from agent.models.pictures import Picture
from tools.evaluation.metrics import box_iou
from tools.records import BoxXyxyPx, Record

if TYPE_CHECKING:
    from agent.models.base import VisionModel

__all__ = ["BOX_REQUEST", "COLOURS", "COLOUR_REQUEST", "SelfTest", "Sight", "vision_self_test"]

COLOURS = {"red": (215, 25, 28), "green": (26, 150, 65), "blue": (44, 80, 200), "yellow": (250, 220, 40)}
COLOUR_REQUEST = "Which colour is this picture: red, green, blue or yellow? Answer with one word."
BOX_REQUEST = 'Where is the black rectangle? Answer with JSON only: {"bbox_2d": [x1, y1, x2, y2]}'

_PATCH_SIZE_PX = (112, 112)
_CANVAS_SIZE_PX = (448, 336)
_BOX_PARTS = (0.5625, 0.25, 0.875, 0.5833)  # off the centre and wide, so that swapped axes show
_GOOD_IOU = 0.5
_MAX_TOKENS = 64
_LOGPROB_DIGITS = 4
_BOX = re.compile(r"\[?\s*(-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?){3})\s*\]?")


class Sight(StrEnum):
    """What the test says of a backend."""

    PASSED = auto()
    BLIND = auto()
    WEAK = auto()
    SHIFTED = auto()


_MEANING = {
    Sight.PASSED: "It sees: {right} of {shown} colours right, and its box overlaps by {overlap:.2f}.",
    Sight.BLIND: "It is blind: its answers are the same whatever picture it is shown.",
    Sight.WEAK: "It sees little: {right} of {shown} colours right, a box that overlaps by {overlap:.2f}.",
    Sight.SHIFTED: "Its boxes are off: {right} of {shown} colours right, but a box {overlap:.2f} right.",
}


class SelfTest(Record):
    """What a model saw.

    Attributes:
        sight: `blind` where the answers do not depend on the picture, `weak` where colours come back wrong,
            `shifted` where the box does not lie where it was drawn, else `passed`.
        colours_right: Patches that were named rightly, of `colours_shown`.
        drawn_xyxy_px: Where the rectangle was.
        answered_xyxy_px: Where the model says it was, in pixels of the picture; None where it gave no box.
        box_iou: Overlap of the two.
        detail: The result in a sentence.
    """

    sight: Sight
    colours_right: int
    colours_shown: int
    drawn_xyxy_px: BoxXyxyPx
    answered_xyxy_px: BoxXyxyPx | None
    box_iou: float
    detail: str


def vision_self_test(model: VisionModel) -> SelfTest:
    """Asks for four colours and one box.

    Raises:
        TurnCancelled: The user stopped it.
        ModelError: The model cannot answer at all.
    """
    answers = {name: _ask(model, _patch(model, rgb), COLOUR_REQUEST) for name, rgb in COLOURS.items()}
    right = sum(_named(text) == {name} for name, (text, _) in answers.items())
    picture, drawn = _canvas(model)
    numbers = _numbers(_ask(model, picture, BOX_REQUEST)[0])
    answered = model.to_picture_xyxy_px(numbers, picture.size_px) if numbers else None
    overlap = float(box_iou([drawn], [answered])[0, 0]) if answered else 0.0
    if len(set(answers.values())) == 1:
        sight = Sight.BLIND
    elif right < len(COLOURS) - 1:
        sight = Sight.WEAK
    else:
        sight = Sight.PASSED if overlap >= _GOOD_IOU else Sight.SHIFTED
    return SelfTest(
        sight=sight,
        colours_right=right,
        colours_shown=len(COLOURS),
        drawn_xyxy_px=drawn,
        answered_xyxy_px=answered,
        box_iou=overlap,
        detail=_MEANING[sight].format(right=right, shown=len(COLOURS), overlap=overlap),
    )


def _ask(model: VisionModel, picture: Picture, request: str) -> tuple[str, float | None]:
    """The answer and how sure the model was of it: of a blind model, both are the same for any picture."""
    content = [{"type": "image", "image": picture}, {"type": "text", "text": request}]
    answer = model.generate([ChatMessage(MessageRole.USER, content)], max_tokens=_MAX_TOKENS)
    sureness = answer.raw["mean_logprob"]
    return str(answer.content), None if sureness is None else round(sureness, _LOGPROB_DIGITS)


def _patch(model: VisionModel, rgb: tuple[int, int, int]) -> Picture:
    return Picture("patch", model.fitted(Image.new("RGB", _PATCH_SIZE_PX, rgb)))


def _canvas(model: VisionModel) -> tuple[Picture, BoxXyxyPx]:
    """A grey picture of the size that the model sees unchanged, and the black box on it."""
    canvas = model.fitted(Image.new("RGB", _CANVAS_SIZE_PX, (235, 235, 235))).copy()
    width, height = canvas.size
    x_min, y_min, x_max, y_max = (
        round(part * side) for part, side in zip(_BOX_PARTS, (width, height) * 2, strict=True)
    )
    ImageDraw.Draw(canvas).rectangle((x_min, y_min, x_max - 1, y_max - 1), fill=(0, 0, 0))
    return Picture("canvas", canvas), (x_min, y_min, x_max, y_max)


def _named(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower())) & COLOURS.keys()


def _numbers(text: str) -> list[float] | None:
    match = _BOX.search(text)
    return [float(number) for number in match[1].split(",")] if match else None
