from __future__ import annotations

import pytest

from tools.glossary import compared_phrase
from tools.records import Language, Provenance, Screening, ScreeningStatus, Source, SourceScore
from tools.screening.fusion import detector_score
from tools.voices import strongest_source, suspicion_of

WORDS, DETECTOR, REFERENCES, BATCH = Source.WORDS, Source.DETECTOR, Source.REFERENCES, Source.BATCH


def said(source: Source, suspicion: float, *, decided: bool = True) -> SourceScore:
    return SourceScore(
        source=source,
        score=suspicion,
        suspicion=suspicion,
        decided=decided,
        compared_with=8 if source is REFERENCES else 0,
    )


@pytest.mark.parametrize(
    ("words", "confidence", "suspicion"),
    [(0.9, 0.16, 0.908), (0.9, 0.9, 0.998), (0.97, 0.0, 0.776), (0.6, 0.0, 0.355), (0.999, 0.0, 0.965)],
    ids=["says neither", "sees it too", "sees nothing", "nothing to see", "words are certain"],
)
def test_words_and_detector_weigh_together(words: float, confidence: float, suspicion: float) -> None:
    threshold = 0.92
    scores = [said(WORDS, words), detector_score(confidence, threshold)]
    assert suspicion_of(scores, threshold) == (WORDS, pytest.approx(suspicion, abs=1e-3))
    unheard = [said(WORDS, words, decided=False), scores[1].model_copy(update={"decided": False})]
    assert suspicion_of([*unheard, said(BATCH, 0.5)], threshold) == (BATCH, 0.5)


@pytest.mark.parametrize(
    ("scores", "strongest", "phrase"),
    [
        ([said(WORDS, 0.95), said(DETECTOR, 0.995)], WORDS, ""),
        (
            [said(WORDS, 0.96), said(DETECTOR, 0.43), said(REFERENCES, 0.945)],
            REFERENCES,
            "unlike the 8 good parts",
        ),
        ([said(WORDS, 0.96), said(REFERENCES, 0.945)], WORDS, ""),
        ([said(WORDS, 0.96, decided=False), said(REFERENCES, 0.2)], REFERENCES, "like the 8 good parts"),
        ([], None, ""),
    ],
    ids=["both voices", "a calmed word", "words say most", "clear", "words alone"],
)
def test_what_decides_is_what_a_screening_is_said_to_be_compared_with(
    scores: list[SourceScore], strongest: Source | None, phrase: str
) -> None:
    screening = Screening(
        image_id="img_001",
        scores={},
        suspicion=0.9,
        label="scratch",
        status=ScreeningStatus.SUSPECT,
        threshold=0.92,
        review_band=0.05,
        sources=tuple(scores),
        provenance=Provenance(tool="screening"),
    )
    assert strongest_source(screening) is strongest
    assert compared_phrase(screening, Language.EN) == phrase
