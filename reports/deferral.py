"""Parts of a report that are made when their page is reached, so that a long report takes no more memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reportlab.platypus import Flowable
from reportlab.platypus.doctemplate import NullActionFlowable

__all__ = ["Deferred"]


class Deferred(Flowable):  # type: ignore[misc]
    """Stands for flowables that are made anew in each pass, in their turn, and let go of once drawn.

    It claims not to fit; what ReportLab then splits it into is what it stands for.

    Args:
        make: Makes the flowables; the same each time.
    """

    def __init__(self, make: Callable[[], Iterable[Flowable]]) -> None:
        super().__init__()
        self._make = make

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """More than there is."""
        return width, height + 1

    def split(self, _width: float, _height: float) -> list[Flowable]:
        """What it stands for, after something that always fits."""
        return [NullActionFlowable(), *self._make()]
