"""Images per second of localization, from files to boxes, against `yolo predict` with the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.timing import by_turns
from tools.checkpoints import Runtime, resolve
from tools.forge.dataset import encode_jpeg
from tools.forge.scene import synthesize
from tools.images import Batch
from tools.localization.detectors import import_ultralytics
from tools.localization.localizer import Localizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tools.recipe import Recipe
    from tools.records import ImageRecord

_IMAGES = 24
_ROUNDS = 3


def lines(folder: Path, recipe: Recipe) -> Iterator[str]:
    """Both get the threads that torch would take: left alone, `yolo` takes one core less."""
    import torch

    images = folder / "images"
    images.mkdir()
    for seed in range(4_200_000, 4_200_000 + _IMAGES):
        (images / f"{seed}.jpg").write_bytes(encode_jpeg(synthesize(seed).image_rgb, 92))
    threads = torch.get_num_threads()
    checkpoint = resolve("detector", recipe.models)
    localizer = Localizer(checkpoint, recipe, Runtime("cpu"))
    batch = Batch.open([images])
    if checkpoint.path is None:
        raise RuntimeError("the benchmark needs a detector on this machine")
    yolo, size_px = _yolo(checkpoint.path)
    settings = recipe.localization
    options = {"conf": settings.confidence, "iou": settings.iou, "imgsz": size_px, "verbose": False}

    def ours() -> int:
        return sum(len(findings) for findings in localizer.locate(unhashed(batch)))

    def theirs() -> int:
        results = yolo.predict(images, stream=True, device="cpu", **options)
        return sum(len(result.boxes) for result in results)

    found = ours(), theirs()
    torch.set_num_threads(threads)
    race = by_turns(ours, theirs, _ROUNDS)
    yield (
        f"{_IMAGES} JPEG files of 640x640 px, YOLO at {size_px} px, {threads} threads each: "
        f"Loupe {_IMAGES / race.ours_s:.1f} images/s, yolo predict {_IMAGES / race.theirs_s:.1f} images/s: "
        f"{race.ratio:.2f} times as fast ({found[0]} and {found[1]} boxes)"
    )


def unhashed(batch: Batch) -> Iterator[tuple[ImageRecord, NDArray[np.uint8]]]:
    """Decodes the batch; the localizer remembers images by their hash, and would be timed at remembering."""
    for record, image_rgb in batch.stream():
        if image_rgb is not None:
            yield record.model_copy(update={"sha256": ""}), image_rgb


def _yolo(folder: Path) -> tuple[Any, int]:
    """The network of `model.safetensors` behind ultralytics' own front door, and its input side."""
    import yaml
    from safetensors.torch import load_file

    ultralytics = import_ultralytics()
    spec = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    yolo = ultralytics.YOLO(folder / "model.yaml", task=spec["task"])
    yolo.model.load_state_dict(load_file(folder / "model.safetensors"))
    yolo.model.names = spec["names"]
    return yolo, int(spec["imgsz"])
