from __future__ import annotations

import pytest

from tools.recipe.file import load_recipe
from tools.records import HeatMap, Provenance, Screening, ScreeningStatus, Source, SourceScore
from tools.screening.fusion import (
    detector_score,
    fused,
    heat_on_scale,
    knows,
    on_scale,
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
