"""Learns good parts and judges others with one memory bank of patches, in a process of its own.

`python -m tests.bench.patchcore loupe|anomalib FOLDER BACKBONE` prints a JSON object. Both see through the
same `features` of the same weights, so that what differs is how they are kept, searched and read.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.evaluation.metrics import image_auroc
from tools.recipe import Models
from tools.records import ImageRecord
from tools.references.backbones import load_backbone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.references.backbones import Backbone

    Pictures = NDArray[np.uint8]  # [images, height, width, 3]
    Judge = Callable[[Pictures], list[float]]

_CORESET = 0.1  # anomalib's own default


def learn_loupe(backbone: Backbone, good: Pictures) -> Judge:
    """Loupe's reference set."""
    from tools.references.reference_set import ReferenceSet

    references = ReferenceSet.build(_records(good), backbone)
    return lambda pictures: [score.score for score in references.score(_records(pictures))]


def learn_anomalib(backbone: Backbone, good: Pictures) -> Judge:
    """anomalib's PatchcoreModel, with our features in place of its extractor's."""
    import torch
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    class SameFeatures(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
            grid = backbone.features(np.ascontiguousarray(pictures[0].permute(1, 2, 0).byte().numpy()))
            return {"patches": torch.from_numpy(grid).permute(2, 0, 1)[None]}

    model = PatchcoreModel(layers=["layer1"], backbone="resnet18", pre_trained=False)
    model.layers, model.feature_extractor = ["patches"], SameFeatures()
    model.feature_pooler = torch.nn.Identity()  # the features are averaged over 3 x 3 cells already
    model.train()
    for picture in good:
        model(_tensor(picture))
    model.subsample_embedding(_CORESET)
    model.eval()
    return lambda pictures: [float(model(_tensor(picture)).pred_score) for picture in pictures]


_LEARN: dict[str, Callable[[Backbone, Pictures], Judge]] = {
    "loupe": learn_loupe,
    "anomalib": learn_anomalib,
}


def measure(who: str, folder: Path, backbone_name: str) -> dict[str, float]:
    """Seconds of processor for and beside the features, peak memory and its growth, and AUROC.

    Args:
        who: Key of `_LEARN`.
        folder: Holds `good.npy`, `test.npy` and `is_defect.npy`.
        backbone_name: As `load_backbone` takes it.
    """
    good, test = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("good", "test"))
    truth = np.load(folder / "is_defect.npy").tolist()
    backbone = load_backbone(backbone_name, Models())
    backbone.features(good[0])
    _LEARN[who](backbone, good[:2])  # whatever is imported or built once is no part of the race
    seeing = _Seeing(backbone)
    before_mb = _peak_mb()
    start = time.process_time()
    judge = _LEARN[who](seeing, good)  # type: ignore[arg-type]
    learned_s, learned_seeing_s = time.process_time() - start, seeing.seconds
    start = time.process_time()
    scores = judge(test)
    judged_s = time.process_time() - start
    return {
        "auroc": image_auroc(scores, truth) or 0.0,
        "learn_s": learned_s - learned_seeing_s,
        "judge_s": judged_s - (seeing.seconds - learned_seeing_s),
        "seeing_s": seeing.seconds,
        "grown_mb": _peak_mb() - before_mb,
        "peak_mb": _peak_mb(),
    }


class _Seeing:
    """A backbone that adds up the seconds of processor it takes."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backbone, name)

    def features(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        start = time.process_time()
        try:
            return self._backbone.features(image_rgb)
        finally:
            self.seconds += time.process_time() - start


def _records(pictures: Pictures) -> Iterator[tuple[ImageRecord, NDArray[np.uint8]]]:
    for number, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        yield (
            ImageRecord(id=f"img_{number:03d}", name=f"{number}.png", width_px=width, height_px=height),
            np.array(picture),
        )


def _tensor(picture: NDArray[np.uint8]) -> Any:
    import torch

    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]


def _peak_mb() -> float:
    """Most memory that this program held; on Linux `getrusage` would begin with that of who started it."""
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(held.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS counts bytes


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), sys.argv[3])) + "\n")
