"""How a rigid part that was laid over its references differs from them, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["edge_differences", "local_distances"]

_SMOOTHING_PX = 3.0


def local_distances(
    grid: NDArray[np.float32], references: Sequence[NDArray[np.float32]], reach: int = 1
) -> NDArray[np.float32]:
    """Distance from each cell to the nearest of the references' cells in the same place, or close to it.

    Args:
        grid: Features of shape (rows, columns, channels).
        references: Grids of the same shape.
        reach: Cells by which a part may lie off in either direction.

    Returns:
        Shape (rows, columns).
    """
    rows, columns = grid.shape[:2]
    nearest = np.full((rows, columns), np.inf, np.float32)
    for reference in references:
        padded = np.pad(reference, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        for down in range(2 * reach + 1):
            for across in range(2 * reach + 1):
                difference = grid - padded[down : down + rows, across : across + columns]
                squares = np.einsum("rck,rck->rc", difference, difference)
                np.minimum(nearest, squares, out=nearest)
    return np.sqrt(nearest)


def edge_differences(
    edges: NDArray[np.float32], references: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Where edges are missing or added, against that reference which is most alike around the place.

    Args:
        edges: Edge strength of shape (rows, columns), as `Frame.edges_of` gives it.
        references: Edge strengths of the same shape.

    Returns:
        Shape (rows, columns).
    """
    import cv2

    nearest = np.full(edges.shape, np.inf, np.float32)
    for reference in references:
        difference = cv2.GaussianBlur(np.abs(edges - reference), (0, 0), _SMOOTHING_PX)
        np.minimum(nearest, difference, out=nearest)
    return nearest
