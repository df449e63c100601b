"""Trains the pocket vision-language model: on conversations about made-up batches, and on known pictures."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.checkpoint import Size, make_model, make_processor, read, save
from agent.forge.packs import Encoder, Pack, hidden_states
from agent.forge.samples import KINDS, Teacher, kinds_of_samples
from agent.forge.sight import Gallery
from tools.checkpoints import quiet_transformers
from tools.forge.schedule import Averaged, Budget, Progress, optimizers_of, set_rate, take_step
from tools.forge.workers import Worker

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

    from tools.forge.training_set import Photo

__all__ = ["Options", "begun", "train"]

_LEVEL_UNTIL = 0.3  # of the budget; then the learning rate falls


@dataclass(frozen=True)
class Options:
    """How to train.

    Attributes:
        start: Checkpoint to begin with; random weights of that size when None.
        eyes: Checkpoint whose vision tower to begin with, as far as it is of the same size.
        sight_rate: Share of samples that are questions about pictures.
    """

    rate: float = 4e-3
    sight_rate: float = 0.12
    seed: int = 0
    start: Path | None = None
    eyes: Path | None = None
    size: Size = field(default_factory=Size)


def train(worker: Worker, photos: Sequence[Photo], out: Path, budget: Budget, options: Options) -> None:
    """Trains until the budget is spent, and saves averaged weights now and then.

    Args:
        worker: Which of the processes this is that train together.
        photos: Synthesised photographs, for all that is seen.
        out: Folder of the checkpoint.
        budget: Time and steps.
        options: The rest.
    """
    import torch

    quiet_transformers()
    torch.manual_seed(options.seed)
    model, processor = begun(options)
    progress = Progress(budget, level_until=_LEVEL_UNTIL, agree=worker.agree)
    young = progress if options.start is None or budget.spent else None
    # What kind of sample is next is the same for all processes, so that none waits for another.
    kinds = kinds_of_samples(random.Random(options.seed), options.sight_rate, young)
    rng = random.Random(f"{options.seed}/{worker.rank}")
    teacher = Teacher(model, Encoder(processor, rng), Gallery(photos, rng), rng)
    losses_of = worker.joined(_losses_of(model))
    optimizers = optimizers_of(model, options.rate, weight_decay=0.02)
    averaged = Averaged(model, decay=0.995)
    means = dict.fromkeys(KINDS, 6.0)
    tokens = 0
    model.train()
    for step in progress:
        kind = next(kinds)
        pack = teacher.sample(kind)
        set_rate(optimizers, options.rate * progress.rate)
        loss = losses_of(pack).mean()
        take_step(loss, model, optimizers)
        means[kind] = 0.97 * means[kind] + 0.03 * loss.item()
        tokens += worker.count * sum(pack.lengths)
        if worker.is_first:
            averaged.update(model, step)
            progress.say(**means, tokens=tokens)
            if progress.is_time_to_save():
                save(averaged.model, processor, out)
    if worker.is_first:
        save(averaged.model, processor, out)
        sys.stderr.write(f"{progress.step} steps, about {tokens} tokens\n")


def begun(options: Options) -> tuple[Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor]:
    """Returns what a training begins with."""
    if options.start is None:
        processor = make_processor()
        model = make_model(processor, options.size)
    else:
        model, processor = read(options.start)
    if options.eyes:
        eyes = model.model.visual
        own, theirs = eyes.state_dict(), read(options.eyes)[0].model.visual.state_dict()
        fitting = {name: each for name, each in theirs.items() if each.shape == own[name].shape}
        eyes.load_state_dict({**own, **fitting})
    return model, processor


def _losses_of(model: Qwen2_5_VLForConditionalGeneration) -> torch.nn.Module:
    """Returns a module that gives the loss of each target of a sample."""
    import torch
    from torch.nn import functional

    class Losses(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pack: Pack) -> torch.Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                logits = self.model.lm_head(hidden_states(self.model, pack))
            return functional.cross_entropy(logits.float(), pack.targets, reduction="none")

    return Losses()
