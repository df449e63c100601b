"""Trains the pocket detector: YOLO11n from random weights, on crops and then on whole photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.forge.augment import developed, turned
from tools.forge.schedule import Averaged, Budget, Progress, set_rate
from tools.forge.training_set import Photo, tight_box
from tools.forge.truth import DEFECT_TYPES
from tools.localization.detectors import import_ultralytics, save_detector

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

__all__ = ["STAGES", "Stage", "train_yolo"]

_IMGSZ = 640
_RATE = 1.5e-3
_LEAST_VISIBLE = 0.25  # share of a defect that a crop must hold for its box to count


@dataclass(frozen=True)
class Stage:
    """A part of the training: small crops teach what a defect looks like at a fraction of the cost.

    Attributes:
        until: Share of the budget at which it ends.
        zoom: Least and largest magnification.
        aimed: Share of the crops that are aimed at a defect or a harmless mark.
    """

    until: float
    side_px: int
    batch: int
    zoom: tuple[float, float]
    aimed: float


STAGES = (
    Stage(0.6, 224, 32, (0.7, 1.4), 0.85),
    Stage(0.82, 320, 16, (0.7, 1.3), 0.75),
    Stage(1.0, 640, 6, (1.0, 1.15), 0.0),
)


def _window(photo: Photo, stage: Stage, rng: np.random.Generator) -> tuple[int, int, int]:
    """Chooses (left, top, side) of a square inside the photograph."""
    zoom = float(np.exp(rng.uniform(*np.log(stage.zoom))))
    width, height = photo.size_px
    side = min(round(stage.side_px / zoom), width, height)
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    if photo.marks and rng.random() < stage.aimed:
        aims = photo.defects if photo.defects and rng.random() < 0.8 else photo.marks
        box = aims[int(rng.integers(len(aims)))].box_xyxy_px
        left = (box[0] + box[2]) / 2 - side * rng.uniform(0.15, 0.85)
        top = (box[1] + box[3]) / 2 - side * rng.uniform(0.15, 0.85)
    return int(np.clip(left, 0, width - side)), int(np.clip(top, 0, height - side)), side


def _crop(
    photo: Photo, stage: Stage, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32], list[int]]:
    """Returns a square of a photograph, its boxes (N, 4) xyxy as fractions of its side, and their classes."""
    import cv2

    left, top, side = _window(photo, stage, rng)
    inside = (slice(top, top + side), slice(left, left + side))
    boxes: list[tuple[float, ...]] = []
    classes: list[int] = []
    for defect, mask in zip(photo.defects, photo.masks(), strict=True):
        box = tight_box(mask[inside])
        if box and np.count_nonzero(mask[inside]) >= _LEAST_VISIBLE * np.count_nonzero(mask):
            boxes.append(tuple(edge / side for edge in box))
            classes.append(DEFECT_TYPES.index(defect.type))
    size = (stage.side_px, stage.side_px)
    method = cv2.INTER_AREA if side > stage.side_px else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(photo.pixels()[inside], size, interpolation=method), dtype=np.uint8)
    image, placed = turned(image, np.array(boxes, dtype=np.float32).reshape(-1, 4), rng)
    return developed(image, rng), placed, classes


def _batch(photos: Sequence[Photo], stage: Stage, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Returns a batch as ultralytics' loss takes it: RGB in [0, 1], boxes as centre and size in fractions."""
    import torch

    images, boxes, classes, owners = [], [], [], []
    for owner, index in enumerate(rng.choice(len(photos), stage.batch)):
        image, placed, kinds = _crop(photos[int(index)], stage, rng)
        images.append(image)
        boxes.append(placed)
        classes += kinds
        owners += [owner] * len(kinds)
    xyxy = torch.from_numpy(np.concatenate(boxes))
    xywh = torch.cat([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], dim=1)
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)  # channels last, as the model
    return {
        "img": pixels.float() / 255,
        "bboxes": xywh,
        "cls": torch.tensor(classes, dtype=torch.float32).view(-1, 1),
        "batch_idx": torch.tensor(owners, dtype=torch.float32),
    }


def _optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    import torch

    decayed = [p for p in model.parameters() if p.ndim > 1 and p.requires_grad]
    plain = [p for p in model.parameters() if p.ndim <= 1 and p.requires_grad]
    groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.999))


def _new_model(start: Path | None) -> Any:  # noqa: ANN401 -- an untyped module
    from ultralytics.cfg import get_cfg
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolo11n.yaml", nc=len(DEFECT_TYPES), verbose=False)
    model.args = get_cfg()
    model.names = dict(enumerate(DEFECT_TYPES))
    if start:
        from safetensors.torch import load_file

        weights = load_file(start / "model.safetensors")
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    return model


def train_yolo(
    photos: Sequence[Photo],
    out: Path,
    budget: Budget,
    *,
    seed: int = 0,
    start: Path | None = None,
    stages: Sequence[Stage] = STAGES,
) -> None:
    """Trains a detector and writes `model.safetensors` and `model.yaml`.

    Args:
        photos: The training set.
        out: Folder of the checkpoint.
        budget: How long.
        seed: Of the weights and of the order of the crops.
        start: Checkpoint whose weights to begin with; None for random ones.
        stages: What it sees, and until when.
    """
    import torch

    import_ultralytics()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    # Channels last: convolutions on a CPU are an eighth faster.
    model = _new_model(start).to(memory_format=torch.channels_last).train()
    loss_of = model.init_criterion()
    optimizer = _optimizer(model)
    averaged = Averaged(model)
    progress = Progress(budget)
    for step in progress:
        stage = next((stage for stage in stages if progress.fraction < stage.until), stages[-1])
        batch = _batch(photos, stage, rng)
        set_rate((optimizer,), _RATE * progress.rate)
        with torch.autocast("cpu", torch.bfloat16):
            predictions = model.predict(batch["img"])
        whole = {k: v if isinstance(v, list) else v.float() for k, v in predictions.items()}
        losses, parts = loss_of(whole, batch)
        optimizer.zero_grad(set_to_none=True)
        (losses.sum() / stage.batch).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        averaged.update(model, step)
        if progress.is_time_to_save():
            save_detector(averaged.model, out, task="detect", image_size_px=_IMGSZ)
        progress.say(side=stage.side_px, **{name: float(value) for name, value in parts.items()})
    save_detector(averaged.model, out, task="detect", image_size_px=_IMGSZ)
