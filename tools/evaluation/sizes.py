"""How wrong measured sizes and outlines are, and how often a stated uncertainty holds the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import CalibrationError
from tools.evaluation.figures import MeasurementFigures, OutlineFigures, Rate
from tools.images import decode
from tools.measurement.calibration import resolve_scale
from tools.measurement.outlines import covered_pixels
from tools.records import Finding, Quantity, Scale, ScaleSource

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.evaluation.labelled_sets import LabelledImage, TrueDefect
    from tools.measurement.measurer import Measurer
    from tools.recipe import Recipe

__all__ = ["SizeError", "compare_sizes", "measurement_figures", "outline_figures"]

_MEASURED = (Quantity.LENGTH, Quantity.WIDTH, Quantity.AREA)
_IN_PX = {Quantity.LENGTH: "length_px", Quantity.WIDTH: "width_px", Quantity.AREA: "area_px2"}


@dataclass(frozen=True)
class SizeError:
    """How wrong the measurement of one defect is.

    Attributes:
        errors: Per quantity, as a fraction of the truth, and whether the stated uncertainty holds the truth.
        iou: Of the outline with the labelled pixels in the defect's box; None where none are labelled.
    """

    class_name: str
    errors: tuple[tuple[Quantity, float, bool], ...]
    iou: float | None


def compare_sizes(
    image: LabelledImage, pairs: Sequence[tuple[Finding, TrueDefect]], measurer: Measurer, recipe: Recipe
) -> Iterator[SizeError]:
    """Measures findings and compares them with the true defects that they match.

    Where there is a scale, what is known in pixels alone is measured once more without it.

    The image is decoded once more: to keep pictures until a model answers would keep all that it has taken.
    """
    image_rgb = decode(image.path)
    height, width = image_rgb.shape[:2]
    scale = _scale(image, image_rgb, recipe)
    mask = image.mask.read(width, height) if image.mask else None
    for finding, defect in pairs:
        measured = measurer.measure(image_rgb, finding, scale)
        errors = _errors(measured, defect)
        if scale and any(key in defect.quantities for kind, key in _IN_PX.items() if kind not in errors):
            errors = _errors(measurer.measure(image_rgb, finding, None), defect) | errors
        iou = _iou(measured, defect, mask) if mask is not None else None
        if errors or iou is not None:
            yield SizeError(defect.class_name, tuple((kind, *error) for kind, error in errors.items()), iou)


def _errors(measured: Finding, defect: TrueDefect) -> dict[Quantity, tuple[float, bool]]:
    """Errors as in `SizeError`, of quantities whose truth is known in the unit that was measured."""
    errors = {}
    for quantity in _MEASURED:
        taken = measured.measurement(quantity)
        true = defect.quantities.get(f"{quantity}_{taken.unit}") if taken else None
        if taken and true:
            errors[quantity] = (taken.value - true) / true, abs(taken.value - true) <= taken.uncertainty
    return errors


def _iou(finding: Finding, defect: TrueDefect, mask: NDArray[np.bool_]) -> float:
    """Returns the overlap of an outline with the labelled pixels in the true box; 0 without an outline."""
    x0, y0, x1, y1 = defect.box_xyxy_px
    rows, columns = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
    true = np.zeros_like(mask)
    true[rows, columns] = mask[rows, columns]
    found = covered_pixels(finding.contours_px, finding.holes_px, *mask.shape)
    either = np.count_nonzero(true | found)
    return np.count_nonzero(true & found) / either if either else 0.0


def _scale(image: LabelledImage, image_rgb: NDArray[np.uint8], recipe: Recipe) -> Scale | None:
    """The annotation's scale, else the recipe's where the truth is in mm; None compares pixels."""
    if image.mm_per_px is not None:
        return Scale(mm_per_px=image.mm_per_px, source=ScaleSource.RECIPE, detail="annotation")
    if not any(key.endswith(("_mm", "_mm2")) for defect in image.defects for key in defect.quantities):
        return None
    try:
        return resolve_scale(recipe.scale, image_rgb)
    except CalibrationError:
        return None


def measurement_figures(compared: Sequence[SizeError]) -> Iterator[MeasurementFigures]:
    """Yields the figures of each quantity, over all types and then of each type alone."""
    names = sorted({each.class_name for each in compared})
    for name in (None, *names):
        for quantity in _MEASURED:
            taken = [
                (error, holds)
                for each in compared
                if name in (None, each.class_name)
                for kind, error, holds in each.errors
                if kind is quantity
            ]
            if taken:
                errors = np.array([error for error, _ in taken])
                yield MeasurementFigures(
                    type=name,
                    quantity=quantity,
                    count=errors.size,
                    median=float(np.median(np.abs(errors))),
                    percentile_90=float(np.percentile(np.abs(errors), 90)),
                    bias=float(errors.mean()),
                    within=Rate.of(sum(holds for _, holds in taken), len(taken)),
                )


def outline_figures(compared: Sequence[SizeError]) -> Iterator[OutlineFigures]:
    """Yields how well the outlines of each type agree with the labelled pixels."""
    for name in sorted({each.class_name for each in compared}):
        ious = [each.iou for each in compared if each.class_name == name and each.iou is not None]
        if ious:
            yield OutlineFigures(
                type=name, count=len(ious), median=float(np.median(ious)), mean=float(np.mean(ious))
            )
