"""What the pocket vision-language model is trained on: which kind of sample comes next, and its making."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.forge.cases import Case, make_case
from agent.forge.drills import drill
from agent.forge.packs import Encoder, Pack, Piece, packed
from agent.forge.player import Player
from agent.forge.sight import Gallery
from agent.forge.simulated import SimulatedSteps
from agent.forge.trajectories import (
    Example,
    Past,
    Stage,
    begun,
    drawn_intent,
    drawn_past,
    make_example,
)
from tools.forge.schedule import Progress
from tools.records import Language

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration

__all__ = ["KINDS", "Teacher", "kinds_of_samples"]

KINDS = ("drill", "sight", "bare", "words")
"""Exercises in copying, questions about pictures, requests alone, and conversations about a batch."""

_CONVERSATIONS = 64  # about one batch, per sample; a third more of them in an hour than with 32
_BARE, _BARE_CASES = 96, 6  # requests alone, per sample, and how many batches they are about
_TASKS = 16  # with pixels, per sample
_SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 30, 45, 90)
_SIZE_ODDS = (6, 8, 12, 12, 12, 12, 12, 10, 8, 4, 4, 2, 2, 1)
_SHEET_RATE = 0.7
_LEDGER_RATE, _EYES_RATE = 0.8, 0.95
_LONGEST = 5000  # tokens of a sample
_DRILLED_UNTIL = 0.03  # of the budget, a fresh model only copies,
_DRILL_RATE = 0.1  # and this share of its samples then,
_BARE_RATE = 0.85  # while this share of what is said is without prompt and batch,
_YOUNG_UNTIL = 0.5  # until this share of the budget;
_LATER_BARE_RATE = 0.4  # then this one


def kinds_of_samples(rng: random.Random, sight_rate: float, young: Progress | None) -> Iterator[str]:
    """Yields for ever what the next sample is about.

    Args:
        rng: Draws.
        sight_rate: Share that is about pictures.
        young: How far a model is that began with random weights; None for one that has learned before.
    """
    while True:
        spent = young.fraction if young else 1.0
        is_young = spent < _YOUNG_UNTIL
        if spent < _DRILLED_UNTIL or (is_young and rng.random() < _DRILL_RATE):
            yield "drill"
        elif rng.random() < sight_rate:
            yield "sight"
        else:
            yield "bare" if rng.random() < (_BARE_RATE if is_young else _LATER_BARE_RATE) else "words"


class Teacher:
    """Makes samples.

    Args:
        model: Knows the positions.
        encoder: Makes tokens.
        gallery: Has the pictures.
        rng: Draws.
    """

    def __init__(
        self,
        model: Qwen2_5_VLForConditionalGeneration,
        encoder: Encoder,
        gallery: Gallery,
        rng: random.Random,
    ) -> None:
        self._model, self._encoder, self._gallery, self._rng = model, encoder, gallery, rng

    def sample(self, kind: str) -> Pack:
        """Returns a sample of a kind: `drill`, `sight`, `bare` or `words`."""
        return {"drill": self._drills, "sight": self._sight, "bare": self._bare, "words": self._words}[kind]()

    def _drills(self) -> Pack:
        """Exercises in copying, without prompt and batch."""
        rng, encoder = self._rng, self._encoder
        case = self._case()
        asked = (drill(rng, case.records, case.recipe, rng.choice([*Language])) for _ in range(_BARE))
        return packed(self._model, encoder, encoder.opening(), [encoder.branch(each, 1) for each in asked])

    def _sight(self) -> Pack:
        """Questions about pictures."""
        tasks = [self._encoder.asked(self._gallery.task()) for _ in range(_TASKS)]
        return packed(self._model, self._encoder, Piece([], [], []), tasks)

    def _bare(self) -> Pack:
        """Requests of all kinds in both languages, each with its first program and nothing else.

        Among fifty tokens a model finds out far sooner than among a thousand what is asked, and that ids and
        lots are to be copied. What it has learned so it soon does behind a prompt too.
        """
        encoder = self._encoder
        branches: list[Piece] = []
        for _ in range(_BARE_CASES):
            stage, past = self._stage(), Past(self._rng.choice([*Language]))
            before = begun(stage, past)
            for _ in range(_BARE // _BARE_CASES):
                example = self._example(stage, past, before)
                first = example.messages[: example.first_written + 1]
                branches.append(encoder.branch(first, example.first_written))
        return packed(self._model, encoder, encoder.opening(), branches)

    def _words(self) -> Pack:
        """Conversations about one batch with one past, as many as fit."""
        encoder, stage = self._encoder, self._stage()
        past = drawn_past(self._rng, self._rng.choice([*Language]))
        before = begun(stage, past)
        prefix, length = Piece([], [], []), 0
        branches: list[Piece] = []
        for _ in range(_CONVERSATIONS):
            example = self._example(stage, past, before)
            prefix = prefix if branches else encoder.prefix(example.messages, example.first_written)
            branch = encoder.branch(example.messages, example.first_written)
            if branches and len(prefix.ids) + length + len(branch.ids) > _LONGEST:
                break
            branches.append(branch)
            length += len(branch.ids)
        return packed(self._model, encoder, prefix, branches)

    def _example(self, stage: Stage, past: Past, before: Player) -> Example:
        intent = drawn_intent(self._rng, past)
        return make_example(self._rng, stage, past, intent=intent, before=before)

    def _stage(self) -> Stage:
        rng, case = self._rng, self._case()
        return Stage(
            SimulatedSteps(case),
            self._gallery.picture,
            self._gallery.sheet(case) if rng.random() < _SHEET_RATE else None,
            has_ledger=rng.random() < _LEDGER_RATE,
            has_eyes=rng.random() < _EYES_RATE,
        )

    def _case(self) -> Case:
        return make_case(self._rng, self._rng.choices(_SIZES, _SIZE_ODDS)[0])
