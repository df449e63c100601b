"""Trains the pocket BLIP: a BlipForConditionalGeneration whose eyes begin as those of the pocket CLIP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.checkpoints import quiet_transformers
from tools.forge.captions import TELLING_WORDS, Captioned, captioned_regions
from tools.forge.schedule import Averaged, Budget, Progress, optimizers_of, set_rate, take_step
from tools.forge.training_set import Photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import (
        BertTokenizerFast,
        BlipForConditionalGeneration,
        BlipProcessor,
        CLIPImageProcessor,
        CLIPModel,
    )

__all__ = ["new_blip", "train_blip"]

_RATE, _VISION_RATE = 1e-3, 3e-4
_BATCH = 48
_REGIONS_PER_PHOTO = 3
_VOCABULARY = 1024
_LONGEST_CAPTION = 64
# How often words count that tell one type from another: they are two of a dozen, and learned last.
_TELLING_WEIGHT = 4.0
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def _new_tokenizer(captions: Sequence[str]) -> BertTokenizerFast:
    """Learns a WordPiece vocabulary in BERT's form; letters are in it, so that a prefix may be any word."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import BertTokenizerFast

    learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    learner.normalizer = normalizers.BertNormalizer(lowercase=True)
    learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    letters = [chr(code) for code in range(33, 127)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=_VOCABULARY, special_tokens=list(_SPECIAL), initial_alphabet=letters, show_progress=False
    )
    learner.train_from_iterator(captions, trainer)
    tokens = [*_SPECIAL, *letters, *(f"##{letter}" for letter in letters), *sorted(learner.get_vocab())]
    return BertTokenizerFast(vocab={token: number for number, token in enumerate(dict.fromkeys(tokens))})


def new_blip(
    tokenizer: BertTokenizerFast, clip: CLIPModel, *, layers: int = 4
) -> BlipForConditionalGeneration:
    """Returns a model with CLIP's vision tower and a random text decoder.

    Args:
        tokenizer: Its vocabulary.
        clip: Whose vision tower it takes over.
        layers: Of the decoder, each as wide as the vision tower.
    """
    from transformers import BlipConfig, BlipForConditionalGeneration

    vision = clip.config.vision_config
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    shared = (*sizes, "image_size", "patch_size", "hidden_act")
    config = BlipConfig(
        vision_config={name: getattr(vision, name) for name in shared},
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": vision.hidden_size, "num_hidden_layers": layers,
            "encoder_hidden_size": vision.hidden_size, "intermediate_size": 4 * vision.hidden_size,
            "num_attention_heads": vision.num_attention_heads, "max_position_embeddings": _LONGEST_CAPTION,
            "bos_token_id": tokenizer.cls_token_id, "sep_token_id": tokenizer.sep_token_id,
            "eos_token_id": tokenizer.sep_token_id, "pad_token_id": tokenizer.pad_token_id,
        },
    )  # fmt: skip
    model = BlipForConditionalGeneration(config)
    model.vision_model.load_state_dict(_eyes_of(clip))
    return model


def _eyes_of(clip: CLIPModel) -> dict[str, torch.Tensor]:
    """Returns CLIP's vision weights under BLIP's names.

    BLIP has no layer norm between the embeddings and the first layer. CLIP's is folded into the embeddings:
    centring and its weights exactly, the division by each token's own spread as one for all; training makes
    up for the rest.
    """
    import torch

    theirs = clip.vision_model.state_dict()
    weight, bias = theirs["pre_layrnorm.weight"], theirs["pre_layrnorm.bias"]
    position = theirs["embeddings.position_embedding.weight"]
    centred = position - position.mean(dim=1, keepdim=True)
    scale = weight / centred.std(dim=1).mean()
    kernel = theirs["embeddings.patch_embedding.weight"]
    own = theirs["embeddings.class_embedding"]
    eyes = {
        "embeddings.patch_embedding.weight": (kernel - kernel.mean(dim=0)) * scale.view(-1, 1, 1, 1),
        "embeddings.patch_embedding.bias": torch.zeros_like(bias),
        "embeddings.position_embedding": (centred * scale + bias)[None],
        "embeddings.class_embedding": ((own - own.mean()) * scale).view(1, 1, -1),
    }
    for name, value in theirs.items():
        if "q_proj" in name:
            parts = [theirs[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
            eyes[name.replace("q_proj", "qkv")] = torch.cat(parts)
        elif "out_proj" in name:
            eyes[name.replace("out_proj", "projection")] = value
        elif "k_proj" not in name and "v_proj" not in name and not name.startswith(("embeddings.", "pre_")):
            eyes[name] = value
    return eyes


def _new_processor(
    tokenizer: BertTokenizerFast, clip_images: CLIPImageProcessor, side_px: int
) -> BlipProcessor:
    from transformers import BlipImageProcessor, BlipProcessor

    images = BlipImageProcessor(
        size={"height": side_px, "width": side_px},
        image_mean=clip_images.image_mean,
        image_std=clip_images.image_std,
    )
    return BlipProcessor(images, tokenizer)


class _Teacher:
    """Makes batches of regions with their captions."""

    def __init__(self, photos: Sequence[Photo], side_px: int, rng: np.random.Generator) -> None:
        self._photos, self._side_px, self._rng = photos, side_px, rng

    def regions(self, count: int) -> list[Captioned]:
        """Returns that many regions of photographs chosen at random."""
        regions: list[Captioned] = []
        while len(regions) < count:
            photo = self._photos[int(self._rng.integers(len(self._photos)))]
            regions += captioned_regions(photo, _REGIONS_PER_PHOTO, self._rng, side_px=self._side_px)
        return regions[:count]

    def loss(
        self,
        model: BlipForConditionalGeneration,
        processor: BlipProcessor,
        batch: int,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """Returns the cross entropy of the captions' next words, each of which has its weight."""
        import torch

        regions = self.regions(batch)
        images = processor.image_processor
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (images.image_mean, images.image_std))
        pixels = torch.from_numpy(np.stack([region.pixels for region in regions])).permute(0, 3, 1, 2)
        captions = [region.caption for region in regions]
        tokens = processor.tokenizer(captions, padding=True, return_tensors="pt")
        labels = tokens.input_ids.masked_fill(tokens.attention_mask == 0, -100)
        with torch.autocast("cpu", torch.bfloat16):
            eyes = model.vision_model(pixel_values=(pixels / 255 - mean) / std).last_hidden_state
            said = model.text_decoder(
                input_ids=tokens.input_ids, attention_mask=tokens.attention_mask, encoder_hidden_states=eyes
            ).logits
        loss: torch.Tensor = torch.nn.functional.cross_entropy(
            said[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), weight=weights, label_smoothing=0.02
        )
        return loss


def _word_weights(tokenizer: BertTokenizerFast) -> torch.Tensor:
    """Returns how much each token of the vocabulary counts, shape (tokens,)."""
    import torch

    weights = torch.ones(len(tokenizer))
    weights[tokenizer(" ".join(TELLING_WORDS), add_special_tokens=False).input_ids] = _TELLING_WEIGHT
    return weights


def _save(model: BlipForConditionalGeneration, processor: BlipProcessor, out: Path) -> None:
    import torch
    from transformers import BlipForConditionalGeneration

    quiet_transformers()
    out.mkdir(parents=True, exist_ok=True)
    halved = BlipForConditionalGeneration(model.config).half()
    halved.load_state_dict({name: weight.to(torch.float16) for name, weight in model.state_dict().items()})
    halved.save_pretrained(out)
    processor.tokenizer.backend_tokenizer.no_padding()
    processor.save_pretrained(out)


def _started(
    photos: Sequence[Photo], clip: Path, start: Path | None, rng: np.random.Generator, layers: int
) -> tuple[Any, Any]:
    from transformers import AutoProcessor, BlipForConditionalGeneration, CLIPImageProcessor, CLIPModel

    if start:
        return (
            BlipForConditionalGeneration.from_pretrained(start, dtype="float32"),
            AutoProcessor.from_pretrained(start),
        )
    eyes = CLIPModel.from_pretrained(clip, dtype="float32")
    side_px = int(eyes.config.vision_config.image_size)
    sample = _Teacher(photos, side_px, rng).regions(min(600, 4 * len(photos)))
    tokenizer = _new_tokenizer([region.caption for region in sample])
    processor = _new_processor(tokenizer, CLIPImageProcessor.from_pretrained(clip), side_px)
    return new_blip(tokenizer, eyes, layers=layers), processor


def train_blip(
    photos: Sequence[Photo],
    out: Path,
    budget: Budget,
    *,
    clip: Path,
    seed: int = 0,
    start: Path | None = None,
    layers: int = 4,
    batch: int = _BATCH,
) -> None:
    """Trains a BlipForConditionalGeneration and writes it with its processor, in half precision.

    Args:
        photos: The training set.
        out: Folder of the checkpoint.
        budget: How long.
        clip: Checkpoint of the CLIPModel whose vision tower it begins with.
        seed: Of the decoder's weights, the regions and the captions.
        start: Checkpoint whose weights to begin with instead.
        layers: Of the decoder.
        batch: Regions per step.
    """
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model, processor = _started(photos, clip, start, rng, layers)
    model.train()
    teacher = _Teacher(photos, int(model.config.vision_config.image_size), rng)
    eyes, words = optimizers_of(model.vision_model, _VISION_RATE), optimizers_of(model.text_decoder, _RATE)
    weights = _word_weights(processor.tokenizer)
    averaged = Averaged(model)
    progress = Progress(budget)
    for step in progress:
        set_rate(eyes, _VISION_RATE * progress.rate)
        set_rate(words, _RATE * progress.rate)
        loss = teacher.loss(model, processor, batch, weights)
        take_step(loss, model, (*eyes, *words))
        averaged.update(model, step)
        if progress.is_time_to_save():
            _save(averaged.model, processor, out)
        progress.say(caption=float(loss.detach()))
    _save(averaged.model, processor, out)
