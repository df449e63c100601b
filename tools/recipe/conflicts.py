"""What a recipe says that fits the schema, and yet can never work: each with its path."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from fractions import Fraction

from tools.glossary import fold
from tools.recipe import Acceptance, ArucoScale, ChessboardScale, Recipe, ScaleSpec, TwoPointScale

__all__ = ["conflicts"]

Loc = tuple[str | int, ...]

# Limits in px with those in mm that say the same.
_IN_MM = {"max_length_px": "max_length_mm", "max_width_px": "max_width_mm", "max_area_px2": "max_area_mm2"}


def conflicts(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    """Yields the path of each value that cannot hold, and what is wrong with it, as a sentence's end."""
    yield from _shared_classes(recipe)
    yield from _endless_counts(recipe)
    if recipe.scale is not None:
        yield from _scale_conflicts(recipe.scale)
        yield from _pixel_limits(recipe)


def _shared_classes(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    """Yields classes of the detector that mean two types: only one of these would ever be found by it."""
    owners: dict[str, str] = {}
    for name, defect in recipe.defects.items():
        here: Loc = ("defects", name)
        named = [((*here, "detector_classes", i), each) for i, each in enumerate(defect.detector_classes)]
        for loc, each in named or [(here, name)]:
            owner = owners.setdefault(fold(each), name)
            if owner != name:
                yield (
                    loc,
                    f"takes the detector's class `{each}`, which means `{owner}` already; keep it in one",
                )


def _endless_counts(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    """Yields counts that the detector's findings never exceed, because no more of them are kept."""
    kept = recipe.localization.max_findings
    for here, accept in _criteria(recipe):
        if here[0] != "references" and accept.max_count is not None and accept.max_count >= kept:
            yield (
                (*here, "max_count"),
                f"can never be exceeded: {kept} findings of an image are kept; "
                f"write a larger `max_findings` in `localization`, or leave the limit out",
            )


def _scale_conflicts(scale: ScaleSpec) -> Iterator[tuple[Loc, str]]:
    match scale:
        case TwoPointScale(points_px=(start, end)) if start == end:
            yield ("scale", "points_px"), "should be two points that differ"
        case ChessboardScale() if _is_singular(scale.homography):
            yield (
                ("scale", "homography"),
                "is singular, so that it maps no picture; `loupe calibrate` finds one",
            )
        case ArucoScale() if scale.dictionary != ArucoScale.model_fields["dictionary"].default:
            from tools.measurement.dictionaries import is_dictionary, known_dictionaries

            if not is_dictionary(scale.dictionary):
                known = known_dictionaries()
                near = difflib.get_close_matches(scale.dictionary, known, n=1)
                advice = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}"
                yield ("scale", "dictionary"), f"is no ArUco dictionary; {advice}"


def _is_singular(homography: tuple[float, ...]) -> bool:
    """Whether the determinant is zero, exactly: no tolerance suits both mm and µm."""
    a, b, c, d, e, f, g, h, i = map(Fraction, homography)
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) == 0


def _pixel_limits(recipe: Recipe) -> Iterator[tuple[Loc, str]]:
    """Yields limits in px: beside a scale every size is in mm, so that a person would look at each."""
    for here, accept in _criteria(recipe):
        for field, in_mm in _IN_MM.items():
            if getattr(accept, field) is not None:
                yield (*here, field), f"does not hold beside a `scale`, which measures in mm; use `{in_mm}`"


def _criteria(recipe: Recipe) -> Iterator[tuple[Loc, Acceptance]]:
    for name, defect in recipe.defects.items():
        yield ("defects", name, "accept"), defect.accept
    for i, zone in enumerate(recipe.zones):
        for name, accept in zone.accept.items():
            yield ("zones", i, "accept", name), accept
    if recipe.references.accept is not None:
        yield ("references", "accept"), recipe.references.accept
