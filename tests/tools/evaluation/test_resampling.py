from __future__ import annotations

import numpy as np
import pytest

from tools.evaluation.metrics import image_auroc
from tools.evaluation.resampling import auroc, by_score, image_weights, interval


@pytest.mark.parametrize(
    "scores", [[0.1, 0.4, 0.35, 0.8], [0.5, 0.5, 0.5, 0.5], [0.3, 0.5, 0.5, 0.7], [0.9, 0.8, 0.2, 0.1]]
)
def test_the_first_weighting_is_the_figure_itself(scores):
    truth = np.array([False, False, True, True])
    weights = image_weights(truth, resamples=3)
    figures = auroc(by_score(weights * truth, scores), by_score(weights * ~truth, scores))
    assert figures[0] == pytest.approx(image_auroc(scores, truth))


def test_a_resample_counts_an_image_as_often_as_it_was_drawn():
    truth, scores = [False, True, False, True, True], [0.2, 0.3, 0.4, 0.5, 0.3]
    weights = image_weights(truth, resamples=20)
    flags = np.array(truth)
    figures = auroc(by_score(weights * flags, scores), by_score(weights * ~flags, scores))
    for row, figure in zip(weights.astype(int), figures, strict=True):
        drawn = np.repeat(np.arange(5), row)
        assert figure == pytest.approx(image_auroc([scores[i] for i in drawn], [truth[i] for i in drawn]))


def test_resamples_keep_the_classes_and_repeat():
    truth = [True] * 3 + [False] * 7
    weights = image_weights(truth)
    assert (weights[0] == 1).all()
    assert set(weights[:, :3].sum(axis=1)) == {3.0}
    assert set(weights[:, 3:].sum(axis=1)) == {7.0}
    assert np.array_equal(weights, image_weights(truth))
    assert not np.array_equal(weights[1], weights[2])


def test_interval_leaves_the_figure_itself_out():
    assert interval(np.array([99.0, *np.linspace(0, 1, 41)])) == pytest.approx((0.025, 0.975))
