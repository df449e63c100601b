from __future__ import annotations

import pytest

from tools.evaluation.metrics import (
    Box,
    average_precision,
    box_iou,
    image_auroc,
    match_boxes,
    mean_average_precision,
    precisions_at,
    threshold_for_escape,
    wilson_interval,
)

SQUARE = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ("scores", "is_defect", "auroc", "precision"),
    [
        pytest.param([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0, 1.0, id="perfect"),
        pytest.param(
            [0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0, 1 / 2 * 1 / 3 + 1 / 2 * 2 / 4, id="upside down"
        ),
        pytest.param([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1], 0.5, 0.5, id="all tied"),
        pytest.param([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75, 1 / 2 + 1 / 2 * 2 / 3, id="one swap"),
        pytest.param([0.3, 0.5, 0.5, 0.7], [0, 0, 1, 1], 0.875, 1 / 2 + 1 / 2 * 2 / 3, id="one tie"),
        pytest.param([0.3, 0.5], [0, 0], None, None, id="no defects"),
        pytest.param([0.3, 0.5], [1, 1], None, 1.0, id="no good ones"),
        pytest.param([], [], None, None, id="empty"),
    ],
)
def test_ranking_figures(scores, is_defect, auroc, precision):
    truth = [bool(value) for value in is_defect]
    assert image_auroc(scores, truth) == (None if auroc is None else pytest.approx(auroc))
    assert average_precision(scores, truth) == (None if precision is None else pytest.approx(precision))


@pytest.mark.parametrize(
    ("count", "total", "expected"),
    [
        # Worked examples of Newcombe (1998), Statistics in Medicine 17, table I, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
        (5, 5, (0.5655, 1.0)),
        (0, 0, None),
    ],
)
def test_wilson_interval(count, total, expected):
    interval = wilson_interval(count, total)
    assert interval == (None if expected is None else pytest.approx(expected, abs=6e-5))


@pytest.mark.parametrize(
    ("defects", "goods", "target", "threshold"),
    [
        pytest.param([0.6, 0.8], [0.1, 0.4], 0.0, 0.5, id="halfway to the next lower score"),
        pytest.param([0.2, 0.6, 0.7, 0.8], [0.1, 0.4], 0.25, 0.5, id="one in four may escape"),
        pytest.param([0.2, 0.6, 0.7, 0.8], [0.1, 0.4], 0.24, 0.15, id="none may escape"),
        pytest.param([0.3, 0.3, 0.9], [0.5], 0.34, 0.3, id="ties escape together or not at all"),
        pytest.param([0.3, 0.9], [0.5], 1.0, 0.7, id="all may escape"),
        pytest.param([], [0.5], 0.02, None, id="no defects"),
    ],
)
def test_threshold_keeps_to_the_escape_rate(defects, goods, target, threshold):
    scores, truth = [*defects, *goods], [True] * len(defects) + [False] * len(goods)
    proposed = threshold_for_escape(scores, truth, target)
    assert proposed == (None if threshold is None else pytest.approx(threshold))
    if proposed is not None:
        assert sum(score < proposed for score in defects) <= target * len(defects) + 1e-9


def test_a_fiftieth_is_two_percent():
    scores = [index / 100 for index in range(50)]
    assert threshold_for_escape(scores, [True] * 50, 0.02) == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (SQUARE, 1.0),
        ((5.0, 0.0, 15.0, 10.0), 1 / 3),
        ((10.0, 0.0, 20.0, 10.0), 0.0),
        ((20.0, 20.0, 30.0, 30.0), 0.0),
        ((2.0, 2.0, 7.0, 7.0), 0.25),
        ((3.0, 3.0, 3.0, 3.0), 0.0),
    ],
)
def test_box_iou(other, iou):
    assert box_iou([SQUARE], [other])[0, 0] == pytest.approx(iou)


def test_matching_is_one_to_one_and_best_first():
    true = [(0.0, 0.0, 10.0, 10.0), (1.0, 0.0, 11.0, 10.0)]
    found = [(0.0, 0.0, 10.0, 9.0), (40.0, 40.0, 50.0, 50.0), (0.0, 0.0, 10.0, 10.0)]
    assert [(row, column) for row, column, _ in match_boxes(true, found)] == [(0, 2), (1, 0)]
    assert match_boxes(true, []) == match_boxes([], found) == []


TRUE = [Box(0, "scratch", SQUARE), Box(1, "dent", SQUARE)]
SWAPPED = [Box(0, "dent", SQUARE, 0.9), Box(1, "scratch", SQUARE, 0.8)]


@pytest.mark.parametrize(
    ("found", "by_category", "at_50", "at_50_95"),
    [
        pytest.param([Box(0, "scratch", SQUARE, 0.9), Box(1, "dent", SQUARE, 0.8)], True, 1.0, 1.0, id="all"),
        pytest.param([Box(0, "scratch", SQUARE, 0.9)], True, 0.5, 0.5, id="one class missed"),
        # 51 of the 101 recall levels are reached at precision 1.
        pytest.param([Box(0, "scratch", SQUARE, 0.9)], False, 51 / 101, 51 / 101, id="half of the boxes"),
        pytest.param(SWAPPED, True, 0.0, 0.0, id="wrong names"),
        pytest.param(SWAPPED, False, 1.0, 1.0, id="any name"),
        pytest.param([], True, 0.0, 0.0, id="nothing found"),
        # IoU 0.8: right at 0.50 … 0.80, seven of ten thresholds.
        pytest.param(
            [Box(0, "scratch", (0.0, 0.0, 10.0, 8.0), 0.9), Box(1, "dent", (0.0, 0.0, 10.0, 8.0), 0.9)],
            True, 1.0, 0.7, id="loose boxes",
        ),
        # A surer false alarm in the good image 2 halves the precision at every recall.
        pytest.param(
            [Box(0, "scratch", SQUARE, 0.9), Box(1, "scratch", SQUARE, 0.8), Box(2, "scratch", SQUARE, 0.95)],
            False, 2 / 3, 2 / 3, id="false alarm on a good image",
        ),
    ],
)  # fmt: skip
def test_mean_average_precision(found, by_category, at_50, at_50_95, capsys):
    result = mean_average_precision(TRUE, found, range(3), by_category=by_category)
    assert result is not None
    assert result.at_50 == pytest.approx(at_50, abs=1e-6)
    assert result.at_50_95 == pytest.approx(at_50_95, abs=1e-6)
    assert capsys.readouterr().out == ""


def test_mean_average_precision_needs_true_boxes():
    assert mean_average_precision([], [Box(0, "dent", SQUARE, 0.5)], range(1), by_category=False) is None


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        pytest.param(6.0, (1.0, 1.0), id="IoU 0.6"),
        pytest.param(4.0, (1.0, 0.0), id="IoU 0.4"),
        pytest.param(3.0, (0.0, 0.0), id="IoU 0.3"),
    ],
)
def test_precision_at_other_overlaps_whatever_the_type(width, expected):
    found = [Box(0, "scratch", (0.0, 0.0, width, 10.0), 0.5)]
    assert precisions_at((0.33, 0.5), [Box(0, "dent", SQUARE)], found, range(2)) == pytest.approx(expected)


def test_precision_at_other_overlaps_needs_true_boxes():
    assert precisions_at((0.33,), [], [Box(0, "dent", SQUARE, 0.5)], range(1)) is None
