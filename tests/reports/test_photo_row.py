from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reports.words import WORDS
from tests.reports.builders import RECIPE, SCALE, finding, held_against, inspection, report, report_text
from tools.records import Language, Source, SourceScore
from tools.voices import NO_TEMPLATE, OUTDATED, TOO_FEW, UNASKED


@pytest.mark.parametrize(
    ("source", "remark", "language", "said"),
    [
        (Source.BATCH, TOO_FEW, Language.EN, "others of the batch: not asked (too few photographs)"),
        (Source.BATCH, TOO_FEW, Language.KO, "같은 배치 사진: 미사용(사진이 너무 적음)"),
        (
            Source.TEMPLATE,
            NO_TEMPLATE,
            Language.EN,
            "template: not asked (there is none for this photograph)",
        ),
        (Source.DETECTOR, OUTDATED, Language.KO, "검출기: 미사용(양품 등록 후 바뀜)"),
    ],
)
def test_a_source_that_was_not_asked_has_no_number(
    tmp_path: Path, source: Source, remark: str, language: Language, said: str
) -> None:
    made = held_against(inspection(1))
    assert made.screening
    unasked = SourceScore(source=source, score=0.0, suspicion=0.0, remark=remark, compared_with=7)
    update = {"sources": (made.screening.sources[0], unasked)}
    made = made.model_copy(update={"screening": made.screening.model_copy(update=update)})
    text = report_text(report(made, language=language), tmp_path)
    assert said in text
    assert "0.00" not in text


def test_every_reason_not_to_ask_has_its_words() -> None:
    assert all({f"unasked.{why}", f"source_remark.{why}"} <= set(WORDS) for why in UNASKED)


def test_a_threshold_of_many_digits_is_told_from_the_suspicion(tmp_path: Path) -> None:
    made = held_against(inspection(1))
    assert made.screening
    screening = made.screening.model_copy(update={"suspicion": 0.914, "threshold": 0.9134})
    text = report_text(report(made.model_copy(update={"screening": screening})), tmp_path)
    assert "suspicion 0.9140 (threshold 0.9134)" in text
    assert "here 0.9500 at most" in text


def test_scale_bars_hold_where_they_stand(tmp_path: Path) -> None:
    askew = SCALE.model_copy(update={"homography": (0.1, 0.0, 0.0, 0.0, 0.1, 0.0, -0.008, 0.0, 1.0)})
    texts = [
        report_text(report(inspection(1, findings=(finding(),), scale=scale)), tmp_path)
        for scale in (SCALE, askew)
    ]
    assert ["at the board's centre" in text for text in texts] == [False, True]
    bars = [re.search(r"4.2 ± 0.1 mm ([\d.]+) mm", text) for text in texts]
    assert [bar and bar[1] for bar in bars] == ["2", "5"]


def test_a_type_s_name_may_have_any_length(tmp_path: Path) -> None:
    named = RECIPE.defects["scratch"].model_copy(update={"ko": "긁힘 " * 1500})
    recipe = RECIPE.model_copy(update={"defects": {**RECIPE.defects, "scratch": named}})
    source = report(inspection(1, findings=(finding(),)), language=Language.KO)
    assert "1 · 긁힘 긁힘" in report_text(replace(source, recipe=recipe), tmp_path)
