"""Mutual scoring: with no good image named, the images of a batch tell which of them are odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import UsageError
from tools.references.bank import Scaling
from tools.references.calibration import Calibration, heat_map, level, strongest
from tools.references.neighbours import nearest_distances
from tools.references.reference_set import ReferenceScore, heat_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import ImageRecord
    from tools.references.backbones import Backbone

__all__ = ["MIN_IMAGES", "mutual_scores"]

MIN_IMAGES = 12

_NEAREST_SHARE = 0.3  # of the other images; with a third of the batch odd, most of the rest still agree
_MAX_OTHERS = 48  # that each image is compared with; more change little and cost time in proportion
_MAX_CELLS = 4096  # per image
_MAX_COMPARED = 600  # patches of each other image, at random: an image repeats itself
_TRIM = 0.5  # share of the batch that is taken for good when the scale is set


def mutual_scores(
    images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
    backbones: Backbone | Sequence[Backbone],
    *,
    overkill: float = 0.05,
) -> Iterator[ReferenceScore]:
    """Scores the images of a batch against each other.

    For each patch the distance to the nearest patch of every other image is taken, and of these the mean of
    the smallest 30 %: what is normal has its like in many images (MuSc: Li et al. 2024, ICLR). An image's
    level is compared with that of the calmer half of the batch.

    Features of the whole batch are kept as float16 with at most 4096 cells an image; distances are computed
    for a pair of images at a time, each image against some patches of at most 48 others, spread evenly over
    the batch.

    Args:
        images: Records with their pictures, uint8 RGB; taken one by one.
        backbones: One or several; several vote with equal weight.
        overkill: Share of good images that may score above 0.5, so far as the batch shows it.

    Raises:
        UsageError: There are fewer than `MIN_IMAGES`.
    """
    seers = tuple(backbones) if isinstance(backbones, Sequence) else (backbones,)
    ids: list[str] = []
    grids: list[list[NDArray[np.float16]]] = [[] for _ in seers]
    for record, image_rgb in images:
        ids.append(record.id)
        for kept, seer in zip(grids, seers, strict=True):
            kept.append(_thinned(seer.features(image_rgb)).astype(np.float16))
    if len(ids) < MIN_IMAGES:
        raise UsageError(
            f"{len(ids)} images are too few to score each other",
            f"mutual scoring needs at least {MIN_IMAGES}; name some good images instead",
        )
    maps = [_mutual_maps(each) for each in grids]
    levels = np.array([[level(each[number]) for each in maps] for number in range(len(ids))])
    peaks = np.array([[strongest(each[number]) for each in maps] for number in range(len(ids))])
    calmer = np.argsort(_ranks(levels).mean(axis=1), kind="stable")[: max(round(_TRIM * len(ids)), 6)]
    calibration = Calibration.of(levels[calmer], peaks[calmer], overkill)
    for number, image_id in enumerate(ids):
        alone = (levels[number] - calibration.means) / calibration.deviations
        yield ReferenceScore(
            image_id=image_id,
            score=round(calibration.suspicion(calibration.fused(levels[number])), 6),
            heat_map=heat_record(heat_map([each[number] for each in maps], calibration)),
            parts={
                seer.name: round(calibration.suspicion(float(z)), 6)
                for seer, z in zip(seers, alone, strict=True)
            },
        )


def _thinned(grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """A coarser grid where it has more cells than are compared; neighbours are averaged."""
    rows, columns = grid.shape[:2]
    step = int(np.ceil(np.sqrt(rows * columns / _MAX_CELLS)))
    if step == 1:
        return grid
    down, across = max(rows // step, 1), max(columns // step, 1)
    cut = grid[: down * min(step, rows), : across * min(step, columns)]
    blocks = cut.reshape(down, cut.shape[0] // down, across, cut.shape[1] // across, -1)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


def _mutual_maps(grids: Sequence[NDArray[np.float16]]) -> list[NDArray[np.float32]]:
    """Per image and cell the mean distance to the most alike of the other images."""
    few = np.concatenate([grid.reshape(-1, grid.shape[-1])[::7] for grid in grids]).astype(np.float32)
    scaling = Scaling.of(few)
    generator = np.random.default_rng(0)
    samples = []
    for grid in grids:
        patches = grid.reshape(-1, grid.shape[-1])
        kept = patches[generator.permutation(len(patches))[:_MAX_COMPARED]]
        samples.append(scaling(kept.astype(np.float32)))
    maps = []
    for number, grid in enumerate(grids):
        queries = scaling(grid.reshape(-1, grid.shape[-1]).astype(np.float32))
        others = _others(number, len(grids))
        distances = np.empty((len(others), len(queries)), np.float32)
        for row, other in enumerate(others):
            distances[row] = nearest_distances(queries, samples[other])
        count = max(round(_NEAREST_SHARE * len(others)), 1)
        nearest = np.partition(distances, count - 1, axis=0)[:count]
        maps.append(nearest.mean(axis=0).reshape(grid.shape[:2]))
    return maps


def _others(number: int, total: int) -> list[int]:
    """The images that one is compared with: all others, or some at even steps from it."""
    steps = np.unique(np.linspace(1, total - 1, min(_MAX_OTHERS, total - 1)).round().astype(int))
    return [int((number + step) % total) for step in steps]


def _ranks(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each image within its expert, so that experts of any scale count alike."""
    return np.asarray(levels.argsort(axis=0).argsort(axis=0), dtype=np.float64)
