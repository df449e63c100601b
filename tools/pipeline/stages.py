"""The stages that every inspection goes through, whoever asks and in which order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from tools.captioning.captioner import region_of
from tools.errors import CalibrationError, LoupeError
from tools.judging import judge
from tools.localization.localizer import candidate_from_heat_map
from tools.localization.merging import without_doubles, without_rivals
from tools.measurement.calibration import resolve_scale
from tools.records import (
    CaptionOutcome,
    Finding,
    ImageRecord,
    Inspection,
    Judgement,
    Provenance,
    Scale,
    Screening,
    ScreeningStatus,
    Verdict,
)
from tools.timing import timed_together
from tools.wording import describe_finding, describe_image
from tools.zones import is_ignored, placed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.captioning.captioner import Captioner
    from tools.localization.localizer import Localizer
    from tools.measurement.measurer import Measurer
    from tools.recipe import Recipe
    from tools.screening.combined import CombinedScreener

    ImageRgb = npt.NDArray[np.uint8]
    _Caption = tuple[str | None, Callable[[], str] | None]

__all__ = [
    "Finisher",
    "Seen",
    "chunks",
    "is_located",
    "looked_at",
    "proposals",
    "screened",
    "unreadable",
]

log = logging.getLogger(__name__)

# Decoded images held at once: enough to fill the models' batches, while the pixel bound keeps a folder
# of 50-megapixel photographs within about a gigabyte.
CHUNK_IMAGES = 16
CHUNK_PIXELS = 100_000_000

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Seen:
    """One image on its way through the stages.

    Attributes:
        provenance: Of what has looked at it after screening, with the seconds.
    """

    record: ImageRecord
    image_rgb: ImageRgb
    screening: Screening
    scale: Scale | None
    flags: tuple[str, ...]
    provenance: tuple[Provenance, ...] = ()

    @classmethod
    def of(cls, record: ImageRecord, image_rgb: ImageRgb, screening: Screening, recipe: Recipe) -> Seen:
        """Puts a screened image together with its scale; a scale that cannot be had becomes a flag."""
        flags = (f"duplicate of {record.duplicate_of}",) if record.duplicate_of else ()
        try:
            scale = resolve_scale(recipe.scale, image_rgb)
        except CalibrationError as error:
            scale, flags = None, (*flags, f"no scale: {error.message}")
        return cls(record, image_rgb, screening, scale, flags)


def screened(
    screener: CombinedScreener, pictures: Sequence[tuple[ImageRecord, ImageRgb]], cancel: threading.Event
) -> tuple[list[Screening], dict[str, Inspection]]:
    """Returns the screenings of images that are shown together, and the rows of those where that fails."""
    return _together(lambda some: list(screener.screen(some, cancel=cancel)), pictures)


def looked_at(
    localizer: Localizer, pictures: Sequence[tuple[ImageRecord, ImageRgb]], cancel: threading.Event
) -> tuple[list[tuple[Finding, ...]], Provenance, dict[str, Inspection]]:
    """Looks with the detector at images that are shown together.

    Returns:
        What it finds in each, how it did so, and the rows of those where that fails, which are left out.
    """
    shares_s: list[float] = []

    def look(some: Sequence[tuple[ImageRecord, ImageRgb]]) -> list[tuple[Finding, ...]]:
        found, share_s = timed_together(localizer.locate(some, cancel=cancel))
        shares_s.append(share_s)
        return found

    found, failed = _together(look, pictures)
    elapsed_s = sum(shares_s) / max(len(shares_s), 1)
    return found, localizer.provenance.model_copy(update={"elapsed_s": elapsed_s}), failed


def _together(
    see: Callable[[Sequence[tuple[ImageRecord, ImageRgb]]], list[_Item]],
    pictures: Sequence[tuple[ImageRecord, ImageRgb]],
) -> tuple[list[_Item], dict[str, Inspection]]:
    """Returns what comes of images that are shown together, and the rows of those where that fails.

    Where something goes wrong that nobody foresaw, each image is shown alone: only its own row says so.
    """
    try:
        return see(pictures), {}
    except LoupeError:
        raise
    except Exception as error:  # As in `Finisher.finish`.
        if len(pictures) == 1:
            record = pictures[0][0]
            log.warning("%s: %s", record.id, error, exc_info=True)
            return [], {record.id: _failed(record, error)}
    every = [_together(see, [picture]) for picture in pictures]
    return (
        [item for items, _ in every for item in items],
        {image_id: row for _, rows in every for image_id, row in rows.items()},
    )


def proposals(
    record: ImageRecord, screening: Screening, found: tuple[Finding, ...], recipe: Recipe
) -> tuple[Finding, ...]:
    """Returns what counts of a detector's findings, and the candidate that screening leaves behind.

    What lies in an ignored zone explains no suspicion: a suspect with nothing else keeps its candidate.
    """
    size_px = record.width_px, record.height_px
    kept = without_rivals(found, recipe.localization.iou)
    counting = [each for each in kept if not is_ignored(placed(each, size_px, recipe.zones), recipe.zones)]
    if counting or screening.status is not ScreeningStatus.SUSPECT:
        return kept
    number = 1 + max((int(finding.id.rpartition("-")[2]) for finding in found), default=0)
    candidate = candidate_from_heat_map(record, screening, recipe, number)
    return (*kept, candidate) if candidate else kept


def chunks(
    stream: Iterable[tuple[ImageRecord, _Item]],
) -> Iterator[list[tuple[ImageRecord, _Item]]]:
    """Groups a stream of images into what is held in memory at once."""
    chunk: list[tuple[ImageRecord, _Item]] = []
    pixels = 0
    for record, item in stream:
        chunk.append((record, item))
        pixels += record.width_px * record.height_px
        if len(chunk) >= CHUNK_IMAGES or pixels >= CHUNK_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def is_located(screening: Screening) -> bool:
    """Whether the detector looks at an image: at all that is not clear."""
    return screening.status is not ScreeningStatus.CLEAR


def unreadable(record: ImageRecord, recipe: Recipe) -> Inspection:
    """Returns the inspection of an image that could not be decoded."""
    judgement, _ = judge(record, None, (), recipe)
    return Inspection(image=record, judgement=judgement)


class Finisher:
    """The stages after locating, one image at a time: measures, describes and judges.

    Args:
        recipe: The criteria and the words.
        measurer: Measures each finding.
        captioner: Describes findings and suspects; None leaves captions out.
        translate: Turns an English caption into Korean; None quotes it in English.
    """

    def __init__(
        self,
        recipe: Recipe,
        measurer: Measurer,
        captioner: Captioner | None = None,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self._recipe = recipe
        self._measurer = measurer
        self._captioner = captioner
        self._translate = translate

    def measured(self, item: Seen, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Returns the findings with their sizes, each defect once."""
        measured = [self._measurer.measure(item.image_rgb, f, item.scale) for f in findings]
        return without_doubles(measured, self._recipe.localization.iou)

    def finish(
        self,
        item: Seen,
        findings: tuple[Finding, ...],
        cancel: threading.Event,
        measured: tuple[Finding, ...] | None = None,
    ) -> Inspection:
        """Measures, describes and judges one image; what goes wrong becomes its row, not the batch's end.

        Args:
            item: The image.
            findings: As located.
            cancel: When set, what comes back may be incomplete.
            measured: The findings with their sizes, where they were measured before.
        """
        try:
            return self._judged(item, measured or self.measured(item, findings), cancel)
        except LoupeError:
            raise
        except Exception as error:  # One bad image never ends a batch; its row says why.
            log.warning("%s: %s", item.record.id, error, exc_info=True)
            return _failed(item.record, error).model_copy(
                update={
                    "scale": item.scale,
                    "screening": item.screening,
                    "findings": findings,
                    "flags": item.flags,
                    "provenance": item.provenance,
                }
            )

    def _judged(self, item: Seen, measured: tuple[Finding, ...], cancel: threading.Event) -> Inspection:
        judgement, judged = judge(item.record, item.screening, measured, self._recipe, item.flags)
        spent_s: list[float] = []
        captions = self._captions(item, judged, cancel, spent_s)
        whole, whole_again = next(captions, (None, None))
        described = tuple(self._described(finding, captions) for finding in judged)
        dropped = tuple(f"caption dropped: {finding.id}" for finding in described if _lost_caption(finding))
        flags = (*item.flags, *dropped)
        judgement, described = judge(item.record, item.screening, described, self._recipe, flags)
        description = describe_image(
            described, item.screening, judgement, self._recipe, whole, whole_again, self._translate
        )
        if description.caption_outcome is CaptionOutcome.DROPPED:
            flags = (*flags, "image caption dropped")
        return Inspection(
            image=item.record,
            scale=item.scale,
            screening=item.screening,
            findings=described,
            description=description,
            judgement=judgement,
            flags=flags,
            provenance=(*item.provenance, *self._captioned(spent_s)),
        )

    def _captioned(self, spent_s: Sequence[float]) -> tuple[Provenance, ...]:
        """Who captioned and how long it took; nobody where no caption was asked for."""
        if not self._captioner or not spent_s:
            return ()
        return (self._captioner.provenance.model_copy(update={"elapsed_s": sum(spent_s)}),)

    def _described(self, finding: Finding, captions: Iterator[_Caption]) -> Finding:
        caption, again = next(captions, (None, None))
        description = describe_finding(finding, self._recipe, caption, again, self._translate)
        return finding.model_copy(update={"description": description})

    def _captions(
        self, item: Seen, findings: Sequence[Finding], cancel: threading.Event, spent_s: list[float]
    ) -> Iterator[_Caption]:
        """Yields a caption of the whole image and of its first findings, each with a way to another one."""
        if not self._captioner or not (findings or is_located(item.screening)):
            return
        captioner = self._captioner
        boxes = [finding.box_xyxy_px for finding in findings[: self._recipe.captioning.max_regions]]
        regions = [item.image_rgb, *(region_of(item.image_rgb, box) for box in boxes)]
        captions = _written(captioner.caption(regions, cancel=cancel), spent_s)
        for region, caption in zip(regions, captions, strict=False):
            yield caption, partial(_another_caption, captioner, region, cancel, spent_s)


def _another_caption(
    captioner: Captioner, region: ImageRgb, cancel: threading.Event, spent_s: list[float]
) -> str:
    """Returns a second caption; an empty one where `cancel` was set first."""
    return next(iter(_written(captioner.caption([region], retry=True, cancel=cancel), spent_s)), "")


def _written(captions: Iterator[str], spent_s: list[float]) -> list[str]:
    """Returns the captions, and notes the seconds that each took."""
    written, share_s = timed_together(captions)
    spent_s += [share_s] * len(written)
    return written


def _lost_caption(finding: Finding) -> bool:
    return finding.description is not None and (finding.description.caption_outcome is CaptionOutcome.DROPPED)


def _failed(record: ImageRecord, error: Exception) -> Inspection:
    """Returns the row of an image with which something went wrong that nobody foresaw."""
    kind = type(error).__name__
    judgement = Judgement(
        verdict=Verdict.REVIEW,
        rule="inspection.failed",
        reason_en=f"The inspection could not be completed ({kind}).",
        reason_ko=f"검사를 완료하지 못했습니다({kind}).",
    )
    return Inspection(image=record, judgement=judgement, error=f"{kind}: {error}")
