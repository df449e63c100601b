"""What a vision-language model believes to see, held against the pixels: only what is measured stays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from agent.cancelling import stop_if_cancelled
from agent.rows import Row, box_row, measured_row
from tools.glossary import UNCLASSIFIED
from tools.records import BoxXyxyPx, Finding, Origin, Provenance

if TYPE_CHECKING:
    from PIL.Image import Image

    from tools.pipeline.engines import Engines
    from tools.pipeline.stages import Seen
    from tools.recipe import Recipe

__all__ = ["AskCandidates", "Proposal", "examined"]

_SMALLEST_SIDE_PX = 2.0
_WHOLE = 0.9  # a box over more of the picture than this places nothing


class Proposal(Protocol):
    """A defect that a vision-language model believes to see, boxed in pixels of the picture it was given."""

    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def box_xyxy_px(self) -> BoxXyxyPx | None: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> int | None: ...  # noqa: D102


AskCandidates = Callable[["Image", Sequence[str]], Sequence[Proposal]]


def examined(
    seen: Seen,
    region: BoxXyxyPx | None,
    ask: AskCandidates,
    engines: Engines,
    cancel: threading.Event,
) -> Row:
    """Asks for defects in a picture and keeps those that can be segmented and measured.

    They are candidates: they have no confidence, become no findings and change no verdict.

    Args:
        seen: The image.
        region: The part to ask about, in pixels of the image; all of it when None.
        ask: Asks the model; its boxes are in pixels of the picture that it gets.
        engines: Measure.
        cancel: Stops between candidates.
    """
    from PIL import Image

    height, width = seen.image_rgb.shape[:2]
    x_min, y_min, x_max, y_max = (round(edge) for edge in region or (0, 0, width, height))
    picture = Image.fromarray(seen.image_rgb[y_min:y_max, x_min:x_max])
    proposals = ask(picture, engines.recipe.type_names)
    candidates: list[Row] = []
    for proposal in proposals:
        stop_if_cancelled(cancel)
        finding = _as_finding(
            proposal, (x_min, y_min), picture.size, seen, engines.recipe, len(candidates) + 1
        )
        if finding is None:
            continue
        measured = engines.measurer.measure(seen.image_rgb, finding, seen.scale)
        if measured.contours_px:
            candidates.append(_row(measured, proposal))
    return {
        "id": seen.record.id,
        "candidates": list(candidates),
        "dropped": len(proposals) - len(candidates),
        "confirmed": False,
    }


def _row(candidate: Finding, proposal: Proposal) -> Row:
    row = measured_row(candidate)
    del row["finding"]
    return {
        "candidate": candidate.id,
        **row,
        "box_xyxy_px": box_row(candidate.box_xyxy_px),
        "severity_level": proposal.severity,
        "reason": proposal.reason,
        "origin": Origin.VLM.value,
    }


def _as_finding(
    proposal: Proposal,
    offset_xy: tuple[int, int],
    size_px: tuple[int, int],
    seen: Seen,
    recipe: Recipe,
    number: int,
) -> Finding | None:
    """The proposal in pixels of the image; None without a box that could be a defect's."""
    box = proposal.box_xyxy_px
    if box is None:
        return None
    left, top = offset_xy
    x_min, x_max = (min(max(x, 0.0), float(size_px[0])) for x in box[::2])
    y_min, y_max = (min(max(y, 0.0), float(size_px[1])) for y in box[1::2])
    across, down = x_max - x_min, y_max - y_min
    if min(across, down) < _SMALLEST_SIDE_PX or across * down > _WHOLE * size_px[0] * size_px[1]:
        return None
    return Finding(
        id=f"{seen.record.id}-c{number}",
        image_id=seen.record.id,
        type=_type_of(proposal.label, recipe),
        confidence=0.0,
        box_xyxy_px=(x_min + left, y_min + top, x_max + left, y_max + top),
        origin=Origin.VLM,
        provenance=(Provenance(tool="examining"),),
    )


def _type_of(label: str, recipe: Recipe) -> str:
    """The recipe's type that a model's word means, by name, Korean name or synonym."""
    said = label.strip().casefold()
    for name, defect in recipe.defects.items():
        if said in {word.casefold() for word in (name, defect.ko, *defect.synonyms) if word}:
            return name
    return UNCLASSIFIED
