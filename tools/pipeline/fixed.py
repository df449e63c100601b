"""The fixed order over a batch: screen all, locate suspects, measure, describe, judge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.errors import Cancelled
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
from tools.records import Finding, ImageRecord, Inspection

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.captioning.captioner import Captioner
    from tools.images import Batch
    from tools.localization.localizer import Localizer
    from tools.measurement.measurer import Measurer
    from tools.recipe import Recipe
    from tools.screening.combined import CombinedScreener

    ImageRgb = npt.NDArray[np.uint8]
    Loaded = tuple[ImageRecord, ImageRgb]

__all__ = ["Pipeline"]


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
        screener: CombinedScreener,
        localizer: Localizer,
        measurer: Measurer,
        captioner: Captioner | None = None,
        translate: Callable[[str], str] | None = None,
    ) -> None:
        self.recipe = recipe
        self._screener = screener
        self._localizer = localizer
        self._finisher = Finisher(recipe, measurer, captioner, translate)

    def inspect(
        self,
        batch: Batch,
        *,
        skip: Collection[str] = (),
        cancel: threading.Event | None = None,
        embeddings: dict[str, npt.NDArray[np.float32]] | None = None,
    ) -> Iterator[Inspection]:
        """Yields one inspection per image in batch order, each as soon as it is complete.

        Where the batch's images are held against each other, some of them are looked through first, before
        the first inspection: always the same ones, so that a resumed run goes on with the same results.

        Images in work when `cancel` is set are not yielded; a later run with `skip` takes them up.

        Args:
            batch: The images.
            skip: Ids that are done already.
            cancel: Set by another thread to stop within one model batch, one image's decoding or one token.
            embeddings: Where given, gets CLIP's embedding of each image by id, before its inspection comes.
        """
        cancel = cancel or threading.Event()
        ids = [record.id for record in batch.records if record.id not in skip]
        with suppress(Cancelled):  # whoever set the event knows why there come no more
            self._screener.prepare(batch, cancel=cancel)
            yield from self._inspect_chunks(chunks(batch.stream(ids, cancel=cancel)), cancel, embeddings)

    def _inspect_chunks(
        self,
        stream: Iterable[list[tuple[ImageRecord, ImageRgb | None]]],
        cancel: threading.Event,
        embeddings: dict[str, npt.NDArray[np.float32]] | None,
    ) -> Iterator[Inspection]:
        for chunk in stream:
            loaded = [(record, image) for record, image in chunk if image is not None]
            if embeddings is not None:
                vectors = self._screener.embed([image for _, image in loaded])
                embeddings |= {record.id: vector for (record, _), vector in zip(loaded, vectors, strict=True)}
            inspected = self._inspect_loaded(loaded, cancel)
            for record, image in chunk:
                inspection = unreadable(record, self.recipe) if image is None else next(inspected, None)
                if inspection is None or cancel.is_set():
                    return
                yield inspection

    def _inspect_loaded(self, loaded: Sequence[Loaded], cancel: threading.Event) -> Iterator[Inspection]:
        screenings, failed = screened(self._screener, loaded, cancel)
        if cancel.is_set():
            return
        pictures = [(record, image) for record, image in loaded if record.id not in failed]
        seen = {
            record.id: Seen.of(record, image, screening, self.recipe)
            for (record, image), screening in zip(pictures, screenings, strict=True)
        }
        located, unlocated = self._locate([*seen.values()], cancel)
        failed |= unlocated
        for record, _ in loaded:
            if cancel.is_set():
                return
            if record.id in failed:
                yield failed[record.id]
                continue
            looked, findings = located.get(record.id, (seen[record.id], ()))
            yield self._finisher.finish(looked, findings, cancel)

    def _locate(
        self, seen: Sequence[Seen], cancel: threading.Event
    ) -> tuple[dict[str, tuple[Seen, tuple[Finding, ...]]], dict[str, Inspection]]:
        suspects = [item for item in seen if is_located(item.screening)]
        pairs = [(item.record, item.image_rgb) for item in suspects]
        found, provenance, failed = looked_at(self._localizer, pairs, cancel)
        located = {}
        sound = (item for item in suspects if item.record.id not in failed)
        for item, findings in zip(sound, found, strict=False):
            heard = self._screener.located((item.record, item.image_rgb), item.screening, findings)
            proposed = proposals(item.record, item.screening, heard, self.recipe)
            located[item.record.id] = replace(item, provenance=(provenance,)), proposed
        return located, failed
