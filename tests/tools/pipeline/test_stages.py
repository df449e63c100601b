from __future__ import annotations

from dataclasses import dataclass

import pytest

from tools.judging import judge
from tools.pipeline.stages import proposals
from tools.recipe import Recipe, Zone
from tools.recipe.file import load_recipe
from tools.records import (
    BoxXyxyPx,
    Finding,
    HeatMap,
    ImageRecord,
    Origin,
    Provenance,
    Screening,
    ScreeningStatus,
    Verdict,
)
from tools.zones import zone_of

CLEAR, UNSURE, SUSPECT = ScreeningStatus.CLEAR, ScreeningStatus.UNSURE, ScreeningStatus.SUSPECT
RECORD = ImageRecord(id="img_001", name="a.png", width_px=200, height_px=100)
NAMEPLATE, BESIDE_IT, ELSEWHERE = (10, 10, 30, 20), (80, 10, 104, 20), (150, 60, 160, 70)
HEAT = {"here": (0.9, 0.0, 0.0, 0.0), "there": (0.0, 0.0, 0.0, 0.9)}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    return load_recipe().model_copy(update={"zones": (Zone(name="nameplate", polygon=left, ignore=True),)})


def found(number: int, box: BoxXyxyPx, type_name: str = "scratch") -> Finding:
    return Finding(
        id=f"img_001-{number}",
        image_id="img_001",
        type=type_name,
        confidence=0.9,
        box_xyxy_px=box,
        origin=Origin.YOLO,
    )


def screened(status: ScreeningStatus, hot: str) -> Screening:
    return Screening(
        image_id="img_001",
        scores={"scratch": 0.9, "normal": 0.1},
        suspicion=0.9,
        label="scratch",
        status=status,
        threshold=0.5,
        heat_map=HeatMap(rows=2, columns=2, values=HEAT[hot]),
        provenance=Provenance(tool="screening"),
    )


@dataclass(frozen=True)
class Case:
    name: str
    findings: tuple[Finding, ...]
    ids: tuple[int, ...]
    verdict: Verdict | None = None
    status: ScreeningStatus = SUSPECT
    hot: str = "there"


CASES = [
    Case("nothing found", (), (1,), Verdict.REVIEW),
    Case("a nameplate, and a defect that was missed", (found(1, NAMEPLATE),), (1, 2), Verdict.REVIEW),
    Case("a nameplate of a number that is not the first", (found(3, NAMEPLATE),), (3, 4), Verdict.REVIEW),
    Case("a nameplate that is what is hot", (found(1, NAMEPLATE),), (1, 2), Verdict.ACCEPT, hot="here"),
    Case("a finding that counts", (found(1, NAMEPLATE), found(2, ELSEWHERE)), (1, 2)),
    Case(
        "what counts is a rival of what does not",
        (found(1, BESIDE_IT), found(2, (80, 10, 124, 20), "dent")),
        (1, 3),
        Verdict.REVIEW,
    ),
    Case("not suspect", (found(1, NAMEPLATE),), (1,), status=UNSURE),
    Case("clear", (), (), Verdict.ACCEPT, status=CLEAR),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_suspect_is_never_dropped_for_what_lies_in_an_ignored_zone(case: Case, recipe: Recipe) -> None:
    screening = screened(case.status, case.hot)
    proposed = proposals(RECORD, screening, case.findings, recipe)
    assert [each.id for each in proposed] == [f"img_001-{number}" for number in case.ids]
    placed = []
    for each in proposed:
        zone = zone_of(each.box_xyxy_px, (RECORD.width_px, RECORD.height_px), recipe.zones)
        placed.append(each.model_copy(update={"zone": zone and zone.name}))
    judgement, _ = judge(RECORD, screening, placed, recipe)
    assert case.verdict in (None, judgement.verdict)
