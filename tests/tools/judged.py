"""The recipe that the tests of judging apply, and findings and screenings to apply it to."""

from __future__ import annotations

from tools.recipe import Acceptance, DefectType, Localization, Part, Recipe, Zone
from tools.records import (
    Finding,
    ImageRecord,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Severity,
    Unit,
)

CLEAR, SUSPECT, UNSURE = ScreeningStatus.CLEAR, ScreeningStatus.SUSPECT, ScreeningStatus.UNSURE
TOP, BOTTOM = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)), ((0.0, 1.0), (0.5, 1.0), (0.5, 0.5))

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
            polygon=BOTTOM,
            accept={"scratch": Acceptance(max_length_mm=1.0), "stain": Acceptance(max_count=0)},
        ),
        Zone(name="hidden", polygon=TOP, ignore=True),
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
