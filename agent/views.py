"""The pictures that the model gets: contact sheets and what `look` asked for, fitted to the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.events import ImageShown, Note
from agent.models.pictures import Picture
from tools.errors import LoupeError

if TYPE_CHECKING:
    from agent.events import Sink
    from agent.memory import Budget
    from agent.models.base import VisionModel
    from agent.showing import Shown
    from agent.workbench import Workbench

__all__ = ["Views"]


class Views:
    """Puts the workbench's images before one model.

    Args:
        workbench: Holds the images and what was asked to be seen.
        model: Decides the grid and the cost of a picture.
        budget: What a picture may cost.
        sink: Is told each picture that was asked for.
    """

    def __init__(self, workbench: Workbench, model: VisionModel, budget: Budget, sink: Sink) -> None:
        self._workbench, self._model, self._budget, self._sink = workbench, model, budget, sink

    def sheet(self) -> Picture:
        """Returns the first contact sheet, which goes with the table of the batch."""
        return self._fitted(self._workbench.showing.sheet(1))

    def new(self) -> tuple[list[Picture], list[str]]:
        """Takes what was asked for since the last call, and tells what it costs; also why some is missing."""
        pictures: list[Picture] = []
        missing: list[str] = []
        for shown in self._workbench.take_shown():
            try:
                picture = self._fitted(shown)
            except LoupeError as error:  # one picture that cannot be shown ends no turn
                missing.append(f"{shown.image_id} cannot be shown: {error.message.rstrip('.')}")
                self._sink(Note(text=missing[-1]))
                continue
            width, height = picture.size_px
            self._sink(
                ImageShown(
                    image_id=shown.image_id,
                    region_xyxy_px=shown.region_xyxy_px,
                    width_px=width,
                    height_px=height,
                    tokens=self._model.picture_tokens(width, height),
                )
            )
            pictures.append(picture)
        return pictures, missing

    def seen(self, picture: Picture) -> str:
        """Returns what is known of a picture that the model does not see any more."""
        return self._workbench.summary(picture.label.partition(" ")[0])

    def _fitted(self, shown: Shown) -> Picture:
        region = shown.region_xyxy_px
        place = f" ({', '.join(f'{edge:.0f}' for edge in region)})" if region else ""
        limit = self._budget.picture_tokens if shown.sheet is None else self._budget.sheet_tokens
        image = self._workbench.showing.drawn(shown)
        return Picture(f"{shown.image_id}{place}", self._model.fitted(image, limit))
