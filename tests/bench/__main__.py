"""Runs all benchmarks, or those named on the command line, and prints a line per figure."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_EXAMPLES = Path(__file__).parents[2] / "examples"
_RECIPE = _EXAMPLES / "recipes" / "metal-surface.yaml"


def _memory(folder: Path) -> Iterator[str]:
    from tests.bench import memory

    return memory.lines(folder, _RECIPE)


def _stages(folder: Path) -> Iterator[str]:
    from tests.bench import stages

    return stages.lines(_EXAMPLES / "batch", _RECIPE)


def _measuring(folder: Path) -> Iterator[str]:
    from tests.bench import measuring

    return measuring.lines()


def _localization(folder: Path) -> Iterator[str]:
    from tests.bench import localization
    from tools.recipe.file import load_recipe

    return localization.lines(folder, load_recipe(_RECIPE))


def _screening(folder: Path) -> Iterator[str]:
    from tests.bench import screening
    from tools.recipe.file import load_recipe

    return screening.lines(folder, load_recipe(_RECIPE))


def _prompts(folder: Path) -> Iterator[str]:
    from tests.bench import prompts

    return prompts.lines(folder)


def _app(folder: Path) -> Iterator[str]:
    from tests.bench import app

    return app.lines(folder, _EXAMPLES / "batch")


# Memory comes first, see there.
_PARTS: dict[str, tuple[str, Callable[[Path], Iterator[str]]]] = {
    "memory": ("Peak memory of `loupe inspect`", _memory),
    "stages": ("Seconds per stage of the sample batch", _stages),
    "measuring": ("Measurement against plain OpenCV, on drawn shapes", _measuring),
    "localization": ("Localization against `yolo predict`, same weights", _localization),
    "prompts": ("The agent's prompt over ten steps and ten pictures, beside smolagents' own", _prompts),
    "screening": ("Screening against transformers.pipeline, same weights", _screening),
    "app": ("The app: first paint, many rows, keys while an inspection runs", _app),
}


def main() -> None:
    """Prints figures as they come; every part has a temporary folder of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of: {', '.join(_PARTS)} (default: all)")
    wanted = parser.parse_args().parts or list(_PARTS)
    if unknown := set(wanted) - set(_PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="loupe-bench-") as temporary:
        os.environ["LOUPE_CACHE"] = str(Path(temporary) / "cache")
        for name, (title, run) in _PARTS.items():
            if name not in wanted:
                continue
            _print(f"\n{title}")
            folder = Path(temporary) / name
            folder.mkdir()
            for line in run(folder):
                _print(f"  {line}")
    _print(f"\nmeasured in {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores")


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
