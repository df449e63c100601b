"""What a report is made from: the records of one run, and where its pixels come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tools.recipe import Recipe
from tools.records import Inspection, Language, RunInfo

__all__ = ["ImageRgb", "ReportInput"]

ImageRgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ReportInput:
    """The input of every writer in this package; the same input gives the same bytes.

    Attributes:
        recipe: As its file says, like its hash in `run`: what options of the command line changed stands
            with the run's models.
        inspections: In batch order; several passes are made over them.
        load_image: Gives the pixels of an image id as uint8 HxWx3 RGB, decoded exactly as when it was
            inspected; may raise ImageError.
        created_at: Date of the report, ISO 8601 with zone.
    """

    run: RunInfo
    recipe: Recipe
    inspections: Sequence[Inspection]
    load_image: Callable[[str], ImageRgb]
    language: Language
    created_at: str
