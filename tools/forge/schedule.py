"""What all trainings share: a budget, the learning rate over it, optimizers, averaged weights."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["Averaged", "Budget", "Progress", "optimizers_of", "set_rate", "take_step"]


# What the layers of transformers are called: of CLIP and BLIP, and of Qwen2.5-VL's eyes, which AdamW at
# Muon's rate leaves blind.
_INSIDE = (".layers.", ".layer.", ".blocks.", ".merger.")


@dataclass(frozen=True)
class Budget:
    """How long to train.

    Attributes:
        minutes: Wall clock.
        steps: Most steps; None for as many as the minutes allow.
        spent: Share of the whole that an earlier run has used, where this one goes on with it.
    """

    minutes: float
    steps: int | None = None
    spent: float = 0.0


class Progress:
    """Counts steps against a budget, and says now and then how it goes.

    Args:
        budget: When it ends.
        warm_up: Steps over which the learning rate rises.
        report_s: Seconds between two lines on stderr.
        save_s: Seconds between two saves, so that a run that is cut off leaves something.
        level_until: Share of the budget after which the learning rate falls.
        agree: Turns the share that is spent into what all processes of a training take it to be.

    Attributes:
        fraction: Share of the whole that is spent, in [0, 1]; the same throughout a step.
        step: How many are over.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        warm_up: int = 100,
        report_s: float = 30.0,
        save_s: float = 240.0,
        level_until: float = 0.6,
        agree: Callable[[float], float] = lambda spent: spent,
    ) -> None:
        self._budget = budget
        self._agree = agree
        self._level_until = level_until
        self._warm_up = warm_up
        self._report_s = report_s
        self._save_s = save_s
        self._started = self._reported = self._saved = time.monotonic()
        self.step = 0
        self.fraction = budget.spent

    def _spent(self) -> float:
        by_time = (time.monotonic() - self._started) / (60 * self._budget.minutes)
        by_steps = self.step / self._budget.steps if self._budget.steps else 0.0
        spent = self._budget.spent
        return min(spent + (1 - spent) * max(by_time, by_steps), 1.0)

    @property
    def rate(self) -> float:
        """Factor on the learning rate: a linear rise, a level stretch, a linear fall.

        The level stretch makes little of a machine that is slow for a while (warmup, stable, decay: Hu et al.
        2024, arXiv 2404.06395).
        """
        rise = min((self.step + 1) / self._warm_up, 1.0)
        return rise * min(1.0, 0.01 + 0.99 * (1 - self.fraction) / (1 - self._level_until))

    def __iter__(self) -> Iterator[int]:
        """Yields the number of each step until the budget is spent."""
        while (spent := self._agree(self._spent())) < 1.0:
            self.fraction = spent
            yield self.step
            self.step += 1

    def is_time_to_save(self) -> bool:
        """Returns whether the last save is long enough ago; the caller then saves."""
        now = time.monotonic()
        if now - self._saved < self._save_s:
            return False
        self._saved = now
        return True

    def say(self, **figures: float) -> None:
        """Writes a line to stderr where the last one is long enough ago."""
        now = time.monotonic()
        if now - self._reported < self._report_s:
            return
        self._reported = now
        words = " ".join(f"{name} {value:.4g}" for name, value in figures.items())
        sys.stderr.write(f"step {self.step} {100 * self.fraction:.0f} % {words}\n")
        sys.stderr.flush()


class Averaged:
    """An exponential moving average of a model's weights, which generalises better than the last ones.

    The decay rises with the steps, so that the random start is soon forgotten.
    """

    def __init__(self, model: torch.nn.Module, decay: float = 0.998) -> None:
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._decay = decay

    def update(self, model: torch.nn.Module, step: int) -> None:
        """Draws the average towards the model's weights."""
        import torch

        decay = min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            theirs = model.state_dict()
            for name, mine in self.model.state_dict().items():
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs[name].detach(), 1 - decay)
                else:
                    mine.copy_(theirs[name])


def optimizers_of(
    model: torch.nn.Module, rate: float, *, weight_decay: float = 0.05
) -> tuple[torch.optim.Optimizer, ...]:
    """Returns Muon for the weight matrices inside a transformer's layers, and AdamW for all else.

    Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") orthogonalises the
    update of a matrix; from scratch and on few samples it needs about half the steps of AdamW.
    """
    import torch

    hidden: list[torch.nn.Parameter] = []
    other: list[torch.nn.Parameter] = []
    plain: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim == 2 and any(part in name for part in _INSIDE):
            hidden.append(parameter)
        elif parameter.ndim >= 2 and "embedding" not in name:
            other.append(parameter)
        else:
            plain.append(parameter)
    muon = torch.optim.Muon(hidden, lr=rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
    adam = torch.optim.AdamW(
        [{"params": other, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=rate,
        betas=(0.9, 0.98),
    )
    return muon, adam


def set_rate(optimizers: tuple[torch.optim.Optimizer, ...], rate: float) -> None:
    """Sets the learning rate of all parameters."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def take_step(
    loss: torch.Tensor, model: torch.nn.Module, optimizers: tuple[torch.optim.Optimizer, ...]
) -> None:
    """Moves a model's parameters down a loss, by a gradient of length 1 at most."""
    import torch

    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
