"""Makes a trained checkpoint larger without unlearning: it says what it said, and has more to learn with."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.checkpoint import Size, make_model, read, save
from agent.forge.trajectories import prompt_of
from tools.errors import UsageError

if TYPE_CHECKING:
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

__all__ = ["grow", "grown"]

_LAYER = re.compile(r"(?<=language_model\.layers\.)\d+")
# What writes into the stream that all layers read; where it is new it has to learn to.
_WRITES = re.compile(r"embed_tokens|lm_head|o_proj|down_proj|visual\.merger\.mlp\.2")
_OF_A_LAYER = re.compile(r"o_proj|down_proj")
_NORM = re.compile(r"language_model\.(norm|layers\.\d+\.\w+_layernorm)\.weight")


def grow(folder: Path, hidden: int, layers: int, out: Path) -> None:
    """Writes a larger checkpoint that answers as one does, its tokenizer knowing today's prompt by the line.

    Args:
        folder: The smaller one.
        hidden: Width of the language model, at least what it has, a multiple of 64.
        layers: Of the language model, at least as many as it has.
        out: Folder of the larger one.

    Raises:
        UsageError: It is smaller, or no multiple of 64.
    """
    import torch

    model, processor = read(folder)
    own = model.config.text_config
    if hidden < own.hidden_size or hidden % 64 or layers < own.num_hidden_layers:
        raise UsageError(
            f"width {hidden} and {layers} layers do not hold {own.hidden_size} and {own.num_hidden_layers}",
            "give at least as much of both, and a width that is a multiple of 64",
        )
    torch.manual_seed(0)
    larger = grown(model, processor, Size.of(hidden, layers))
    _know_prompt(larger, processor)
    save(larger, processor, out)


def grown(
    model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, size: Size
) -> Qwen2_5_VLForConditionalGeneration:
    """Returns a larger model whose outputs are those of a smaller one, but for rounding.

    New channels are silent, new heads and neurons write nothing yet (Chen et al. 2016, "Net2Net", arXiv
    1511.05641); new layers are copies of the one below that write nothing yet (Wu et al. 2024, "LLaMA Pro",
    arXiv 2401.02415). Everything that is read is random where it is new, so that all of it learns.

    Args:
        model: The smaller one.
        processor: Of both.
        size: Of the larger one; its vision tower stays as it is.
    """
    import torch

    depth = model.config.text_config.num_hidden_layers
    eyes = model.config.vision_config
    larger = make_model(processor, replace(size, vision_hidden=eyes.hidden_size, vision_depth=eyes.depth))
    theirs = model.state_dict()
    below = [layer * depth // size.layers for layer in range(size.layers)]
    quieter = (model.config.text_config.hidden_size / size.hidden) ** 0.5
    with torch.no_grad():
        for name, weights in larger.state_dict().items():
            layer = int(found[0]) if (found := _LAYER.search(name)) else 0
            is_new = layer > 0 and below[layer] == below[layer - 1]
            # The mean square is taken over the silent channels too.
            old = theirs[_LAYER.sub(str(below[layer]), name)] * (quieter if _NORM.search(name) else 1)
            _put(weights, old, name, is_new=is_new)
    return larger


def _put(weights: torch.Tensor, old: torch.Tensor, name: str, *, is_new: bool) -> None:
    """Fills new weights in place with the old ones."""
    if _WRITES.search(name) or name.endswith(".bias"):
        weights.zero_()
    if not (is_new and _OF_A_LAYER.search(name)):
        weights[tuple(slice(length) for length in old.shape)] = old


def _know_prompt(model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor) -> None:
    """Gives each spelled line of the system prompt a token, which begins as the mean of its spelling."""
    import torch
    from tokenizers import AddedToken

    words = processor.tokenizer
    lines = prompt_of(has_ledger=True, has_eyes=True).splitlines(keepends=True)
    spelled = {line: ids for line in lines if len(ids := words(line)["input_ids"]) > 1}
    words.add_tokens([AddedToken(line, normalized=False, special=False) for line in spelled])
    before = model.get_input_embeddings().weight.detach().clone()
    model.resize_token_embeddings(len(words), mean_resizing=False)
    with torch.no_grad():
        for line, ids in spelled.items():
            model.get_input_embeddings().weight[words.convert_tokens_to_ids(line)] = before[ids].mean(dim=0)
