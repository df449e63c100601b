"""Peak memory of `loupe inspect` over few and over many images: it must not grow with the batch.

Windows and captions are off, only the most suspicious are located, and images are not held against each
other: these cost most of the time, and hold nothing beyond one image, or beyond the same few images of any
batch. Exports and report are made by the same command again, which has nothing left to inspect, so that
their peak is their own. It runs before the other parts, for on Linux a child's peak begins at what its
parent held when it was started.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import yaml

from tools.forge.scene import synthesize
from tools.recipe.file import load_recipe

_FEW, _MANY = 100, 2_000
_SIDE_PX = 256


class Run(NamedTuple):
    """What one `loupe inspect` took."""

    peak_mb: float
    seconds: float


def lines(folder: Path, recipe_file: Path) -> Iterator[str]:
    """Inspects both batches, each in a process of its own."""
    quick = _quick_recipe(recipe_file, folder / "recipe.yaml")
    stages = {"inspection": "--no-report", "exports and report": "--report"}
    peaks: dict[str, list[float]] = {stage: [] for stage in stages}
    for count in (_FEW, _MANY):
        images = folder / f"{count}"
        _write_images(images, count)
        for stage, option in stages.items():
            run = _inspect(images, folder / f"out-{count}", quick, option)
            peaks[stage].append(run.peak_mb)
            yield (
                f"{count} images of {_SIDE_PX}x{_SIDE_PX} px, {stage}: peak {run.peak_mb:.0f} MB, "
                f"{run.seconds:.0f} s"
            )
    for stage, (few, many) in peaks.items():
        yield f"{stage}: peak at {_MANY} images over peak at {_FEW}: {many / few:.2f}"


def _quick_recipe(recipe_file: Path, quick: Path) -> Path:
    document = load_recipe(recipe_file).model_dump(mode="json", exclude_none=True)
    document["screening"] |= {"window_fractions": [], "threshold": 0.9, "review_band": 0.0}
    document["captioning"]["enabled"] = False
    document["references"]["batch"] = False
    quick.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return quick


def _write_images(folder: Path, count: int) -> None:
    """Distinct pictures from a few parts: good ones, so that the time goes into the batch's length."""
    folder.mkdir()
    parts = [
        synthesize(seed, size_px=(_SIDE_PX, _SIDE_PX), defect_rate=0.0).image_rgb
        for seed in range(4_100_000, 4_100_020)
    ]
    rng = np.random.default_rng(11)
    for number in range(count):
        part = parts[number % len(parts)]
        brightness = rng.uniform(0.9, 1.1)
        picture = np.clip(part * brightness, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"part_{number:04d}.jpg"), picture[..., ::-1])


def _inspect(images: Path, out: Path, recipe_file: Path, *options: str) -> Run:
    command = [
        sys.executable,
        "-m",
        "tui.cli",
        "inspect",
        str(images),
        "--recipe",
        str(recipe_file),
        *options,
    ]
    start = time.perf_counter()
    with subprocess.Popen([*command, "--out", str(out), "--quiet"], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        raise RuntimeError(f"loupe inspect ended with exit status {process.returncode}")
    kilobyte = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kilobytes
    return Run(usage.ru_maxrss * kilobyte / 1e6, time.perf_counter() - start)
