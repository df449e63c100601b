"""The command `python -m tools.forge evaluate`: the pocket models on photographs never trained on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.checkpoints import resolve
from tools.evaluation.evaluate import recipe_for_evaluation
from tools.evaluation.figures import ErrorRates, Rate
from tools.evaluation.metrics import Box, image_auroc, mean_average_precision, threshold_for_escape
from tools.forge.training_set import TEST_SEED, Photo, ensure_set
from tools.recipe import Models
from tools.recipe.file import load_recipe
from tools.records import ImageRecord

if TYPE_CHECKING:
    from tools.recipe import Recipe

__all__ = ["caption_figures", "detection_figures", "main", "screening_figures"]

_TARGET_ESCAPE = 0.02


def _records(photos: Sequence[Photo]) -> list[ImageRecord]:
    return [
        ImageRecord(
            id=f"img_{number:03d}",
            name=photo.path.name,
            width_px=photo.size_px[0],
            height_px=photo.size_px[1],
        )
        for number, photo in enumerate(photos, start=1)
    ]


def _percent(rate: Rate) -> str:
    if rate.value is None or rate.lower is None or rate.upper is None:
        return "none to count"
    return f"{rate.value:.1%} ({rate.lower:.1%} to {rate.upper:.1%}; {rate.count} of {rate.total})"


def screening_figures(photos: Sequence[Photo], recipe: Recipe) -> list[str]:
    """Screens every photograph and says how well good and bad ones are told apart."""
    from tools.screening.screener import Screener

    screener = Screener(resolve("clip", recipe.models), recipe)
    pairs = ((record, photo.pixels()) for record, photo in zip(_records(photos), photos, strict=True))
    scores = [screening.suspicion for screening in screener.screen(pairs)]
    truth = [bool(photo.defects) for photo in photos]
    lines = [f"image AUROC {image_auroc(scores, truth) or 0.0:.4f}"]
    proposed = threshold_for_escape(scores, truth, _TARGET_ESCAPE)
    for name, threshold in (("recipe's", recipe.screening.threshold), ("proposed", proposed)):
        if threshold is not None:
            rates = ErrorRates.of([score >= threshold for score in scores], truth)
            lines.append(f"at the {name} threshold {threshold:.3f}: escape {_percent(rates.escape)}")
            lines.append(f"{'':>{len(name) + 25}}overkill {_percent(rates.overkill)}")
    return lines


def detection_figures(photos: Sequence[Photo], recipe: Recipe) -> list[str]:
    """Locates in every photograph and compares with the true boxes."""
    from tools.localization.localizer import Localizer

    localizer = Localizer(resolve("detector", recipe.models), recipe_for_evaluation(recipe))
    pairs = ((record, photo.pixels()) for record, photo in zip(_records(photos), photos, strict=True))
    found = [
        Box(image, finding.type, finding.box_xyxy_px, finding.confidence)
        for image, findings in enumerate(localizer.locate(pairs))
        for finding in findings
    ]
    true = [
        Box(image, mark.type, mark.box_xyxy_px)
        for image, photo in enumerate(photos)
        for mark in photo.defects
    ]
    lines = []
    for kind in (None, *recipe.type_names):
        wanted = [box for box in true if kind in (None, box.category)]
        figures = mean_average_precision(wanted, found, range(len(photos)), by_category=True)
        if figures:
            lines.append(
                f"{kind or 'all types'}: mAP50 {figures.at_50:.4f}, mAP50-95 {figures.at_50_95:.4f} "
                f"({len(wanted)} boxes)"
            )
    return lines


def caption_figures(photos: Sequence[Photo], recipe: Recipe) -> list[str]:
    """Captions the region of every true defect and counts the captions that name its type and no other."""
    from tools.captioning.captioner import Captioner, region_of

    captioner = Captioner(resolve("blip", recipe.models), recipe)
    marks = [(photo, mark) for photo in photos for mark in photo.defects]
    regions = (region_of(photo.pixels(), mark.box_xyxy_px) for photo, mark in marks)
    right = dict.fromkeys(recipe.type_names, 0)
    total = dict.fromkeys(recipe.type_names, 0)
    long_enough = 0
    for (_, mark), caption in zip(marks, captioner.caption(regions), strict=True):
        named = [kind for kind in recipe.type_names if kind in caption]
        right[mark.type] += named == [mark.type]
        total[mark.type] += 1
        long_enough += len(caption.split()) >= 5
    lines = [f"right type {_percent(Rate.of(sum(right.values()), sum(total.values())))}"]
    lines += [f"  {kind}: {_percent(Rate.of(right[kind], total[kind]))}" for kind in total]
    return [*lines, f"five words or more {_percent(Rate.of(long_enough, len(marks)))}"]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the figures and returns the exit status.

    Raises:
        LoupeError: The set or a checkpoint cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.forge evaluate", description=__doc__)
    parser.add_argument("kinds", nargs="*", help="of clip, yolo, blip (default: all)")
    parser.add_argument(
        "--set",
        type=Path,
        default=Path("forge-test"),
        help="the test set, made when absent (default %(default)s)",
    )
    parser.add_argument("--count", type=int, default=400, help="photographs to make (default %(default)s)")
    for kind, name in (("clip", "clip"), ("blip", "blip"), ("yolo", "detector")):
        parser.add_argument(
            f"--{kind}", default="", metavar="FOLDER", dest=name, help="instead of the pocket's"
        )
    arguments = parser.parse_args(argv)
    figures = {"clip": screening_figures, "yolo": detection_figures, "blip": caption_figures}
    if unknown := set(arguments.kinds) - set(figures):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    photos = ensure_set(arguments.set, arguments.count, TEST_SEED)
    models = Models(clip=arguments.clip, blip=arguments.blip, detector=arguments.detector)
    recipe = load_recipe().model_copy(update={"models": models})
    for kind in arguments.kinds or figures:
        sys.stdout.write(f"{kind} on {len(photos)} photographs\n")
        sys.stdout.writelines(f"  {line}\n" for line in figures[kind](photos, recipe))
    return 0
