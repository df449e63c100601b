"""Runs all benchmarks, or those named on the command line, and prints a line per figure."""

from __future__ import annotations

import argparse
import os
import resource
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
    from tools.pipeline.engines import Engines
    from tools.recipe.file import load_recipe

    return stages.lines(_EXAMPLES / "batch", Engines(load_recipe(_RECIPE)))


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


def _references(folder: Path) -> Iterator[str]:
    from tests.bench import references

    return references.lines(folder)


def _held(folder: Path) -> Iterator[str]:
    from tests.bench import held
    from tools.recipe.file import load_recipe

    return held.lines(load_recipe(_RECIPE))


def _prompts(folder: Path) -> Iterator[str]:
    from tests.bench import prompts

    return prompts.lines(folder)


def _cancelling(folder: Path) -> Iterator[str]:
    from tests.bench import cancelling

    return cancelling.lines(folder, _EXAMPLES / "batch", _RECIPE)


def _app(folder: Path) -> Iterator[str]:
    from tests.bench import app

    return app.lines(folder, _EXAMPLES / "batch")


# Memory comes first, see there.
_PARTS: dict[str, tuple[str, Callable[[Path], Iterator[str]]]] = {
    "memory": ("Peak memory of `loupe inspect`", _memory),
    "stages": ("Seconds per stage of the sample batch", _stages),
    "measuring": ("Measurement against plain OpenCV, on drawn shapes", _measuring),
    "localization": ("Localization against `yolo predict`, same weights", _localization),
    "references": ("Good parts as reference, beside anomalib's PatchCore", _references),
    "held": ("Screening with good parts beside screening without", _held),
    "prompts": ("The agent's prompt over ten steps and ten pictures, beside smolagents' own", _prompts),
    "cancelling": ("From cancel to prompt in each state of a turn, the slowest of three", _cancelling),
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
        # Neither the user's cache nor their past cases are to know of this.
        os.environ["LOUPE_CACHE"] = str(Path(temporary) / "cache")
        os.environ["LOUPE_HOME"] = str(Path(temporary) / "home")
        for name, (title, run) in _PARTS.items():
            if name not in wanted:
                continue
            _print(f"\n{title}")
            began, spent = time.perf_counter(), _processor_s()
            folder = Path(temporary) / name
            folder.mkdir()
            for line in run(folder):
                _print(f"  {line}")
            taken_s = time.perf_counter() - began
            _print(f"  ({name}: {taken_s:.0f} s, {_processor_s() - spent:.0f} s of processor)")
    _print(f"\nmeasured in {time.perf_counter() - start:.0f} s on {os.cpu_count()} cores")


def _processor_s() -> float:
    """Seconds of processor so far, of this process and its children: what another load does not change."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
