"""The pipeline's stages over one batch on demand: asked in any order, each result computed once.

What is asked for one image is computed for the chunk of images that the pipeline would take it in, because a
model's last digits depend on what else is in its batch: so the results are the pipeline's, bit for bit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tools.errors import Cancelled, ImageError, LoupeError
from tools.pipeline.stages import (
    Finisher,
    Seen,
    chunks,
    is_located,
    looked_at,
    proposals,
    screened,
    unreadable,
)
from tools.records import Finding, ImageRecord, ImageStatus, Inspection, Provenance, Screening

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.images import Batch
    from tools.pipeline.engines import Engines

    ImageRgb = npt.NDArray[np.uint8]
    Loaded = tuple[ImageRecord, ImageRgb]

__all__ = ["Known", "Progress", "Stepwise"]

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass
class Known:
    """What is known of a batch, by image id; sessions about the same batch with the same engines share it.

    Attributes:
        records: One per image; of an image that turned out to be damaged, the unreadable one.
        screenings: At the recipe's threshold.
        failed: Instead, the inspections of images that could not be screened or located.
        found: What the detector found.
        looks: How that came about, with the seconds.
        measured: What was located, with sizes.
        inspections: By image id and threshold, None for the recipe's.
        embeddings: CLIP's, of whole images, of length 1.
    """

    records: dict[str, ImageRecord]
    screenings: dict[str, Screening] = field(default_factory=dict)
    failed: dict[str, Inspection] = field(default_factory=dict)
    found: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    looks: dict[str, Provenance] = field(default_factory=dict)
    measured: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    inspections: dict[tuple[str, float | None], Inspection] = field(default_factory=dict)
    embeddings: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


class Stepwise:
    """Screens, locates, measures and inspects the images that are asked for.

    A batch pins the content of its files, and the engines their parameters and weights; so results are kept
    by image id, with the engines. Unreadable images are left out of what is returned, except by `inspect`.

    Args:
        batch: The images.
        engines: What sees; loaded when first needed.
        cancel: Set by another thread to stop within one model batch; what is complete stays known.
        embeds: Whether `inspect` keeps an embedding of each image, while it has the pixels at hand.

    Attributes:
        records: Those of `Known`.
    """

    def __init__(
        self,
        batch: Batch,
        engines: Engines,
        cancel: threading.Event | None = None,
        *,
        embeds: bool = False,
    ) -> None:
        self._batch, self._engines, self._embeds = batch, engines, embeds
        self._cancel = cancel or threading.Event()
        fresh = Known({record.id: record for record in batch.records})
        self._known = engines.known.setdefault(batch.sha256, fresh)
        self.records = self._known.records
        plain = ((record, record.id) for record in batch.records)
        self._chunks = [[image_id for _, image_id in chunk] for chunk in chunks(plain)]
        self._chunk_of = {image_id: n for n, chunk in enumerate(self._chunks) for image_id in chunk}
        self._loaded: tuple[int, list[Loaded]] | None = None

    def is_readable(self, image_id: str) -> bool:
        """Whether an image can be decoded and screened, as far as is known yet."""
        return self.records[image_id].status is ImageStatus.READABLE and image_id not in self._known.failed

    def recall(self, inspections: Iterable[Inspection]) -> None:
        """Takes up inspections that the same engines made of this batch earlier."""
        for inspection in inspections:
            self.records[inspection.image.id] = inspection.image
            self._known.inspections[inspection.image.id, None] = inspection
            if inspection.screening:
                self._known.screenings[inspection.image.id] = inspection.screening

    def screen(
        self, ids: Sequence[str], *, threshold: float | None = None, progress: Progress | None = None
    ) -> dict[str, Screening]:
        """Returns the screening of each image, in the order asked.

        Args:
            ids: Images of the batch.
            threshold: In place of the recipe's; the model is not asked again.
            progress: Told the images done and how many there are.

        Raises:
            Cancelled: The event was set.
        """
        for number, _ in self._by_chunk(ids, progress):
            self._screen_chunk(number)
        return {
            image_id: self._screening(image_id, threshold) for image_id in ids if self.is_readable(image_id)
        }

    def locate(
        self, ids: Sequence[str], *, progress: Progress | None = None
    ) -> dict[str, tuple[Finding, ...]]:
        """Returns what was located in each image, clear ones included; raises as `screen`.

        The detector looks at a clear image only here, because somebody asked: `inspect` leaves it alone.
        """
        for number, wanted in self._by_chunk(ids, progress):
            self._locate_chunk(number, wanted)
        measured = self._known.measured | self._inspected(ids)
        kept = {image_id: {finding.id for finding in found} for image_id, found in measured.items()}
        return {
            image_id: tuple(f for f in self._proposals(image_id) if f.id in kept.get(image_id, (f.id,)))
            for image_id in ids
            if self.is_readable(image_id)
        }

    def measure(
        self, ids: Sequence[str], *, progress: Progress | None = None
    ) -> dict[str, tuple[Finding, ...]]:
        """Returns what was located in each image, with sizes where there are any; raises as `screen`."""
        finisher = Finisher(self._engines.recipe, self._engines.measurer)
        measured = self._inspected(ids)
        missing = [i for i in ids if i not in self._known.measured and i not in measured]
        for number, wanted in self._by_chunk(missing, progress):
            self._locate_chunk(number, wanted)
            for image_id, image_rgb in self._images(number, wanted):
                findings = self._proposals(image_id)
                try:
                    item = self._seen(image_id, image_rgb, None)
                    self._known.measured[image_id] = finisher.measured(item, findings)
                except LoupeError:
                    raise
                except Exception as error:  # As in the pipeline, one bad image ends nothing.
                    log.warning("%s: %s", image_id, error, exc_info=True)
                    measured[image_id] = findings
        measured |= self._known.measured
        return {image_id: measured[image_id] for image_id in ids if image_id in measured}

    def inspect(
        self,
        ids: Sequence[str],
        *,
        threshold: float | None = None,
        progress: Progress | None = None,
        finished: Callable[[Inspection], None] | None = None,
    ) -> dict[str, Inspection]:
        """Returns the inspection of each image as the pipeline makes it; raises as `screen`.

        Args:
            ids: Images of the batch, unreadable ones included.
            threshold: In place of the recipe's.
            progress: Told the images done and how many there are.
            finished: Told each new inspection as it is complete.
        """

        def complete(image_id: str, inspection: Inspection) -> None:
            self._known.inspections[image_id, threshold] = inspection
            if finished:
                finished(inspection)

        missing = [image_id for image_id in ids if (image_id, threshold) not in self._known.inspections]
        for number, wanted in self._by_chunk(missing, progress):
            self._screen_chunk(number)
            self._locate_chunk(number, [i for i in wanted if self._is_suspect(i, threshold)])
            for image_id, image_rgb in self._images(number, wanted):
                if self._embeds and image_id not in self._known.embeddings:
                    self._known.embeddings[image_id] = self._engines.screener.embed([image_rgb])[0]
                complete(image_id, self._finished(image_id, image_rgb, threshold))
            for image_id in wanted:
                if not self.is_readable(image_id):
                    record, failed = self.records[image_id], self._known.failed.get(image_id)
                    complete(image_id, failed or unreadable(record, self._engines.recipe))
        return {image_id: self._known.inspections[image_id, threshold] for image_id in ids}

    def embedding(self, image_id: str) -> npt.NDArray[np.float32]:
        """Returns CLIP's embedding of the whole image, of length 1.

        Raises:
            ImageError: The image cannot be read.
        """
        if image_id not in self._known.embeddings:
            image_rgb = self._batch.load(image_id)
            self._known.embeddings[image_id] = self._engines.screener.embed([image_rgb])[0]
        return self._known.embeddings[image_id]

    def seen(self, image_id: str) -> Seen:
        """Returns one image with its pixels, screening and scale.

        Raises:
            ImageError: The image cannot be read.
            Cancelled: The event was set.
        """
        self.screen([image_id])
        if not self.is_readable(image_id):
            raise ImageError(self.records[image_id].reason)
        return self._seen(image_id, self._batch.load(image_id), None)

    def _by_chunk(self, ids: Sequence[str], progress: Progress | None) -> Iterator[tuple[int, list[str]]]:
        """Yields the chunks that hold the images, each with those of them that are wanted."""
        groups: dict[int, list[str]] = {}
        for image_id in dict.fromkeys(ids):
            groups.setdefault(self._chunk_of[image_id], []).append(image_id)
        done, total = 0, sum(map(len, groups.values()))
        try:
            for number, wanted in sorted(groups.items()):
                self._stop_if_cancelled()
                yield number, wanted
                done += len(wanted)
                if progress:
                    progress(done, total)
        finally:
            self._loaded = None

    def _load(self, number: int) -> list[Loaded]:
        """Decodes a chunk, once for all the stages of a call."""
        if self._loaded is None or self._loaded[0] != number:
            self._loaded = None
            loaded = []
            for record, image_rgb in self._batch.stream(self._chunks[number], cancel=self._cancel):
                if record.id not in self._known.failed:  # of these the record says why
                    self.records[record.id] = record
                if image_rgb is not None:
                    loaded.append((record, image_rgb))
            self._loaded = number, loaded
        return self._loaded[1]

    def _images(self, number: int, wanted: Sequence[str]) -> Iterator[tuple[str, ImageRgb]]:
        """Yields the readable ones of the images wanted, each in its turn."""
        for record, image_rgb in self._load(number):
            if record.id in wanted and self.is_readable(record.id):
                self._stop_if_cancelled()
                yield record.id, image_rgb

    def _screen_chunk(self, number: int) -> None:
        ids = self._chunks[number]
        if all(image_id in self._known.screenings or not self.is_readable(image_id) for image_id in ids):
            return
        self._engines.screener.prepare(self._batch, cancel=self._cancel)
        loaded = self._load(number)
        screenings, failed = screened(self._engines.screener, loaded, self._cancel)
        self._stop_if_cancelled()
        self._known.screenings |= {screening.image_id: screening for screening in screenings}
        self._leave_out(failed)

    def _leave_out(self, failed: Mapping[str, Inspection]) -> None:
        """Takes images for unreadable that nothing can be done with, and keeps why."""
        self._known.failed |= failed
        for image_id, row in failed.items():  # what is said to whoever asks for the image
            self.records[image_id] = row.image.model_copy(update={"reason": row.error})

    def _locate_chunk(self, number: int, wanted: Sequence[str]) -> None:
        """Asks the detector about the images wanted: suspects together, as the pipeline does, then others."""
        self._screen_chunk(number)
        missing = [i for i in wanted if self.is_readable(i) and i not in self._known.found]
        if any(self._is_suspect(image_id) for image_id in missing):
            self._find(number, [i for i in self._chunks[number] if self._is_suspect(i)])
        self._find(number, [i for i in missing if i not in self._known.found and self.is_readable(i)])

    def _find(self, number: int, ids: Sequence[str]) -> None:
        if not ids:
            return
        self._engines.screener.prepare(self._batch, cancel=self._cancel)  # screenings may be recalled
        pairs = [(record, image_rgb) for record, image_rgb in self._load(number) if record.id in ids]
        found, provenance, failed = looked_at(self._engines.localizer, pairs, self._cancel)
        self._stop_if_cancelled()
        self._leave_out(failed)
        screener, screened = self._engines.screener, self._known.screenings
        sound = [picture for picture in pairs if picture[0].id not in failed]
        for picture, each in zip(sound, found, strict=True):
            image_id = picture[0].id
            self._known.looks[image_id] = provenance
            self._known.found[image_id] = screener.located(picture, screened[image_id], each)

    def _inspected(self, ids: Sequence[str]) -> dict[str, tuple[Finding, ...]]:
        """Returns the findings that an inspection has measured already."""
        done = {i: self._known.inspections[i, None] for i in ids if (i, None) in self._known.inspections}
        suspect = {i: each for i, each in done.items() if each.screening and is_located(each.screening)}
        return {i: each.findings for i, each in suspect.items() if not each.error}

    def _is_suspect(self, image_id: str, threshold: float | None = None) -> bool:
        return self.is_readable(image_id) and is_located(self._screening(image_id, threshold))

    def _screening(self, image_id: str, threshold: float | None) -> Screening:
        from tools.screening.fusion import at_threshold

        screening = self._known.screenings[image_id]
        return screening if threshold is None else at_threshold(screening, threshold, self._engines.recipe)

    def _seen(self, image_id: str, image_rgb: ImageRgb, threshold: float | None) -> Seen:
        screening = self._screening(image_id, threshold)
        return Seen.of(self.records[image_id], image_rgb, screening, self._engines.recipe)

    def _proposals(self, image_id: str, threshold: float | None = None) -> tuple[Finding, ...]:
        screening = self._screening(image_id, threshold)
        return proposals(self.records[image_id], screening, self._known.found[image_id], self._engines.recipe)

    def _finished(self, image_id: str, image_rgb: ImageRgb, threshold: float | None) -> Inspection:
        engines = self._engines
        finisher = Finisher(engines.recipe, engines.measurer, engines.captioner, engines.translate)
        is_suspect = self._is_suspect(image_id, threshold)
        findings = self._proposals(image_id, threshold) if is_suspect else ()
        # Another threshold may change what screening proposes, so sizes hold at the recipe's own only.
        measured = self._known.measured.get(image_id) if findings and threshold is None else None
        item = self._seen(image_id, image_rgb, threshold)
        if is_suspect:
            item = replace(item, provenance=(self._known.looks[image_id],))
        inspection = finisher.finish(item, findings, self._cancel, measured)
        self._stop_if_cancelled()
        return inspection

    def _stop_if_cancelled(self) -> None:
        if self._cancel.is_set():
            raise Cancelled("the work was stopped", "what is complete stays known; ask again to go on")
