from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tools.images.reasons import reason_text
from tools.judging import ALL_CRITERIA_MET, judge, rule_text
from tools.recipe import Acceptance, DefectType, Localization, Part, Recipe, References, Zone
from tools.records import (
    Finding,
    ImageRecord,
    ImageStatus,
    Language,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Severity,
    Source,
    SourceScore,
    Unit,
    Verdict,
)

ACCEPT, REVIEW, REJECT = Verdict.ACCEPT, Verdict.REVIEW, Verdict.REJECT
CLEAR, SUSPECT, UNSURE = ScreeningStatus.CLEAR, ScreeningStatus.SUSPECT, ScreeningStatus.UNSURE
SQUARE = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5))

IMAGE = ImageRecord(id="img_001", name="a.jpg", width_px=640, height_px=640)
RECIPE = Recipe(
    recipe_version=1,
    name="test",
    part=Part(name="Plate"),
    defects={
        "scratch": DefectType(
            ko="스크래치",
            severity=Severity.MAJOR,
            severity_level=3,
            accept=Acceptance(max_length_mm=5.0, max_width_mm=0.5, max_count=2),
        ),
        "crack": DefectType(
            ko="크랙", severity=Severity.CRITICAL, severity_level=5, accept=Acceptance(max_count=0)
        ),
        "stain": DefectType(
            ko="얼룩", severity=Severity.MINOR, severity_level=2, accept=Acceptance(max_area_mm2=4.0)
        ),
        "pit": DefectType(ko="핀홀", severity=Severity.MINOR, accept=Acceptance(max_length_px=30.0)),
        "scuff": DefectType(ko="쓸림", accept=Acceptance()),
        "chip": DefectType(ko="칩"),
    },
    zones=(
        Zone(
            name="logo",
            polygon=SQUARE,
            accept={"scratch": Acceptance(max_length_mm=1.0), "stain": Acceptance(max_count=0)},
        ),
        Zone(name="hidden", polygon=SQUARE, ignore=True),
    ),
    localization=Localization(review_confidence=0.4),
)


def measured(quantity: Quantity, value: float, uncertainty: float, unit: Unit, bound: bool) -> Measurement:
    return Measurement(
        quantity=quantity, value=value, uncertainty=uncertainty, unit=unit, lower_bound=bound, method="test"
    )


def found(
    type_name: str,
    *,
    length: float | None = None,
    width: float | None = None,
    area: float | None = None,
    u: float = 0.1,
    px: bool = False,
    bound: bool = False,
    confidence: float = 0.9,
    origin: Origin = Origin.YOLO,
    zone: str | None = None,
    number: int = 1,
) -> Finding:
    line, square = (Unit.PX, Unit.PX2) if px else (Unit.MM, Unit.MM2)
    values = [(Quantity.LENGTH, length, line), (Quantity.WIDTH, width, line), (Quantity.AREA, area, square)]
    return Finding(
        id=f"img_001-{number}",
        image_id="img_001",
        type=type_name,
        confidence=confidence,
        box_xyxy_px=(0.0, 0.0, 10.0, 10.0),
        origin=origin,
        zone=zone,
        edge_touching=bound,
        measurements=tuple(measured(q, v, u, unit, bound) for q, v, unit in values if v is not None),
    )


def scratch(length: float | None, width: float | None = 0.2, **options: object) -> Finding:
    return found("scratch", length=length, width=width, **options)  # type: ignore[arg-type]


def screened(status: ScreeningStatus, label: str = "scratch") -> Screening:
    return Screening(
        image_id="img_001",
        scores={},
        suspicion={CLEAR: 0.12, SUSPECT: 0.93, UNSURE: 0.55}[status],
        label=label,
        status=status,
        threshold=0.5,
        review_band=0.1,
        provenance=Provenance(tool="screening"),
    )


def by_batch(*, words: bool) -> Screening:
    said = (Source.WORDS, words), (Source.BATCH, True)
    scores = [
        SourceScore(source=source, score=0.1, suspicion=0.1, decided=decided) for source, decided in said
    ]
    return screened(CLEAR).model_copy(update={"sources": tuple(scores)})


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
    Case("ignored zone", (found("crack", zone="hidden"),), ACCEPT, ALL_CRITERIA_MET),
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


def test_unreadable_goes_to_review_with_its_reason() -> None:
    image = ImageRecord(id="img_001", name="a.jpg", status=ImageStatus.UNREADABLE, reason="the file is empty")
    judgement, findings = judge(image, None, (), RECIPE)
    assert (judgement.verdict, judgement.rule, findings) == (REVIEW, "image.unreadable", ())
    assert "the file is empty" in judgement.reason_en
    assert reason_text("the file is empty", Language.KO) in judgement.reason_ko
    assert "the file is empty" not in judgement.reason_ko


@pytest.mark.parametrize(
    ("finding", "en", "ko"),
    [
        (
            scratch(6.2, u=0.2),
            "Scratch img_001-1 is 6.2 ± 0.2 mm long; the limit is 5 mm.",
            "스크래치 img_001-1의 길이가 6.2 ± 0.2 mm로 한계 5 mm를 넘습니다.",
        ),
        (
            scratch(5.1, u=0.2),
            "Scratch img_001-1 is 5.1 ± 0.2 mm long, within its uncertainty of the limit of 5 mm.",
            "스크래치 img_001-1의 길이가 5.1 ± 0.2 mm로 한계 5 mm와의 차이가 불확도 이내입니다.",
        ),
        (
            scratch(3.0, bound=True),
            "Scratch img_001-1 is at least 3.0 ± 0.1 mm long and runs out of the picture; "
            "whether it keeps the limit of 5 mm cannot be told.",
            "스크래치 img_001-1의 길이가 ≥ 3.0 ± 0.1 mm로 화면 밖으로 이어져 "
            "한계 5 mm 준수 여부를 알 수 없습니다.",
        ),
        (
            scratch(62.0, px=True, u=2.0),
            "Scratch img_001-1 was not measured in mm: there is no scale for the limit of 5 mm.",
            "스크래치 img_001-1: 척도가 없어 한계 5 mm와 비교할 수 없습니다.",
        ),
        (
            scratch(None),
            "Scratch img_001-1 has no length in mm to hold against the limit of 5 mm.",
            "스크래치 img_001-1의 길이가 mm 단위로 측정되지 않았습니다(한계 5 mm).",
        ),
        (
            scratch(2.0, u=0.2, zone="logo"),
            "Zone logo: Scratch img_001-1 is 2.0 ± 0.2 mm long; the limit is 1 mm.",
            "logo 영역: 스크래치 img_001-1의 길이가 2.0 ± 0.2 mm로 한계 1 mm를 넘습니다.",
        ),
        (
            found("crack"),
            "Crack: 1 found (img_001-1), none allowed.",
            "크랙 1건 발견(img_001-1), 허용되지 않음.",
        ),
        (
            found("stain", area=9.0, u=1.0),
            "Stain img_001-1 is 9 ± 1 mm² in area; the limit is 4 mm².",
            "얼룩 img_001-1의 면적이 9 ± 1 mm²로 한계 4 mm²를 넘습니다.",
        ),
        (
            found("crack", confidence=0.31),
            "Crack img_001-1 has a confidence of 0.31; below 0.4 a person looks.",
            "크랙 img_001-1의 신뢰도가 0.31로 기준 0.4보다 낮습니다.",
        ),
    ],
)
def test_reasons_name_value_limit_and_finding(finding: Finding, en: str, ko: str) -> None:
    judgement, _ = judge(IMAGE, screened(SUSPECT), (finding,), RECIPE)
    assert judgement.reason_en == en
    assert judgement.reason_ko == ko


def test_accept_says_what_did_not_count() -> None:
    findings = (scratch(1.0), found("crack", zone="hidden", number=2))
    judgement, _ = judge(IMAGE, screened(SUSPECT), findings, RECIPE)
    assert judgement.reason_en == (
        "All criteria met: 1 finding within the limits; suspicion 0.93, threshold 0.5; "
        "1 in ignored zone hidden not counted."
    )
    assert judgement.severity is None


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


@pytest.mark.parametrize(
    ("source", "status", "en", "ko"),
    [
        (Source.REFERENCES, CLEAR, "like the 8 good parts", "양품 8개와 비슷함"),
        (Source.BATCH, CLEAR, "like 8 other images of the batch", "이 배치의 다른 이미지 8장과 비슷함"),
        (Source.REFERENCES, SUSPECT, "unlike the 8 good parts", "양품 8개와 다름"),
        (Source.TEMPLATE, SUSPECT, "unlike its template", "템플릿과 다름"),
    ],
)
def test_the_reason_says_what_the_image_was_held_against(
    source: Source, status: ScreeningStatus, en: str, ko: str
) -> None:
    plain = screened(status)
    score = SourceScore(source=source, score=1.0, suspicion=plain.suspicion, decided=True, compared_with=8)
    judgement, _ = judge(IMAGE, plain.model_copy(update={"sources": (score,)}), [], RECIPE)
    assert en in judgement.reason_en
    assert ko in judgement.reason_ko


@pytest.mark.parametrize(
    ("tool", "en", "ko"),
    [
        ("references", "is unlike the good parts;", "양품과 다름"),
        ("batch", "is unlike the rest of the batch;", "배치의 나머지와 다름"),
        ("template", "is unlike its template;", "템플릿과 다름"),
    ],
)
def test_an_unlike_finding_says_unlike_what(tool: str, en: str, ko: str) -> None:
    unlike = found("unclassified", origin=Origin.REFERENCE)
    unlike = unlike.model_copy(update={"provenance": (Provenance(tool=tool),)})
    judgement, _ = judge(IMAGE, screened(SUSPECT), [unlike], RECIPE)
    assert en in judgement.reason_en
    assert ko in judgement.reason_ko


def test_only_the_rule_with_a_name_in_words_is_translated() -> None:
    assert rule_text(ALL_CRITERIA_MET, Language.KO) == "모든 기준 충족"
    assert rule_text(ALL_CRITERIA_MET, Language.EN) == ALL_CRITERIA_MET
    assert rule_text("scratch.max_length_mm", Language.KO) == "scratch.max_length_mm"
