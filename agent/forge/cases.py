"""Random batches as the tools would see them: records, screenings, findings and sizes, without any pixels."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from tools.recipe import Recipe
from tools.recipe.file import load_recipe
from tools.records import (
    Finding,
    ImageRecord,
    ImageStatus,
    Measurement,
    Origin,
    Provenance,
    Quantity,
    Screening,
    ScreeningStatus,
    Unit,
)

__all__ = ["Case", "make_case", "recipes"]

_STEMS = ("cover", "shaft", "part", "IMG", "DSC", "panel", "ring", "cam1", "plate", "st2_ok", "housing", "P")
_FOLDERS = ("", "", "", "line1/", "2026-11/", "tray_b/")
_SUFFIXES = (".jpg", ".jpg", ".png", ".jpeg", ".bmp", ".tif")
_SIZES_PX = ((640, 640), (640, 480), (1280, 960), (1920, 1080), (2448, 2048), (800, 600))
_PARTS = ("Metal cover", "Painted cover", "Bearing ring", "Shaft", "PCB", "Glass panel", "Bracket", "Gear")
_UNREADABLE = (
    "the file is no JPEG, PNG, WebP, TIFF, BMP or GIF image, whatever its name says",
    "the file is empty",
    "the file ends in the middle of the image",
)
_PLACES = (
    "upper-left",
    "top",
    "upper-right",
    "left",
    "centre",
    "right",
    "lower-left",
    "bottom",
    "lower-right",
)
_METHOD = "skeleton geodesic"
_MOST_FINDINGS = (0, 1, 1, 1, 2, 2, 3, 4)


@dataclass(frozen=True)
class Case:
    """A batch and what there is to be seen in it.

    Attributes:
        records: In batch order.
        screenings: Of the readable images, by id, at the recipe's threshold.
        findings: Of the readable images, by id, measured.
    """

    recipe: Recipe
    records: tuple[ImageRecord, ...]
    screenings: dict[str, Screening]
    findings: dict[str, tuple[Finding, ...]]


@cache
def recipes() -> tuple[Recipe, ...]:
    """Returns the bundled recipe under the names of several parts."""
    bundled = load_recipe(None)
    return tuple(
        bundled.model_copy(update={"part": bundled.part.model_copy(update={"name": name})}) for name in _PARTS
    )


def make_case(rng: random.Random, count: int) -> Case:
    """Makes up a batch of `count` images."""
    recipe = rng.choice(recipes())
    if rng.random() < 0.3:
        recipe = recipe.model_copy(update={"scale": None})
    records = _records(rng, count)
    screenings: dict[str, Screening] = {}
    findings: dict[str, tuple[Finding, ...]] = {}
    bad_rate = rng.choice((0.0, 0.2, 0.4, 0.6, 1.0))
    for record in records:
        if record.status is ImageStatus.READABLE:
            is_bad = rng.random() < bad_rate
            screenings[record.id] = _screening(rng, record, recipe, is_bad=is_bad)
            count_found = rng.choice(_MOST_FINDINGS) if is_bad else 0
            findings[record.id] = tuple(_finding(rng, record, recipe, n + 1) for n in range(count_found))
    return Case(recipe, records, screenings, findings)


def _records(rng: random.Random, count: int) -> tuple[ImageRecord, ...]:
    stem, folder, suffix = rng.choice(_STEMS), rng.choice(_FOLDERS), rng.choice(_SUFFIXES)
    width, height = rng.choice(_SIZES_PX)
    first, digits = rng.choice((0, 1, 1, 1, 13, 101, 4711)), rng.choice((1, 2, 3, 3, 4))
    joint = rng.choice(("_", "_", "-", ""))
    damaged = rng.choice((0.0, 0.0, 0.0, 0.1, 0.3))
    records = []
    for number in range(1, count + 1):
        name = f"{folder}{stem}{joint}{first + number - 1:0{digits}d}{suffix}"
        image_id = f"img_{number:03d}"
        if count > 1 and rng.random() < damaged:
            reason = rng.choice(_UNREADABLE)
            records.append(ImageRecord(id=image_id, name=name, status=ImageStatus.UNREADABLE, reason=reason))
        else:
            twin = f"img_{rng.randrange(1, number):03d}" if number > 1 and rng.random() < 0.01 else None
            sha = f"{number:064x}"
            records.append(
                ImageRecord(
                    id=image_id, name=name, sha256=sha, width_px=width, height_px=height, duplicate_of=twin
                )
            )
    return tuple(records)


def _screening(rng: random.Random, record: ImageRecord, recipe: Recipe, *, is_bad: bool) -> Screening:
    labels = [*recipe.defects] if is_bad else ["normal", "normal", *recipe.hard_negatives]
    suspicion = rng.betavariate(8, 1.5) if is_bad else rng.betavariate(1.5, 8)
    threshold, band = recipe.screening.threshold, recipe.screening.review_band
    status = ScreeningStatus.UNSURE
    if suspicion >= threshold + band:
        status = ScreeningStatus.SUSPECT
    elif suspicion < threshold - band:
        status = ScreeningStatus.CLEAR
    names = ["normal", *recipe.defects, *recipe.hard_negatives]
    return Screening(
        image_id=record.id,
        scores={name: round(rng.random(), 3) for name in names},
        suspicion=suspicion,
        label=rng.choice(labels),
        status=status,
        threshold=threshold,
        review_band=band,
        provenance=Provenance(tool="screening"),
    )


def _finding(rng: random.Random, record: ImageRecord, recipe: Recipe, number: int) -> Finding:
    kind = rng.choice([*recipe.defects, *recipe.defects, "unclassified"])
    width, height = record.width_px, record.height_px
    x_min, y_min = rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.8)
    box = (x_min, y_min, x_min + rng.uniform(8, width * 0.2), y_min + rng.uniform(8, height * 0.2))
    confidence = rng.uniform(0.26, 0.98)
    origin = rng.choice((Origin.YOLO, Origin.YOLO, Origin.YOLO, Origin.SCREENING))
    return Finding(
        id=f"{record.id}-{number}",
        image_id=record.id,
        type=kind,
        confidence=confidence,
        box_xyxy_px=box,
        origin=origin,
        place=rng.choice(_PLACES),
        measurements=_measurements(rng, has_scale=recipe.scale is not None),
    )


def _measurements(rng: random.Random, *, has_scale: bool) -> tuple[Measurement, ...]:
    if rng.random() < 0.05:  # it could not be segmented
        return ()
    length, thin = rng.lognormvariate(1.2, 0.8), rng.uniform(0.05, 0.9)
    factor = 1.0 if has_scale else 10.0
    unit, squared = (Unit.MM, Unit.MM2) if has_scale else (Unit.PX, Unit.PX2)
    values = (
        (Quantity.LENGTH, length * factor, unit),
        (Quantity.WIDTH, length * thin * factor, unit),
        (Quantity.AREA, length**2 * thin * factor**2, squared),
    )
    is_cut = rng.random() < 0.05
    return tuple(
        Measurement(
            quantity=quantity,
            value=value,
            unit=of,
            uncertainty=value * rng.uniform(0.01, 0.1),
            lower_bound=is_cut,
            method=_METHOD,
        )
        for quantity, value, of in values
    )
