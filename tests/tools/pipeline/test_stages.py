from __future__ import annotations

import threading
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from tools.judging import judge
from tools.measurement.measurer import Measurer
from tools.pipeline.stages import Finisher, Seen, proposals
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


SQUARE = ImageRecord(id="img_001", name="a.png", width_px=200, height_px=200)
HUB = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
WIDE_HUB = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
LOGO = (90, 90, 110, 110)


def heat(name: str) -> HeatMap | None:
    """A map of 10 x 10 cells: of a ring around the hub, of its inside, of both, or of nothing."""
    values = np.full((10, 10), 0.1)
    ring = slice(2, 8)
    match name:
        case "none":
            return None
        case "even":
            values[:] = 0.99
        case "ring":
            values[ring, ring], values[3:7, 3:7] = 0.95, 0.1
        case "ring and hub":
            values[ring, ring], values[3:7, 3:7] = 0.95, 0.99
        case "rim":
            values[:], values[1:9, 1:9] = 0.95, 0.1
        case "hub":
            values[4:6, 4:6] = 0.97
        case "hub, and warm beside it":
            values[4:6, 4:6], values[0, 0] = 0.97, 0.8
    return HeatMap(rows=10, columns=10, values=tuple(values.ravel().tolist()))


@pytest.mark.parametrize(
    ("hot", "verdict"),
    [
        ("ring", Verdict.REVIEW),
        ("ring and hub", Verdict.REVIEW),
        ("even", Verdict.REVIEW),
        ("none", Verdict.REVIEW),
        ("rim", Verdict.REVIEW),
        ("hub, and warm beside it", Verdict.REVIEW),
        ("hub", Verdict.ACCEPT),
    ],
)
@pytest.mark.parametrize("hub", [HUB, WIDE_HUB], ids=["hub", "wide hub"])
@pytest.mark.parametrize("status", [SUSPECT, UNSURE])
@pytest.mark.parametrize("findings", [(), (found(1, LOGO),)], ids=["nothing found", "a logo found"])
@pytest.mark.parametrize("has_mark", [False, True], ids=["even", "marked"])
def test_a_part_is_accepted_for_an_ignored_hub_only_where_nothing_around_it_is_hot(
    hot: str,
    verdict: Verdict,
    hub: tuple[tuple[float, float], ...],
    status: ScreeningStatus,
    findings: tuple[Finding, ...],
    has_mark: bool,
) -> None:
    if hub is WIDE_HUB and hot in ("ring", "ring and hub"):
        verdict = Verdict.ACCEPT  # the ring lies in it
    if status is UNSURE and not findings:
        verdict = Verdict.REVIEW  # nothing explains it
    recipe = load_recipe().model_copy(update={"zones": (Zone(name="hub", polygon=hub, ignore=True),)})
    picture = np.full((200, 200, 3), 128, np.uint8)
    if has_mark:  # the only one that stands out, in the middle of the hub
        cv2.circle(picture, (100, 100), 7, (20, 20, 20), -1)
    screening = screened(status, "here").model_copy(
        update={"heat_map": heat(hot), "suspicion": 0.99, "review_band": 0.05, "threshold": 0.9}
    )
    seen = Seen.of(SQUARE, picture, screening, recipe)
    proposed = proposals(SQUARE, screening, findings, recipe)
    inspection = Finisher(recipe, Measurer(recipe)).finish(seen, proposed, threading.Event())
    assert inspection.judgement.verdict is verdict
