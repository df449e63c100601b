"""Several processes that train one model: each learns from samples of its own, and all take the same step.

What is small in a small model cannot be divided between threads: on two cores two processes of one thread
each saw 7 % more tokens in their first minute than one process of two; later minutes were not compared.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Worker", "train_together"]


@dataclass(frozen=True)
class Worker:
    """One of the processes of a training.

    Attributes:
        rank: Of this process, from 0.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that tells and saves."""
        return self.rank == 0

    def agree(self, value: float) -> float:
        """Returns what the first process has for a value."""
        import torch
        from torch import distributed

        if self.count == 1:
            return value
        told = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(told, 0)
        return float(told)

    def joined(self, module: torch.nn.Module) -> torch.nn.Module:
        """Returns a module whose gradients are the mean of those of all processes."""
        from torch.nn.parallel import DistributedDataParallel

        # A step may leave the eyes unused, and then nothing is to move them.
        return DistributedDataParallel(module, find_unused_parameters=True) if self.count > 1 else module


def train_together(count: int, training: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401
    """Calls a training with a `Worker` in so many processes, which share the threads of this one.

    Args:
        count: Of processes; 1 starts none.
        training: A function of a module.
        *arguments: What it takes after the worker.
    """
    import torch
    from torch.multiprocessing.spawn import spawn

    if count == 1:
        training(Worker(), *arguments)
        return
    threads = max(torch.get_num_threads() // count, 1)
    with TemporaryDirectory() as folder:
        told = (count, threads, Path(folder) / "meeting", training, arguments)
        spawn(_work, told, nprocs=count)  # type: ignore[no-untyped-call]


def _work(
    rank: int,
    count: int,
    threads: int,
    meeting: Path,
    training: Callable[..., None],
    arguments: Any,  # noqa: ANN401
) -> None:
    """What each process does.

    A process that is done leaves at once: gloo's threads outlive the process group, and one that lets go of
    a tensor while Python takes itself down ends the process with SIGABRT.
    """
    import torch
    from torch import distributed

    torch.set_num_threads(threads)
    distributed.init_process_group("gloo", init_method=meeting.as_uri(), rank=rank, world_size=count)
    try:
        distributed.barrier()  # one that is done and leaves must not meet one that is still connecting
        training(Worker(rank, count), *arguments)
    finally:
        distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
