"""Captioning: what BLIP or BLIP-2 says of a region, in English words that nothing has checked yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.checkpoints import Checkpoint, Runtime, load_transformer, weights_sha256
from tools.quantizing import quantized
from tools.records import Provenance

if TYPE_CHECKING:
    import threading

    from numpy.typing import NDArray
    from transformers import StoppingCriteria

    from tools.recipe import Recipe
    from tools.records import BoxXyxyPx

__all__ = ["Captioner", "region_of"]

_CLASSES = {"blip": "BlipForConditionalGeneration", "blip-2": "Blip2ForConditionalGeneration"}
_CONTEXT = 1.6  # times the box's longer side: the defect with some of what surrounds it
_MIN_SIDE_PX = 96
_BATCH_SIZE = 8
_RETRY_TEMPERATURE = 0.7
_TOP_P = 0.9


def region_of(image_rgb: NDArray[np.uint8], box_xyxy_px: BoxXyxyPx) -> NDArray[np.uint8]:
    """The picture around a box as captioning sees it: a square of 1.6 times its longer side, at least 96 px.

    Near an edge the square is moved inside the picture; where the picture is smaller, it is cut to it.

    Args:
        image_rgb: uint8 picture of shape (height, width, 3).
        box_xyxy_px: The box in it.

    Returns:
        A view of the picture, not a copy.
    """
    x_min, y_min, x_max, y_max = box_xyxy_px
    side = max(round(_CONTEXT * max(x_max - x_min, y_max - y_min)), _MIN_SIDE_PX)
    height, width = image_rgb.shape[:2]
    left = min(max(round((x_min + x_max - side) / 2), 0), max(width - side, 0))
    top = min(max(round((y_min + y_max - side) / 2), 0), max(height - side, 0))
    return image_rgb[top : top + side, left : left + side]


class Captioner:
    """Captions regions with a BLIP or BLIP-2 checkpoint, whichever the checkpoint's config says.

    The same region gets the same caption: by beam search, or, with a temperature in the recipe, sampled with
    random numbers that the region's own pixels seed.

    Args:
        checkpoint: A BlipForConditionalGeneration or Blip2ForConditionalGeneration checkpoint.
        recipe: Prefix, beams, token limit, temperature, and whether to load in 8 bit.
        runtime: On what to run; 8 regions go through the model at once unless it says otherwise.

    Raises:
        ModelError: The checkpoint cannot be loaded, or 8 bit is wanted and bitsandbytes is not installed.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        recipe: Recipe,
        runtime: Runtime | None = None,
    ) -> None:
        self._settings = recipe.captioning
        runtime = runtime or Runtime()
        self._batch_size = runtime.batch_size or _BATCH_SIZE
        device, precision = runtime.placed()
        options = quantized("int8", device) if self._settings.load_in_8bit else {}
        self._model, self._processor, folder = load_transformer(
            checkpoint, _CLASSES, device=device, precision=precision, **options
        )
        self.provenance = Provenance(
            tool="captioning",
            model=checkpoint.id,
            weights_sha256=weights_sha256(folder),
            device=device,
            precision="int8" if self._settings.load_in_8bit else precision,
            parameters=self._settings.model_dump(mode="json"),
        )

    def caption(
        self,
        regions: Iterable[NDArray[np.uint8]],
        *,
        retry: bool = False,
        cancel: threading.Event | None = None,
    ) -> Iterator[str]:
        """Yields a caption per region, in order.

        Args:
            regions: uint8 RGB pictures of shape (height, width, 3).
            retry: Whether a first caption was no good: another one is sampled.
            cancel: When set, the iteration ends within a token; a caption that is cut short does not come.
        """
        temperature = self._settings.temperature or (_RETRY_TEMPERATURE if retry else None)
        # Sampled ones go alone: what else is in a batch would change the random numbers they get.
        batch_size = self._batch_size if temperature is None else 1
        waiting = iter(regions)
        while batch := list(islice(waiting, batch_size)):
            if cancel is not None and cancel.is_set():
                return
            stops = {} if cancel is None else {"stopping_criteria": [_stopper(cancel)]}
            if temperature is None:
                captions = self._generate(batch, num_beams=self._settings.beams, **stops)
            else:
                captions = self._sample(batch, temperature, retry=retry, **stops)
            if cancel is not None and cancel.is_set():
                return
            yield from captions

    def _sample(
        self,
        batch: Sequence[NDArray[np.uint8]],
        temperature: float,
        *,
        retry: bool,
        **decoding: Any,  # noqa: ANN401
    ) -> list[str]:
        import torch

        digest = hashlib.sha256(b"".join(np.ascontiguousarray(region).tobytes() for region in batch)).digest()
        devices = [self._model.device] if self._model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(int.from_bytes(digest[:7], "big") + retry)
            return self._generate(
                batch, do_sample=True, temperature=temperature, top_p=_TOP_P, num_beams=1, **decoding
            )

    def _generate(self, batch: Sequence[NDArray[np.uint8]], **decoding: Any) -> list[str]:  # noqa: ANN401
        import torch

        prefix = self._settings.prefix
        # BLIP begins by itself; BLIP-2 needs a prompt to hold the image tokens, an empty one if need be.
        has_prompt = bool(prefix) or self._model.config.model_type == "blip-2"
        inputs = self._processor(
            images=list(batch), text=[prefix] * len(batch) if has_prompt else None, return_tensors="pt"
        )
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs.to(self._model.device, self._model.dtype),
                max_new_tokens=self._settings.max_tokens,
                **decoding,
            )
        texts: list[str] = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]


def _stopper(cancel: threading.Event) -> StoppingCriteria:
    """Ends all sequences of a batch before their next token once the event is set."""
    import torch
    from transformers import StoppingCriteria

    class Stopper(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: object) -> torch.Tensor:
            return torch.full((len(input_ids),), cancel.is_set(), device=input_ids.device)

    return Stopper()
