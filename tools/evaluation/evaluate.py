"""Measures checkpoints against a labelled set: how often they miss, cry wolf and mismeasure.

Escape is a defect image that passes, overkill a good one that does not (the industry's words for miss and
false alarm). Every rate stands with its 95 % interval, for sets are small.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.checkpoints import file_sha256
from tools.errors import UsageError
from tools.evaluation.figures import (
    DetectionFigures,
    ErrorRates,
    Evaluation,
    FindingFigures,
    LocalizationFigures,
    Rate,
    ScreeningFigures,
)
from tools.evaluation.labelled_sets import LabelledImage, LabelledSet, Truth
from tools.evaluation.metrics import (
    Box,
    average_precision,
    match_boxes,
    mean_average_precision,
    precisions_at,
)
from tools.evaluation.pixels import PixelCounts
from tools.evaluation.proposal import UNMOVED, proposed_threshold, suspect_up_to
from tools.evaluation.reading import Reader
from tools.evaluation.sizes import SizeError, compare_sizes, measurement_figures, outline_figures
from tools.evaluation.sources import auroc_estimate, f1_estimate, source_figures
from tools.glossary import find_type
from tools.images import Batch, printable_name
from tools.records import (
    Finding,
    ImageStatus,
    Inspection,
    Screening,
    Source,
    Verdict,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tools.localization.localizer import Localizer
    from tools.measurement.measurer import Measurer
    from tools.recipe import Recipe
    from tools.screening.combined import CombinedScreener

    ImageRgb = NDArray[np.uint8]

__all__ = [
    "evaluate",
    "known_good",
    "pipeline_findings",
    "pipeline_rates",
    "recipe_for_evaluation",
]

# Mean average precision runs over the whole precision-recall curve, so the detector must not cut it off.
_WHOLE_CURVE_CONFIDENCE = 0.001

Types = Mapping[str, str | None]


def recipe_for_evaluation(recipe: Recipe) -> Recipe:
    """The recipe to build the evaluated `Localizer` with: it reports findings of any confidence."""
    localization = recipe.localization.model_copy(update={"confidence": _WHOLE_CURVE_CONFIDENCE})
    return recipe.model_copy(update={"localization": localization})


def evaluate(
    labelled: LabelledSet,
    recipe: Recipe,
    screener: CombinedScreener,
    localizer: Localizer,
    measurer: Measurer,
    *,
    target_escape: float = 0.02,
    unmoved: Sequence[Source] = UNMOVED,
    cancel: threading.Event | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Screens every image of the set, and locates and measures where places are labelled.

    Args:
        labelled: The set.
        recipe: The thresholds and types that count.
        screener: Screens all images but those that it knows as good parts, which are no test of it.
        localizer: Built with `recipe_for_evaluation(recipe)`. It looks at all located images, whatever
            screening says, so that its figures are its own.
        measurer: Measures the findings that match a defect of known size.
        target_escape: Escape rate, as a fraction, for which a threshold is proposed.
        unmoved: Sources beside which none is proposed: their own threshold moves along with the recipe's.
        cancel: Set by another thread to stop.
        progress: Called with passes done and passes in all; screening an image is one, locating another.

    Raises:
        Cancelled: `cancel` was set.
        UsageError: Boxes were drawn on another size than the image has, or no image could be read.
    """
    located = [image for image in labelled.judged if image.is_located] if labelled.has_boxes else []
    total = len(labelled.judged) + len(located)
    cancel = cancel or threading.Event()
    reader = Reader(cancel, progress, total, known_good(screener))
    types = {name: find_type(recipe, name) for name in labelled.class_names}
    pixels = PixelCounts()
    screened = _screen(labelled, screener, reader, pixels)
    looked_at = _locate(located, localizer, measurer, recipe, reader) if located else []
    sizes = [size for item in looked_at for size in item.sizes]
    return Evaluation(
        set_name=labelled.name,
        recipe_name=recipe.name,
        recipe_sha256=recipe.sha256,
        good=sum(not each.is_defect for each in screened),
        defect=sum(each.is_defect for each in screened),
        uncertain=sum(image.truth is Truth.UNCERTAIN for image in labelled.images),
        unlocated=sum(not each.image.is_located for each in screened) if located else 0,
        unreadable=tuple(labelled.name_of(path) for path in reader.unreadable),
        references=sum(truth is Truth.GOOD for truth in reader.passed_over.values()),
        misnamed=tuple(
            labelled.name_of(path) for path, truth in reader.passed_over.items() if truth is Truth.DEFECT
        ),
        empty_classes=tuple(printable_name(name) for name in labelled.empty_classes),
        screening=_screening_figures(screened, types, recipe.screening.threshold, target_escape, unmoved),
        sources=tuple(
            source_figures([each.screening for each in screened], [each.is_defect for each in screened])
        ),
        pixels=pixels.figures(recipe.screening.threshold),
        localization=_localization_figures(looked_at, types, recipe) if looked_at else None,
        measurement=tuple(measurement_figures(sizes)),
        outlines=tuple(outline_figures(sizes)),
        seconds=reader.clock.seconds,
        models=(*screener.models, localizer.provenance) if located else screener.models,
    )


def known_good(screener: CombinedScreener) -> frozenset[str]:
    """Hashes of the good parts that images are held against."""
    known = [model.parameters["references"] for model in screener.models if model.tool == "references"]
    return frozenset(str(each) for hashes in known if isinstance(hashes, list) for each in hashes)


def pipeline_rates(labelled: LabelledSet, inspections: Iterable[Inspection]) -> ErrorRates:
    """Escape and overkill of the verdicts: flagged is whatever is not accepted.

    Inspections are matched by the hash of the image's bytes; images without one, and those that no inspection
    would look at, are left out, as the totals show.
    """
    readable = (each for each in inspections if each.image.status is ImageStatus.READABLE)
    verdicts = {inspection.image.picture_key: inspection.judgement.verdict for inspection in readable}
    decided = [
        (verdicts[sha256] is not Verdict.ACCEPT, image.truth is Truth.DEFECT)
        for image in labelled.judged
        if (sha256 := _sha256(image.path)) in verdicts
    ]
    return ErrorRates.of([flagged for flagged, _ in decided], [defect for _, defect in decided])


def pipeline_findings(labelled: LabelledSet, inspections: Iterable[Inspection]) -> FindingFigures | None:
    """How well all findings lie on the labelled defects; inspections are matched as in `pipeline_rates`.

    Images that could not be read, or whose defects' places are not labelled, are left out.
    """
    readable = (each for each in inspections if each.image.status is ImageStatus.READABLE)
    findings = {inspection.image.picture_key: inspection.findings for inspection in readable}
    known = [
        (image.defects, findings[sha256])
        for image in labelled.judged
        if image.is_located and (sha256 := _sha256(image.path)) in findings
    ]
    true = [
        Box(number, "", each.box_xyxy_px) for number, (defects, _) in enumerate(known) for each in defects
    ]
    found = [
        Box(number, "", each.box_xyxy_px, each.confidence)
        for number, (_, proposed) in enumerate(known)
        for each in proposed
    ]
    precisions = precisions_at((0.33, 0.5), true, found, range(len(known)))
    if precisions is None:
        return None
    return FindingFigures(
        images=len(known), boxes=len(true), findings=len(found), ap33=precisions[0], ap50=precisions[1]
    )


def _sha256(path: Path) -> str:
    """Hash of a photograph's bytes; empty, as that of no readable one, where it cannot be opened."""
    try:
        return file_sha256(path)
    except OSError:
        return ""


# -- seeing --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Screened:
    image: LabelledImage
    screening: Screening

    @property
    def is_defect(self) -> bool:
        return self.image.truth is Truth.DEFECT


@dataclass(frozen=True)
class _LookedAt:
    """What the detector found in one image, and how wrong its measurements are."""

    image: LabelledImage
    findings: tuple[Finding, ...]
    pairs: tuple[tuple[int, int, float], ...]
    sizes: tuple[SizeError, ...]


def _screen(
    labelled: LabelledSet, screener: CombinedScreener, reader: Reader, pixels: PixelCounts
) -> list[_Screened]:
    screened = []
    with reader.clock.stage("screening"):
        screener.prepare(Batch.open([image.path for image in labelled.judged]), cancel=reader.cancel)
        for screening in screener.screen(reader.stream(labelled.judged), cancel=reader.cancel):
            image, record = reader.answered()
            screened.append(_Screened(image, screening))
            if screening.heat_map and (image.mask or image.truth is Truth.GOOD):
                size_px = record.width_px, record.height_px
                mask = image.mask.read(*size_px) if image.mask else np.zeros(size_px[::-1], dtype=bool)
                pixels.add(screening.heat_map, mask)
    reader.check_cancelled()
    if not screened:
        raise UsageError(f"no image of {labelled.name} could be read", "open one of them in a viewer")
    return screened


def _locate(
    images: Sequence[LabelledImage], localizer: Localizer, measurer: Measurer, recipe: Recipe, reader: Reader
) -> list[_LookedAt]:
    looked_at = []
    with reader.clock.stage("localization"):
        for findings in localizer.locate(reader.stream(images), cancel=reader.cancel):
            image, _ = reader.answered()
            with reader.clock.stage("measurement"):
                looked_at.append(_compare(image, findings, measurer, recipe))
    reader.check_cancelled()
    return looked_at


def _compare(
    image: LabelledImage, findings: tuple[Finding, ...], measurer: Measurer, recipe: Recipe
) -> _LookedAt:
    sure = [finding for finding in findings if finding.confidence >= recipe.localization.confidence]
    pairs = match_boxes([d.box_xyxy_px for d in image.defects], [f.box_xyxy_px for f in sure])
    known = [(sure[found], image.defects[true]) for true, found, _ in pairs]
    known = [(finding, defect) for finding, defect in known if defect.quantities or image.mask]
    sizes = tuple(compare_sizes(image, known, measurer, recipe)) if known else ()
    return _LookedAt(image, findings, tuple(pairs), sizes)


# -- figures -------------------------------------------------------------------------------------------


def _screening_figures(
    screened: Sequence[_Screened],
    types: Types,
    threshold: float,
    target_escape: float,
    unmoved: Sequence[Source],
) -> ScreeningFigures:
    scores = [item.screening.suspicion for item in screened]
    truth = [item.is_defect for item in screened]
    limits = [suspect_up_to(item.screening) for item in screened]
    deciding = {each.source for item in screened for each in item.screening.sources if each.decided}
    unmoved = tuple(source for source in unmoved if source in deciding)
    proposed = None if unmoved else proposed_threshold(limits, truth, target_escape)
    confusion: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in screened:
        for name in {types[name] or name for name in item.image.classes} or {"good"}:
            confusion[name][item.screening.label] += 1
    flagged = [score >= threshold for score in scores]
    curve = auroc_estimate(scores, truth)
    return ScreeningFigures(
        auroc=curve.value if curve else None,
        auroc_interval=curve,
        average_precision=average_precision(scores, truth),
        f1=f1_estimate(flagged, truth),
        threshold=threshold,
        rates=ErrorRates.of(flagged, truth),
        target_escape=target_escape,
        proposed_threshold=proposed,
        proposed_rates=(
            None if proposed is None else ErrorRates.of([limit >= proposed for limit in limits], truth)
        ),
        unmoved=unmoved,
        confusion={name: dict(sorted(row.items())) for name, row in sorted(confusion.items())},
    )


def _localization_figures(
    looked_at: Sequence[_LookedAt], types: Types, recipe: Recipe
) -> LocalizationFigures | None:
    true = [
        Box(number, types[defect.class_name] or "", defect.box_xyxy_px)
        for number, item in enumerate(looked_at)
        for defect in item.image.defects
    ]
    found = [
        Box(number, finding.type, finding.box_xyxy_px, finding.confidence)
        for number, item in enumerate(looked_at)
        for finding in item.findings
    ]
    images = range(len(looked_at))
    any_type = mean_average_precision(true, found, images, by_category=False)
    if any_type is None:
        return None
    mapped = [box for box in true if box.category]
    by_type = mean_average_precision(mapped, found, images, by_category=True)
    hits = sum(len(item.pairs) for item in looked_at)
    confidence = recipe.localization.confidence
    sure = sum(box.score >= confidence for box in found)
    return LocalizationFigures(
        images=len(looked_at),
        any_type=DetectionFigures(boxes=len(true), map50=any_type.at_50, map50_95=any_type.at_50_95),
        by_type=(
            DetectionFigures(boxes=len(mapped), map50=by_type.at_50, map50_95=by_type.at_50_95)
            if by_type
            else None
        ),
        types=dict(types),
        confidence=confidence,
        recall=Rate.of(hits, len(true)),
        precision=Rate.of(hits, sure),
    )
