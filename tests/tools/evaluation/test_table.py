from __future__ import annotations

import pytest

from tools.evaluation.figures import ErrorRates, Evaluation, ScreeningFigures
from tools.evaluation.table import render_text

RATES = ErrorRates.of([], [])
EVALUATION = Evaluation(
    set_name="set", recipe_name="recipe", recipe_sha256="0", good=1, defect=0, uncertain=0, unlocated=0,
    unreadable=(), seconds={}, models=(),
    screening=ScreeningFigures(
        auroc=None, average_precision=None, threshold=0.5, rates=RATES, target_escape=0.0,
        proposed_threshold=None, proposed_rates=None, confusion={},
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ({}, []),
        ({"references": 1}, ["1 good image left out: it serves as a good part"]),
        ({"references": 2}, ["2 good images left out: they serve as good parts"]),
        ({"empty_classes": ("bent", "cut")}, ["folders without a photograph: bent, cut"]),
        ({"unreadable": ("a/1.png", "b/1.png")}, ["unreadable or too small, left out: a/1.png, b/1.png"]),
    ],
)
def test_what_is_left_out_is_told(left_out, told):
    lines = render_text(EVALUATION.model_copy(update=left_out)).splitlines()
    assert [line.strip() for line in lines[1 : lines.index("Recipe        recipe (0)")]] == told
