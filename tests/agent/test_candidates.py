from __future__ import annotations

import json

import pytest
from PIL import Image

from agent.candidates import DefectCandidate, NoAnswer, ask_candidates
from agent.models.pictures import Picture
from agent.models.scripted import ScriptedModel
from tools.records import Language

SCRATCH = {"bbox_2d": [28, 14, 56, 28], "label": "scratch", "reason": "a bright line", "severity": 3}
FOUND = DefectCandidate(label="scratch", box_xyxy_px=(28, 14, 56, 28), reason="a bright line", severity=3)


def ask(*answers: str) -> tuple[list[DefectCandidate] | NoAnswer, ScriptedModel]:
    model = ScriptedModel(answers)
    picture = Picture("img_001", Image.new("RGB", (280, 280)))
    return ask_candidates(model, picture, ["scratch", "dent"], Language.KO), model


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(json.dumps([SCRATCH]), id="as asked"),
        pytest.param(f"```json\n{json.dumps([SCRATCH])}\n```", id="in a fence"),
        pytest.param(f"I see one: {json.dumps([SCRATCH])} That is all.", id="with prose around"),
        pytest.param(json.dumps(SCRATCH), id="one object"),
        pytest.param(json.dumps({"defects": [SCRATCH]}), id="a list in an object"),
        pytest.param(json.dumps([SCRATCH])[:-1] + ', {"bbox_2d": [1, 2, 3', id="cut off"),
        pytest.param(json.dumps([SCRATCH] * 9), id="in a loop"),
        pytest.param(json.dumps([SCRATCH]).replace("bbox_2d", "box"), id="another key"),
        pytest.param(json.dumps([SCRATCH | {"confidence": 0.9, "label": " Scratch"}]), id="more keys"),
    ],
)
def test_written_defects_are_understood(answer: str) -> None:
    found, model = ask(answer)
    assert found == [FOUND]
    assert len(model.sent) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("[]", []),
        (
            '[{"bbox_2d": null, "label": null, "reason": "스크래치 같음", "severity": null}]',
            [DefectCandidate(reason="스크래치 같음")],
        ),
        ('[{"bbox_2d": [200, 200, 400, 400]}]', [DefectCandidate(box_xyxy_px=(200, 200, 280, 280))]),
    ],
)
def test_nothing_and_the_unsure_are_answers(answer: str, expected: list[DefectCandidate]) -> None:
    assert ask(answer)[0] == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("It looks fine to me.", "no JSON list"),
        ('[{"bbox_2d": [1, 2, 3], "label": "scratch"}]', "bbox_2d"),
        ('[{"bbox_2d": [1, 2, 3, 4], "label": "crack"}]', "'crack' is none of: scratch, dent"),
        ('[{"bbox_2d": [300, 300, 400, 400], "label": "dent"}]', "outside the picture"),
        ('[{"label": "dent", "severity": 9}]', "severity"),
        ('[{"label": 7}]', "label"),
    ],
)
def test_asked_again_with_the_error_then_given_up(answer: str, reason: str) -> None:
    found, model = ask(answer, answer)
    assert isinstance(found, NoAnswer)
    assert reason in found.reason
    last = model.sent[1][-1].parts[0]
    assert isinstance(last, str)
    assert found.reason in last
    assert ask(answer, json.dumps([SCRATCH]))[0] == [FOUND]


def test_the_request_names_labels_units_and_language() -> None:
    _, model = ask("[]")
    picture, request = model.sent[0][0].parts
    assert isinstance(picture, Picture)
    assert isinstance(request, str)
    assert all(word in request for word in ("scratch, dent", "280 x 280", "Korean"))
