from __future__ import annotations

import json

import numpy as np
import pytest

from agent.models.base import Question, Reply, VisionModel
from agent.models.families import QWEN2_5_VL, QWEN3_VL, Family
from agent.models.messages import pictures_of
from agent.models.scripted import ScriptedModel
from agent.models.selftest import COLOURS, Sight, vision_self_test
from tests.agent.models.saying import box_as_written
from tools.records import Provenance


class Seeing(VisionModel):
    """Looks at the pixels themselves, and speaks in its family's coordinates, moved by `shift_px`."""

    def __init__(self, family: Family, shift_px: int = 0) -> None:
        super().__init__("seeing", Provenance(tool="agent"), family, 4096)
        self._shift_px = shift_px

    def _reply(self, question: Question) -> Reply:
        (picture,) = pictures_of(question.turns)
        pixels = np.asarray(picture.image, float)
        rows, columns = np.nonzero(pixels.sum(axis=2) < 60)
        if not len(rows):
            distances = {name: np.abs(pixels[0, 0] - rgb).sum() for name, rgb in COLOURS.items()}
            return Reply(f"It is {min(distances, key=lambda name: distances[name])}.", 1, 1)
        shift = self._shift_px
        box = (columns.min() + shift, rows.min(), columns.max() + 1 + shift, rows.max() + 1)
        written = box_as_written(self.family, box, picture.size_px)
        return Reply(json.dumps({"bbox_2d": written}), 1, 1)


@pytest.mark.parametrize("family", [QWEN2_5_VL, QWEN3_VL])
def test_a_model_that_sees_passes(family: Family) -> None:
    result = vision_self_test(Seeing(family))
    assert (result.sight, result.colours_right) == (Sight.PASSED, 4)
    assert result.box_iou > 0.95


def test_a_shifted_model_is_named() -> None:
    result = vision_self_test(Seeing(QWEN2_5_VL, shift_px=120))
    assert result.sight is Sight.SHIFTED
    assert 0 < result.box_iou < 0.5


def test_thousandths_taken_for_pixels_are_a_shift() -> None:
    class Mistaken(Seeing):
        def _reply(self, question: Question) -> Reply:
            self.family = QWEN3_VL
            reply = super()._reply(question)
            self.family = QWEN2_5_VL
            return reply

    assert vision_self_test(Mistaken(QWEN2_5_VL)).sight is Sight.SHIFTED


def test_a_blind_model_is_named() -> None:
    result = vision_self_test(ScriptedModel(["red"] * 4 + ["[252, 84, 392, 196]"]))
    assert (result.sight, result.colours_right) == (Sight.BLIND, 1)


def test_a_model_that_guesses_is_weak() -> None:
    result = vision_self_test(ScriptedModel(["blue", "red", "or blue or red", "yellow", "no idea"]))
    assert (result.sight, result.colours_right, result.answered_xyxy_px) == (Sight.WEAK, 1, None)
