"""What CLIP is asked: per label an ensemble of English prompts, and its mean text embedding."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import RecipeError
from tools.glossary import NORMAL
from tools.home import cache_dir, write_cached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from transformers import CLIPModel, PreTrainedTokenizerBase

    from tools.recipe import Label, Recipe

__all__ = ["PromptLabel", "prompt_labels", "prompts_sha256", "text_embeddings"]

# The state-level prompts for a good object and the image-level templates of WinCLIP (Jeong et al., "WinCLIP:
# Zero-/Few-Shot Anomaly Classification and Segmentation", CVPR 2023, appendix; arXiv 2303.14814).
_NORMAL_STATES = (
    "{noun}",
    "flawless {noun}",
    "perfect {noun}",
    "unblemished {noun}",
    "{noun} without flaw",
    "{noun} without defect",
    "{noun} without damage",
)
_TEMPLATES = (
    "a photo of a {}",
    "a photo of the {}",
    "a photo of a small {}",
    "a photo of the small {}",
    "a photo of a large {}",
    "a photo of the large {}",
    "a cropped photo of a {}",
    "a cropped photo of the {}",
    "a close-up photo of a {}",
    "a close-up photo of the {}",
    "a bright photo of a {}",
    "a bright photo of the {}",
    "a dark photo of a {}",
    "a dark photo of the {}",
    "a blurry photo of a {}",
    "a blurry photo of the {}",
    "a jpeg corrupted photo of a {}",
    "a jpeg corrupted photo of the {}",
    "a photo of a {} for visual inspection",
    "a photo of the {} for visual inspection",
    "a photo of a {} for anomaly detection",
    "a photo of the {} for anomaly detection",
)
_BATCH = 64


@dataclass(frozen=True)
class PromptLabel:
    """A label that screening can choose, and all the ways to say it.

    Attributes:
        is_defect: False on the normal side: a good part, and what only looks like a defect.
    """

    name: str
    is_defect: bool
    prompts: tuple[str, ...]


def prompt_labels(recipe: Recipe) -> tuple[PromptLabel, ...]:
    """The labels of a recipe in the order of the scores: `normal`, the defect types, the hard negatives.

    Each state phrase is put into each template, WinCLIP's and the recipe's own. A phrase with `{noun}` stands
    as it is; any other becomes `{noun} with <phrase>`.

    Raises:
        RecipeError: A label is called `normal`, or a template has no `{}` for the part in its state.
    """
    if NORMAL in recipe.defects or NORMAL in recipe.hard_negatives:
        raise RecipeError(f"A label of recipe {recipe.name!r} is called `{NORMAL}`.", "That name is taken.")
    templates = tuple(dict.fromkeys((*_TEMPLATES, *(_slotted(t) for t in recipe.screening.templates))))
    noun = recipe.part.noun

    def label(name: str, phrases: tuple[str, ...], *, is_defect: bool) -> PromptLabel:
        states = [p if "{noun}" in p else f"{{noun}} with {p}" for p in phrases]
        objects = [state.replace("{noun}", noun) for state in states]
        prompts = dict.fromkeys(template.replace("{}", o) for o in objects for template in templates)
        return PromptLabel(name, is_defect, tuple(prompts))

    def phrases_of(name: str, of: Label) -> tuple[str, ...]:
        return of.prompts or (name,)

    return (
        label(NORMAL, recipe.normal_prompts or _NORMAL_STATES, is_defect=False),
        *(label(name, phrases_of(name, of), is_defect=True) for name, of in recipe.defects.items()),
        *(label(name, phrases_of(name, of), is_defect=False) for name, of in recipe.hard_negatives.items()),
    )


def prompts_sha256(labels: Sequence[PromptLabel]) -> str:
    """Hash of all that is asked: a count of prompts does not tell those of two recipes apart."""
    asked = [[label.name, label.is_defect, label.prompts] for label in labels]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _slotted(template: str) -> str:
    slotted = template.replace("{noun} with {state}", "{}")
    if "{}" not in slotted:
        raise RecipeError(
            f"The screening template {template!r} has no place for the part.",
            "Write `{}` where the part in its state goes: `a macro photo of a {}`.",
        )
    return slotted


def text_embeddings(
    labels: Sequence[PromptLabel],
    model: CLIPModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    weights_sha256: str,
) -> NDArray[np.float32]:
    """Mean of the normalised embeddings of each label's prompts, normalised again: shape (labels, dimension).

    Kept in the cache under the hash of the weights, the precision and the prompts, so that a change of any of
    them never reads a stale one.

    Args:
        labels: What to embed.
        model: CLIP.
        tokenizer: Its tokenizer.
        weights_sha256: Hash of the model's weights.
    """
    content = json.dumps([weights_sha256, str(model.dtype), [label.prompts for label in labels]])
    path = cache_dir() / "text" / f"{hashlib.sha256(content.encode()).hexdigest()}.npy"
    try:
        known = np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
        if known.shape == (len(labels), model.config.projection_dim):
            return known
    except (OSError, ValueError, EOFError):
        pass
    # Absent, or damaged: it is made again.
    embeddings = np.stack([_mean_embedding(label.prompts, model, tokenizer) for label in labels])
    buffer = io.BytesIO()
    np.save(buffer, embeddings)
    write_cached(path, buffer.getvalue())
    return embeddings


def _mean_embedding(
    prompts: Sequence[str], model: CLIPModel, tokenizer: PreTrainedTokenizerBase
) -> NDArray[np.float32]:
    import torch

    total = torch.zeros(model.config.projection_dim, dtype=torch.float32, device=model.device)
    with torch.inference_mode():
        for start in range(0, len(prompts), _BATCH):
            tokens = tokenizer(
                list(prompts[start : start + _BATCH]),
                padding=True,
                truncation=True,
                max_length=model.config.text_config.max_position_embeddings,
                return_tensors="pt",
            ).to(model.device)
            features = model.get_text_features(**tokens).pooler_output.float()
            total += torch.nn.functional.normalize(features, dim=-1).sum(dim=0)
        mean: NDArray[np.float32] = torch.nn.functional.normalize(total, dim=0).cpu().numpy()
    return mean
