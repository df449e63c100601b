"""The command `python -m agent.forge`: trains the pocket vision-language model, and tells how good it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.card import PRINTED, TOLD, Measured, card
from tools.errors import LoupeError, UsageError

if TYPE_CHECKING:
    from tools.forge.training_set import Photo

__all__ = ["main"]

_POCKET = Path(__file__).resolve().parent.parent / "pocket"
_PHOTOS = 1000
_TEST_PHOTOS = 100
_DEFECT_RATE = 0.75
_PER_INTENT = "requests per intent and language"
# Name, what is counted, how many, seed, what it does.
_JUDGES = (
    ("evaluate", _PER_INTENT, 4, 1, "tell success on phrasings that were not trained on"),
    ("eyesight", "questions of each kind", 50, 3, "tell how well it sees pictures of known content"),
    ("calibrate", _PER_INTENT, 4, 2, "choose when it should say that it did not understand"),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m agent.forge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    threads = argparse.ArgumentParser(add_help=False)
    threads.add_argument("--threads", type=int, default=0, help="of torch (default: its own choice)")
    model = argparse.ArgumentParser(add_help=False)
    model.add_argument("model", type=Path, help="folder of the checkpoint")
    _add_training(commands.add_parser("train", help="train the model", parents=[threads]))
    eyes = commands.add_parser("eyes", help="train its vision tower alone, first", parents=[threads])
    _add_common(eyes, minutes=25.0, rate=2e-3)
    for name, of, count, seed, what in _JUDGES:
        judge = commands.add_parser(name, help=what, parents=[model, threads])
        judge.add_argument("--count", type=int, default=count, help=f"{of} (default %(default)s)")
        judge.add_argument("--seed", type=int, default=seed, help="of what is asked (default %(default)s)")
        if name == "evaluate":
            judge.add_argument("--exact", action="store_true", help="compare programs token by token")
            judge.add_argument("--failures", action="store_true", help="print each failure")
        elif name == "calibrate":
            judge.add_argument("--curve", type=Path, help="CSV file that receives the curve, for a chart")
        _add_photographs(judge, Path("forge-test-set"), "that were not trained on")
    mix = commands.add_parser("blend", help="average a checkpoint with the one that it began with")
    mix.add_argument("older", type=Path, help="what the training began with")
    mix.add_argument("newer", type=Path, help="what it ended with")
    mix.add_argument("--share", type=float, default=0.8, help="of the newer one (default %(default)s)")
    mix.add_argument("--out", type=Path, required=True, help="folder of the new checkpoint")
    larger = commands.add_parser(
        "grow", help="make it larger, to say the same and learn more", parents=[model]
    )
    larger.add_argument("--hidden", type=int, required=True, help="width, a multiple of 64")
    larger.add_argument("--layers", type=int, required=True, help="of the language model")
    larger.add_argument("--out", type=Path, required=True, help="folder of the larger checkpoint")
    fast = commands.add_parser("speed", help="measure how fast it answers", parents=[model, threads])
    fast.add_argument(
        "--images", type=Path, default=Path("examples/batch"), help="batch (default %(default)s)"
    )
    told = commands.add_parser("card", help="print the model card", parents=[model])
    for name in PRINTED:
        told.add_argument(f"--{name}", type=Path, required=True, help="file with what the command printed")
    for name in TOLD:
        told.add_argument(f"--{name}", required=True, help="a sentence or two")
    told.add_argument(
        "--session", type=Path, action="append", default=[], help="conversation to show, repeatable"
    )
    return parser


def _add_common(training: argparse.ArgumentParser, minutes: float, rate: float) -> None:
    """Adds what both trainings take."""
    add, shown = training.add_argument, "(default %(default)s)"
    add("--out", type=Path, default=_POCKET, help=f"folder of the checkpoint {shown}")
    add("--minutes", type=float, default=minutes, help=f"wall clock {shown}")
    add("--steps", type=int, help="most steps (default: as many as the minutes allow)")
    add("--start", type=Path, help="checkpoint to begin with (default: random weights)")
    add("--rate", type=float, default=rate, help=f"learning rate {shown}")
    add("--seed", type=int, default=0, help=f"of weights and data {shown}")
    add("--hidden", type=int, default=256, help=f"width, a multiple of 64 {shown}")
    add("--layers", type=int, default=5, help=f"of the language model {shown}")
    add("--workers", type=int, default=2, help=f"processes that train together {shown}")
    _add_photographs(training, Path("forge-set"), "of synthesised parts")


def _add_training(train: argparse.ArgumentParser) -> None:
    _add_common(train, minutes=90.0, rate=4e-3)
    train.add_argument("--eyes", type=Path, help="checkpoint whose vision tower to begin with")
    train.add_argument(
        "--spent",
        type=float,
        default=0.0,
        help="share of the whole that was spent when a run was cut off; --start goes on with it",
    )
    train.add_argument("--sight", type=float, default=0.12, help="share of pictures (default %(default)s)")


def _add_photographs(command: argparse.ArgumentParser, default: Path, which: str) -> None:
    told = f"photographs {which}, made when absent (default %(default)s)"
    command.add_argument("--set", type=Path, default=default, help=told)


def _train(arguments: argparse.Namespace) -> None:
    from agent.forge.training import train

    _train_together(arguments, train, arguments.sight, arguments.eyes)


def _teach_eyes(arguments: argparse.Namespace) -> None:
    from agent.forge.eyes import teach_eyes

    _train_together(arguments, teach_eyes)


def _train_together(
    arguments: argparse.Namespace,
    training: Callable[..., None],
    sight_rate: float = 1.0,
    eyes: Path | None = None,
) -> None:
    from agent.forge.checkpoint import Size
    from agent.forge.training import Options
    from tools.forge.schedule import Budget
    from tools.forge.training_set import TRAINING_SEED, ensure_set
    from tools.forge.workers import train_together

    if arguments.workers < 1:
        raise UsageError(f"--workers {arguments.workers}: nobody to train", "give 1 or more")
    photos = ensure_set(arguments.set, _PHOTOS, TRAINING_SEED, defect_rate=_DEFECT_RATE)
    size = Size.of(arguments.hidden, arguments.layers)
    options = Options(arguments.rate, sight_rate, arguments.seed, arguments.start, eyes, size)
    spent = getattr(arguments, "spent", 0.0)
    budget = Budget(arguments.minutes, arguments.steps, spent)
    train_together(arguments.workers, training, photos, arguments.out, budget, options)
    sys.stderr.write(f"written to {arguments.out}\n")


def _blend(arguments: argparse.Namespace) -> None:
    from agent.forge.checkpoint import blend

    if not 0 <= arguments.share <= 1:
        raise UsageError(f"--share {arguments.share:g}: not a share", "give a number from 0 to 1")
    blend(arguments.older, arguments.newer, arguments.share, arguments.out)
    sys.stderr.write(f"written to {arguments.out}\n")


def _grow(arguments: argparse.Namespace) -> None:
    from agent.forge.growing import grow

    grow(arguments.model, arguments.hidden, arguments.layers, arguments.out)
    sys.stderr.write(f"written to {arguments.out}\n")


def _evaluate(arguments: argparse.Namespace) -> None:
    from agent.forge.evaluate import report
    from agent.forge.exactness import exactness_report

    tell = exactness_report if arguments.exact else report
    asked = (arguments.model, _unseen(arguments.set), arguments.count, arguments.seed)
    for line in tell(*asked, tells_failures=arguments.failures):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _eyesight(arguments: argparse.Namespace) -> None:
    from agent.forge.eyesight import report

    for line in report(arguments.model, _unseen(arguments.set), arguments.count, arguments.seed):
        sys.stdout.write(f"{line}\n")


def _unseen(folder: Path) -> Sequence[Photo]:
    """The photographs of a folder that were not trained on."""
    from tools.forge.training_set import TEST_SEED, ensure_set

    return ensure_set(folder, _TEST_PHOTOS, TEST_SEED, defect_rate=_DEFECT_RATE)


def _calibrate(arguments: argparse.Namespace) -> None:
    from agent.forge.calibration import report

    photos = _unseen(arguments.set)
    for line in report(arguments.model, photos, arguments.count, arguments.seed, arguments.curve):
        sys.stdout.write(f"{line}\n")


def _speed(arguments: argparse.Namespace) -> None:
    from agent.forge.speed import report

    for line in report(arguments.model, arguments.images):
        sys.stdout.write(f"{line}\n")


def _card(arguments: argparse.Namespace) -> None:
    printed = {name: getattr(arguments, name).read_text(encoding="utf-8") for name in PRINTED}
    told = {name: getattr(arguments, name) for name in TOLD}
    sys.stdout.write(card(arguments.model, Measured(**printed, **told, sessions=arguments.session)))


_COMMANDS = {
    "train": _train,
    "eyes": _teach_eyes,
    "blend": _blend,
    "grow": _grow,
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
