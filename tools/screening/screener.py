"""Screening: CLIP's zero-shot opinion of each image, from the whole of it and from windows over it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from tools.checkpoints import Checkpoint, Runtime, load_transformer, weights_sha256
from tools.glossary import NORMAL, UNCLASSIFIED, UNKNOWN
from tools.records import ImageRecord, Provenance, Screening, ScreeningStatus, Source
from tools.references.heat import grid_over, heat_record
from tools.screening.prompts import prompt_labels, prompts_sha256, text_embeddings
from tools.windows import Window, covering_windows

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray
    from transformers import CLIPModel

    from tools.recipe import Recipe, ScreeningSettings
    from tools.records import HeatMap

__all__ = ["Screener", "views_of", "with_threshold"]

_BATCH_CPU, _BATCH_GPU = 8, 32  # on one core 8 take 0.78 of the time that 32 take
_MIN_WINDOW_PX = 32  # a smaller window holds less than CLIP can name
_HEAT_CELLS = 16  # along the image's shorter side


@dataclass
class _Work:
    """One image on its way through the model, with an embedding per view once it has been there."""

    record: ImageRecord
    size_px: tuple[int, int]
    views: tuple[Window, ...]
    embeddings: list[NDArray[np.float32]] = field(default_factory=list)
    elapsed_s: float = 0.0


class Screener:
    """Scores images against a recipe's labels.

    The whole image (squeezed to the model's square input, so that nothing is cropped away) and square windows
    over it are views; each gets a probability per label. Suspicion is that of defect types.

    Args:
        checkpoint: A CLIPModel checkpoint.
        recipe: Labels, prompts and settings.
        runtime: On what to run; 8 views go through the model at once on a CPU, 32 on a GPU, unless it says
            otherwise.

    Raises:
        ModelError: The checkpoint cannot be loaded.
        RecipeError: The recipe's prompts do not hold.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        recipe: Recipe,
        runtime: Runtime | None = None,
    ) -> None:
        self._settings = recipe.screening
        runtime = runtime or Runtime()
        device, precision = runtime.placed()
        self._batch_size = runtime.batch_on(device, cpu=_BATCH_CPU, gpu=_BATCH_GPU)
        self._labels = prompt_labels(recipe)
        self._is_defect = np.array([label.is_defect for label in self._labels])
        model, processor, folder = load_transformer(
            checkpoint, {"clip": "CLIPModel"}, device=device, precision=precision
        )
        weights = weights_sha256(folder)
        self._text = text_embeddings(self._labels, model, processor.tokenizer, weights_sha256=weights)
        self._scale = model.logit_scale.detach().float().exp().item() / self._settings.temperature
        self._images = _ImageEncoder(
            model, processor.image_processor.image_mean, processor.image_processor.image_std
        )
        self.provenance = Provenance(
            tool="screening",
            model=checkpoint.id,
            weights_sha256=weights,
            device=device,
            precision=precision,
            parameters={
                **self._settings.model_dump(mode="json"),
                "labels": [label.name for label in self._labels],
                "prompts": sum(len(label.prompts) for label in self._labels),
                "prompts_sha256": prompts_sha256(self._labels),
            },
        )

    def screen(
        self,
        images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
        *,
        cancel: threading.Event | None = None,
    ) -> Iterator[Screening]:
        """Yields a screening per image, in order, as soon as its last view has been seen.

        Args:
            images: Records with their pictures, uint8 RGB of shape (height, width, 3); taken one by one.
            cancel: When set, no further batch is started and the iteration ends.
        """
        waiting: deque[_Work] = deque()
        crops = self._crops(images, waiting)
        while batch := list(islice(crops, self._batch_size)):
            if cancel is not None and cancel.is_set():
                return
            self._embed(batch)
            while waiting and len(waiting[0].embeddings) == len(waiting[0].views):
                yield self._conclude(waiting.popleft())

    def embed(self, images_rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embeddings of whole images, each of length 1, shape (images, dimension): how alike they are."""
        if not images_rgb:
            return np.empty((0, self._text.shape[1]), np.float32)
        return self._images.embed(np.stack([self._images.resized(image) for image in images_rgb]))

    def _crops(
        self, images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]], waiting: deque[_Work]
    ) -> Iterator[tuple[_Work, NDArray[np.uint8]]]:
        for record, image_rgb in images:
            started = time.perf_counter()
            picture = _equalised(image_rgb) if self._settings.clahe else image_rgb
            height, width = picture.shape[:2]
            work = _Work(record, (width, height), views_of(width, height, self._settings))
            work.elapsed_s = time.perf_counter() - started
            waiting.append(work)
            for x_min, y_min, x_max, y_max in work.views:
                yield work, self._images.resized(picture[y_min:y_max, x_min:x_max])

    def _embed(self, batch: Sequence[tuple[_Work, NDArray[np.uint8]]]) -> None:
        started = time.perf_counter()
        embeddings = self._images.embed(np.stack([crop for _, crop in batch]))
        share_s = (time.perf_counter() - started) / len(batch)
        for (work, _), embedding in zip(batch, embeddings, strict=True):
            work.embeddings.append(embedding)
            work.elapsed_s += share_s

    def _probabilities(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Softmax over the labels of each view: shape (views, labels)."""
        logits = self._scale * cosines
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)

    def _conclude(self, work: _Work) -> Screening:
        settings = self._settings
        cosines = np.stack(work.embeddings) @ self._text.T
        probabilities = self._probabilities(cosines)
        suspicions = probabilities[:, self._is_defect].sum(axis=1)
        suspicion = round(min(float(suspicions.max()), 1.0), 6)
        scores = probabilities[int(suspicions.argmax())]
        label = self._best_label(scores, is_defect=suspicion >= settings.threshold)
        status = _status(suspicion, settings.threshold, settings.review_band)
        if settings.unknown_below is not None and float(cosines[0].max()) < settings.unknown_below:
            label, status = UNKNOWN, ScreeningStatus.UNSURE
        return Screening(
            image_id=work.record.id,
            scores={
                each.name: round(float(score), 6) for each, score in zip(self._labels, scores, strict=True)
            },
            suspicion=suspicion,
            label=label,
            status=status,
            threshold=settings.threshold,
            review_band=settings.review_band,
            heat_map=_heat_map(work.size_px, work.views, suspicions),
            provenance=self.provenance.model_copy(update={"elapsed_s": work.elapsed_s}),
        )

    def _best_label(self, scores: NDArray[np.float32], *, is_defect: bool) -> str:
        """The likeliest label of the side that the suspicion has chosen."""
        return self._labels[int(np.where(self._is_defect == is_defect, scores, -1.0).argmax())].name


class _ImageEncoder:
    """Turns crops into normalised embeddings, as CLIPImageProcessor and CLIPModel would."""

    def __init__(self, model: CLIPModel, mean: Sequence[float], std: Sequence[float]) -> None:
        import torch

        self._model = model
        self._side_px = int(model.config.vision_config.image_size)
        # (x / 255 - mean) / std as one multiplication and one addition on whole batches.
        self._factor = torch.tensor([1 / (255 * s) for s in std], device=model.device).view(1, 3, 1, 1)
        self._offset = torch.tensor(
            [-m / s for m, s in zip(mean, std, strict=True)], device=model.device
        ).view(1, 3, 1, 1)

    def resized(self, crop_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop at the model's input size; area averaging where it shrinks, so that thin lines survive."""
        import cv2

        shrinks = max(crop_rgb.shape[:2]) > self._side_px
        method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        return np.asarray(
            cv2.resize(crop_rgb, (self._side_px, self._side_px), interpolation=method), dtype=np.uint8
        )

    def embed(self, crops_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings of length 1, shape (crops, dimension), of uint8 crops (crops, side, side, 3)."""
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(crops_rgb).to(self._model.device).permute(0, 3, 1, 2).float()
            pixels = pixels.mul_(self._factor).add_(self._offset).to(self._model.dtype)
            features = self._model.get_image_features(pixel_values=pixels).pooler_output.float()
            normalised: NDArray[np.float32] = torch.nn.functional.normalize(features, dim=-1).cpu().numpy()
        return normalised


def views_of(width_px: int, height_px: int, settings: ScreeningSettings) -> tuple[Window, ...]:
    """The whole field of view first, then the windows, as (x_min, y_min, x_max, y_max) of the image.

    The field of view is the image, or its centre where the recipe crops to it.
    """
    width = max(round(width_px * settings.centre_crop), 1)
    height = max(round(height_px * settings.centre_crop), 1)
    left, top = (width_px - width) // 2, (height_px - height) // 2
    views = [(left, top, left + width, top + height)]
    for fraction in settings.window_fractions:
        side = max(round(fraction * min(width, height)), _MIN_WINDOW_PX)
        windows = covering_windows(width, height, side, settings.window_overlap)
        views += [(left + x0, top + y0, left + x1, top + y1) for x0, y0, x1, y1 in windows]
    return tuple(dict.fromkeys(views))


def with_threshold(screening: Screening, threshold: float, recipe: Recipe) -> Screening:
    """Returns what a screening's suspicion means at another threshold; `fusion.at_threshold` also moves it.

    Args:
        screening: Of an image, by this recipe.
        threshold: Suspicion from which an image is suspect, in [0, 1].
        recipe: Says which labels are defects.
    """
    status = _status(screening.suspicion, threshold, screening.review_band)
    label = screening.label
    is_defect = screening.suspicion >= threshold
    words = screening.source(Source.WORDS)
    is_heard = words is None or words.decided
    if screening.sources and not any(each.decided for each in screening.sources):
        label, status = UNKNOWN, ScreeningStatus.UNSURE  # nothing that knows these parts was asked
    elif label == UNKNOWN:
        # Words that fit nothing have no suspicion worth naming; a batch still says what is odd in it.
        is_odd = not is_heard and status is ScreeningStatus.SUSPECT
        status = status if is_odd else ScreeningStatus.UNSURE
    elif not is_heard:
        label = UNCLASSIFIED if is_defect else NORMAL
    else:
        side = [name for name in screening.scores if (name in recipe.defects) == is_defect]
        label = max(side, key=screening.scores.__getitem__)
    parameters = {**screening.provenance.parameters, "threshold": threshold}
    provenance = screening.provenance.model_copy(update={"parameters": parameters})
    return screening.model_copy(
        update={"threshold": threshold, "status": status, "label": label, "provenance": provenance}
    )


def _status(suspicion: float, threshold: float, review_band: float) -> ScreeningStatus:
    if suspicion >= threshold + review_band:
        return ScreeningStatus.SUSPECT
    if suspicion < threshold - review_band:
        return ScreeningStatus.CLEAR
    return ScreeningStatus.UNSURE


def _heat_map(
    size_px: tuple[int, int], views: Sequence[Window], suspicions: NDArray[np.float32]
) -> HeatMap | None:
    """Mean suspicion of the windows over each cell of a grid of about square cells; None without windows.

    Windows weigh by 1 / area, so that where small and large ones disagree the small ones place the defect.
    """
    if len(views) < 2:
        return None
    width, height = size_px
    rows, columns = grid_over(size_px, _HEAT_CELLS)
    xs, ys = (np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows
    total, weights = np.zeros((rows, columns)), np.zeros((rows, columns))
    for (x_min, y_min, x_max, y_max), suspicion in zip(views[1:], suspicions[1:], strict=True):
        inside = np.outer((ys >= y_min) & (ys < y_max), (xs >= x_min) & (xs < x_max))
        weight = 1.0 / ((x_max - x_min) * (y_max - y_min))
        total[inside] += weight * float(suspicion)
        weights[inside] += weight
    return heat_record(np.divide(total, weights, out=np.zeros_like(total), where=weights > 0))


def _equalised(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with local contrast evened out on its lightness alone (CLAHE, Zuiderveld 1994)."""
    import cv2

    lab = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), dtype=np.uint8)
