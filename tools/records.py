"""The domain records that every layer passes on: frozen, JSON-ready, units and order in the names.

Coordinates are pixels of the image as decoded by `tools.images` (EXIF orientation applied), origin at
the top left corner of the top left pixel, x to the right, y down; a box is (x_min, y_min, x_max, y_max)
with the maximum excluded, so its width is `x_max - x_min`. Arrays never live in records.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tools.terms import (
    CaptionOutcome,
    DecidedBy,
    ImageStatus,
    Language,
    Origin,
    Quantity,
    ScaleSource,
    ScreeningStatus,
    Severity,
    Source,
    Unit,
    Verdict,
)

__all__ = [
    "SCHEMA_VERSION",
    "BoxXyxyPx",
    "CaptionOutcome",
    "Centre",
    "DecidedBy",
    "Description",
    "Finding",
    "HeatMap",
    "ImageRecord",
    "ImageStatus",
    "Inspection",
    "Judgement",
    "Language",
    "Measurement",
    "Origin",
    "PointPx",
    "Provenance",
    "Quantity",
    "Record",
    "RunInfo",
    "Scale",
    "ScaleSource",
    "Screening",
    "ScreeningStatus",
    "Severity",
    "Source",
    "SourceScore",
    "Unit",
    "Verdict",
]

SCHEMA_VERSION = 1

PointPx = tuple[float, float]
BoxXyxyPx = tuple[float, float, float, float]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Spread = Annotated[float, Field(ge=0.0)]


class Record(BaseModel):
    """Base of all records: immutable, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provenance(Record):
    """How a result came about, so that a report can trace each number.

    Attributes:
        tool: The kind of seeing, e.g. `screening`.
        model: Checkpoint name, path or hub id; empty for plain algorithms.
        weights_sha256: Hash of the weights file(s); None where there are none.
        precision: Of weights and activations; empty where nobody tells.
        parameters: Everything that changes the result, JSON values only.
        elapsed_s: Seconds spent, per image where many were done together.
    """

    tool: str
    model: str = ""
    weights_sha256: str | None = None
    device: str = "cpu"
    precision: str = "float32"
    parameters: dict[str, JsonValue] = {}
    elapsed_s: float = 0.0


class Scale(Record):
    """Millimetres per pixel in the inspection plane.

    Attributes:
        mm_per_px: Side of one pixel in millimetres; with a homography that at the board's centre.
        relative_uncertainty: Expanded (k=2) uncertainty of `mm_per_px`, as a fraction of it.
        homography: Row-major 3x3 that maps pixels (x, y) to millimetres where perspective was
            calibrated (chessboard); None when one factor serves the whole image.
        detail: How it was found, e.g. `ArUco 4x4 id 7, side 10 mm`.
    """

    mm_per_px: float = Field(gt=0.0)
    source: ScaleSource
    relative_uncertainty: float = Field(default=0.0, ge=0.0)
    homography: tuple[float, ...] | None = None
    detail: str = ""


class ImageRecord(Record):
    """One photograph of a batch.

    Attributes:
        id: `img_001`… in batch order.
        name: Path below the batch's root, NFC, safe to print; `name#2` for page 2 of a TIFF.
        sha256: Hash of the file's bytes; empty where they could not be read.
        page: Page of the file, from 0.
        width_px, height_px: Size as decoded, orientation applied; 0 when unreadable.
        reason: Why it is unreadable, for a person; empty otherwise.
        duplicate_of: Id of the first image with the same content; None when it is the first.
    """

    id: str
    name: str
    sha256: str = ""
    page: int = Field(default=0, ge=0)
    size_bytes: int = 0
    format: str = ""
    width_px: int = 0
    height_px: int = 0
    status: ImageStatus = ImageStatus.READABLE
    reason: str = ""
    duplicate_of: str | None = None

    @property
    def picture_key(self) -> str:
        """What tells pictures apart, whatever they are called: the file's hash, from page 2 on with `#2`.

        Empty where the file could not be read.
        """
        return f"{self.sha256}#{self.page + 1}" if self.sha256 and self.page else self.sha256


class HeatMap(Record):
    """Suspicion over the image on a regular grid, row-major from the top left, in [0, 1]."""

    rows: int = Field(gt=0)
    columns: int = Field(gt=0)
    values: tuple[float, ...]


class SourceScore(Record):
    """What one source says of an image.

    Attributes:
        score: As the source gives it: for words the probability of a defect; for references and batch by how
            many deviations the image lies above good parts; for template and detector the strongest region.
        suspicion: The same on the scale of the screening's `suspicion` and `threshold`.
        decided: Whether it entered the screening's suspicion.
        compared_with: Good parts, or other images of the batch, that it was held against; else 0.
        parts: Suspicion per expert within the source, e.g. `texture`, `edges`, `shapes`.
        remark: Why it did not decide, or how far it may be trusted; stable words, empty where all is well.
        elapsed_s: Seconds that asking it took; 0 for words, whose seconds are the screening's own.
    """

    source: Source
    score: float
    suspicion: Fraction
    decided: bool = False
    compared_with: int = Field(default=0, ge=0)
    parts: dict[str, float] = {}
    remark: str = ""
    elapsed_s: float = 0.0


class Screening(Record):
    """The opinion of one whole image.

    Attributes:
        scores: Probability per label (defect types, `normal`, hard negatives) of the most suspect view.
        suspicion: Calibrated in [0, 1]; compared with `threshold`.
        label: The best-fitting label, or `unknown` when nothing fits.
        review_band: Half width of the band around `threshold` that counts as unsure.
        sources: What each source says; empty in records of versions that knew words alone.
    """

    image_id: str
    scores: dict[str, float]
    suspicion: Fraction
    label: str
    status: ScreeningStatus
    threshold: Fraction
    review_band: Fraction = 0.0
    heat_map: HeatMap | None = None
    sources: tuple[SourceScore, ...] = ()
    provenance: Provenance

    @property
    def calm_below(self) -> float:
        """The suspicion under which nothing is wrong: that of the band's lower edge."""
        return self.threshold - self.review_band

    def source(self, source: Source) -> SourceScore | None:
        """Returns what a source says, or None where it was not asked."""
        return next((each for each in self.sources if each.source is source), None)


class Measurement(Record):
    """One measured quantity of a finding.

    Attributes:
        uncertainty: Expanded uncertainty U (k=2, about 95 %), same unit as `value`.
        lower_bound: True where the defect runs out of the picture: the true value may be larger.
        method: Algorithm in a few words, e.g. `skeleton geodesic`.
    """

    quantity: Quantity
    value: float
    unit: Unit
    uncertainty: float = Field(ge=0.0)
    lower_bound: bool = False
    method: str


class Centre(Record):
    """Where the centre of a finding lies: the centroid of what its mask covers.

    Of a defect that runs out of the picture (`Finding.edge_touching`) it is the centre of what is seen.

    Attributes:
        xy_px: x and y, like all coordinates from the top left corner of the picture.
        uncertainty_xy_px: Expanded uncertainty U (k=2, about 95 %) of each.
        xy_mm: The same in the inspection plane, from where the picture's top left corner shows it, x along
            the picture's upper edge and y square to it; None without a scale. A homography's own origin and
            axes are those of the board that happened to lie there, so positions are told from the picture's.
        uncertainty_xy_mm: U of each, with what the scale is uncertain over so far.
        method: Algorithm in a few words, e.g. `centroid of pixel coverage`.
    """

    xy_px: PointPx
    uncertainty_xy_px: tuple[Spread, Spread]
    xy_mm: tuple[float, float] | None = None
    uncertainty_xy_mm: tuple[Spread, Spread] | None = None
    method: str


class Description(Record):
    """What is said of a finding or an image, in both languages, from measured facts.

    Attributes:
        caption: BLIP's words where they passed the quality rules; empty otherwise.
    """

    en: str
    ko: str
    caption: str = ""
    caption_outcome: CaptionOutcome = CaptionOutcome.NOT_ASKED

    def text(self, language: Language) -> str:
        """Returns the sentence in the given language."""
        return self.ko if language is Language.KO else self.en


class Finding(Record):
    """One located defect.

    Attributes:
        id: `img_003-1`… unique within a batch.
        type: Name of a defect type of the recipe, or `unclassified`.
        confidence: The proposer's confidence in [0, 1].
        contours_px: Outer outlines of the segmented defect (one per part), closed, sub-pixel; empty
            when it could not be segmented.
        holes_px: Outlines of holes inside those parts.
        zone: Name of the recipe's zone that holds its centre; None outside all zones.
        place: Where on the picture, as a key of the glossary, e.g. `upper-left`, `centre`.
        severity_level: 1 (trivial) to 5 (critical).
        centre: Where it was measured to lie; None where it was not, and in records of earlier versions.
        edge_touching: True when it runs out of the picture.
    """

    id: str
    image_id: str
    type: str
    confidence: Fraction
    box_xyxy_px: BoxXyxyPx
    contours_px: tuple[tuple[PointPx, ...], ...] = ()
    holes_px: tuple[tuple[PointPx, ...], ...] = ()
    origin: Origin
    zone: str | None = None
    place: str = ""
    severity: Severity | None = None
    severity_level: int | None = Field(default=None, ge=1, le=5)
    edge_touching: bool = False
    measurements: tuple[Measurement, ...] = ()
    centre: Centre | None = None
    description: Description | None = None
    provenance: tuple[Provenance, ...] = ()

    def measurement(self, quantity: Quantity) -> Measurement | None:
        """Returns the measurement of that quantity, or None where it was not taken."""
        return next((m for m in self.measurements if m.quantity is quantity), None)


class Judgement(Record):
    """The verdict with the rule that fired.

    Attributes:
        rule: Stable id of the rule, e.g. `scratch.max_length_mm` or `screening.unsure`.
        reason_en, reason_ko: One sentence each that names the value and the limit.
        finding_ids: The findings that made the rule fire.
        decided_name: Who changed the verdict, e.g. `agent` or a person's name; empty where a rule decided.
        decided_at: When, ISO 8601 with zone.
        overrides: The rule's own judgement, where an agent or a person decided otherwise.
    """

    verdict: Verdict
    rule: str
    reason_en: str
    reason_ko: str
    finding_ids: tuple[str, ...] = ()
    severity: Severity | None = None
    decided_by: DecidedBy = DecidedBy.RULE
    decided_name: str = ""
    decided_at: str = ""
    overrides: Judgement | None = None

    def reason(self, language: Language) -> str:
        """Returns the reason in the given language."""
        return self.reason_ko if language is Language.KO else self.reason_en


class Inspection(Record):
    """All that is known of one image: one line of `inspections.jsonl`.

    Attributes:
        flags: Remarks on the image, some with a name or reason after a fixed beginning; which of them ask
            for a human eye: `tools/judging.py`.
        error: Why the inspection could not be completed (the judgement is then `review`).
        provenance: Of each step over the image as a whole, such as locating, with its seconds.
    """

    schema_version: int = SCHEMA_VERSION
    image: ImageRecord
    scale: Scale | None = None
    screening: Screening | None = None
    findings: tuple[Finding, ...] = ()
    description: Description | None = None
    judgement: Judgement
    flags: tuple[str, ...] = ()
    error: str = ""
    provenance: tuple[Provenance, ...] = ()


class RunInfo(Record):
    """What a run was made with: `run.json`, written first and checked on resume.

    Attributes:
        started_at: ISO 8601 with zone.
        image_count: Images in the batch, unreadable ones included.
        language: Of the report; None before there was one.
        reported_at: When a report in this language, for this inspector and station, was first written, ISO
            8601 with zone; empty before.
        batch_sha256: Hash over names and contents in batch order.
        models: Provenance of each model used, without timings.
        versions: Version per package that shapes a result.
    """

    schema_version: int = SCHEMA_VERSION
    loupe_version: str
    started_at: str
    recipe_name: str
    recipe_sha256: str
    batch_sha256: str
    image_count: int
    lot: str = ""
    inspector: str = ""
    station: str = ""
    language: Language | None = None
    reported_at: str = ""
    models: tuple[Provenance, ...] = ()
    versions: dict[str, str] = {}
