"""The recipe: what is inspected and what is acceptable, as a versioned schema.

`tools.recipe.file` reads and writes it; here is only what it may say.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from tools.records import Language, Severity

__all__ = [
    "Acceptance",
    "ArucoScale",
    "Captioning",
    "ChessboardScale",
    "DefectType",
    "FixedScale",
    "Label",
    "Localization",
    "Models",
    "Part",
    "Recipe",
    "References",
    "ReportFields",
    "ScaleSpec",
    "ScreeningSettings",
    "TwoPointScale",
    "Zone",
]

Positive = Annotated[float, Field(gt=0.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
SidePx = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/\\][^/\\\n]*$")]


class Section(BaseModel):
    """Base of all sections: immutable; unknown keys and endless numbers are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Part(Section):
    """What is inspected.

    Attributes:
        noun: Material noun that fills the prompts, e.g. `brushed metal plate` (English; CLIP reads English).
    """

    name: str
    name_ko: str = ""
    noun: str = "part"
    number: str = ""
    revision: str = ""


class Acceptance(Section):
    """Limits for one defect type on one part; what is not given is not limited.

    A limit in mm needs a scale: without one the part goes to review, never to a guess. One in px holds only
    in a recipe without `scale`. A width limit holds for the mean width of a line such as a scratch, not for
    its widest place. `max_count: 0` rejects any confirmed finding of the type.
    """

    max_length_mm: Positive | None = None
    max_width_mm: Positive | None = None
    max_area_mm2: Positive | None = None
    max_length_px: Positive | None = None
    max_width_px: Positive | None = None
    max_area_px2: Positive | None = None
    max_count: int | None = Field(default=None, ge=0)


class Label(Section):
    """Something that screening can recognise: English phrases for CLIP, words for people.

    Attributes:
        prompts: State phrases put into the templates, e.g. `a scratch`; the label's own name when empty.
        ko: Korean name.
        synonyms: Other words people use for it, in any language.
    """

    prompts: tuple[str, ...] = ()
    ko: str = ""
    synonyms: tuple[str, ...] = ()


class DefectType(Label):
    """One kind of defect with its criteria.

    Attributes:
        detector_classes: Class names of the detector that mean this type; the type's own name when empty.
        curvilinear: Measured along its centre line (scratch, crack) instead of by its outline.
        severity_level: 1 (trivial) to 5 (critical).
    """

    detector_classes: tuple[str, ...] = ()
    curvilinear: bool = False
    severity: Severity = Severity.MAJOR
    severity_level: int = Field(default=3, ge=1, le=5)
    accept: Acceptance = Acceptance(max_count=0)


class Zone(Section):
    """A region of the image with rules of its own.

    Attributes:
        polygon: Corners (x, y) as fractions of image width and height.
        ignore: Findings whose centre lies inside are not defects. A rough region, as screening and good parts
            point at, lies inside where the zone covers most of it. Where heat maps are searched for such
            regions, the zone is left out. A suspect or unsure image is accepted for what lies inside only
            where its heat map shows that nothing outside is as hot.
        accept: Criteria per defect type that replace the general ones inside the zone.
    """

    name: Name
    polygon: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3)]
    ignore: bool = False
    accept: dict[str, Acceptance] = {}


class ScreeningSettings(Section):
    """How CLIP screens.

    Attributes:
        threshold: Suspicion from which an image is suspect.
        review_band: Half width of the band around the threshold that counts as unsure.
        temperature: Divides the logits; 1 keeps the checkpoint's own scale.
        window_fractions: Window sides as fractions of the image's shorter side, besides the whole image.
        unknown_below: Best cosine similarity of the whole image under which nothing fits and a person looks;
            None switches the outcome off. It depends on the checkpoint; the pocket's has no value that helps.
        detector_from: Suspicion by words from which the detector is asked as well and both form the
            suspicion: for a detector that knows these defects. None leaves it to words.
    """

    threshold: Fraction = 0.5
    review_band: Fraction = 0.1
    temperature: Positive = 1.0
    window_fractions: tuple[Fraction, ...] = (0.5, 0.25)
    window_overlap: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.25
    unknown_below: float | None = None
    detector_from: Fraction | None = None
    clahe: bool = False
    centre_crop: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    templates: tuple[str, ...] = ()


class References(Section):
    """How images are held against good parts, which `loupe good` names, or against each other.

    Attributes:
        backbone: What describes the patches: `texture` (nothing to load), `clip` for the recipe's own
            CLIP, or a path or hub id of a vision tower; of several, joined by `+`, the
            mean counts.
        overkill: Share of good parts that may be called suspect; it sets where the threshold lies.
        rotations: Angles over the full circle in which the part may lie; 1 where it always lies alike.
        registration: Whether parts are laid over each other first; left out, the good parts show it.
        layout: Whether what is missing, added or moved on a registered part counts, besides its texture.
        foreground: Whether an even background is left out of the comparison.
        batch: Whether the images of a batch are held against each other where there are no good parts.
        template: Picture of the part without a defect, relative to the recipe's folder; `{stem}` in it stands
            for the image's own name without its ending, `{stem-_test}` for that without `_test` at its end.
            Where it is given, every difference is a finding.
        accept: Criteria for what is unlike good parts and of no type of the recipe; without, a person looks.
    """

    backbone: Annotated[str, Field(min_length=1)] = "texture"
    overkill: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.05
    rotations: int = Field(default=1, ge=1, le=36)
    registration: bool | None = None
    layout: bool = True
    foreground: bool = False
    batch: bool = True
    template: str = ""
    accept: Acceptance | None = None


class Localization(Section):
    """How the detector looks.

    Attributes:
        review_confidence: Findings below it send the part to review.
    """

    confidence: Fraction = 0.25
    review_confidence: Fraction = 0.4
    iou: Fraction = 0.5
    tile_px: int | None = Field(default=None, ge=64)
    tile_overlap: Annotated[float, Field(ge=0.0, lt=0.9)] = 0.2
    max_findings: int = Field(default=100, ge=1)


class Captioning(Section):
    """How BLIP describes.

    Attributes:
        max_regions: Findings per image that get a caption, most confident first.
    """

    enabled: bool = True
    max_regions: int = Field(default=5, ge=0)
    prefix: str = ""
    beams: int = Field(default=3, ge=1, le=16)
    max_tokens: int = Field(default=30, ge=5, le=200)
    temperature: Positive | None = None
    load_in_8bit: bool = False
    translator: str = ""


class FixedScale(Section):
    """A scale known beforehand."""

    mm_per_px: Positive
    uncertainty_percent: Annotated[float, Field(ge=0.0, lt=100.0)] = 1.0
    detail: str = ""


class TwoPointScale(Section):
    """Two points of the image whose distance is known.

    Attributes:
        image_size_px: Width and height of the picture in which the points lie: one of another size has
            other millimetres in its pixels. None takes every picture to be of that size.
    """

    points_px: tuple[tuple[float, float], tuple[float, float]]
    distance_mm: Positive
    point_uncertainty_px: Positive = 1.0
    image_size_px: tuple[SidePx, SidePx] | None = None


class ArucoScale(Section):
    """A marker of known side in every image."""

    aruco_side_mm: Positive
    dictionary: str = "DICT_4X4_50"
    marker_id: int | None = None


class ChessboardScale(Section):
    """A homography found once from a chessboard by `loupe calibrate`."""

    homography: Annotated[tuple[float, ...], Field(min_length=9, max_length=9)]
    mm_per_px: Positive
    uncertainty_percent: Annotated[float, Field(ge=0.0, lt=100.0)]
    image_size_px: tuple[SidePx, SidePx]
    detail: str = ""


ScaleSpec = FixedScale | TwoPointScale | ArucoScale | ChessboardScale


class Models(Section):
    """Which checkpoints see: a named set, or each by path or hub id.

    Attributes:
        detector_sha256: Hash of a `.pt` file that its owner vouches for.
    """

    set: str = "pocket"
    clip: str = ""
    blip: str = ""
    detector: str = ""
    detector_sha256: str = ""
    agent: str = ""


class ReportFields(Section):
    """What stands on every report of this recipe."""

    title: str = ""
    company: str = ""
    station: str = ""
    criteria_source: str = ""


class Recipe(Section):
    """A whole recipe.

    Attributes:
        hard_negatives: What looks like a defect and is none: dust, glare, label, tool mark.
        normal_prompts: State phrases of a good part.
    """

    recipe_version: Literal[1]
    name: Name
    part: Part
    language: Language = Language.EN
    defects: Annotated[dict[Name, DefectType], Field(min_length=1)]
    hard_negatives: dict[Name, Label] = {}
    normal_prompts: tuple[str, ...] = ()
    screening: ScreeningSettings = ScreeningSettings()
    references: References = References()
    localization: Localization = Localization()
    captioning: Captioning = Captioning()
    zones: tuple[Zone, ...] = ()
    scale: ScaleSpec | None = None
    models: Models = Models()
    report: ReportFields = ReportFields()

    _file: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for zone in self.zones:
            for name in zone.accept:
                if name not in self.defects:
                    raise ValueError(f"zone {zone.name!r} has criteria for {name!r}, which is no defect type")
        for name in self.hard_negatives:
            if name in self.defects:
                raise ValueError(f"{name!r} is both a defect type and a hard negative")
        return self

    @property
    def file(self) -> Path | None:
        """The file that it was loaded from; None where it was made otherwise."""
        return self._file

    def loaded_from(self, file: Path) -> Self:
        """Returns the recipe with the file that it stands in; its meaning is the same."""
        recipe = self.model_copy()
        recipe._file = file
        return recipe

    @property
    def canonical_json(self) -> str:
        """What the recipe says and nothing that only repeats a default: its UTF-8 bytes have its hash."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def sha256(self) -> str:
        """Hash of what the recipe says: comments, layout and what only repeats a default do not change it.

        The order of names does, as that of the defect types breaks ties between them. An update that lets
        recipes say more does not. Defaults belong to Loupe's version, which a run notes.
        """
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()

    @property
    def type_names(self) -> tuple[str, ...]:
        """Names of the defect types, in the recipe's order."""
        return tuple(self.defects)
