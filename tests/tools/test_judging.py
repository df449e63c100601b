from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.tools.judged import CLEAR, IMAGE, RECIPE, SUSPECT, UNSURE, found, scratch, screened
from tools.judging import ALL_CRITERIA_MET, judge
from tools.recipe import Acceptance, References
from tools.records import (
    Finding,
    HeatMap,
    Origin,
    Screening,
    ScreeningStatus,
    Severity,
    Source,
    SourceScore,
    Verdict,
)
from tools.voices import BAD_TEMPLATE, NO_TEMPLATE

ACCEPT, REVIEW, REJECT = Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT


def by_batch(*, words: bool) -> Screening:
    said = (Source.WORDS, words), (Source.BATCH, True)
    scores = [
        SourceScore(source=source, score=0.1, suspicion=0.1, decided=decided) for source, decided in said
    ]
    return screened(CLEAR).model_copy(update={"sources": tuple(scores)})


def without_template(remark: str, *, by_good: bool = False) -> Screening:
    scores = [
        SourceScore(source=Source.REFERENCES, score=0.1, suspicion=0.1, decided=by_good),
        SourceScore(source=Source.TEMPLATE, score=0.0, suspicion=0.0, remark=remark),
    ]
    return screened(CLEAR if by_good else UNSURE).model_copy(update={"sources": tuple(scores)})


def hot(status: ScreeningStatus, *, inside: float, outside: float = 0.1) -> Screening:
    """Screened with a heat map, the inside of which lies in the zone `hidden`."""
    heat = HeatMap(rows=2, columns=4, values=(outside, inside, outside, outside, *(4 * (outside,))))
    return screened(status).model_copy(update={"heat_map": heat})


@dataclass(frozen=True)
class Case:
    name: str
    findings: tuple[Finding, ...]
    verdict: Verdict
    rule: str
    screening: Screening | None = field(default_factory=lambda: screened(SUSPECT))
    ids: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


CASES = [
    # Screening alone.
    Case("clear", (), ACCEPT, ALL_CRITERIA_MET, screened(CLEAR)),
    Case("unsure", (), REVIEW, "screening.unsure", screened(UNSURE)),
    Case("like its batch alone", (), REVIEW, "screening.batch", by_batch(words=False)),
    Case("like its batch, and clear to words", (), ACCEPT, ALL_CRITERIA_MET, by_batch(words=True)),
    Case("no template", (), REVIEW, "screening.template", without_template(NO_TEMPLATE)),
    Case("a damaged template", (), REVIEW, "screening.template", without_template(BAD_TEMPLATE)),
    Case(
        "no template, but like good parts",
        (),
        REVIEW,
        "screening.template",
        without_template(NO_TEMPLATE, by_good=True),
    ),
    Case(
        "no template, whatever is found",
        (scratch(1.0),),
        REVIEW,
        "screening.template",
        without_template(NO_TEMPLATE),
    ),
    Case("nothing fits", (), REVIEW, "screening.unknown", screened(UNSURE, "unknown")),
    Case("suspect, nothing located", (), REVIEW, "screening.suspect", screened(SUSPECT)),
    Case("never screened", (), REVIEW, "screening.missing", None),
    Case(
        "nothing fits, whatever is found",
        (scratch(1.0),),
        REVIEW,
        "screening.unknown",
        screened(UNSURE, "unknown"),
    ),
    Case(
        "nothing fits, and a defect",
        (scratch(9.0),),
        REJECT,
        "scratch.max_length_mm",
        screened(UNSURE, "unknown"),
        ids=(1,),
    ),
    Case("unsure, but explained", (scratch(2.0),), ACCEPT, ALL_CRITERIA_MET, screened(UNSURE)),
    # Sizes against limits, guard band included.
    Case("within", (scratch(4.0),), ACCEPT, ALL_CRITERIA_MET),
    Case("value + U on the limit", (scratch(4.9),), ACCEPT, ALL_CRITERIA_MET),
    Case("value + U over the limit", (scratch(4.91),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("value on the limit", (scratch(5.0),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("value - U on the limit", (scratch(5.1),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("value - U over the limit", (scratch(5.11),), REJECT, "scratch.max_length_mm", ids=(1,)),
    Case("exact value on the limit", (scratch(5.0, 0.5, u=0.0),), ACCEPT, ALL_CRITERIA_MET),
    Case("endless uncertainty", (scratch(9.0, u=float("inf")),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("no number", (scratch(float("nan")),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("too wide", (scratch(2.0, 0.7),), REJECT, "scratch.max_width_mm", ids=(1,)),
    Case("area", (found("stain", area=4.2),), REJECT, "stain.max_area_mm2", ids=(1,)),
    Case(
        "reject beats review of one finding", (scratch(5.0, 0.9),), REJECT, "scratch.max_width_mm", ids=(1,)
    ),
    Case("no limits given", (found("scuff", length=500.0),), ACCEPT, ALL_CRITERIA_MET),
    # Running out of the picture: the value is a lower bound.
    Case("bound over", (scratch(5.2, bound=True),), REJECT, "scratch.max_length_mm", ids=(1,)),
    Case("bound under", (scratch(1.0, bound=True),), REVIEW, "scratch.max_length_mm", ids=(1,)),
    Case("bound without limits", (found("scuff", length=1.0, bound=True),), ACCEPT, ALL_CRITERIA_MET),
    # Units.
    Case(
        "mm limit, no scale", (scratch(900.0, px=True),), REVIEW, "scratch.max_length_mm.no_scale", ids=(1,)
    ),
    Case("not measured", (scratch(None),), REVIEW, "scratch.max_length_mm.not_measured", ids=(1,)),
    Case("px limit in px", (found("pit", length=40.0, px=True),), REJECT, "pit.max_length_px", ids=(1,)),
    Case("px limit kept", (found("pit", length=20.0, px=True),), ACCEPT, ALL_CRITERIA_MET),
    Case("px limit in mm", (found("pit", length=1.0),), REVIEW, "pit.max_length_px.not_measured", ids=(1,)),
    # Unlike good parts.
    Case(
        "unlike, no criteria",
        (found("unclassified", length=1.0, origin=Origin.REFERENCE),),
        REVIEW,
        "finding.unlike",
        ids=(1,),
    ),
    # Counts.
    Case("count on the limit", (scratch(1.0), scratch(1.0, number=2)), ACCEPT, ALL_CRITERIA_MET),
    Case(
        "count over the limit",
        tuple(scratch(1.0, number=n) for n in (1, 2, 3)),
        REJECT,
        "scratch.max_count",
        ids=(1, 2, 3),
    ),
    Case("none allowed", (found("crack", length=0.1),), REJECT, "crack.max_count", ids=(1,)),
    Case("no criteria given: none allowed", (found("chip"),), REJECT, "chip.max_count", ids=(1,)),
    Case(
        "a doubtful one does not count",
        (scratch(1.0), scratch(1.0, number=2), scratch(1.0, number=3, confidence=0.3)),
        REVIEW,
        "finding.low_confidence",
        ids=(3,),
    ),
    # What nobody confirmed never rejects.
    Case("weak crack", (found("crack", confidence=0.39),), REVIEW, "finding.low_confidence", ids=(1,)),
    Case("confident enough", (found("crack", confidence=0.4),), REJECT, "crack.max_count", ids=(1,)),
    Case("weak long scratch", (scratch(9.0, confidence=0.3),), REVIEW, "finding.low_confidence", ids=(1,)),
    Case("screening's", (found("crack", origin=Origin.SCREENING),), REVIEW, "finding.candidate", ids=(1,)),
    Case("the VLM's", (scratch(9.0, origin=Origin.VLM),), REVIEW, "finding.candidate", ids=(1,)),
    Case("a person's", (found("crack", origin=Origin.HUMAN),), REJECT, "crack.max_count", ids=(1,)),
    Case("unclassified", (found("unclassified", length=99.0),), REVIEW, "finding.unclassified", ids=(1,)),
    # Zones replace the criteria of the type inside them, count included.
    Case(
        "stricter in the zone",
        (scratch(2.0, zone="logo"),),
        REJECT,
        "zone.logo.scratch.max_length_mm",
        ids=(1,),
    ),
    Case(
        "no count limit in the zone",
        tuple(scratch(0.5, zone="logo", number=n) for n in (1, 2, 3)),
        ACCEPT,
        ALL_CRITERIA_MET,
    ),
    Case(
        "zone findings do not add to the general count",
        (scratch(1.0), scratch(1.0, number=2), scratch(0.5, zone="logo", number=3)),
        ACCEPT,
        ALL_CRITERIA_MET,
    ),
    Case("count in the zone", (found("stain", zone="logo"),), REJECT, "zone.logo.stain.max_count", ids=(1,)),
    Case("general criteria in the zone", (found("crack", zone="logo"),), REJECT, "crack.max_count", ids=(1,)),
    Case(
        "ignored zone", (found("crack", zone="hidden"),), ACCEPT, ALL_CRITERIA_MET, hot(SUSPECT, inside=0.9)
    ),
    Case(
        "unsure in it", (found("crack", zone="hidden"),), ACCEPT, ALL_CRITERIA_MET, hot(UNSURE, inside=0.55)
    ),
    Case("nothing says that it is hot", (found("crack", zone="hidden"),), REVIEW, "screening.suspect"),
    Case("unsure", (found("crack", zone="hidden"),), REVIEW, "screening.unsure", screened(UNSURE)),
    Case("not screened", (found("crack", zone="hidden"),), REVIEW, "screening.missing", None),
    Case(
        "not hot either",
        (found("crack", zone="hidden"),),
        REVIEW,
        "screening.suspect",
        hot(SUSPECT, inside=0.3),
    ),
    Case(
        "hot outside as well",
        (found("crack", zone="hidden"),),
        REVIEW,
        "screening.suspect",
        hot(SUSPECT, inside=0.9, outside=0.45),
    ),
    Case(
        "ignored beside a real one",
        (found("crack", zone="hidden"), scratch(6.0, number=2)),
        REJECT,
        "scratch.max_length_mm",
        ids=(2,),
    ),
    Case("a zone that the recipe lacks", (scratch(2.0, zone="rim"),), ACCEPT, ALL_CRITERIA_MET),
    # Precedence: verdict, then severity, then order.
    Case(
        "critical before major",
        (scratch(9.0), found("crack", number=2)),
        REJECT,
        "crack.max_count",
        ids=(2,),
    ),
    Case(
        "a minor reject before a critical review",
        (found("crack", confidence=0.2), found("stain", area=9.0, number=2)),
        REJECT,
        "stain.max_area_mm2",
        ids=(2,),
    ),
    Case(
        "the same rule twice names both",
        (scratch(9.0), scratch(7.0, number=2)),
        REJECT,
        "scratch.max_length_mm",
        ids=(1, 2),
    ),
    Case("first of equals", (scratch(9.0, 0.9),), REJECT, "scratch.max_length_mm", ids=(1,)),
    # Flags.
    Case(
        "caption dropped",
        (scratch(1.0),),
        REVIEW,
        "flag.caption_dropped",
        ids=(1,),
        flags=("caption dropped: img_001-1",),
    ),
    Case(
        "caption dropped on a reject",
        (scratch(9.0),),
        REJECT,
        "scratch.max_length_mm",
        ids=(1,),
        flags=("caption dropped: img_001-1",),
    ),
    Case(
        "caption dropped of what does not count",
        (scratch(1.0), found("crack", zone="hidden", number=2)),
        ACCEPT,
        ALL_CRITERIA_MET,
        flags=("caption dropped: img_001-2",),
    ),
    Case("other flags", (), ACCEPT, ALL_CRITERIA_MET, screened(CLEAR), flags=("duplicate of img_000",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_judge(case: Case) -> None:
    judgement, _ = judge(IMAGE, case.screening, case.findings, RECIPE, case.flags)
    assert (judgement.verdict, judgement.rule) == (case.verdict, case.rule)
    assert judgement.finding_ids == tuple(f"img_001-{number}" for number in case.ids)
    assert judgement.reason_en.endswith(".")
    assert judgement.reason_ko.endswith(".")
    assert judge(IMAGE, case.screening, case.findings, RECIPE, case.flags)[0] == judgement


def test_findings_get_the_severity_of_their_type() -> None:
    findings = (scratch(1.0), found("unclassified", number=2), found("crack", zone="hidden", number=3))
    judgement, graded = judge(IMAGE, screened(SUSPECT), findings, RECIPE)
    assert [(f.severity, f.severity_level) for f in graded] == [
        (Severity.MAJOR, 3),
        (None, None),
        (None, None),
    ]
    assert [f.id for f in graded] == [f.id for f in findings]
    assert judgement.severity is None
    judgement, _ = judge(IMAGE, screened(SUSPECT), (found("crack"),), RECIPE)
    assert judgement.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("length", "confidence", "verdict", "rule"),
    [
        (1.0, 0.9, ACCEPT, ALL_CRITERIA_MET),
        (3.0, 0.9, REJECT, "references.max_length_mm"),
        (3.0, 0.3, REVIEW, "finding.low_confidence"),
    ],
)
def test_a_recipe_may_say_what_unlikeness_is_acceptable(
    length: float, confidence: float, verdict: Verdict, rule: str
) -> None:
    recipe = RECIPE.model_copy(update={"references": References(accept=Acceptance(max_length_mm=2.0))})
    unlike = found("unclassified", length=length, confidence=confidence, origin=Origin.REFERENCE)
    judgement, _ = judge(IMAGE, screened(SUSPECT), [unlike], recipe)
    assert (judgement.verdict, judgement.rule) == (verdict, rule)
