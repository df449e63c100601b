"""`python -m tools.forge`: makes photographs with known truth, and trains the pocket models from them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.errors import LoupeError
from tools.forge.textures import SURFACES

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.forge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="write a set: images, COCO annotations, captions, labels")
    make.add_argument("out", type=Path, help="a new folder")
    make.add_argument("--count", type=int, default=200)
    make.add_argument(
        "--seed", type=int, default=1, help="seed of the first photograph (default %(default)s)"
    )
    make.add_argument("--size", type=int, nargs=2, metavar=("WIDTH", "HEIGHT"), default=(640, 640))
    make.add_argument(
        "--defect-rate", type=float, default=0.5, help="share of bad parts (default %(default)s)"
    )
    make.add_argument("--material", choices=tuple(SURFACES))
    example = commands.add_parser("example", help="write the sample batch that the examples use")
    example.add_argument("out", type=Path, help="a new folder, or one that holds the batch")
    example.add_argument("--truth", action="store_true", help="print what is true of it as JSON lines")
    commands.add_parser("train", help="train a pocket model: clip, blip or yolo", add_help=False)
    commands.add_parser("evaluate", help="print the pocket models' figures", add_help=False)
    return parser


def _make(arguments: argparse.Namespace) -> None:
    from tools.forge.dataset import write_set

    def progress(done: int) -> None:
        if done % 50 == 0 or done == arguments.count:
            sys.stderr.write(f"\r{done}/{arguments.count} photographs")
            sys.stderr.flush()

    write_set(
        arguments.out,
        arguments.count,
        arguments.seed,
        progress,
        size_px=tuple(arguments.size),
        defect_rate=arguments.defect_rate,
        material=arguments.material,
    )
    sys.stderr.write(f"\nwritten to {arguments.out}\n")


def _example(arguments: argparse.Namespace) -> None:
    from tools.forge.example import write_example

    rows = write_example(arguments.out)
    if arguments.truth:
        sys.stdout.writelines(json.dumps(row) + "\n" for row in rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand and returns the exit status."""
    arguments, rest = _parser().parse_known_args(argv)
    try:
        if arguments.command == "train":
            from tools.forge.training import main as train_main

            return train_main(rest)
        if arguments.command == "evaluate":
            from tools.forge.evaluate import main as evaluate_main

            return evaluate_main(rest)
        if rest:
            _parser().error(f"unrecognized arguments: {' '.join(rest)}")
        if arguments.command == "make":
            _make(arguments)
        else:
            _example(arguments)
    except LoupeError as error:
        sys.stderr.write(f"{error.title}: {error.message}\n{error.hint}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
