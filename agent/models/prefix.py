"""Keeps what the last call computed, so that a growing conversation is not read from the start each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Prefix", "Prompt"]


@dataclass(frozen=True)
class Prompt:
    """What a processor made of a conversation.

    Attributes:
        tensors: All of it: token ids of shape (1, length), and for pictures `pixel_values` of shape (patches,
            values), `image_grid_thw` of shape (pictures, 3) and `mm_token_type_ids` (1, length).
        picture_keys: Hash of each picture's pixels, in order.
    """

    tensors: dict[str, torch.Tensor]
    picture_keys: tuple[str, ...]

    @cached_property
    def length(self) -> int:
        """Number of tokens."""
        return int(self.tensors["input_ids"].shape[1])

    @cached_property
    def keys(self) -> list[int | str]:
        """What each position depends on: its token, or the picture that it is a part of."""
        keys: list[int | str] = []
        picture, was_picture = -1, False
        kinds = self.tensors["mm_token_type_ids"][0].tolist()
        for token, is_picture in zip(self.tensors["input_ids"][0].tolist(), kinds, strict=True):
            picture += bool(is_picture) and not was_picture
            was_picture = bool(is_picture)
            keys.append(self.picture_keys[picture] if is_picture else token)
        return keys


class Prefix:
    """The keys and values of the last call's prompt and answer.

    For Qwen2.5-VL and Qwen3-VL. Their rotary positions have three axes and depend on the grids of all
    pictures before; transformers derives them from the pictures of the call alone, so they are computed here
    from the whole prompt and handed over, and only the pictures that are not in the cache go through the
    vision tower.

    Args:
        model: A `Qwen…ForConditionalGeneration`.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401
        self._model = model
        self.forget()

    def forget(self) -> None:
        """Drops what is kept."""
        self._cache: Any = None
        self._keys: list[int | str] = []

    def reuse(self, prompt: Prompt) -> tuple[dict[str, Any], int]:
        """Returns the arguments of `generate` for a prompt, and how many of its tokens need no computing."""
        from transformers import DynamicCache

        pairs = zip(self._keys, prompt.keys, strict=False)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        reused = min(common, prompt.length - 1)  # the last token must be fed: its output is the next one
        if reused and self._can_be_cropped():
            self._cache.crop(reused - self._cache.get_seq_length())
        else:
            reused, self._cache = 0, DynamicCache(config=self._model.config.get_text_config())
        self._keys = []  # the cache grows from here on; valid again once `keep` says with what
        arguments: dict[str, Any] = {
            **prompt.tensors,
            "position_ids": self._positions(prompt),
            "past_key_values": self._cache,
        }
        if "image_grid_thw" in arguments:
            arguments |= self._new_pictures(prompt, reused)
        return {name: value for name, value in arguments.items() if value is not None}, reused

    def keep(self, prompt: Prompt, tokens: torch.Tensor) -> None:
        """Remembers what the cache holds after a call.

        Args:
            prompt: The call's.
            tokens: Prompt and answer, shape (1, length); the last one was not fed any more.
        """
        written = tokens[0, prompt.length :].tolist()
        self._keys = [*prompt.keys, *written][: self._cache.get_seq_length()]

    def _can_be_cropped(self) -> bool:
        from transformers.cache_utils import DynamicLayer

        return self._cache is not None and all(type(layer) is DynamicLayer for layer in self._cache.layers)

    def _positions(self, prompt: Prompt) -> torch.Tensor:
        """Positions of shape (4, 1, length): in the text, then time, row and column."""
        import torch

        tensors = prompt.tensors
        rotary, deltas = self._model.model.get_rope_index(
            tensors["input_ids"],
            mm_token_type_ids=tensors["mm_token_type_ids"],
            image_grid_thw=tensors.get("image_grid_thw"),
        )
        self._model.model.rope_deltas = deltas
        text = torch.arange(prompt.length, device=rotary.device).view(1, 1, -1)
        return torch.cat([text, rotary])

    def _new_pictures(self, prompt: Prompt, reused: int) -> dict[str, torch.Tensor | None]:
        """The tensors of the pictures that come after what is reused; None where there is none."""
        kinds = prompt.tensors["mm_token_type_ids"][0].tolist()
        starts = [at for at, kind in enumerate(kinds) if kind and not (at and kinds[at - 1])]
        known = sum(start < reused for start in starts)
        grids = prompt.tensors["image_grid_thw"]
        if known == len(grids):
            return {"pixel_values": None, "image_grid_thw": None}
        patches = int(grids[:known].prod(-1).sum())
        return {"pixel_values": prompt.tensors["pixel_values"][patches:], "image_grid_thw": grids[known:]}
