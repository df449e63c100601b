from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.evaluation.figures import Rate
from tools.evaluation.labelled_sets import LabelledImage, TrueDefect, Truth
from tools.evaluation.sizes import SizeError, compare_sizes, measurement_figures, outline_figures
from tools.evaluation.true_masks import TrueMask
from tools.recipe import DefectType, Part, Recipe
from tools.records import Finding, Measurement, Origin, Quantity, Unit

RECIPE = Recipe(recipe_version=1, name="test", part=Part(name="plate"), defects={"dent": DefectType()})
BOX = (10.0, 8.0, 20.0, 14.0)
OUTLINE = ((10.0, 8.0), (20.0, 8.0), (20.0, 14.0), (10.0, 14.0))
HALF = ((10.0, 8.0), (15.0, 8.0), (15.0, 14.0), (10.0, 14.0))
HOLE = ((15.0, 8.0), (20.0, 8.0), (20.0, 14.0), (15.0, 14.0))


class FakeMeasurer:
    """Says 10 px within 1 px, in mm where there is a scale, and what outline it is told to."""

    def __init__(self, contours=(), holes=()):
        self._outlines = {"contours_px": contours, "holes_px": holes}

    def measure(self, image_rgb, finding, scale):
        factor = scale.mm_per_px if scale else 1.0
        unit, unit_area = (Unit.MM, Unit.MM2) if scale else (Unit.PX, Unit.PX2)
        length = Measurement(
            quantity=Quantity.LENGTH, value=10.0 * factor, unit=unit, uncertainty=factor, method="fake"
        )
        area = Measurement(
            quantity=Quantity.AREA, value=60.0 * factor**2, unit=unit_area, uncertainty=0.0, method="fake"
        )
        return finding.model_copy(update={"measurements": (length, area), **self._outlines})


def compared(
    tmp_path: Path,
    measurer: FakeMeasurer,
    quantities: dict[str, float],
    mask: bool = True,
    mm_per_px: float | None = None,
):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    labelled = np.zeros((30, 40), np.uint8)
    labelled[8:14, 10:20] = labelled[25:, :] = 255  # below lies another defect
    Image.fromarray(labelled).save(tmp_path / "mask.png")
    truth = TrueDefect("dent", BOX, quantities)
    image = LabelledImage(
        tmp_path / "a.png", Truth.DEFECT, ("dent",), (truth,),
        mm_per_px=mm_per_px, mask=TrueMask(files=(tmp_path / "mask.png",)) if mask else None,
    )  # fmt: skip
    finding = Finding(
        id="img_001-1", image_id="img_001", type="dent", confidence=1.0, box_xyxy_px=BOX, origin=Origin.YOLO
    )
    return list(compare_sizes(image, [(finding, truth)], measurer, RECIPE))


@pytest.mark.parametrize(
    ("contours", "holes", "iou"),
    [((OUTLINE,), (), 1.0), ((HALF,), (), 0.5), ((OUTLINE,), (HOLE,), 0.5), ((), (), 0.0)],
)
def test_an_outline_is_compared_with_the_labelled_pixels_in_the_box(tmp_path, contours, holes, iou):
    (size,) = compared(tmp_path, FakeMeasurer(contours, holes), {})
    assert (size.iou, size.errors) == (pytest.approx(iou), ())


@pytest.mark.parametrize(("true", "holds"), [(10.9, True), (11.1, False)])
def test_an_uncertainty_holds_the_truth_or_not(tmp_path, true, holds):
    (size,) = compared(tmp_path, FakeMeasurer(), {"length_px": true}, mask=False)
    assert size == SizeError("dent", ((Quantity.LENGTH, pytest.approx((10 - true) / true), holds),), None)


@pytest.mark.parametrize(
    ("quantities", "errors"),
    [
        pytest.param({"length_px": 8.0, "area_px2": 60.0}, {"length": 0.25, "area": 0.0}, id="px alone"),
        pytest.param({"length_mm": 2.0, "area_px2": 50.0}, {"length": -0.5, "area": 0.2}, id="mm and px"),
        pytest.param({"length_mm": 2.0, "length_px": 8.0}, {"length": -0.5}, id="mm before px"),
    ],
)
def test_with_a_scale_what_is_known_in_px_is_compared_as_well(tmp_path, quantities, errors):
    (size,) = compared(tmp_path, FakeMeasurer(), quantities, mask=False, mm_per_px=0.1)
    assert {kind: error for kind, error, _ in size.errors} == pytest.approx(errors)


@pytest.mark.parametrize(
    ("quantities", "scales"),
    [
        ({"length_mm": 1.0}, [0.1]),
        ({"length_px": 9.0, "length_mm": 1.0}, [0.1]),
        ({"area_px2": 9.0}, [0.1, None]),
    ],
)
def test_nothing_is_measured_twice_without_need(tmp_path, quantities, scales):
    asked = []

    class Watched(FakeMeasurer):
        def measure(self, image_rgb, finding, scale):
            asked.append(scale and scale.mm_per_px)
            return super().measure(image_rgb, finding, scale)

    compared(tmp_path, Watched(), quantities, mask=False, mm_per_px=0.1)
    assert asked == scales


def test_what_nothing_is_known_of_is_left_out(tmp_path):
    assert compared(tmp_path, FakeMeasurer((OUTLINE,)), {}, mask=False) == []


def test_figures_over_all_types_and_of_each():
    sizes = [
        SizeError("dent", ((Quantity.WIDTH, 0.1, True),), 0.8),
        SizeError("scratch", ((Quantity.WIDTH, -0.3, False),), 0.4),
        SizeError("scratch", (), None),
    ]
    figures = {each.type: each for each in measurement_figures(sizes)}
    assert list(figures) == [None, "dent", "scratch"]
    assert figures[None].median == pytest.approx(0.2)
    assert figures[None].bias == pytest.approx(-0.1)
    assert figures[None].within == Rate.of(1, 2)
    assert figures["scratch"].within.value == 0.0
    assert [(each.type, each.count, each.median) for each in outline_figures(sizes)] == [
        ("dent", 1, 0.8),
        ("scratch", 1, 0.4),
    ]
