"""Distances to the nearest of many patches in bounded memory, and fewer patches that stand for many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["coreset", "nearest_distances"]

_MAX_DISTANCES = 8_000_000  # held at once: 32 MB
_BANK_ROWS = 65_536
_PROJECTED = 32  # dimensions in which a coreset is chosen


def nearest_distances(queries: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean distance from each query to the nearest row of the bank, exactly.

    Args:
        queries: Shape (queries, channels).
        bank: Shape (patches, channels), at least one patch.

    Returns:
        Shape (queries,). Never more than 32 MB of distances are held, however large the bank.
    """
    import torch

    rows, asked = torch.from_numpy(bank), torch.from_numpy(queries)
    step_bank = min(len(rows), _BANK_ROWS)
    step = max(_MAX_DISTANCES // step_bank, 1)
    nearest = np.empty(len(queries), np.float32)
    with torch.inference_mode():
        for start in range(0, len(asked), step):
            chunk = asked[start : start + step]
            best = torch.full((len(chunk),), float("inf"))
            for first in range(0, len(rows), step_bank):
                best = torch.minimum(best, torch.cdist(chunk, rows[first : first + step_bank]).amin(dim=1))
            nearest[start : start + step] = best.numpy()
    return nearest


def coreset(patches: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Indices of patches that leave no other far from all of them: greedy farthest-first (k-centre).

    As PatchCore does (Roth et al. 2022, CVPR), in a random projection, which keeps distances (Johnson and
    Lindenstrauss, 1984). The same patches give the same indices.

    Args:
        patches: Shape (patches, channels).
        count: How many to keep; all are kept where there are no more.

    Returns:
        Shape (min(count, patches),), sorted.
    """
    if len(patches) <= count:
        return np.arange(len(patches))
    generator = np.random.default_rng(0)
    projected = patches
    if patches.shape[1] > _PROJECTED:
        directions = generator.standard_normal((patches.shape[1], _PROJECTED)) / np.sqrt(_PROJECTED)
        projected = patches @ directions.astype(np.float32)
    chosen = np.empty(count, np.intp)
    chosen[0] = generator.integers(len(patches))
    squares = np.einsum("pc,pc->p", projected, projected)
    farness = np.full(len(patches), np.inf, np.float32)
    for number in range(1, count):
        last = chosen[number - 1]
        # |a - b|^2 = |a|^2 + |b|^2 - 2ab: one pass over the patches, without a copy of them.
        np.minimum(farness, squares + squares[last] - 2 * (projected @ projected[last]), out=farness)
        farness[last] = -np.inf
        chosen[number] = int(farness.argmax())
    return np.sort(chosen)
