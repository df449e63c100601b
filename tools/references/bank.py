"""The patches of good parts as one backbone sees them, and how far patches of a new image are from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tools.references.layout import local_distances
from tools.references.neighbours import coreset, nearest_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FreeBank", "PlacedBank", "Scaling"]

_CANDIDATES = 5  # times the patches kept are considered for a coreset
_MIN_DEVIATION = 1e-4


@dataclass(frozen=True)
class Scaling:
    """Brings each channel to deviation 1 over good patches, so that distances weigh all channels alike."""

    mean: NDArray[np.float32]
    factor: NDArray[np.float32]

    @classmethod
    def of(cls, patches: NDArray[np.float32]) -> Self:
        """From patches of shape (patches, channels)."""
        factor = 1 / (patches.std(axis=0) + _MIN_DEVIATION) / np.sqrt(patches.shape[1])
        return cls(patches.mean(axis=0), factor.astype(np.float32))

    def __call__(self, patches: NDArray[np.float32]) -> NDArray[np.float32]:
        """The patches, channels last, scaled."""
        return (patches - self.mean) * self.factor


@dataclass(frozen=True)
class FreeBank:
    """Good patches wherever they were: for parts and surfaces without a fixed layout.

    Attributes:
        patches: Scaled, shape (patches, channels).
        owners: Number of the reference that each comes from.
    """

    scaling: Scaling
    patches: NDArray[np.float32]
    owners: NDArray[np.int32]

    @classmethod
    def of(cls, grids: Sequence[NDArray[np.float16]], max_patches: int) -> Self:
        """From each reference's features, channels last; a coreset where they are more than `max_patches`."""
        per_reference = max(_CANDIDATES * max_patches // len(grids), 1)
        flat = [
            _some(grid.reshape(-1, grid.shape[-1]), per_reference, seed=number).astype(np.float32)
            for number, grid in enumerate(grids)
        ]
        owners = np.repeat(np.arange(len(flat), dtype=np.int32), [len(patches) for patches in flat])
        patches = np.concatenate(flat)
        scaling = Scaling.of(patches)
        scaled = scaling(patches)
        kept = coreset(scaled, max_patches)
        return cls(scaling, scaled[kept], owners[kept])

    def distances(self, grid: NDArray[np.float32], without: int | None = None) -> NDArray[np.float32]:
        """Distance of each cell of a grid (rows, columns, channels) to the nearest good patch.

        Args:
            grid: Features of an image.
            without: Number of a reference whose patches are left out: the one that is asked about. Where the
                coreset has patches of no other, none are.
        """
        patches = self.patches if without is None else self.patches[self.owners != without]
        if not len(patches):
            patches = self.patches
        queries = self.scaling(grid.reshape(-1, grid.shape[-1]))
        return nearest_distances(queries, patches).reshape(grid.shape[:-1])


@dataclass(frozen=True)
class PlacedBank:
    """Good patches by their place: for rigid parts that are laid over each other.

    Attributes:
        grids: Scaled features of the references, each (rows, columns, channels).
    """

    scaling: Scaling
    grids: tuple[NDArray[np.float32], ...]

    @classmethod
    def of(cls, grids: Sequence[NDArray[np.float16]]) -> Self:
        """From each reference's features, all of one shape."""
        wide = [grid.astype(np.float32) for grid in grids]
        scaling = Scaling.of(np.concatenate([grid.reshape(-1, grid.shape[-1]) for grid in wide]))
        return cls(scaling, tuple(scaling(grid) for grid in wide))

    def distances(self, grid: NDArray[np.float32], without: int | None = None) -> NDArray[np.float32]:
        """Distance of each cell to the nearest good patch about its place; as `FreeBank.distances`."""
        grids = [each for number, each in enumerate(self.grids) if number != without]
        return local_distances(self.scaling(grid), grids)


def _some(patches: NDArray[np.float16], count: int, seed: int) -> NDArray[np.float16]:
    """At most so many rows, chosen evenly at random, always the same ones for a seed."""
    if len(patches) <= count:
        return patches
    return patches[np.random.default_rng(seed).permutation(len(patches))[:count]]
