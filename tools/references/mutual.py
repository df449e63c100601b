"""Mutual scoring: with no good image named, the images of a batch tell which of them are odd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tools.errors import UsageError
from tools.records import Provenance
from tools.references.bank import Scaling
from tools.references.calibration import Calibration, heat_map, level, smoothed, strongest
from tools.references.heat import heat_record
from tools.references.neighbours import nearest_distances
from tools.references.reference_set import ReferenceScore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import ImageRecord
    from tools.references.backbones import Backbone

    Pictures = Iterable[tuple[ImageRecord, NDArray[np.uint8]]]

__all__ = ["MAX_PANEL", "MIN_IMAGES", "Panel", "panel_ids"]

MIN_IMAGES = 12
MAX_PANEL = 64  # images that all are held against; more change little and cost time in proportion

_NEAREST_SHARE = 0.3  # of the other images; with a third of the batch odd, most of the rest still agree
_MAX_CELLS = 4096  # per image
_MAX_COMPARED = 600  # patches of each other image, at random: an image repeats itself
_TRIM = 0.5  # share of the batch that is taken for good when the scale is set


@dataclass(frozen=True)
class _Member:
    """One image of the panel: who it is, and some of its patches per backbone, scaled."""

    image_id: str
    picture_key: str
    patches: tuple[NDArray[np.float16], ...]

    def is_same(self, record: ImageRecord) -> bool:
        """Whether a record is of this image or of a copy of it, which would vouch for itself."""
        return record.id == self.image_id or bool(self.picture_key and record.picture_key == self.picture_key)


class Panel:
    """Images of a batch that all of its images are held against; made by `build`.

    For each patch the distance to the nearest patch of every other image is taken, and of these the mean of
    the smallest 30 %: what is normal has its like in many images (MuSc: Li et al. 2024, ICLR). An image's
    level is compared with that of the calmer half of the panel.

    Once the panel stands, an image's score depends on nothing else: images may be scored in any order, and
    memory holds at most 600 patches of each of the panel's images.

    Attributes:
        size: How many images it has.
        calm_ids: Its images that are most like the others, the calmest first.
        calibration: How distances read as suspicion.
    """

    def __init__(
        self,
        members: Sequence[_Member],
        backbones: Sequence[Backbone],
        scalings: Sequence[Scaling],
        calibration: Calibration,
        calm_ids: Sequence[str],
    ) -> None:
        self._members, self._backbones, self._scalings = members, tuple(backbones), scalings
        self.size = len(members)
        self.calm_ids = tuple(calm_ids)
        self.calibration = calibration

    @classmethod
    def build(
        cls, images: Pictures, backbones: Backbone | Sequence[Backbone], *, overkill: float = 0.05
    ) -> Self:
        """Makes the panel from the images that `panel_ids` chose.

        Args:
            images: Records with their pictures, uint8 RGB; taken one by one.
            backbones: One or several; of several the mean counts.
            overkill: Share of good images that may score above 0.5, so far as the batch shows it.

        Raises:
            UsageError: There are fewer than `MIN_IMAGES`.
        """
        seers = tuple(backbones) if isinstance(backbones, Sequence) else (backbones,)
        records: list[ImageRecord] = []
        grids: list[tuple[NDArray[np.float16], ...]] = []
        for record, image_rgb in images:
            records.append(record)
            grids.append(tuple(_thinned(seer.features(image_rgb)).astype(np.float16) for seer in seers))
        if len(records) < MIN_IMAGES:
            raise UsageError(
                f"{len(records)} images are too few to score each other",
                f"mutual scoring needs at least {MIN_IMAGES}; name some good images instead",
            )
        scalings = [_scaling([grid[number] for grid in grids]) for number in range(len(seers))]
        generator = np.random.default_rng(0)
        members = [
            _Member(record.id, record.picture_key, _sampled(each, scalings, generator))
            for record, each in zip(records, grids, strict=True)
        ]
        maps = [_maps(record, each, members, scalings) for record, each in zip(records, grids, strict=True)]
        levels = np.array([[level(each) for each in of_image] for of_image in maps])
        peaks = np.array([[strongest(smoothed(each)) for each in of_image] for of_image in maps])
        calmer = np.argsort(_ranks(levels).mean(axis=1), kind="stable")[: max(round(_TRIM * len(maps)), 6)]
        calibration = Calibration.of(levels[calmer], peaks[calmer], overkill, len(seers))
        return cls(members, seers, scalings, calibration, [records[number].id for number in calmer])

    def score(self, images: Pictures) -> Iterator[ReferenceScore]:
        """Yields a score per image, in order, each as soon as it has been seen.

        Args:
            images: Records with their pictures, uint8 RGB; taken one by one.
        """
        for record, image_rgb in images:
            grids = tuple(_thinned(seer.features(image_rgb)).astype(np.float16) for seer in self._backbones)
            maps = _maps(record, grids, self._members, self._scalings)
            levels = np.array([level(each) for each in maps])
            fused = self.calibration.fused(levels)
            alone = (levels - self.calibration.means) / self.calibration.deviations
            yield ReferenceScore(
                image_id=record.id,
                score=round(self.calibration.suspicion(fused), 6),
                deviations=round(fused, 4),
                heat_map=heat_record(heat_map(maps, self.calibration, range(len(maps)))),
                parts={
                    seer.name: round(self.calibration.suspicion(float(z)), 6)
                    for seer, z in zip(self._backbones, alone, strict=True)
                },
            )

    @property
    def provenance(self) -> Provenance:
        """What the scores were made with, without timings."""
        return Provenance(
            tool="batch",
            model=" + ".join(backbone.name for backbone in self._backbones),
            weights_sha256=next((b.weights_sha256 for b in self._backbones if b.weights_sha256), None),
            parameters={
                "overkill": self.calibration.overkill,
                "images": self.size,
                "backbones": {backbone.name: dict(backbone.parameters) for backbone in self._backbones},
            },
        )


def panel_ids(ids: Sequence[str]) -> list[str]:
    """The images of a batch that make its panel: all of them, or `MAX_PANEL` at even steps."""
    steps = np.unique(np.linspace(0, len(ids) - 1, min(MAX_PANEL, len(ids))).round().astype(int))
    return [ids[step] for step in steps]


def _maps(
    record: ImageRecord,
    grids: Sequence[NDArray[np.float16]],
    members: Sequence[_Member],
    scalings: Sequence[Scaling],
) -> list[NDArray[np.float32]]:
    """Per backbone and cell the mean distance to the most alike of the panel's other images."""
    others = [member for member in members if not member.is_same(record)]
    # Where all are copies of one picture, there is nothing else to hold it against.
    others = others or [member for member in members if member.image_id != record.id]
    count = max(round(_NEAREST_SHARE * len(others)), 1)
    maps = []
    for number, (grid, scaling) in enumerate(zip(grids, scalings, strict=True)):
        queries = scaling(grid.reshape(-1, grid.shape[-1]).astype(np.float32))
        distances = np.empty((len(others), len(queries)), np.float32)
        for row, other in enumerate(others):
            distances[row] = nearest_distances(queries, other.patches[number].astype(np.float32))
        nearest = np.partition(distances, count - 1, axis=0)[:count]
        maps.append(nearest.mean(axis=0).reshape(grid.shape[:2]))
    return maps


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


def _scaling(grids: Sequence[NDArray[np.float16]]) -> Scaling:
    """The scaling that a seventh of all patches shows."""
    few = np.concatenate([grid.reshape(-1, grid.shape[-1])[::7] for grid in grids])
    return Scaling.of(few.astype(np.float32))


def _sampled(
    grids: Sequence[NDArray[np.float16]], scalings: Sequence[Scaling], generator: np.random.Generator
) -> tuple[NDArray[np.float16], ...]:
    """Some patches of an image per backbone, at random."""
    sampled = []
    for grid, scaling in zip(grids, scalings, strict=True):
        patches = grid.reshape(-1, grid.shape[-1])
        kept = patches[generator.permutation(len(patches))[:_MAX_COMPARED]]
        sampled.append(scaling(kept.astype(np.float32)).astype(np.float16))
    return tuple(sampled)


def _ranks(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank of each image within its expert, so that experts of any scale count alike."""
    return np.asarray(levels.argsort(axis=0).argsort(axis=0), dtype=np.float64)
