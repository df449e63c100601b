"""Trains the pocket CLIP: a CLIPModel with its own tokenizer, from random weights, on views of parts."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.checkpoints import quiet_transformers
from tools.forge.phrases import LABELS, corpus, material_prompt, state_prompts
from tools.forge.schedule import Averaged, Budget, Progress, optimizers_of, set_rate, take_step
from tools.forge.views import MARK_TYPES, View, views_of_photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import CLIPModel, CLIPProcessor, CLIPTokenizerFast

    from tools.forge.training_set import Photo

__all__ = ["ClipSize", "new_clip", "new_tokenizer", "train_clip"]

_RATE = 2e-3
_VIEWS_PER_PHOTO = 4
_PROMPT_GROUPS = 4
# Most of the time the views are parts of a full view, half as wide: more marks in fewer tokens.
_PART, _PARTS_UNTIL = 0.5, 0.6
_VOCABULARY = 2048
_LONGEST_TEXT = 48
_PATCH_WEIGHT, _MATERIAL_WEIGHT = 1.0, 0.2
_POSITIVE_WEIGHT = 3.0  # marks cover few patches
_FIRST_SCALE = 30.0
_WHITENING_BATCHES = 6
_WHITENING_FLOOR = 1e-3  # of the mean variance: keeps noise from being blown up
_HIGHEST_SCALE = 100.0  # as in CLIP (Radford et al. 2021)


@dataclass(frozen=True)
class ClipSize:
    """Sizes of the two towers and of a batch; the pocket model's by default."""

    image_px: int = 128
    patch_px: int = 16
    hidden: int = 256
    layers: int = 6
    text_hidden: int = 192
    text_layers: int = 4
    batch: int = 64


_POCKET = ClipSize()


def new_tokenizer(sentences: Sequence[str]) -> CLIPTokenizerFast:
    """Learns a byte-level BPE vocabulary in CLIP's form: any text has tokens, none is unknown."""
    from tokenizers import AddedToken
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import CLIPTokenizerFast

    letters = sorted(ByteLevel.alphabet())
    blank = CLIPTokenizerFast()
    learner = blank.backend_tokenizer
    trainer = BpeTrainer(
        vocab_size=_VOCABULARY, initial_alphabet=letters, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator(sentences, trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizerFast(
        vocab=vocabulary,
        merges=merges,
        bos_token=AddedToken("<|startoftext|>", special=True),
        model_max_length=_LONGEST_TEXT,
    )


def new_clip(tokenizer: CLIPTokenizerFast, size: ClipSize) -> CLIPModel:
    """Returns a CLIPModel with random weights."""
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(
        projection_dim=size.text_hidden,
        logit_scale_init_value=math.log(_FIRST_SCALE),
        vision_config={
            "hidden_size": size.hidden, "intermediate_size": 3 * size.hidden,
            "num_hidden_layers": size.layers, "num_attention_heads": max(size.hidden // 64, 1),
            "image_size": size.image_px, "patch_size": size.patch_px, "projection_dim": size.text_hidden,
        },
        text_config={
            "hidden_size": size.text_hidden, "intermediate_size": 2 * size.text_hidden,
            "num_hidden_layers": size.text_layers, "num_attention_heads": max(size.text_hidden // 64, 1),
            "vocab_size": len(tokenizer), "max_position_embeddings": _LONGEST_TEXT,
            "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id, "projection_dim": size.text_hidden,
        },
    )  # fmt: skip
    config._attn_implementation = "eager"  # the fused kernel's backward pass is slower on a CPU at this size
    return CLIPModel(config)


def _whiten(model: CLIPModel, pixels: torch.Tensor) -> None:
    """Sets the patch embedding to the whitened principal components of the patches, and holds it there.

    Pictures are mostly slow shading: under random weights a thin scratch is a thousandth of what a token
    says. Whitened, each detail counts alike, and training is many times faster (Jordan 2024, "94% on
    CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498, does so for a convolution).

    Args:
        model: Whose embedding is set.
        pixels: A batch (N, 3, side, side) as the model will see it.
    """
    import torch

    embedding = model.vision_model.embeddings.patch_embedding
    patch_px, kept = embedding.kernel_size[0], embedding.out_channels
    patches = torch.nn.functional.unfold(pixels, patch_px, stride=patch_px).transpose(1, 2).flatten(0, 1)
    spreads, directions = torch.linalg.eigh(torch.cov(patches.T))
    floor = _WHITENING_FLOOR * spreads.mean()
    components = directions[:, -kept:] / torch.sqrt(spreads[-kept:] + floor)
    # A random turn spreads the components over all channels, so that no channel is only shading.
    turn, _ = torch.linalg.qr(torch.randn(components.shape[1], components.shape[1]))
    turned = (components @ turn).T
    padded = torch.zeros_like(embedding.weight).flatten(1)
    padded[: turned.shape[0]] = turned
    with torch.no_grad():
        embedding.weight.copy_(padded.view_as(embedding.weight))


def new_processor(tokenizer: CLIPTokenizerFast, image_px: int) -> CLIPProcessor:
    """Returns the processor that belongs to the model, with CLIP's usual mean and deviation."""
    from transformers import CLIPImageProcessor, CLIPProcessor

    images = CLIPImageProcessor(
        size={"shortest_edge": image_px}, crop_size={"height": image_px, "width": image_px}
    )
    return CLIPProcessor(image_processor=images, tokenizer=tokenizer)


def _seen(
    model: CLIPModel, pixels: torch.Tensor, place: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the patch tokens and the pooled token of pictures that may be parts of a full view.

    A part takes the positions that it has in the full view, so that what is learned from parts at a quarter
    of the cost holds for whole views (masking as in FLIP, Li et al. 2023, arXiv 2212.00794, but compact).

    Args:
        model: The model.
        pixels: (N, 3, side, side), the side a multiple of the patch's.
        place: Row and column of the part's first patch in the full view.
    """
    import torch

    vision, embeddings = model.vision_model, model.vision_model.embeddings
    patches = embeddings.patch_embedding(pixels)
    grid, full = patches.shape[-1], embeddings.image_size // embeddings.patch_size
    rows, columns = (torch.arange(grid) + first for first in place)
    position = embeddings.position_embedding.weight
    first = (embeddings.class_embedding + position[0]).expand(len(pixels), 1, -1)
    rest = patches.flatten(2).transpose(1, 2) + position[1 + (rows[:, None] * full + columns).flatten()]
    tokens = vision.pre_layrnorm(torch.cat([first, rest], dim=1))
    hidden = vision.encoder(inputs_embeds=tokens).last_hidden_state
    return hidden[:, 1:], vision.post_layernorm(hidden[:, 0])


class _Teacher:
    """Makes batches and says how wrong the model is about them."""

    def __init__(
        self, photos: Sequence[Photo], processor: CLIPProcessor, size: ClipSize, rng: np.random.Generator
    ) -> None:
        import torch

        self._photos, self._rng, self._size = photos, rng, size
        self._tokenizer = processor.tokenizer
        self._mean = torch.tensor(processor.image_processor.image_mean).view(1, 3, 1, 1)
        self._std = torch.tensor(processor.image_processor.image_std).view(1, 3, 1, 1)
        self._nouns = tuple(sorted({photo.material for photo in photos}))
        self._materials = tuple(sorted({_material(noun) for noun in self._nouns}))

    def batch(self, part: float = 1.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns pixels, states (N, labels), patches (N, tokens, marks) and material numbers (N,).

        Args:
            part: Side of the views in a full view's; the smaller, the more of them.
        """
        import torch

        views: list[View] = []
        materials: list[int] = []
        grid = round(part * self._size.image_px / self._size.patch_px)
        side_px = grid * self._size.patch_px
        while len(views) < self._size.batch / part:
            photo = self._photos[int(self._rng.integers(len(self._photos)))]
            count = round(_VIEWS_PER_PHOTO / part)
            new = views_of_photo(photo, count, self._rng, side_px=side_px, grid=grid, part=part)
            views += new
            materials += [self._materials.index(_material(photo.material))] * len(new)
        pixels = torch.from_numpy(np.stack([view.pixels for view in views])).permute(0, 3, 1, 2)
        patches = torch.from_numpy(np.stack([view.patches for view in views])).flatten(1, 2)
        states = torch.from_numpy(np.stack([view.state for view in views]))
        return (pixels / 255 - self._mean) / self._std, states, patches, torch.tensor(materials)

    def sentences(self) -> tuple[list[str], int]:
        """Returns groups of one prompt per label, then one per material, and how many groups there are."""
        groups = [state_prompts(self._nouns, self._rng) for _ in range(_PROMPT_GROUPS)]
        materials = [material_prompt(material, self._rng) for material in self._materials]
        return [*(sentence for group in groups for sentence in group), *materials], len(groups)

    def _place(self, side_px: int) -> tuple[int, int]:
        last = (self._size.image_px - side_px) // self._size.patch_px
        return int(self._rng.integers(last + 1)), int(self._rng.integers(last + 1))

    def losses(self, model: CLIPModel, patch_head: torch.nn.Module, part: float) -> dict[str, torch.Tensor]:
        """Returns the loss of each lesson on a fresh batch.

        `state`: soft-target cross entropy over the labels, as zero-shot prompting will choose among them, per
        group of prompts and for their mean (label-aware contrast: UniCL, Yang et al. 2022, arXiv 2204.03610).
        `patches`: which mark lies in which patch, through a head that is thrown away.
        """
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, normalize

        pixels, states, patches, materials = self.batch(part)
        sentences, groups = self.sentences()
        tokens = self._tokenizer(
            sentences, padding=True, truncation=True, max_length=_LONGEST_TEXT, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            seen, pooled = _seen(model, pixels, self._place(pixels.shape[-1]))
            image = model.visual_projection(pooled)
            text = model.text_projection(model.text_model(**tokens).pooler_output)
            found = patch_head(seen)
        image, text = normalize(image.float(), dim=-1), normalize(text.float(), dim=-1)
        scale = model.logit_scale.exp().clamp(max=_HIGHEST_SCALE)
        by_group = text[: groups * len(LABELS)].view(groups, len(LABELS), -1)
        mean = normalize(by_group.mean(dim=0), dim=-1)
        choices = [cross_entropy(scale * image @ each.T, states) for each in (*by_group, mean)]
        state = torch.stack(choices).mean()
        material = cross_entropy(scale * image @ text[groups * len(LABELS) :].T, materials)
        weight = torch.tensor(_POSITIVE_WEIGHT)
        patch = binary_cross_entropy_with_logits(found.float(), patches, pos_weight=weight)
        return {"state": state, "material": material, "patches": patch * len(MARK_TYPES)}


def _material(noun: str) -> str:
    """What the part is made of, without its shape, which a close view does not show."""
    return noun.rpartition(" ")[0] or noun


def _save(model: CLIPModel, processor: CLIPProcessor, out: Path) -> None:
    import torch
    from transformers import CLIPModel

    quiet_transformers()
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.to(torch.float16) for name, weight in model.state_dict().items()}
    halved = CLIPModel(model.config).half()
    halved.load_state_dict(weights)
    halved.save_pretrained(out)
    # What the last batch was cut and padded to is no part of the tokenizer.
    processor.tokenizer.backend_tokenizer.no_truncation()
    processor.tokenizer.backend_tokenizer.no_padding()
    processor.save_pretrained(out)


def _started(photos: Sequence[Photo], size: ClipSize, start: Path | None, seed: int) -> tuple[Any, Any]:
    from transformers import AutoProcessor, CLIPModel

    if start:
        model = CLIPModel.from_pretrained(start, dtype="float32", attn_implementation="eager")
        return model, AutoProcessor.from_pretrained(start)
    nouns = tuple(sorted({photo.material for photo in photos}))
    tokenizer = new_tokenizer(corpus(nouns, np.random.default_rng(seed)))
    return new_clip(tokenizer, size), new_processor(tokenizer, size.image_px)


def train_clip(
    photos: Sequence[Photo],
    out: Path,
    budget: Budget,
    *,
    seed: int = 0,
    start: Path | None = None,
    size: ClipSize = _POCKET,
) -> None:
    """Trains a CLIPModel and writes it with its processor, in half precision.

    Args:
        photos: The training set.
        out: Folder of the checkpoint.
        budget: How long.
        seed: Of the weights, the views and the sentences.
        start: Checkpoint whose weights to begin with; None for random ones.
        size: Sizes of the model, where it is a new one, and of a batch.
    """
    import torch

    torch.manual_seed(seed)
    model, processor = _started(photos, size, start, seed)
    vision = model.config.vision_config
    size = replace(size, image_px=vision.image_size, patch_px=vision.patch_size)
    teacher = _Teacher(photos, processor, size, np.random.default_rng(seed))
    if not start:
        _whiten(model, torch.cat([teacher.batch()[0] for _ in range(_WHITENING_BATCHES)]))
    model.vision_model.embeddings.patch_embedding.requires_grad_(False)
    hidden = vision.hidden_size
    patch_head = torch.nn.Sequential(torch.nn.LayerNorm(hidden), torch.nn.Linear(hidden, len(MARK_TYPES)))
    optimizers = (*optimizers_of(model, _RATE), torch.optim.AdamW(patch_head.parameters(), lr=_RATE))
    averaged = Averaged(model)
    progress = Progress(budget, warm_up=150)
    for step in progress:
        set_rate(optimizers, _RATE * progress.rate)
        losses = teacher.losses(model, patch_head, _PART if progress.fraction < _PARTS_UNTIL else 1.0)
        loss = losses["state"] + _MATERIAL_WEIGHT * losses["material"] + _PATCH_WEIGHT * losses["patches"]
        take_step(loss, model, optimizers)
        averaged.update(model, step)
        if progress.is_time_to_save():
            _save(averaged.model, processor, out)
        progress.say(
            scale=float(model.logit_scale.detach().exp()), **{k: float(v.detach()) for k, v in losses.items()}
        )
    _save(averaged.model, processor, out)
