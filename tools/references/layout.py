"""How a rigid part that was laid over its references differs from them, place by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tools.references.registration import edge_strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Layout", "View", "local_distances"]

_SMOOTHING_PX = 3.0
_WINDOW_PX = 7.0  # deviation of the Gaussian window, of a copy of 160 px: about a tenth of the part
_FLAT = 0.15  # variance, of a picture with variance 1, under which a window holds nothing to compare
_LEAST_SPREAD = 0.08  # of correlations among good parts, as a few of them cannot show it


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


@dataclass(frozen=True)
class View:
    """A part laid over the frame, as its layout is compared.

    Attributes:
        edges: Edge strength of a small copy (`edge_strength`).
        grey: Smoothed grey values of the same copy, of mean 0 and deviation 1.
    """

    edges: NDArray[np.float32]
    grey: NDArray[np.float32]

    @classmethod
    def of(cls, laid_rgb: NDArray[np.uint8]) -> Self:
        """From a picture that lies over the frame."""
        import cv2

        edges = edge_strength(laid_rgb)
        small = cv2.resize(laid_rgb, (edges.shape[1], edges.shape[0]), interpolation=cv2.INTER_AREA)
        grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        return cls(edges, (grey - grey.mean()) / (grey.std() + 1e-6))


class Layout:
    """What good parts have in common, place by place: which edges there are, and which shapes of grey.

    Shapes are compared by normalised cross-correlation in a window about each place, so that a shadow or
    another lamp changes little; how much good parts agree with each other there says what is expected.

    Args:
        views: Of the references, all of one size.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = tuple(views)
        self._windowed = [_Windowed.of(view.grey) for view in views]
        count = len(views)
        self._agreements = {
            (one, other): self._windowed[one].agreement(self._windowed[other])
            for one in range(count)
            for other in range(one + 1, count)
        }

    def edge_differences(self, view: View, without: int | None = None) -> NDArray[np.float32]:
        """Where edges are missing or added, against that reference which is most alike around the place.

        Args:
            view: Of an image.
            without: Number of a reference that is left out: the one that is asked about.

        Returns:
            Shape (rows, columns) of the small copy.
        """
        import cv2

        nearest = np.full(view.edges.shape, np.inf, np.float32)
        for number in self._others(without):
            difference = np.abs(view.edges - self._views[number].edges)
            np.minimum(nearest, cv2.GaussianBlur(difference, (0, 0), _SMOOTHING_PX), out=nearest)
        return nearest

    def shape_differences(self, view: View, without: int | None = None) -> NDArray[np.float32]:
        """How much less than good parts among themselves an image agrees with them; positive, small if alike.

        Args:
            view: Of an image.
            without: As for `edge_differences`. Two other references must be left.

        Returns:
            Shape (rows, columns) of half the small copy.
        """
        others = self._others(without)
        windowed = _Windowed.of(view.grey)
        agreement = np.max([windowed.agreement(self._windowed[number]) for number in others], axis=0)
        expected, spread = self._expected(others)
        surprise = np.logaddexp(0.0, (expected - agreement) / (spread + _LEAST_SPREAD))
        return np.asarray(surprise, dtype=np.float32)

    def _expected(self, numbers: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and deviation, over references, of the agreement with the best of the others."""
        best = np.array(
            [
                np.max([self._agreements[min(a, b), max(a, b)] for b in numbers if b != a], axis=0)
                for a in numbers
            ]
        )
        return best.mean(axis=0), best.std(axis=0)

    def _others(self, without: int | None) -> list[int]:
        return [number for number in range(len(self._views)) if number != without]


@dataclass(frozen=True)
class _Windowed:
    """Grey values with their mean and deviation in the window about each place, at half resolution."""

    grey: NDArray[np.float32]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, grey: NDArray[np.float32]) -> Self:
        mean = _window_mean(grey)
        return cls(grey, mean, np.sqrt(np.maximum(_window_mean(grey**2) - mean**2, 0)))

    def agreement(self, other: _Windowed) -> NDArray[np.float32]:
        """Normalised cross-correlation about each place; near 0 where there is hardly any contrast."""
        together = _window_mean(self.grey * other.grey) - self.mean * other.mean
        return np.asarray(together / (self.deviation * other.deviation + _FLAT), dtype=np.float32)


def _window_mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    smooth = cv2.GaussianBlur(values, (0, 0), _WINDOW_PX)
    half = (max(values.shape[1] // 2, 1), max(values.shape[0] // 2, 1))
    return np.asarray(cv2.resize(smooth, half, interpolation=cv2.INTER_AREA), dtype=np.float32)
