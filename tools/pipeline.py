"""The fixed order over a batch: screen all, locate suspects, measure, describe, judge."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tools.calibration import resolve_scale
from tools.captioning import region_of
from tools.errors import CalibrationError, LoupeError
from tools.judging import judge
from tools.localization import candidate_from_heat_map
from tools.merging import without_rivals
from tools.records import (
    CaptionOutcome,
    Finding,
    ImageRecord,
    Inspection,
    Judgement,
    Scale,
    Screening,
    ScreeningStatus,
    Verdict,
)
from tools.wording import describe_finding, describe_image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.captioning import Captioner
    from tools.images import Batch
    from tools.localization import Localizer
    from tools.measurement import Measurer
    from tools.recipe import Recipe
    from tools.screening import Screener

    ImageRgb = npt.NDArray[np.uint8]
    Loaded = tuple[ImageRecord, ImageRgb]
    MaybeLoaded = tuple[ImageRecord, ImageRgb | None]
    _Caption = tuple[str | None, Callable[[], str] | None]

__all__ = ["Pipeline"]

log = logging.getLogger(__name__)

# Decoded images held at once: enough to fill the models' batches, while the pixel bound keeps a folder
# of 50-megapixel photographs within about a gigabyte.
CHUNK_IMAGES = 16
CHUNK_PIXELS = 100_000_000


@dataclass(frozen=True)
class _Seen:
    """One image on its way through the stages."""

    record: ImageRecord
    image_rgb: ImageRgb
    screening: Screening
    scale: Scale | None
    flags: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


class Pipeline:
    """Turns a batch into inspections by the same steps, whoever asks.

    Args:
        recipe: What to look for and what is acceptable.
        screener: Screens every image.
        localizer: Locates defects in what is not clear.
        measurer: Measures each finding.
        captioner: Describes findings and suspects; None leaves captions out.
        translate: Turns an English caption into Korean; None quotes it in English.
    """

    def __init__(
        self,
        recipe: Recipe,
        screener: Screener,
        localizer: Localizer,
        measurer: Measurer,
        captioner: Captioner | None = None,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self.recipe = recipe
        self._screener = screener
        self._localizer = localizer
        self._measurer = measurer
        self._captioner = captioner
        self._translate = translate

    def inspect(
        self, batch: Batch, *, skip: Collection[str] = (), cancel: threading.Event | None = None
    ) -> Iterator[Inspection]:
        """Yields one inspection per image in batch order, each as soon as it is complete.

        Images in work when `cancel` is set are not yielded; a later run with `skip` takes them up.

        Args:
            batch: The images.
            skip: Ids that are done already.
            cancel: Set by another thread to stop within one model batch.
        """
        cancel = cancel or threading.Event()
        ids = [record.id for record in batch.records if record.id not in skip]
        for chunk in _chunks(batch.stream(ids)):
            loaded = [(record, image) for record, image in chunk if image is not None]
            inspected = self._inspect_loaded(loaded, cancel)
            for record, image in chunk:
                inspection = self._unreadable(record) if image is None else next(inspected, None)
                if inspection is None or cancel.is_set():
                    return
                yield inspection

    def _unreadable(self, record: ImageRecord) -> Inspection:
        judgement, _ = judge(record, None, (), self.recipe)
        return Inspection(image=record, judgement=judgement)

    def _inspect_loaded(self, loaded: Sequence[Loaded], cancel: threading.Event) -> Iterator[Inspection]:
        screenings = list(self._screener.screen(loaded, cancel=cancel))
        if cancel.is_set():
            return
        seen = [
            self._scaled(record, image, screening)
            for (record, image), screening in zip(loaded, screenings, strict=True)
        ]
        located = self._locate(seen, cancel)
        for item in seen:
            if cancel.is_set():
                return
            yield self._complete(item, located.get(item.record.id, ()), cancel)

    def _scaled(self, record: ImageRecord, image_rgb: ImageRgb, screening: Screening) -> _Seen:
        flags = (f"duplicate of {record.duplicate_of}",) if record.duplicate_of else ()
        try:
            scale = resolve_scale(self.recipe.scale, image_rgb)
        except CalibrationError as error:
            scale, flags = None, (*flags, f"no scale: {error.message}")
        return _Seen(record, image_rgb, screening, scale, flags)

    def _locate(self, seen: Sequence[_Seen], cancel: threading.Event) -> dict[str, tuple[Finding, ...]]:
        suspects = [item for item in seen if item.screening.status is not ScreeningStatus.CLEAR]
        pairs = ((item.record, item.image_rgb) for item in suspects)
        located: dict[str, tuple[Finding, ...]] = {}
        for item, findings in zip(suspects, self._localizer.locate(pairs, cancel=cancel), strict=False):
            if not findings and item.screening.status is ScreeningStatus.SUSPECT:
                candidate = candidate_from_heat_map(item.record, item.screening, self.recipe)
                findings = (candidate,) if candidate else ()
            located[item.record.id] = without_rivals(findings, self.recipe.localization.iou)
        return located

    def _complete(self, item: _Seen, findings: tuple[Finding, ...], cancel: threading.Event) -> Inspection:
        """Measures, describes and judges one image; what goes wrong becomes its row, not the batch's end."""
        try:
            return self._judged(item, findings, cancel)
        except LoupeError:
            raise
        except Exception as error:  # One bad image never ends a batch; its row says why.
            log.warning("%s: %s", item.record.id, error, exc_info=True)
            return Inspection(
                image=item.record,
                scale=item.scale,
                screening=item.screening,
                findings=findings,
                judgement=_failed(error),
                flags=item.flags,
                error=f"{type(error).__name__}: {error}",
            )

    def _judged(self, item: _Seen, findings: tuple[Finding, ...], cancel: threading.Event) -> Inspection:
        measured = tuple(self._measurer.measure(item.image_rgb, f, item.scale) for f in findings)
        judgement, judged = judge(item.record, item.screening, measured, self.recipe, item.flags)
        captions = self._captions(item, judged, cancel)
        whole, whole_again = next(captions, (None, None))
        described = tuple(self._described(finding, captions) for finding in judged)
        dropped = tuple(f"caption dropped: {finding.id}" for finding in described if _lost_caption(finding))
        flags = (*item.flags, *dropped)
        judgement, described = judge(item.record, item.screening, described, self.recipe, flags)
        description = describe_image(
            described, item.screening, judgement, self.recipe, whole, whole_again, self._translate
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
        )

    def _described(self, finding: Finding, captions: Iterator[_Caption]) -> Finding:
        caption, again = next(captions, (None, None))
        description = describe_finding(finding, self.recipe, caption, again, self._translate)
        return finding.model_copy(update={"description": description})

    def _captions(
        self, item: _Seen, findings: Sequence[Finding], cancel: threading.Event
    ) -> Iterator[_Caption]:
        """Yields a caption of the whole image and of its first findings, each with a way to another one."""
        if not self._captioner or (not findings and item.screening.status is ScreeningStatus.CLEAR):
            return
        captioner = self._captioner
        boxes = [finding.box_xyxy_px for finding in findings[: self.recipe.captioning.max_regions]]
        regions = [item.image_rgb, *(region_of(item.image_rgb, box) for box in boxes)]
        for region, caption in zip(regions, captioner.caption(regions, cancel=cancel), strict=False):
            yield caption, partial(_another_caption, captioner, region)


def _another_caption(captioner: Captioner, region: ImageRgb) -> str:
    return next(captioner.caption([region], retry=True))


def _lost_caption(finding: Finding) -> bool:
    return finding.description is not None and (finding.description.caption_outcome is CaptionOutcome.DROPPED)


def _chunks(stream: Iterable[MaybeLoaded]) -> Iterator[list[MaybeLoaded]]:
    chunk: list[MaybeLoaded] = []
    pixels = 0
    for record, image in stream:
        chunk.append((record, image))
        pixels += record.width_px * record.height_px
        if len(chunk) >= CHUNK_IMAGES or pixels >= CHUNK_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def _failed(error: Exception) -> Judgement:
    return Judgement(
        verdict=Verdict.REVIEW,
        rule="inspection.failed",
        reason_en=f"The inspection could not be completed ({type(error).__name__}).",
        reason_ko=f"검사를 완료하지 못했습니다({type(error).__name__}).",
    )
