"""The command `python -m agent.forge`: trains the pocket vision-language model, and tells how good it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.errors import LoupeError

__all__ = ["main"]

_POCKET = Path(__file__).resolve().parent.parent / "pocket"
_PHOTOS = 1000
_TEST_PHOTOS = 100
_DEFECT_RATE = 0.75


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agent.forge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train the model")
    train.add_argument(
        "--out", type=Path, default=_POCKET, help="folder of the checkpoint (default %(default)s)"
    )
    train.add_argument("--minutes", type=float, default=120.0, help="wall clock (default %(default)s)")
    train.add_argument("--steps", type=int, help="most steps (default: as many as the minutes allow)")
    train.add_argument("--start", type=Path, help="checkpoint to begin with (default: random weights)")
    train.add_argument(
        "--new-eyes", action="store_true", help="random weights for the vision tower of --start"
    )
    train.add_argument(
        "--spent",
        type=float,
        default=0.0,
        help="share of the whole that was spent when a run was cut off; --start goes on with it",
    )
    train.add_argument("--rate", type=float, default=3e-3, help="learning rate (default %(default)s)")
    train.add_argument("--sight", type=float, default=0.15, help="share of pictures (default %(default)s)")
    train.add_argument("--seed", type=int, default=0, help="of weights and data (default %(default)s)")
    train.add_argument(
        "--hidden", type=int, default=320, help="width, a multiple of 64 (default %(default)s)"
    )
    train.add_argument("--layers", type=int, default=6, help="of the language model (default %(default)s)")
    train.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    train.add_argument(
        "--set",
        type=Path,
        default=Path("forge-set"),
        help="photographs of synthesised parts, made when absent (default %(default)s)",
    )
    judge = commands.add_parser("evaluate", help="tell success on phrasings that were not trained on")
    judge.add_argument("model", type=Path, help="folder of the checkpoint")
    judge.add_argument(
        "--count", type=int, default=4, help="requests per intent and language (default %(default)s)"
    )
    judge.add_argument(
        "--seed", type=int, default=1, help="of the batches and the phrasings (default %(default)s)"
    )
    judge.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    judge.add_argument("--exact", action="store_true", help="compare programs token by token: minutes less")
    judge.add_argument("--failures", action="store_true", help="print each failure")
    eyes = commands.add_parser("eyesight", help="tell how well it sees pictures of known content")
    eyes.add_argument("model", type=Path, help="folder of the checkpoint")
    eyes.add_argument("--count", type=int, default=50, help="questions of each kind (default %(default)s)")
    eyes.add_argument("--seed", type=int, default=3, help="of the questions (default %(default)s)")
    eyes.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    eyes.add_argument(
        "--set",
        type=Path,
        default=Path("forge-test-set"),
        help="photographs that were not trained on, made when absent (default %(default)s)",
    )
    limits = commands.add_parser("calibrate", help="choose when it should say that it did not understand")
    limits.add_argument("model", type=Path, help="folder of the checkpoint; its thresholds are written there")
    limits.add_argument(
        "--count", type=int, default=4, help="requests per intent and language (default %(default)s)"
    )
    limits.add_argument(
        "--seed", type=int, default=2, help="of the batches and the phrasings (default %(default)s)"
    )
    limits.add_argument("--curve", type=Path, help="CSV file that receives the curve, for a chart")
    limits.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    fast = commands.add_parser("speed", help="measure how fast it answers")
    fast.add_argument("model", type=Path, help="folder of the checkpoint")
    fast.add_argument(
        "--images", type=Path, default=Path("examples/batch"), help="batch (default %(default)s)"
    )
    fast.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    card = commands.add_parser("card", help="print the model card")
    card.add_argument("model", type=Path, help="folder of the checkpoint, calibrated")
    for name in ("evaluation", "calibration", "fresh", "eyesight", "speed"):
        card.add_argument(f"--{name}", type=Path, required=True, help="file with what the command printed")
    for name in ("machine", "recipe", "seeds", "time"):
        card.add_argument(f"--{name}", required=True, help="a sentence or two")
    card.add_argument(
        "--session", type=Path, action="append", default=[], help="conversation to show, repeatable"
    )
    return parser


def _train(arguments: argparse.Namespace) -> None:
    from agent.forge.checkpoint import Size
    from agent.forge.training import Options, train
    from tools.forge.schedule import Budget
    from tools.forge.training_set import TRAINING_SEED, ensure_set

    photos = ensure_set(arguments.set, _PHOTOS, TRAINING_SEED, defect_rate=_DEFECT_RATE)
    size = Size(arguments.hidden, round(2.8 * arguments.hidden), arguments.layers)
    options = Options(
        arguments.rate, arguments.sight, arguments.seed, arguments.start, arguments.new_eyes, size
    )
    train(photos, arguments.out, Budget(arguments.minutes, arguments.steps, arguments.spent), options)
    sys.stderr.write(f"written to {arguments.out}\n")


def _evaluate(arguments: argparse.Namespace) -> None:
    from agent.forge.evaluate import report
    from agent.forge.exactness import exactness_report

    tell = exactness_report if arguments.exact else report
    for line in tell(arguments.model, arguments.count, arguments.seed, tells_failures=arguments.failures):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _eyesight(arguments: argparse.Namespace) -> None:
    from agent.forge.eyesight import report
    from tools.forge.training_set import TEST_SEED, ensure_set

    photos = ensure_set(arguments.set, _TEST_PHOTOS, TEST_SEED, defect_rate=_DEFECT_RATE)
    for line in report(arguments.model, photos, arguments.count, arguments.seed):
        sys.stdout.write(f"{line}\n")


def _calibrate(arguments: argparse.Namespace) -> None:
    from agent.forge.calibration import report

    for line in report(arguments.model, arguments.count, arguments.seed, arguments.curve):
        sys.stdout.write(f"{line}\n")


def _speed(arguments: argparse.Namespace) -> None:
    from agent.forge.speed import report

    for line in report(arguments.model, arguments.images):
        sys.stdout.write(f"{line}\n")


def _card(arguments: argparse.Namespace) -> None:
    from agent.forge.card import PRINTED, Measured, card

    printed = {name: getattr(arguments, name).read_text(encoding="utf-8") for name in PRINTED}
    told = {name: getattr(arguments, name) for name in ("machine", "recipe", "seeds", "time")}
    sys.stdout.write(card(arguments.model, Measured(**printed, **told, sessions=arguments.session)))


_COMMANDS = {
    "train": _train,
    "evaluate": _evaluate,
    "eyesight": _eyesight,
    "calibrate": _calibrate,
    "speed": _speed,
    "card": _card,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand and returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        import torch

        if getattr(arguments, "threads", 0):
            torch.set_num_threads(arguments.threads)
        _COMMANDS[arguments.command](arguments)
    except LoupeError as error:
        sys.stderr.write(f"{error.title}: {error.message}\n{error.hint}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
