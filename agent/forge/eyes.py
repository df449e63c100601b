"""Teaches the vision tower alone what lies where in a picture, before the language model learns to read it.

A word about a whole picture says little: each token of a picture is told instead which defect covers which
sixteenth of it (dense supervision, as in Long et al. 2015, "Fully convolutional networks", arXiv 1411.4038).
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from agent.forge.checkpoint import save
from agent.forge.sight import CELL_PX, COVERS, Gallery, Seen
from agent.forge.training import Options, begun
from tools.checkpoints import quiet_transformers
from tools.forge.schedule import Averaged, Budget, Progress, optimizers_of, set_rate, take_step
from tools.forge.workers import Worker

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    from tools.forge.training_set import Photo

__all__ = ["teach_eyes"]

_PICTURES = 16  # in a step of one process
_TOKEN_PX = 28
_WEIGHT = 6.0  # of a cell that something covers, since few are


def teach_eyes(worker: Worker, photos: Sequence[Photo], out: Path, budget: Budget, options: Options) -> None:
    """Trains the vision tower of a checkpoint until the budget is spent; the language model stays as it is.

    Args:
        worker: Which of the processes this is that train together.
        photos: Synthesised photographs with masks.
        out: Folder of the checkpoint.
        budget: Time and steps.
        options: The rest.
    """
    import torch

    quiet_transformers()
    torch.manual_seed(options.seed)
    model, processor = begun(options)
    progress = Progress(budget, level_until=0.3, agree=worker.agree)
    gallery = Gallery(photos, random.Random(f"{options.seed}/{worker.rank}"))
    tower = _tower(model)
    losses_of = worker.joined(tower)
    optimizers = optimizers_of(tower, options.rate, weight_decay=0.02)
    averaged = Averaged(model, decay=0.995)
    mean = 1.0
    for step in progress:
        seen = [gallery.seen() for _ in range(_PICTURES)]
        made = processor.image_processor(images=[each.picture.image for each in seen], return_tensors="pt")
        set_rate(optimizers, options.rate * progress.rate)
        loss = losses_of(made["pixel_values"], made["image_grid_thw"], _classes(seen))
        take_step(loss, tower, optimizers)
        mean = 0.98 * mean + 0.02 * loss.item()
        if worker.is_first:
            averaged.update(model, step)
            progress.say(loss=mean, pictures=(step + 1) * _PICTURES * worker.count)
            if progress.is_time_to_save():
                save(averaged.model, processor, out)
    if worker.is_first:
        save(averaged.model, processor, out)
        sys.stderr.write(f"{progress.step} steps of {_PICTURES * worker.count} pictures\n")


def _classes(seen: Sequence[Seen]) -> torch.Tensor:
    """What covers each cell, of shape (tokens, cells of a token): tokens row by row, and cells in each."""
    import torch

    side = _TOKEN_PX // CELL_PX
    rows = []
    for each in seen:
        height, width = each.covers.shape
        cells = each.covers.reshape(height // side, side, width // side, side).swapaxes(1, 2)
        rows.append(cells.reshape(-1, side * side))
    return torch.from_numpy(np.concatenate(rows)).long()


def _tower(model: Qwen2_5_VLForConditionalGeneration) -> torch.nn.Module:
    """Returns a module that gives the loss of a head on the tower's tokens; it shares the model's weights."""
    import torch
    from torch.nn import functional

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = model.model.visual
            cells = (_TOKEN_PX // CELL_PX) ** 2
            self.head = torch.nn.Linear(model.config.text_config.hidden_size, cells * len(COVERS))

        def forward(self, pixels: torch.Tensor, grid: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
            with torch.autocast("cpu", torch.bfloat16):
                tokens = self.visual(pixels, grid_thw=grid).pooler_output
                logits = self.head(tokens)
            weights = torch.tensor([1.0, *[_WEIGHT] * (len(COVERS) - 1)])
            return functional.cross_entropy(
                logits.float().view(-1, len(COVERS)), classes.flatten(), weight=weights
            )

    return Tower()
