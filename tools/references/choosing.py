"""Which of many good parts a rigid part is compared with: those that leave no other far from all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.references.bank import Scaling
from tools.references.calibration import level
from tools.references.foreground import inside
from tools.references.layout import local_distances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["spread_out"]


def spread_out(
    grids: Sequence[Sequence[NDArray[np.float16]]],
    masks: Sequence[NDArray[np.bool_] | None],
    count: int,
) -> tuple[int, ...]:
    """Numbers of the parts to keep, in order: farthest-first (k-centre), beginning with the first part.

    What was an alarm before somebody named it good is far from the others, and so is kept.

    Args:
        grids: Per part its features per backbone, each (rows, columns, channels), laid over each other.
        masks: Per part the cells that count; None where all do.
        count: How many to keep, at most as many as there are.
    """
    scalings = [
        Scaling.of(np.concatenate([grid.reshape(-1, grid.shape[-1]).astype(np.float32) for grid in seen]))
        for seen in zip(*grids[:count], strict=True)
    ]

    def scaled(number: int) -> list[NDArray[np.float32]]:
        pairs = zip(scalings, grids[number], strict=True)
        return [scaling(grid.astype(np.float32)) for scaling, grid in pairs]

    nearest = [[np.full(grid.shape[:2], np.inf, np.float32) for grid in seen] for seen in grids]
    farness = np.full(len(grids), np.inf)
    chosen: list[int] = []
    while len(chosen) < count:
        chosen.append(int(farness.argmax()))
        kept = scaled(chosen[-1])
        for number in set(range(len(grids))) - set(chosen):
            for near, grid, one in zip(nearest[number], scaled(number), kept, strict=True):
                np.minimum(near, local_distances(grid, [one]), out=near)
            farness[number] = np.mean([level(inside(near, masks[number])) for near in nearest[number]])
        farness[chosen] = -np.inf
    return tuple(sorted(chosen))
