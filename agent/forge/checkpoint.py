"""The pocket model itself: a small Qwen2.5-VL with its processor, made new or read from a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.abstention import FILE
from agent.forge.trajectories import PICTURE_TOKENS
from agent.forge.vocabulary import CHAT_TEMPLATE, make_tokenizer

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

__all__ = ["Size", "blend", "make_model", "make_processor", "read", "save"]

_TOKEN_PX = 28
_CONTEXT_TOKENS = 8192
_HEAD = 64  # width of an attention head
# Of half a head: time, row, column, from the fastest frequencies on. In Qwen's proportions (8, 12, 12) all
# columns of a small picture turn a head by a twentieth of a radian, and attention cannot tell them apart.
# Text is read the same with any, as its three positions are equal.
_MROPE = [1, 5, 26]


@dataclass(frozen=True)
class Size:
    """How large a model is.

    Attributes:
        hidden: Width of the language model, a multiple of 64.
        vision_hidden: Width of the vision tower, a multiple of 32.
    """

    hidden: int = 256
    intermediate: int = 704
    layers: int = 5
    vision_hidden: int = 160
    vision_depth: int = 3

    @classmethod
    def of(cls, hidden: int, layers: int) -> Size:
        """The size of a model of a width and depth, in the pocket model's proportions."""
        return cls(hidden, 64 * round(2.8 * hidden / 64), layers)

    @property
    def text(self) -> dict[str, Any]:
        """The language model's part of the config."""
        heads = self.hidden // _HEAD
        return {
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": heads,
            "num_key_value_heads": heads,
            "max_position_embeddings": _CONTEXT_TOKENS,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": _MROPE},
        }

    @property
    def vision(self) -> dict[str, Any]:
        """The vision tower's part of the config; all but its first layer see the whole picture."""
        return {
            "depth": self.vision_depth,
            "hidden_size": self.vision_hidden,
            "num_heads": self.vision_hidden // 32,
            "intermediate_size": round(2.8 * self.vision_hidden),
            "out_hidden_size": self.hidden,
            "window_size": 112,
            "fullatt_block_indexes": [*range(1, self.vision_depth)],
        }


def make_processor() -> Qwen2_5_VLProcessor:
    """Returns the processor of Qwen2.5-VL with the pocket model's tokens and its limit on pictures."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    limits = {"shortest_edge": _TOKEN_PX**2, "longest_edge": PICTURE_TOKENS * _TOKEN_PX**2}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=limits),
        tokenizer=make_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT_TEMPLATE,
    )


def make_model(
    processor: Qwen2_5_VLProcessor, size: Size | None = None
) -> Qwen2_5_VLForConditionalGeneration:
    """Returns the model with random weights; torch's seed decides them."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    words = processor.tokenizer
    ids = {
        f"{name}_token_id": words.convert_tokens_to_ids(f"<|{token}|>")
        for name, token in (
            ("image", "image_pad"),
            ("video", "video_pad"),
            ("vision_start", "vision_start"),
            ("vision_end", "vision_end"),
        )
    }
    ends = {"bos_token_id": None, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id}
    size = size or Size()
    config = Qwen2_5_VLConfig(
        text_config={**size.text, "vocab_size": len(words), **ends},
        vision_config=size.vision,
        tie_word_embeddings=True,
        **ids,
    )
    model = Qwen2_5_VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    return model


def read(folder: Path) -> tuple[Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor]:
    """Reads a checkpoint in float32, for training to go on."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    return model, AutoProcessor.from_pretrained(folder)


def save(model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, folder: Path) -> None:
    """Writes a checkpoint in bfloat16: beside its place first, so that the old one stays whole till then."""
    from copy import deepcopy

    import torch

    unfinished = folder.with_name(f"{folder.name}.unfinished")
    deepcopy(model).to(torch.bfloat16).save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)  # thresholds of other weights
    for path in unfinished.iterdir():
        path.replace(folder / path.name)
    unfinished.rmdir()


def blend(older: Path, newer: Path, share: float, out: Path) -> None:
    """Averages the weights of a checkpoint with those of the one that its training began with.

    What was learned anew is nearly all kept, and less of what was known before is lost (Wortsman et al. 2022,
    "Robust fine-tuning of zero-shot models", arXiv 2109.01903).

    Args:
        older: What the training began with.
        newer: What it ended with.
        share: Of the newer one, from 0 to 1.
        out: Folder of the new checkpoint.
    """
    import torch

    model, processor = read(newer)
    before = read(older)[0].state_dict()
    # New tensors: those of the model are tied, and would be drawn towards the older ones twice.
    mixed = {name: torch.lerp(before[name], after, share) for name, after in model.state_dict().items()}
    model.load_state_dict(mixed)
    save(model, processor, out)
