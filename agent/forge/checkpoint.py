"""The pocket model itself: a small Qwen2.5-VL with its processor, made new or read from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.forge.trajectories import PICTURE_TOKENS
from agent.forge.vocabulary import CHAT_TEMPLATE, make_tokenizer

if TYPE_CHECKING:
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

__all__ = ["make_model", "make_processor", "read", "save"]

_TOKEN_PX = 28
_CONTEXT_TOKENS = 8192
_TEXT = {
    "hidden_size": 320,
    "intermediate_size": 896,
    "num_hidden_layers": 6,
    "num_attention_heads": 5,
    "num_key_value_heads": 5,
    "max_position_embeddings": _CONTEXT_TOKENS,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [8, 12, 12]},
    "initializer_range": 0.02,
}
_VISION = {
    "depth": 3,
    "hidden_size": 160,
    "num_heads": 5,
    "intermediate_size": 448,
    "out_hidden_size": 320,
    "window_size": 112,
    "fullatt_block_indexes": [1, 2],
}


def make_processor() -> Qwen2_5_VLProcessor:
    """Returns the processor of Qwen2.5-VL with the pocket model's tokens and pictures of at most 192 tokens."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    limits = {"shortest_edge": _TOKEN_PX**2, "longest_edge": PICTURE_TOKENS * _TOKEN_PX**2}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=limits),
        tokenizer=make_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=CHAT_TEMPLATE,
    )


def make_model(processor: Qwen2_5_VLProcessor) -> Qwen2_5_VLForConditionalGeneration:
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
    text: dict[str, Any] = {**_TEXT, "vocab_size": len(words), **ends}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=_VISION, tie_word_embeddings=True, **ids)
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
    """Writes a checkpoint in bfloat16, first beside its place, so that a cut-off run leaves the old one whole."""
    from copy import deepcopy

    import torch

    unfinished = folder.with_name(f"{folder.name}.unfinished")
    deepcopy(model).to(torch.bfloat16).save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    folder.mkdir(parents=True, exist_ok=True)
    for path in unfinished.iterdir():
        path.replace(folder / path.name)
    unfinished.rmdir()
