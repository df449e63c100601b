"""What an evaluation says: its figures as records, and as a table for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Self

from tools.digits import plain
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
    "render_text",
]


_UNMOVED = {
    Source.BATCH: "the batch's moves along; `references.overkill` changes these rates",
    Source.TEMPLATE: "every difference to a template counts, whatever it is",
}


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
        unlocated: Defect images without a labelled place; left out of localization.
        unreadable: Names of files that no inspection would look at; left out as well.
        good, defect: Images that were screened.
        references: Good images left out because the others are held against them.
        misnamed: Names of images left out likewise that the set labels as defects.
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


def render_text(evaluation: Evaluation) -> str:
    """The figures as lines of plain text."""
    return "\n".join(f"{title:<14}{line}".rstrip() for title, line in _lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """Rows of (title, text); a row without title continues the one above."""
    counts = f"{evaluation.good} good, {evaluation.defect} defect"
    if evaluation.uncertain:
        counts += f"; {evaluation.uncertain} uncertain left out"
    yield "Set", f"{evaluation.set_name}: {counts}"
    if evaluation.references:
        yield "", f"{evaluation.references} good images left out: they serve as good parts"
    for name in evaluation.misnamed:
        yield "", f"{name} left out: labelled a defect, and yet a good part of the recipe"
    if evaluation.unreadable:
        yield "", f"unreadable or too small, left out: {', '.join(evaluation.unreadable)}"
    yield "Recipe", f"{evaluation.recipe_name} ({evaluation.recipe_sha256[:12]})"
    for model in evaluation.models:
        yield "Model", f"{model.tool}: {model.model} on {model.device}, {model.precision}"
    yield from _screening_lines(evaluation.screening)
    yield from _source_lines(evaluation.sources)
    if evaluation.pixels:
        yield from _pixel_lines(evaluation.pixels)
    if evaluation.localization:
        yield from _localization_lines(evaluation.localization, evaluation.unlocated)
    yield from _size_lines(evaluation)
    if evaluation.pipeline:
        yield "Verdicts", "escape = accepted, overkill = rejected or left for review"
        yield from _rate_lines("", evaluation.pipeline)
    if found := evaluation.findings:
        yield "Findings", f"{found.findings} of all sources, {found.boxes} boxes in {found.images} images"
        yield "", f"any type  AP at IoU 0.33 {found.ap33:.3f}, at IoU 0.5 {found.ap50:.3f}"
    yield "Seconds", ", ".join(f"{stage} {value:.1f}" for stage, value in evaluation.seconds.items())


def _screening_lines(figures: ScreeningFigures) -> Iterator[tuple[str, str]]:
    yield (
        "Screening",
        f"image AUROC {_estimate(figures.auroc_interval)}, "
        f"average precision {_number(figures.average_precision)}",
    )
    yield from _rate_lines(f"at the recipe's threshold {figures.threshold:.3f}", figures.rates)
    if figures.f1:
        yield "", f"  F1       {_estimate(figures.f1)}"
    if figures.proposed_threshold is not None and figures.proposed_rates:
        title = f"for escape <= {figures.target_escape:.1%}: threshold {plain(figures.proposed_threshold)}"
        yield from _rate_lines(f"{title} (chosen on this same set)", figures.proposed_rates)
    for source in figures.unmoved:
        yield "", f"no threshold is proposed: {_UNMOVED[source]}"
    labels = sorted({label for row in figures.confusion.values() for label in row})
    width = max(len(name) for name in ("truth \\ label", *figures.confusion)) + 2
    yield "Labels", "truth \\ label".ljust(width) + "  ".join(labels)
    for name, row in figures.confusion.items():
        yield "", name.ljust(width) + "  ".join(f"{row.get(label, 0):>{len(label)}}" for label in labels)


def _source_lines(sources: Sequence[SourceFigures]) -> Iterator[tuple[str, str]]:
    title = "Sources"
    for each in sources:
        part = "" if each.decided else "; did not decide"
        if each.adds and each.decided:
            part = f"; adds {each.adds.value:+.3f} ({each.adds.lower:+.3f} to {each.adds.upper:+.3f})"
        if 0 < each.decided < each.images:
            part += f" in {each.decided} of {each.images}"
        yield title, f"{each.source:<11}alone: AUROC {_estimate(each.auroc)}{part}"
        title = ""


def _pixel_lines(figures: PixelFigures) -> Iterator[tuple[str, str]]:
    yield "Heat maps", f"{figures.regions} regions in {figures.images} images"
    yield "", f"pixel AUROC {_estimate(figures.auroc)}, AU-PRO to 30 % {_estimate(figures.aupro)}"
    yield (
        "",
        (
            f"pixel F1 {_estimate(figures.f1)} from heat {figures.threshold:.3f}; "
            f"at best {figures.best_f1:.3f} from {figures.best_threshold:.3f} (chosen on this same set)"
        ),
    )


def _localization_lines(figures: LocalizationFigures, unlocated: int) -> Iterator[tuple[str, str]]:
    skipped = f"; {unlocated} defect images without boxes left out" if unlocated else ""
    yield "Localization", f"{figures.any_type.boxes} boxes in {figures.images} images{skipped}"
    yield "", _detection("any type", figures.any_type)
    if figures.by_type:
        yield "", _detection("by type", figures.by_type)
    words = ", ".join(f"{name} = {found or 'no type of the recipe'}" for name, found in figures.types.items())
    yield "", f"classes: {words}"
    yield "", f"any type, from the recipe's confidence {figures.confidence:.2f}"
    yield "", f"  recall    {_share(figures.recall)}"
    yield "", f"  precision {_share(figures.precision)}"


def _size_lines(evaluation: Evaluation) -> Iterator[tuple[str, str]]:
    """Errors of sizes over all types and per type, and how often the stated uncertainty holds the truth."""
    width = max((len(each.type or "all") for each in evaluation.measurement), default=3) + 2
    if evaluation.measurement:
        yield "Measurement", f"{'error':<{width}}         median  90th pct.    bias  within its uncertainty"
    for size in evaluation.measurement:
        errors = f"{size.median:>7.1%}  {size.percentile_90:>9.1%}  {size.bias:>+6.1%}"
        within = f"{size.within.count} of {size.within.total}, {size.within.value or 0.0:.0%}"
        yield "", f"{size.type or 'all':<{width}}{size.quantity:<8}{errors}  {within}"
    title = "Outlines"
    for outline in evaluation.outlines:
        iou = f"IoU median {outline.median:.3f}, mean {outline.mean:.3f} (n = {outline.count})"
        yield title, f"{outline.type:<{width}}{iou}"
        title = ""


def _rate_lines(title: str, rates: ErrorRates) -> Iterator[tuple[str, str]]:
    if title:
        yield "", title
    yield "", f"  escape   {_share(rates.escape)}"
    yield "", f"  overkill {_share(rates.overkill)}"


def _detection(title: str, figures: DetectionFigures) -> str:
    return f"{title:<9} mAP50 {figures.map50:.3f}, mAP50-95 {figures.map50_95:.3f}"


def _share(rate: Rate) -> str:
    if rate.value is None:
        return "undefined (0 of 0)"
    interval = f"95 % interval {rate.lower:.1%} to {rate.upper:.1%}"
    return f"{rate.value:.1%} ({rate.count} of {rate.total}; {interval})"


def _estimate(figure: Estimate | None) -> str:
    """The figure with its interval, which is by the bootstrap over images, where rates have Wilson's."""
    if figure is None:
        return "undefined"
    return f"{figure.value:.3f} ({figure.lower:.3f} to {figure.upper:.3f})"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
