"""What an evaluation says: its figures as records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from tools.evaluation.metrics import wilson_interval
from tools.evaluation.resampling import interval
from tools.records import Provenance, Quantity, Record, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "DetectionFigures",
    "ErrorRates",
    "Estimate",
    "Evaluation",
    "FindingFigures",
    "LocalizationFigures",
    "MeasurementFigures",
    "OutlineFigures",
    "PixelFigures",
    "Rate",
    "ScreeningFigures",
    "SourceFigures",
]


class Rate(Record):
    """A share with its 95 % Wilson interval; without a value where there was nothing to count."""

    count: int
    total: int
    value: float | None
    lower: float | None
    upper: float | None

    @classmethod
    def of(cls, count: int, total: int) -> Self:
        """The share `count` of `total`."""
        lower, upper = wilson_interval(count, total) or (None, None)
        return cls(count=count, total=total, value=count / total if total else None, lower=lower, upper=upper)


class Estimate(Record):
    """A figure with its 95 % interval by the bootstrap over images."""

    value: float
    lower: float
    upper: float

    @classmethod
    def of(cls, figures: NDArray[np.float64]) -> Self:
        """The estimate of a figure; `figures[0]` is the figure itself, the others are its resamples."""
        lower, upper = interval(figures)
        return cls(value=float(figures[0]), lower=lower, upper=upper)


class ErrorRates(Record):
    """Both ways to be wrong: defect images that pass, good ones that do not."""

    escape: Rate
    overkill: Rate

    @classmethod
    def of(cls, is_flagged: Sequence[bool], is_defect: Sequence[bool]) -> Self:
        """The rates of decisions over images of known truth."""
        table = Counter(zip(is_defect, is_flagged, strict=True))
        return cls(
            escape=Rate.of(table[True, False], table[True, False] + table[True, True]),
            overkill=Rate.of(table[False, True], table[False, True] + table[False, False]),
        )


class ScreeningFigures(Record):
    """Image-level figures of screening.

    Attributes:
        auroc: As an `Estimate` in `auroc_interval` as well; None unless both classes have members.
        f1: Of the decision at `threshold`; None without a defect image.
        threshold: The recipe's; from it upwards an image is flagged, the review band left aside.
        proposed_threshold: The highest with at most `target_escape` on this very set: on other images
            both rates will be somewhat worse. They hold as long as the same sources are heard with it. None
            where `unmoved` decides.
        unmoved: Sources that decide and whose scale moves with the threshold, so that none changes the rates.
        confusion: Images per true class (the recipe's type name where it maps, else the set's own) and
            label of screening; an image with defects of two classes counts in both rows.
    """

    auroc: float | None
    auroc_interval: Estimate | None = None
    average_precision: float | None
    f1: Estimate | None = None
    threshold: float
    rates: ErrorRates
    target_escape: float
    proposed_threshold: float | None
    proposed_rates: ErrorRates | None
    unmoved: tuple[Source, ...] = ()
    confusion: dict[str, dict[str, int]]


class SourceFigures(Record):
    """What one source of suspicion says, and what would be without it.

    Attributes:
        images: That the source was asked about.
        decided: Of these, those in whose suspicion it took part.
        auroc: Of the source alone, over those images; None unless both classes have members.
        adds: Image AUROC of all sources less that of all but this one; None where it is the only one.
    """

    source: Source
    images: int
    decided: int
    auroc: Estimate | None
    adds: Estimate | None


class PixelFigures(Record):
    """How well heat maps point at the labelled pixels, over good images and those with masks.

    Attributes:
        regions: Connected defects (8-neighbours) in all masks.
        auroc: Of normal against defect pixels.
        aupro: Area under the per-region overlap up to a false positive rate of 0.3, divided by 0.3
            (Bergmann et al. 2021, IJCV 129).
        threshold: The recipe's; heat from there on is flagged in `f1`.
        best_f1: The highest that any threshold gives on this very set.
    """

    images: int
    regions: int
    auroc: Estimate
    aupro: Estimate
    threshold: float
    f1: Estimate
    best_threshold: float
    best_f1: float


class DetectionFigures(Record):
    """COCO's figures over the located images."""

    boxes: int
    map50: float
    map50_95: float


class LocalizationFigures(Record):
    """Box-level figures of the detector.

    Attributes:
        any_type: Whether a defect is found at all, whatever it is called.
        by_type: With the right type, over the classes that map to recipe types; None when none does.
        types: Recipe type per class of the set, None where the recipe knows no such word.
        confidence: The recipe's; `recall` and `precision` are of any type at IoU 0.5 from there on.
    """

    images: int
    any_type: DetectionFigures
    by_type: DetectionFigures | None
    types: dict[str, str | None]
    confidence: float
    recall: Rate
    precision: Rate


class FindingFigures(Record):
    """Box-level figures of all that the pipeline finds, whatever its type and whoever proposed it.

    Attributes:
        images: Whose defects' places are known, good ones included.
        ap33, ap50: Average precision at IoU 0.33 and 0.5, by the findings' confidence.
    """

    images: int
    boxes: int
    findings: int
    ap33: float
    ap50: float


class MeasurementFigures(Record):
    """Relative errors of one quantity over the defects found at IoU 0.5 whose truth is known.

    Attributes:
        type: Class of the set; None over all of them.
        median, percentile_90: Of the error's magnitude, as a fraction of the truth.
        bias: Mean of the signed error.
        within: How often the stated uncertainty holds the truth; 95 % is what it promises.
    """

    type: str | None = None
    quantity: Quantity
    count: int
    median: float
    percentile_90: float
    bias: float
    within: Rate


class OutlineFigures(Record):
    """Overlap (IoU) of outlines with the labelled pixels, over the defects of a class found at IoU 0.5."""

    type: str
    count: int
    median: float
    mean: float


class Evaluation(Record):
    """What a set says about the checkpoints and the recipe.

    Attributes:
        uncertain: Images whose label is uncertain; left out of every figure.
        unlocated: Of the screened defect images, those without a labelled place; left out of localization.
        unreadable: Files that no inspection would look at, by their path in the set; left out as well.
        good, defect: Images that were screened.
        references: Good images left out because the others are held against them.
        misnamed: Images left out likewise that the set labels as defects, by their path in the set.
        empty_classes: Names of class folders without a photograph.
        sources: What each source of suspicion says; empty where there are words alone.
        pixels: None where no mask is labelled, or screening made no heat map.
        localization: None where the set has no boxes.
        pipeline: After the rules (`pipeline_rates`): flagged is any verdict but accept.
        findings: Of the same inspections (`pipeline_findings`); None where the set has no boxes.
        seconds: Per stage, over the whole set.
    """

    set_name: str
    recipe_name: str
    recipe_sha256: str
    good: int
    defect: int
    uncertain: int
    unlocated: int
    unreadable: tuple[str, ...]
    references: int = 0
    misnamed: tuple[str, ...] = ()
    empty_classes: tuple[str, ...] = ()
    screening: ScreeningFigures
    sources: tuple[SourceFigures, ...] = ()
    pixels: PixelFigures | None = None
    localization: LocalizationFigures | None = None
    measurement: tuple[MeasurementFigures, ...] = ()
    outlines: tuple[OutlineFigures, ...] = ()
    pipeline: ErrorRates | None = None
    findings: FindingFigures | None = None
    seconds: dict[str, float]
    models: tuple[Provenance, ...]
