"""The figures of an evaluation as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tools.digits import plain
from tools.records import Source

if TYPE_CHECKING:
    from tools.evaluation.figures import (
        DetectionFigures,
        ErrorRates,
        Estimate,
        Evaluation,
        LocalizationFigures,
        PixelFigures,
        Rate,
        ScreeningFigures,
        SourceFigures,
    )

__all__ = ["render_text"]

_UNMOVED = {
    Source.REFERENCES: "that of drawn good parts moves along; `references.overkill` changes these rates",
    Source.BATCH: "the batch's moves along; `references.overkill` changes these rates",
    Source.TEMPLATE: "every difference to a template counts, whatever it is",
}


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
        serve = "it serves as a good part" if evaluation.references == 1 else "they serve as good parts"
        yield "", f"{_counted(evaluation.references, 'good image')} left out: {serve}"
    for name in evaluation.misnamed:
        yield "", f"{name} left out: labelled a defect, and yet a good part of the recipe"
    if evaluation.unreadable:
        yield "", f"unreadable or too small, left out: {', '.join(evaluation.unreadable)}"
    if evaluation.empty_classes:
        yield "", f"folders without a photograph: {', '.join(evaluation.empty_classes)}"
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
    skipped = f"; {_counted(unlocated, 'defect image')} without boxes left out" if unlocated else ""
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


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
