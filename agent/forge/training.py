"""Trains the pocket vision-language model: on conversations about made-up batches, and on known pictures."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.cases import make_case
from agent.forge.checkpoint import Size, make_model, make_processor, read, save
from agent.forge.drills import drill
from agent.forge.emphasis import Emphasis
from agent.forge.language import Request
from agent.forge.packs import Encoder, Pack, Piece, hidden_states, packed
from agent.forge.sight import Gallery
from agent.forge.simulated import SimulatedSteps
from agent.forge.trajectories import MOST_TURNS, Stage, begun, drawn_intent, drawn_past, make_example
from tools.forge.schedule import Averaged, Budget, Progress, optimizers_of, set_rate
from tools.records import Language

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from tools.forge.training_set import Photo

__all__ = ["Options", "train"]

_CONVERSATIONS = 64  # per sample; a third more of them in an hour than with 32
_TASKS = 8  # with pixels, per sample
_SIZES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 30, 45)
_SIZE_ODDS = (3, 4, 6, 6, 6, 6, 6, 5, 4, 2, 2, 1, 1)
_SHEET_RATE = 0.3
_LEDGER_RATE, _EYES_RATE = 0.8, 0.95
_LONGEST = 5000  # tokens of a sample
_DRILLED_UNTIL = 0.06  # of the budget, a fresh model only copies,
_DRILL_RATE = 0.1  # and this share of its samples then,
_BARE_RATE = 0.5  # while this share of conversations is without prompt and batch,
_YOUNG_UNTIL = 0.6  # until this share of the budget;
_LATER_BARE_RATE = 0.25  # then this one
_LEVEL_UNTIL = 0.3  # of the budget; then the learning rate falls


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        start: Checkpoint to begin with; random weights of that size when None.
        new_eyes: Whether the vision tower begins with random weights all the same.
        sight_rate: Share of samples that are questions about pictures.
    """

    rate: float = 3e-3
    sight_rate: float = 0.15
    seed: int = 0
    start: Path | None = None
    new_eyes: bool = False
    size: Size = field(default_factory=Size)


def train(photos: Sequence[Photo], out: Path, budget: Budget, options: Options) -> None:
    """Trains until the budget is spent, and saves averaged weights now and then.

    Args:
        photos: Synthesised photographs, for all that is seen.
        out: Folder of the checkpoint.
        budget: Time and steps.
        options: The rest.
    """
    import torch

    torch.manual_seed(options.seed)
    if options.start is None:
        processor = make_processor()
        model = make_model(processor, options.size)
    else:
        model, processor = read(options.start)
    if options.new_eyes:
        fresh = make_model(processor, options.size)
        model.model.visual.load_state_dict(fresh.model.visual.state_dict())
    rng = random.Random(options.seed)
    progress = Progress(budget, level_until=_LEVEL_UNTIL)
    young = progress if options.start is None or budget.spent else None
    emphasis = Emphasis()
    samples = _samples(model, Encoder(processor, rng), Gallery(photos, rng), rng, options, young, emphasis)
    optimizers = optimizers_of(model, options.rate, weight_decay=0.02)
    averaged = Averaged(model, decay=0.995)
    means = {"words": 6.0, "sight": 6.0, "drill": 6.0}
    tokens = 0
    model.train()
    for step in progress:
        sample = next(samples)
        set_rate(optimizers, options.rate * progress.rate)
        losses = _losses(model, sample.pack)
        loss = losses.mean()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        averaged.update(model, step)
        if sample.requests:
            emphasis.note(zip(sample.requests, _failures(sample.pack, losses), strict=True))
        means[sample.kind] = 0.97 * means[sample.kind] + 0.03 * loss.item()
        tokens += sum(sample.pack.lengths)
        progress.say(**means, tokens=tokens)
        if progress.is_time_to_save():
            save(averaged.model, processor, out)
    save(averaged.model, processor, out)
    sys.stderr.write(f"{progress.step} steps, {tokens} tokens; fail most: {emphasis.hardest()}\n")


@dataclass(frozen=True)
class _Sample:
    """What is trained on in one step.

    Attributes:
        kind: Of `words`, `sight` and `drill`.
        requests: Of each conversation; none where it is about pictures or copying.
    """

    kind: str
    pack: Pack
    requests: tuple[Request, ...] = ()


def _losses(model: Qwen2_5_VLForConditionalGeneration, pack: Pack) -> torch.Tensor:
    """Returns the loss of each target."""
    import torch
    from torch.nn import functional

    with torch.autocast("cpu", torch.bfloat16):
        logits = model.lm_head(hidden_states(model, pack))
    return functional.cross_entropy(logits.float(), pack.targets, reduction="none")


def _failures(pack: Pack, losses: torch.Tensor) -> list[float]:
    """Returns the chance, per conversation, that not all of it is written as it should be."""
    sums = losses.new_zeros(len(pack.lengths) - 1).index_add(0, pack.owners, losses.detach())
    failures: list[float] = (1 - (-sums).exp()).tolist()
    return failures


def _samples(
    model: Qwen2_5_VLForConditionalGeneration,
    encoder: Encoder,
    gallery: Gallery,
    rng: random.Random,
    options: Options,
    young: Progress | None,
    emphasis: Emphasis,
) -> Iterator[_Sample]:
    """Yields samples for ever.

    Args:
        model: Knows the positions.
        encoder: Makes tokens.
        gallery: Has the pictures.
        rng: Draws.
        options: What to draw how often.
        young: How far a model is that began with random weights; None for one that has learned before.
        emphasis: What to ask more often.
    """
    while True:
        spent = young.fraction if young else 1.0
        is_young = spent < _YOUNG_UNTIL
        if spent < _DRILLED_UNTIL or (is_young and rng.random() < _DRILL_RATE):
            yield _Sample("drill", _drills(model, encoder, rng))
        elif rng.random() < options.sight_rate:
            tasks = [encoder.asked(gallery.task()) for _ in range(_TASKS)]
            yield _Sample("sight", packed(model, encoder, Piece([], [], []), tasks))
        else:
            is_bare = rng.random() < (_BARE_RATE if is_young else _LATER_BARE_RATE)
            yield _conversations(model, encoder, gallery, rng, emphasis, is_bare=is_bare)


def _drills(model: Qwen2_5_VLForConditionalGeneration, encoder: Encoder, rng: random.Random) -> Pack:
    """Exercises in copying, without prompt and batch."""
    case = make_case(rng, rng.choices(_SIZES, _SIZE_ODDS)[0])
    asked = (drill(rng, case.records, case.recipe, rng.choice([*Language])) for _ in range(_CONVERSATIONS))
    return packed(model, encoder, encoder.opening(), [encoder.branch(each, 1) for each in asked])


def _conversations(
    model: Qwen2_5_VLForConditionalGeneration,
    encoder: Encoder,
    gallery: Gallery,
    rng: random.Random,
    emphasis: Emphasis,
    *,
    is_bare: bool,
) -> _Sample:
    """Conversations about one batch with one past, as many as fit.

    Bare ones hold the request and the program alone: among fifty tokens a model finds out far sooner than
    among a thousand that it is to copy ids and lots from the request.
    """
    case = make_case(rng, rng.choices(_SIZES, _SIZE_ODDS)[0])
    stage = Stage(
        SimulatedSteps(case),
        gallery.picture,
        gallery.sheet(case) if rng.random() < _SHEET_RATE else None,
        has_ledger=rng.random() < _LEDGER_RATE,
        has_eyes=rng.random() < _EYES_RATE,
    )
    past = drawn_past(rng, rng.choice([*Language]), most=0 if is_bare else MOST_TURNS)
    before = begun(stage, past)
    prefix: Piece | None = encoder.opening() if is_bare else None
    branches: list[Piece] = []
    asked: list[Request] = []
    length = 0
    weight = partial(emphasis.weight, past.language)
    for _ in range(_CONVERSATIONS):
        intent = drawn_intent(rng, past, weight)
        example = make_example(rng, stage, past, intent=intent, share=emphasis.share, before=before)
        prefix = prefix or encoder.prefix(example.messages, example.first_written)
        branch = encoder.branch(example.messages, example.first_written)
        if branches and len(prefix.ids) + length + len(branch.ids) > _LONGEST:
            break
        branches.append(branch)
        asked.append(example.request)
        length += len(branch.ids)
    pack = packed(model, encoder, prefix or Piece([], [], []), branches)
    return _Sample("words", pack, tuple(asked))
