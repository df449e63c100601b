from __future__ import annotations

import atexit
from pathlib import Path

import pytest
import torch

from tools.forge.workers import Worker, train_together


class Halves(torch.nn.Module):
    """Two weights, of which the second is only sometimes used."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self.first = torch.nn.Parameter(torch.tensor(start))
        self.second = torch.nn.Parameter(torch.tensor(start))

    def forward(self, factor: float, uses_second: bool) -> torch.Tensor:
        return factor * self.first + (self.second if uses_second else 0.0)


def learn(worker: Worker, folder: Path) -> None:
    module = Halves(float(worker.rank))
    joined = worker.joined(module)
    joined(worker.rank + 1.0, False).backward()
    unused = module.second.grad
    agreed = worker.agree(worker.rank + 0.25)
    torch.save((module.first.detach(), module.first.grad, unused, agreed), folder / f"{worker.rank}.pt")


def test_all_take_the_same_step_from_the_same_weights(tmp_path: Path):
    train_together(2, learn, tmp_path)
    for rank in range(2):
        first, gradient, unused, agreed = torch.load(tmp_path / f"{rank}.pt")
        assert (first, gradient, agreed) == (0.0, 1.5, 0.25)
        assert unused is None  # what no process used stays where it is


def test_one_alone_needs_no_others(tmp_path: Path):
    train_together(1, learn, tmp_path)
    first, gradient, unused, agreed = torch.load(tmp_path / "0.pt")
    assert (first, gradient, unused, agreed) == (0.0, 1.0, None, 0.25)


def leave_a_trace(worker: Worker, folder: Path) -> None:
    atexit.register((folder / f"{worker.rank} took itself down").touch)
    (folder / f"{worker.rank} was done").touch()


def test_no_thread_of_a_process_sees_python_taken_down(tmp_path: Path):
    train_together(2, leave_a_trace, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0 was done", "1 was done"]


def fail(worker: Worker) -> None:
    raise RuntimeError(f"no training in {worker.rank}")


def test_a_process_that_fails_ends_the_training_with_its_reason():
    with pytest.raises(Exception, match=r"no training in [01]"):
        train_together(2, fail)
