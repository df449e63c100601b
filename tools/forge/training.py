"""The command `python -m tools.forge train`: rebuilds a pocket model from nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.forge.schedule import Budget
from tools.forge.training_set import TRAINING_SEED, ensure_set

__all__ = ["main"]

_POCKET = Path(__file__).resolve().parent.parent / "pocket"
_MINUTES = {"clip": 180.0, "blip": 110.0, "yolo": 155.0}  # what those that ship took
_COUNT = 5000
_DEFECT_RATE = 0.75  # a good part teaches less than a bad one


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.forge train", description=__doc__)
    parser.add_argument("kind", choices=tuple(_MINUTES))
    parser.add_argument("--out", type=Path, help="folder of the checkpoint (default: tools/pocket/KIND)")
    parser.add_argument("--minutes", type=float, help=f"wall clock to train (default: {_MINUTES})")
    parser.add_argument("--steps", type=int, help="most steps (default: as many as the minutes allow)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order (default %(default)s)")
    parser.add_argument(
        "--set",
        type=Path,
        default=Path("forge-set"),
        help="the training set, made when absent (default %(default)s)",
    )
    parser.add_argument("--count", type=int, default=_COUNT, help="photographs to make (default %(default)s)")
    parser.add_argument("--start", type=Path, help="checkpoint to begin with (default: random weights)")
    parser.add_argument("--clip", type=Path, default=_POCKET / "clip", help="whose eyes BLIP begins with")
    parser.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Trains one model and returns the exit status.

    Raises:
        LoupeError: The set or a checkpoint cannot be read.
    """
    arguments = _parser().parse_args(argv)
    if not arguments.set.exists():
        sys.stderr.write(f"making {arguments.count} photographs in {arguments.set}\n")
    photos = ensure_set(arguments.set, arguments.count, TRAINING_SEED, defect_rate=_DEFECT_RATE)
    budget = Budget(arguments.minutes or _MINUTES[arguments.kind], arguments.steps)
    out = arguments.out or _POCKET / arguments.kind
    import torch

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.kind == "clip":
        from tools.forge.train_clip import train_clip

        train_clip(photos, out, budget, seed=arguments.seed, start=arguments.start)
    elif arguments.kind == "blip":
        from tools.forge.train_blip import train_blip

        train_blip(photos, out, budget, clip=arguments.clip, seed=arguments.seed, start=arguments.start)
    else:
        from tools.forge.train_yolo import train_yolo

        train_yolo(photos, out, budget, seed=arguments.seed, start=arguments.start)
    sys.stderr.write(f"written to {out}\n")
    return 0
