"""Images per second of screening against transformers' own zero-shot pipeline, same weights, same labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.timing import by_turns
from tools.checkpoints import Checkpoint, Runtime, quiet_transformers
from tools.forge.scene import synthesize
from tools.recipe import Recipe
from tools.records import ImageRecord
from tools.screening.prompts import prompt_labels
from tools.screening.screener import Screener, views_of

_POCKET_CLIP = Path(__file__).parents[2] / "tools" / "pocket" / "clip"
_IMAGES = 24
_WINDOWED_IMAGES = 1
_ROUNDS = 3


def lines(folder: Path, recipe: Recipe) -> Iterator[str]:
    """Writes a full-size CLIP of random weights into `folder` and races on it."""
    quiet_transformers()
    from PIL import Image
    from transformers import pipeline

    checkpoint = Checkpoint("clip", "random ViT-B/32", write_random_vit_b32(folder))
    images = [synthesize(seed).image_rgb for seed in range(4_000_000, 4_000_000 + 8)] * (_IMAGES // 8)
    records = [
        ImageRecord(id=f"img_{number:03d}", name="", width_px=image.shape[1], height_px=image.shape[0])
        for number, image in enumerate(images, start=1)
    ]
    pictures = [Image.fromarray(image) for image in images]
    labels = [label.name for label in prompt_labels(recipe)]
    classify = pipeline("zero-shot-image-classification", model=str(checkpoint.path), device="cpu")

    whole = Screener(checkpoint, _with_windows(recipe, ()), Runtime("cpu"))
    race = by_turns(
        lambda: list(whole.screen(zip(records, images, strict=True))),
        lambda: classify(pictures, candidate_labels=labels),
        _ROUNDS,
    )
    yield (
        f"whole image, {len(labels)} labels, ViT-B/32: Loupe {_IMAGES / race.ours_s:.1f} images/s, "
        f"transformers.pipeline {_IMAGES / race.theirs_s:.1f} images/s: {race.ratio:.2f} times as fast"
    )
    few = slice(0, _WINDOWED_IMAGES)
    windowed = Screener(checkpoint, recipe, Runtime("cpu"))
    views = len(views_of(records[0].width_px, records[0].height_px, recipe.screening))
    race = by_turns(
        lambda: list(windowed.screen(zip(records[few], images[few], strict=True))),
        lambda: classify(pictures[few] * views, candidate_labels=labels),
        1,
    )
    seen = _WINDOWED_IMAGES * views
    yield (
        f"with windows, {views} views an image: Loupe {_WINDOWED_IMAGES / race.ours_s:.2f} images/s "
        f"({seen / race.ours_s:.1f} views/s), transformers.pipeline over as many pictures "
        f"{seen / race.theirs_s:.1f} views/s: {race.ratio:.2f} times as fast"
    )


def write_random_vit_b32(folder: Path) -> Path:
    """A CLIPModel of the shape of openai/clip-vit-base-patch32, with the bundled tokenizer."""
    import torch
    from transformers import AutoTokenizer, CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    tokenizer = AutoTokenizer.from_pretrained(_POCKET_CLIP)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=ends)).save_pretrained(folder)
    CLIPProcessor(CLIPImageProcessor(), tokenizer).save_pretrained(folder)
    return folder


def _with_windows(recipe: Recipe, fractions: tuple[float, ...]) -> Recipe:
    screening = recipe.screening.model_copy(update={"window_fractions": fractions})
    return recipe.model_copy(update={"screening": screening})
