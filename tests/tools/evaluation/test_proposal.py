from __future__ import annotations

import pytest

from tools.evaluation.proposal import proposed_threshold, suspect_up_to
from tools.recipe import ScreeningSettings
from tools.recipe.file import load_recipe
from tools.records import Provenance, Screening, ScreeningStatus, Source, SourceScore
from tools.screening.fusion import detector_score, fused, words_score

RECIPE = load_recipe()


def screened(words: float, threshold: float, others: tuple[SourceScore, ...] = ()) -> Screening:
    """As words, and others that decide beside them, make it with this threshold in the recipe."""
    by_words = Screening(
        image_id="img_001",
        scores={"scratch": words, "normal": 1 - words},
        suspicion=words,
        label="scratch",
        status=ScreeningStatus.UNSURE,
        threshold=threshold,
        provenance=Provenance(tool="screening"),
    )
    scores = [words_score(by_words, is_known=True), *others]
    settings = ScreeningSettings(threshold=threshold)
    return fused(by_words, scores, None, RECIPE.model_copy(update={"screening": settings}))


@pytest.mark.parametrize("words", [0.02, 0.6, 0.99])
@pytest.mark.parametrize("confidence", [None, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("before", [0.3, 0.5, 0.92])
def test_up_to_that_threshold_and_not_beyond_an_image_is_suspect(
    words: float, confidence: float | None, before: float
) -> None:
    def at(threshold: float) -> Screening:
        heard = () if confidence is None else (detector_score(confidence, threshold),)
        good = SourceScore(source=Source.REFERENCES, score=0.1, suspicion=0.1, decided=True)
        return screened(words, threshold, (*heard, good))

    limit = suspect_up_to(at(before))
    assert 0.0999 < limit < 1.0
    for threshold, is_suspect in ((limit - 1e-4, True), (limit + 1e-4, False)):
        assert (at(threshold).suspicion >= threshold) is is_suspect


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([0.2, 0.4, 0.9, 0.95], 0.65),
        ([0.2, 0.94999, 0.95001, 0.96], 0.95),
        ([0.2, 0.95, 0.9500041, 0.96], 0.950002),
    ],
    ids=["halfway", "three decimals do", "as many as it takes"],
)
def test_a_threshold_has_as_few_decimals_as_flag_the_same_images(
    limits: list[float], expected: float
) -> None:
    assert proposed_threshold(limits, [False, False, True, True], 0.02) == expected


def test_no_defects_no_threshold() -> None:
    assert proposed_threshold([0.2, 0.4], [False, False], 0.02) is None
