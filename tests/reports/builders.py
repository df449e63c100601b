"""Small recipes, inspections and pictures that the tests of this folder are made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pypdf import PdfReader

from reports.document import write_report
from reports.source import ImageRgb, ReportInput
from tools.errors import ImageError
from tools.recipe import Acceptance, DefectType, Part, Recipe
from tools.records import (
    Centre,
    Description,
    Finding,
    HeatMap,
    ImageRecord,
    ImageStatus,
    Inspection,
    Judgement,
    Language,
    Measurement,
    Origin,
    PointPx,
    Provenance,
    Quantity,
    RunInfo,
    Scale,
    ScaleSource,
    Screening,
    ScreeningStatus,
    Severity,
    Source,
    SourceScore,
    Unit,
    Verdict,
)

WIDTH, HEIGHT = 120, 90
SCALE = Scale(mm_per_px=0.1, source=ScaleSource.RECIPE, relative_uncertainty=0.01)
RECIPE = Recipe(
    recipe_version=1,
    name="covers",
    part=Part(name="Cover & lid", name_ko="덮개", number="4711", revision="B"),
    defects={
        "scratch": DefectType(ko="스크래치", curvilinear=True, accept=Acceptance(max_length_mm=5.0)),
        "dent": DefectType(ko="찍힘", severity=Severity.MINOR, severity_level=1),
    },
)
SQUARE: tuple[PointPx, ...] = ((20.0, 20.0), (60.0, 20.0), (60.0, 50.0), (20.0, 50.0))
HOLE: tuple[PointPx, ...] = ((30.0, 30.0), (40.0, 30.0), (40.0, 40.0), (30.0, 40.0))
RUN = RunInfo(
    loupe_version="1.2.3",
    started_at="2026-03-04T05:06:07+09:00",
    recipe_name=RECIPE.name,
    recipe_sha256=RECIPE.sha256,
    batch_sha256="ba" * 32,
    image_count=3,
    lot="A-17",
    inspector="김검사",
    station="Line 2",
    models=(Provenance(tool="screening", model="pocket", weights_sha256="ce" * 32, parameters={"views": 2}),),
    versions={"numpy": "2.0"},
)


CENTRE_PX = Centre(xy_px=(40.5, 35.25), uncertainty_xy_px=(0.5, 1.25), method="test")
CENTRE_MM = CENTRE_PX.model_copy(update={"xy_mm": (4.05, 3.525), "uncertainty_xy_mm": (0.06, 0.13)})


def picture(image_id: str) -> ImageRgb:
    seed = sum(image_id.encode())
    return np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def lost_picture(image_id: str) -> ImageRgb:
    raise ImageError("The file has vanished <since>.")


def measured(quantity: Quantity, value: float, unit: Unit, uncertainty: float = 0.1) -> Measurement:
    return Measurement(quantity=quantity, value=value, unit=unit, uncertainty=uncertainty, method="test")


def finding(
    image_id: str = "img_001",
    number: int = 1,
    *,
    defect_type: str = "scratch",
    length: float = 4.2,
    unit: Unit = Unit.MM,
    contours_px: tuple[tuple[PointPx, ...], ...] = (SQUARE,),
    holes_px: tuple[tuple[PointPx, ...], ...] = (),
    centre: Centre | None = None,
) -> Finding:
    return Finding(
        id=f"{image_id}-{number}",
        image_id=image_id,
        type=defect_type,
        confidence=0.875,
        box_xyxy_px=(18.0, 19.0, 62.0, 52.0),
        contours_px=contours_px,
        holes_px=holes_px,
        origin=Origin.YOLO,
        place="upper-left",
        severity=Severity.MAJOR,
        severity_level=3,
        measurements=(measured(Quantity.LENGTH, length, unit),),
        centre=centre,
        description=Description(en="A scratch at the upper left.", ko="좌상단에 스크래치가 있습니다."),
        provenance=(Provenance(tool="measurement", elapsed_s=0.25),),
    )


def inspection(
    number: int = 1,
    verdict: Verdict = Verdict.REJECT,
    findings: tuple[Finding, ...] = (),
    *,
    name: str = "",
    scale: Scale | None = SCALE,
    flags: tuple[str, ...] = (),
) -> Inspection:
    image_id = f"img_{number:03d}"
    return Inspection(
        image=ImageRecord(
            id=image_id,
            name=name or f"line/cover_{number}.jpg",
            sha256=f"{number:064x}",
            width_px=WIDTH,
            height_px=HEIGHT,
        ),
        scale=scale,
        screening=Screening(
            image_id=image_id,
            scores={"normal": 0.1},
            suspicion=0.9,
            label="scratch",
            status=ScreeningStatus.SUSPECT,
            threshold=0.5,
            provenance=Provenance(tool="screening", elapsed_s=0.5),
        ),
        findings=findings,
        judgement=Judgement(
            verdict=verdict,
            rule="scratch.max_length_mm",
            reason_en="Longer than 5 mm.",
            reason_ko="5 mm보다 깁니다.",
        ),
        flags=flags,
    )


def held_against(made: Inspection, *, strongest: Source = Source.REFERENCES) -> Inspection:
    """The inspection with good parts and a template asked too, and a heat map."""
    says = {Source.WORDS: 0.4, Source.REFERENCES: 0.7, Source.TEMPLATE: 0.6, strongest: 0.9}
    counts = {Source.REFERENCES: 8, Source.TEMPLATE: 1}
    sources = tuple(
        SourceScore(
            source=source,
            score=suspicion,
            suspicion=suspicion,
            decided=source is not Source.WORDS,
            compared_with=counts.get(source, 0),
            remark="words do not know these parts" if source is Source.WORDS else "",
        )
        for source, suspicion in says.items()
    )
    heat_map = HeatMap(rows=2, columns=3, values=(0.1, 0.2, 0.1, 0.3, 0.95, 0.2))
    update = {"sources": sources, "heat_map": heat_map}
    return made.model_copy(update={"screening": made.screening.model_copy(update=update)})


def unreadable(number: int = 9, reason: str = "The file is cut off.") -> Inspection:
    return Inspection(
        image=ImageRecord(
            id=f"img_{number:03d}",
            name="torn.jpg",
            status=ImageStatus.UNREADABLE,
            reason=reason,
        ),
        judgement=Judgement(
            verdict=Verdict.REVIEW, rule="image.unreadable", reason_en="Unreadable.", reason_ko="판독 불가."
        ),
    )


def report(
    *inspections: Inspection, language: Language = Language.EN, run: RunInfo = RUN, lost: bool = False
) -> ReportInput:
    return ReportInput(
        run=run,
        recipe=RECIPE,
        inspections=inspections,
        load_image=lost_picture if lost else picture,
        language=language,
        created_at="2026-03-04T06:07:08+09:00",
    )


def mixed_batch() -> tuple[Inspection, ...]:
    """One of each: rejected with two findings, accepted, for review without scale, unreadable."""
    return (
        inspection(
            1, Verdict.REJECT, (finding(length=7.25), finding(number=2, defect_type="dent", length=1.5))
        ),
        inspection(2, Verdict.ACCEPT),
        inspection(3, Verdict.REVIEW, (finding("img_003", unit=Unit.PX, length=33.5),), scale=None),
        unreadable(4),
    )


def report_text(source: ReportInput, folder: Path) -> str:
    """All that the PDF says, with single spaces."""
    path = folder / "report.pdf"
    write_report(source, path)
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())
