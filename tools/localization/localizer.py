"""Localization: where the defects are, by a YOLO detector over the whole picture and tiles of it."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tools.checkpoints import Checkpoint, Runtime, weights_sha256
from tools.glossary import UNCLASSIFIED, fold
from tools.localization.crowding import is_full, more_than
from tools.localization.detectors import Detector
from tools.localization.merging import Detection, merge_views
from tools.records import Finding, ImageRecord, Origin, Provenance, Screening, ScreeningStatus
from tools.windows import Window, covering_windows
from tools.zones import HOT_SHARE, cells_to_search

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray

    from tools.recipe import Recipe, Zone
    from tools.records import BoxXyxyPx

__all__ = ["CLEAR_LABEL", "Localizer", "Look", "candidate_from_heat_map"]

CLEAR_LABEL = 0.5  # score: more than all other labels together

_BATCH_CPU, _BATCH_GPU = 1, 8  # on one core 8 one by one take 0.68 of the time that they take together
_HEARD_FROM = 0.1  # confidence: what is too weak for a finding still says something of the image
_REMEMBERED = 64  # images: screening may ask about the images of a chunk before their places are wanted
_TILE_FROM = 1.5  # times the detector's input, from which shrinking the whole picture loses small defects
# How far the place must rise above the rest: on foreign parts none of 12 suspects did, of ours 18 of 21.
_CLEAR_PLACE = 0.63


class Look(NamedTuple):
    """What a detector makes of an image.

    Attributes:
        findings: The most confident first; none that is weaker than the recipe's limit.
        surest: Its highest confidence in any defect, also one that is too weak for a finding; 0 for none.
    """

    findings: tuple[Finding, ...]
    surest: float


@dataclass
class _Work:
    """One image on its way through the detector, with its detections per view once it has been there.

    Attributes:
        known: What came of it, where it was there lately.
    """

    record: ImageRecord
    size_px: tuple[int, int]
    views: Sequence[Window]
    found: list[Sequence[Detection]] = field(default_factory=list)
    known: Look | None = None


class Localizer:
    """Finds defects and names them with the recipe's types.

    Pictures much larger than the detector's input are looked at whole and in tiles, and what the views found
    is merged.

    Args:
        checkpoint: A detector: folder of safetensors, `.onnx` or `.pt`.
        recipe: Defect types with their detector classes, and settings.
        runtime: On what to run: in float16 where its precision says half, on CUDA only, and in float32
            otherwise; on a CPU views go through the detector one by one, on a GPU 8 at once, unless it
            says otherwise.
        trust_checkpoint: Whether a `.pt` that the recipe does not vouch for may be loaded.

    Raises:
        UntrustedCheckpointError: A `.pt` that nobody vouched for.
        ModelError: The checkpoint cannot be loaded.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        recipe: Recipe,
        runtime: Runtime | None = None,
        *,
        trust_checkpoint: bool = False,
    ) -> None:
        self._settings = recipe.localization
        runtime = runtime or Runtime()
        self._types = _types_of_classes(recipe)
        self._remembered: OrderedDict[tuple[str, str], Look] = OrderedDict()
        device, precision = runtime.placed()
        half = device.startswith("cuda") and precision != "float32"
        self._detector = Detector(
            checkpoint,
            self._settings.model_copy(update={"confidence": min(self._settings.confidence, _HEARD_FROM)}),
            device=device,
            half=half,
            vouched_sha256=recipe.models.detector_sha256,
            trust=trust_checkpoint,
        )
        at_once = runtime.batch_on(self._detector.device, cpu=_BATCH_CPU, gpu=_BATCH_GPU)
        self._batch_size = max(at_once, self._detector.fixed_batch or 1)
        self.provenance = Provenance(
            tool="localization",
            model=checkpoint.id,
            weights_sha256=weights_sha256(self._detector.file),
            device=self._detector.device,
            precision="float16" if self._detector.is_half else "float32",
            parameters={
                **self._settings.model_dump(mode="json"),
                "image_size_px": self._detector.image_size_px,
                "classes": list(self._detector.names.values()),
                "meanings_sha256": self._meanings_sha256(),
            },
        )

    def _meanings_sha256(self) -> str:
        """Hash of what the recipe takes each of the detector's classes for."""
        meant = {name: self._type_of(name) for name in self._detector.names.values()}
        return hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()

    def _type_of(self, class_name: str) -> str | None:
        """The recipe's type that a class of the detector means; None for what only looks like a defect."""
        return self._types.get(fold(class_name), UNCLASSIFIED)

    def locate(
        self,
        images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
        *,
        cancel: threading.Event | None = None,
    ) -> Iterator[tuple[Finding, ...]]:
        """Yields the findings of each image, in order, the most confident first; empty where there are none.

        Args:
            images: Records with their pictures, uint8 RGB of shape (height, width, 3); taken one by one.
            cancel: When set, no further batch is started and the iteration ends.
        """
        return (look.findings for look in self.look(images, cancel=cancel))

    def look(
        self,
        images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
        *,
        cancel: threading.Event | None = None,
    ) -> Iterator[Look]:
        """Yields what it makes of each image, in order; arguments as for `locate`."""
        waiting: list[_Work] = []
        for batch in self._batches(self._crops(images, waiting)):
            if cancel is not None and cancel.is_set():
                return
            self._detect(batch)
            yield from self._complete(waiting)
        yield from self._complete(waiting)

    def _complete(self, waiting: list[_Work]) -> Iterator[Look]:
        while waiting and len(waiting[0].found) == len(waiting[0].views):
            work = waiting.pop(0)
            look = self._concluded(work) if work.known is None else work.known
            if work.record.picture_key:
                self._remembered[work.record.id, work.record.picture_key] = look
                while len(self._remembered) > _REMEMBERED:
                    self._remembered.popitem(last=False)
            yield look

    def _crops(
        self, images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]], waiting: list[_Work]
    ) -> Iterator[tuple[_Work, NDArray[np.uint8]]]:
        for record, image_rgb in images:
            height, width = image_rgb.shape[:2]
            known = self._remembered.get((record.id, record.picture_key))
            views = self._views(width, height) if known is None else []
            work = _Work(record, (width, height), views, known=known)
            waiting.append(work)
            for x_min, y_min, x_max, y_max in work.views:
                yield work, image_rgb[y_min:y_max, x_min:x_max]

    def _views(self, width: int, height: int) -> list[Window]:
        """The whole picture, and tiles where it is too large to be looked at whole alone."""
        whole = [(0, 0, width, height)]
        tile = self._settings.tile_px or self._detector.image_size_px
        limit = tile if self._settings.tile_px else _TILE_FROM * tile
        if max(width, height) <= limit:
            return whole
        return whole + covering_windows(width, height, tile, self._settings.tile_overlap)

    def _batches(
        self, crops: Iterable[tuple[_Work, NDArray[np.uint8]]]
    ) -> Iterator[list[tuple[_Work, NDArray[np.uint8]]]]:
        """Groups crops of one size, in order: the detector's padding then never depends on the neighbours."""
        batch: list[tuple[_Work, NDArray[np.uint8]]] = []
        for work, crop in crops:
            if batch and (len(batch) == self._batch_size or crop.shape != batch[0][1].shape):
                yield batch
                batch = []
            batch.append((work, crop))
        if batch:
            yield batch

    def _detect(self, batch: Sequence[tuple[_Work, NDArray[np.uint8]]]) -> None:
        found = self._detector.detect([crop for _, crop in batch])
        for (work, _), detections in zip(batch, found, strict=True):
            work.found.append(detections)

    def _concluded(self, work: _Work) -> Look:
        placed = [
            (view, [d for each in found if (d := self._placed(each, view, work.size_px))])
            for view, found in zip(work.views, work.found, strict=True)
        ]
        surest = max((detection.confidence for _, found in placed for detection in found), default=0.0)
        clear = [
            (view, [d for d in found if d.confidence >= self._settings.confidence]) for view, found in placed
        ]
        merged = merge_views(clear, work.size_px, iou=self._settings.iou)
        most = self._settings.max_findings
        is_crowded = len(merged) > most or any(
            is_full(found, most, self._settings.confidence) for found in work.found
        )
        provenance = (self.provenance, more_than(most)) if is_crowded else (self.provenance,)
        findings = tuple(
            Finding(
                id=f"{work.record.id}-{number}",
                image_id=work.record.id,
                type=detection.type,
                confidence=min(detection.confidence, 1.0),
                box_xyxy_px=detection.box_xyxy_px,
                contours_px=detection.contours_px,
                origin=Origin.YOLO,
                provenance=provenance,
            )
            for number, detection in enumerate(merged[:most], start=1)
        )
        return Look(findings, min(surest, 1.0))

    def _placed(self, detection: Detection, view: Window, size_px: tuple[int, int]) -> Detection | None:
        """The detection in the picture's pixels and the recipe's words; None for no defect or no area."""
        kind = self._type_of(detection.type)
        left, top = view[:2]
        x_min, y_min, x_max, y_max = detection.box_xyxy_px
        box = (
            max(x_min + left, 0.0),
            max(y_min + top, 0.0),
            min(x_max + left, float(size_px[0])),
            min(y_max + top, float(size_px[1])),
        )
        if kind is None or box[0] >= box[2] or box[1] >= box[3]:
            return None
        contours = tuple(tuple((x + left, y + top) for x, y in outline) for outline in detection.contours_px)
        return Detection(kind, detection.confidence, box, contours)


def candidate_from_heat_map(
    record: ImageRecord, screening: Screening, recipe: Recipe, number: int = 1
) -> Finding | None:
    """The finding that stands for a suspect image in which the detector found nothing that counts.

    Its box is the hot region around the heat map's peak, or the whole image where there is no heat map. What
    is hot in ignored zones is left out, unless nothing else is. Where the rest of the part is as hot, no
    place is to blame: its confidence is no more than the peak rises above the rest. It is of the type that
    screening named only where that type is clear and the place stands out.

    Args:
        record: The image.
        screening: Of this image.
        recipe: Says which labels are defects, and which zones are ignored.
        number: Of the finding within the image.

    Returns:
        A finding of origin `screening`, or None when the image is not suspect.
    """
    if screening.status is not ScreeningStatus.SUSPECT:
        return None
    box, rise = _hot_region(record, screening, recipe.zones)
    clear = screening.scores.get(screening.label, 0.0) >= CLEAR_LABEL and rise >= _CLEAR_PLACE
    return Finding(
        id=f"{record.id}-{number}",
        image_id=record.id,
        type=screening.label if clear and screening.label in recipe.defects else UNCLASSIFIED,
        confidence=round(min(screening.suspicion, rise), 6),
        box_xyxy_px=box,
        origin=Origin.SCREENING,
        provenance=(screening.provenance.model_copy(update={"elapsed_s": 0.0}),),
    )


def _hot_region(record: ImageRecord, screening: Screening, zones: Sequence[Zone]) -> tuple[BoxXyxyPx, float]:
    """The box of the connected cells around the peak that are nearly as hot, and its rise above the rest."""
    heat = screening.heat_map
    whole = (0.0, 0.0, float(record.width_px), float(record.height_px))
    if heat is None:
        return whole, 1.0
    from scipy.ndimage import find_objects, label

    cells = cells_to_search(heat, screening.calm_below, zones)
    values = np.where(cells, np.reshape(heat.values, cells.shape), -1.0)
    regions, _ = label(cells & (values >= HOT_SHARE * values.max()), structure=np.ones((3, 3)))
    peak = regions[np.unravel_index(int(values.argmax()), values.shape)]
    rest = values[cells & (regions != peak)]
    rise = float(values.max() - np.median(rest)) if rest.size else 0.0
    rows, columns = find_objects(regions)[peak - 1]
    down, across = record.height_px / heat.rows, record.width_px / heat.columns
    return (columns.start * across, rows.start * down, columns.stop * across, rows.stop * down), rise


def _types_of_classes(recipe: Recipe) -> dict[str, str | None]:
    """Recipe type per class name of the detector; None for what only looks like a defect."""
    types: dict[str, str | None] = {fold(name): None for name in recipe.hard_negatives}
    for name, defect in recipe.defects.items():
        types |= {fold(each): name for each in defect.detector_classes or (name,)}
    return types
