from __future__ import annotations

import numpy as np
import pytest

from tools.evaluation.pixels import PixelCounts
from tools.records import HeatMap


def heat(rows):
    values = np.asarray(rows, dtype=float)
    return HeatMap(rows=values.shape[0], columns=values.shape[1], values=tuple(values.ravel()))


def mask(*boxes, size=(40, 40)):
    drawn = np.zeros(size, dtype=bool)
    for x_min, y_min, x_max, y_max in boxes:
        drawn[y_min:y_max, x_min:x_max] = True
    return drawn


def fine(drawn, low=0.1, high=0.9):
    """A heat map of one cell per pixel: nothing is interpolated."""
    return heat(np.where(drawn, high, low))


def figures_of(*pairs, threshold=0.5):
    counts = PixelCounts()
    for heat_map, drawn in pairs:
        counts.add(heat_map, drawn)
    return counts.figures(threshold)


def test_a_perfect_map():
    truth = mask((5, 5, 15, 15), (30, 30, 33, 34))
    figures = figures_of((fine(truth), truth), (fine(mask()), mask()))
    assert (figures.images, figures.regions) == (2, 2)
    assert (figures.auroc.value, figures.aupro.value, figures.f1.value, figures.best_f1) == (1, 1, 1, 1)
    assert 0.1 < figures.best_threshold <= 0.9


def test_a_map_that_says_nothing():
    truth = mask((5, 5, 15, 15))
    figures = figures_of((heat(np.full((4, 4), 0.5)), truth), (heat(np.full((4, 4), 0.5)), mask()))
    assert figures.auroc.value == pytest.approx(0.5)
    assert figures.aupro.value == pytest.approx(0.15)  # the diagonal up to 0.3, over 0.3
    assert figures.f1.value == pytest.approx(2 * 100 / (3200 + 100))


def test_each_region_weighs_the_same_in_aupro_and_by_its_pixels_in_auroc():
    large, small = mask((0, 0, 30, 30)), mask((36, 36, 39, 39))
    figures = figures_of((fine(large), large | small), (fine(mask()), mask()))
    assert figures.regions == 2
    assert figures.auroc.value == pytest.approx((900 + 0.5 * 9) / 909)
    # Half of the overlap at once; the other half only where everything is flagged.
    assert figures.aupro.value == pytest.approx(0.5 + 0.5 * 0.15)


@pytest.mark.parametrize(("threshold", "f1"), [(0.95, 0.0), (0.5, 1.0), (0.05, 2 * 100 / (1600 + 100))])
def test_f1_is_taken_at_the_threshold(threshold, f1):
    truth = mask((5, 5, 15, 15))
    assert figures_of((fine(truth), truth), threshold=threshold).f1.value == pytest.approx(f1)


def test_a_coarse_map_is_spread_over_the_image():
    truth = mask((20, 20, 40, 40))
    figures = figures_of((heat([[0.0, 0.0], [0.0, 1.0]]), truth))
    assert 0.9 < figures.auroc.value < 1.0


def test_intervals_hold_the_figure_and_close_where_all_images_agree():
    generator = np.random.default_rng(3)
    truth = mask((5, 5, 15, 15))
    noisy = [(heat(0.3 * truth + generator.uniform(0, 0.6, (40, 40))), truth) for _ in range(5)]
    figures = figures_of(*noisy, (fine(mask()), mask()))
    assert figures.auroc.lower < figures.auroc.value < figures.auroc.upper
    same = figures_of(*[(fine(truth), truth)] * 3)
    assert same.aupro.lower == same.aupro.upper == 1.0


@pytest.mark.parametrize("truth", [mask(), np.ones((40, 40), dtype=bool)])
def test_one_class_alone_has_no_figures(truth):
    assert figures_of((fine(truth), truth)) is None


def test_nothing_counted():
    assert PixelCounts().figures(0.5) is None
