from __future__ import annotations

from collections.abc import Callable

import pytest

from tools.recipe.file import load_recipe
from tools.records import HeatMap, Provenance, Screening, ScreeningStatus, Source, SourceScore
from tools.screening.fusion import (
    at_threshold,
    detector_score,
    fused,
    heat_on_scale,
    knows,
    on_scale,
    words_score,
)
from tools.screening.screener import with_threshold
from tools.voices import strongest_source

RECIPE = load_recipe()
HEAT = HeatMap(rows=1, columns=2, values=(0.1, 0.9))
WORDS, REFERENCES, BATCH = Source.WORDS, Source.REFERENCES, Source.BATCH


def by_words(suspicion: float, label: str = "scratch") -> Screening:
    return Screening(
        image_id="img_001",
        scores={"scratch": 0.6, "dent": 0.3, "normal": 0.1},
        suspicion=suspicion,
        label=label,
        status=ScreeningStatus.SUSPECT,
        threshold=0.5,
        review_band=0.1,
        provenance=Provenance(tool="screening"),
    )


def said(source: Source, suspicion: float, *, decided: bool = True) -> SourceScore:
    return SourceScore(source=source, score=suspicion, suspicion=suspicion, decided=decided)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.92])
def test_the_threshold_of_one_scale_lies_at_that_of_the_other(threshold: float) -> None:
    assert on_scale(0.5, threshold) == pytest.approx(threshold)
    assert on_scale(0.2, threshold) < threshold < on_scale(0.8, threshold)
    cold, hot = heat_on_scale(HEAT, threshold).values
    assert cold < threshold < hot


@pytest.mark.parametrize(
    ("words", "share", "known"),
    [
        ([0.1, 0.2, 0.3, 0.9], 0.5, True),
        ([0.1, 0.2, 0.9, 0.9], 0.75, False),
        ([0.99] * 8, 0.5, False),
        ([], 0.5, False),
    ],
)
def test_words_know_what_is_clear_to_them(words: list[float], share: float, known: bool) -> None:
    assert knows(words, 0.7, share) is known


@pytest.mark.parametrize(
    ("scores", "suspicion", "label", "status", "strongest"),
    [
        (
            [said(WORDS, 0.95), said(REFERENCES, 0.2)],
            0.95,
            "scratch",
            ScreeningStatus.SUSPECT,
            WORDS,
        ),
        (
            [said(WORDS, 0.95, decided=False), said(REFERENCES, 0.2)],
            0.2,
            "normal",
            ScreeningStatus.CLEAR,
            REFERENCES,
        ),
        (
            [said(WORDS, 0.95, decided=False), said(BATCH, 0.9)],
            0.9,
            "unclassified",
            ScreeningStatus.SUSPECT,
            BATCH,
        ),
        ([said(WORDS, 0.2), said(REFERENCES, 0.8)], 0.8, "scratch", ScreeningStatus.SUSPECT, REFERENCES),
    ],
    ids=["words say most", "unfamiliar words are not heard", "the batch decides", "good parts say most"],
)
def test_the_strongest_of_those_that_decide(
    scores: list[SourceScore], suspicion: float, label: str, status: ScreeningStatus, strongest: Source
) -> None:
    screening = fused(by_words(0.95), scores, HEAT, RECIPE)
    assert (screening.suspicion, screening.label, screening.status) == (suspicion, label, status)
    assert strongest_source(screening) is strongest
    assert screening.heat_map == (None if strongest is WORDS else HEAT)
    assert screening.sources == tuple(scores)


def test_what_a_detector_says_moves_the_status_and_keeps_the_words_heat() -> None:
    scores = [said(WORDS, 0.55), detector_score(0.0, 0.5)]
    screening = fused(by_words(0.55).model_copy(update={"heat_map": HEAT}), scores, None, RECIPE)
    assert (screening.status, screening.label) == (ScreeningStatus.CLEAR, "normal")
    assert screening.heat_map == HEAT
    assert screening.sources == tuple(scores)


@pytest.mark.parametrize(
    ("source", "suspicion", "label", "status"),
    [
        (REFERENCES, 0.1, "normal", ScreeningStatus.CLEAR),
        (REFERENCES, 0.9, "unclassified", ScreeningStatus.SUSPECT),
        (Source.TEMPLATE, 0.1, "normal", ScreeningStatus.CLEAR),
        (BATCH, 0.1, "unknown", ScreeningStatus.UNSURE),
        (BATCH, 0.9, "unknown", ScreeningStatus.SUSPECT),
    ],
)
def test_what_fits_no_label_is_vouched_for_by_good_parts_and_templates_never_by_a_batch(
    source: Source, suspicion: float, label: str, status: ScreeningStatus
) -> None:
    scores = [said(WORDS, 0.6, decided=False), said(source, suspicion)]
    screening = fused(by_words(0.6, "unknown"), scores, HEAT, RECIPE)
    assert (screening.label, screening.status, screening.heat_map) == (label, status, HEAT)
    again = with_threshold(screening, 0.5, RECIPE)
    assert (again.label, again.status) == (label, status)


def test_a_detector_that_sees_nothing_vouches_for_no_part_that_words_do_not_know() -> None:
    scores = [said(WORDS, 0.55), detector_score(0.0, 0.5)]
    screening = fused(by_words(0.55, "unknown"), scores, None, RECIPE)
    assert (screening.label, screening.status) == ("unknown", ScreeningStatus.UNSURE)


def test_another_threshold_names_no_type_that_words_do_not_know() -> None:
    scores = [said(WORDS, 0.95, decided=False), said(REFERENCES, 0.4)]
    screening = with_threshold(fused(by_words(0.95), scores, HEAT, RECIPE), 0.2, RECIPE)
    assert (screening.label, screening.status) == ("unclassified", ScreeningStatus.SUSPECT)


CONFIDENCE, UNLIKE = 0.05, 0.8
AT: dict[str, Callable[[float], list[SourceScore]]] = {
    "words": lambda _: [],
    "a detector": lambda threshold: [detector_score(CONFIDENCE, threshold)],
    "a surer detector": lambda threshold: [detector_score(0.5, threshold)],
    "good parts": lambda _: [said(REFERENCES, UNLIKE)],
    "a template": lambda threshold: [said(Source.TEMPLATE, round(on_scale(0.1, threshold), 6))],
    "a template that differs": lambda threshold: [said(Source.TEMPLATE, round(on_scale(0.7, threshold), 6))],
    "a batch": lambda threshold: [said(BATCH, round(on_scale(UNLIKE, threshold), 6))],
    "a template that is missing": lambda _: [said(Source.TEMPLATE, 0.0, decided=False)],
}


@pytest.mark.parametrize("others", AT.values(), ids=AT)
@pytest.mark.parametrize("words", [0.3, 0.6, 0.97])
@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("after", [0.3, 0.5, 0.7, 0.92, 0.97])
def test_another_threshold_is_as_though_the_recipe_had_it(
    others: Callable[[float], list[SourceScore]], words: float, is_known: bool, after: float
) -> None:
    def at(threshold: float) -> Screening:
        seen = with_threshold(by_words(words), threshold, RECIPE)
        scores = [words_score(seen, is_known=is_known), *others(threshold)]
        return fused(seen, scores, heat_on_scale(HEAT, threshold), RECIPE)

    found, expected = at_threshold(at(0.92), after, RECIPE), at(after)
    assert found.suspicion == pytest.approx(expected.suspicion, abs=1e-4)
    assert (found.status, found.label) == (expected.status, expected.label)
    assert [each.suspicion for each in found.sources] == pytest.approx(
        [each.suspicion for each in expected.sources], abs=1e-4
    )
    strongest = strongest_source(expected)
    if strongest is not REFERENCES and strongest is strongest_source(at(0.92)):
        heats = [each.heat_map.values if each.heat_map else () for each in (found, expected)]
        assert heats[0] == pytest.approx(heats[1], abs=2e-3)


def test_a_detector_calms_at_another_threshold_as_it_does_at_the_recipes() -> None:
    words = with_threshold(by_words(0.97), 0.92, RECIPE)
    scores = [words_score(words, is_known=True), detector_score(0.05, 0.92)]
    screening = at_threshold(fused(words, scores, None, RECIPE), 0.7, RECIPE)
    assert (screening.suspicion, screening.status) == (pytest.approx(0.757, abs=1e-3), ScreeningStatus.UNSURE)
