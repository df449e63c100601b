"""Good parts as reference: how well, how fast and in what memory, beside anomalib's PatchCore.

anomalib lives in a folder of its own (`make bench` fetches it, see `peers.txt`): it would put a second OpenCV
over ours. Only the process that runs it sees that folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tools.forge.scene import synthesize

_GOOD, _TEST = 8, 16  # references; good and defect photographs to judge, each
_SIZE_PX = (768, 576)
_DEFECTS = ("scratch", "dent", "crack", "contamination")
_SERIES = 19  # of the sample batch: one painted cover, photographed again and again
_PEERS = Path(__file__).parents[2] / ".venv" / "peers"


def lines(folder: Path) -> Iterator[str]:
    """Runs each in a process of its own, on the same files."""
    _write(folder)
    yield (
        f"{_GOOD} good parts; {2 * _TEST} photographs of {_SIZE_PX[0]}x{_SIZE_PX[1]} px to judge, half of "
        "them with a defect; seconds are of processor"
    )
    ours = _measured("loupe", folder, "clip")
    yield _line("Loupe, pocket CLIP's tower", ours)
    yield _line("Loupe, textures (the default)", _measured("loupe", folder, "texture"))
    if not (_PEERS / "anomalib").is_dir():
        yield "anomalib is not here (`make bench` fetches it): not compared"
        return
    theirs = _measured("anomalib", folder, "clip")
    yield _line("anomalib's PatchCore, same tower", theirs)
    ratios = {name: theirs[name] / ours[name] for name in ("learn_s", "judge_s")}
    yield (
        f"beside it Loupe learns {ratios['learn_s']:.1f} and judges {ratios['judge_s']:.1f} times as fast "
        "(features aside, which are the same), "
        f"grows by {ours['grown_mb']:.0f} MB where it grows by {theirs['grown_mb']:.0f} MB, "
        f"AUROC {ours['auroc'] - theirs['auroc']:+.3f}"
    )


def _write(folder: Path) -> None:
    good = [_photograph(4_300_000 + number) for number in range(_GOOD)]
    calm = [_photograph(4_310_000 + number) for number in range(_TEST)]
    bad = [_photograph(4_320_000 + number, _DEFECTS[number % len(_DEFECTS)]) for number in range(_TEST)]
    np.save(folder / "good.npy", np.stack(good))
    np.save(folder / "test.npy", np.stack([*calm, *bad]))
    np.save(folder / "is_defect.npy", np.repeat([False, True], _TEST))


def _photograph(seed: int, *defects: str) -> np.ndarray:
    return synthesize(
        seed,
        size_px=_SIZE_PX,
        material="painted_metal",
        part_shape="plate",
        with_aruco=False,
        defects=defects,
        mm_per_px=0.1,
        series=_SERIES,
    ).image_rgb


def _measured(who: str, folder: Path, backbone: str) -> dict[str, float]:
    environment = dict(os.environ)
    if who == "anomalib":
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_PEERS), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "tests.bench.patchcore", who, str(folder), backbone]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures


def _line(name: str, figures: dict[str, float]) -> str:
    return (
        f"{name}: AUROC {figures['auroc']:.3f}; features {figures['seeing_s']:.2f} s, besides learning "
        f"{figures['learn_s']:.2f} s, judging {figures['judge_s']:.2f} s; "
        f"peak {figures['peak_mb']:.0f} MB, {figures['grown_mb']:.0f} MB of it for this"
    )
