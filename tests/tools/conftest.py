"""Tiny random checkpoints in the real formats, so that the real code loads and runs in seconds."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tools.checkpoints import Checkpoint
from tools.recipe import DefectType, Label, Part, Recipe
from tools.records import ImageRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own: nothing is read from or left in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LOUPE_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe(
        recipe_version=1,
        name="test",
        part=Part(name="plate", noun="metal plate"),
        defects={
            "scratch": DefectType(
                prompts=("a scratch", "a long thin scratch"), detector_classes=("Scratch", "line")
            ),
            "dent": DefectType(),
        },
        hard_negatives={"dust": Label()},
    )


@pytest.fixture(scope="session")
def picture() -> Callable[..., tuple[ImageRecord, NDArray[np.uint8]]]:
    def make(number: int = 1, width: int = 96, height: int = 64) -> tuple[ImageRecord, NDArray[np.uint8]]:
        image = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        record = ImageRecord(id=f"img_{number:03d}", name=f"{number}.png", width_px=width, height_px=height)
        return record, image

    return make


@pytest.fixture(scope="session")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    end = len(tokens) - 1
    config = CLIPConfig(
        text_config={**tower, "vocab_size": len(tokens), "bos_token_id": end - 1, "eos_token_id": end},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=24,
    )
    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    processor = CLIPImageProcessor(size=size, crop_size=size)
    CLIPProcessor(processor, CLIPTokenizer(vocab=vocabulary, merges=[])).save_pretrained(folder)
    return Checkpoint("clip", "tiny-clip", folder)


@pytest.fixture
def without_weights(tmp_path: Path) -> Callable[[Path, list[str]], Path]:
    """Copies a checkpoint's folder without the tensors whose names begin so."""
    from safetensors.torch import load_file, save_file

    def copied(folder: Path, gone: list[str]) -> Path:
        copy = tmp_path / "lacking"
        shutil.copytree(folder, copy)
        weights = load_file(copy / "model.safetensors")
        left = {name: tensor for name, tensor in weights.items() if not name.startswith(tuple(gone))}
        assert (len(left) < len(weights)) is bool(gone)
        save_file(left, copy / "model.safetensors", metadata={"format": "pt"})
        return copy

    return copied


@pytest.fixture(scope="session")
def detectors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One random YOLO11n in every format that can be loaded, and one with masks."""
    import torch

    from tools.localization.detectors import import_ultralytics, save_detector

    folder = tmp_path_factory.mktemp("detectors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_CACHE", str(folder / "cache"))
        yolo = import_ultralytics().YOLO
    for task, name in (("detect", "yolo11n.yaml"), ("segment", "yolo11n-seg.yaml")):
        torch.manual_seed(0)
        network = yolo(name).model
        network.names = {0: "scratch", 1: "dent", **{index: f"class {index}" for index in range(2, 80)}}
        for branch in (*network.model[-1].cv2, *network.model[-1].cv3):  # boxes of many sizes and scores
            torch.nn.init.normal_(branch[-1].bias, std=2.0)
        network.half().float()  # what half precision rounds away must not tell the formats apart
        save_detector(network, folder / task, task=task, image_size_px=64)
        if task == "detect":
            torch.save({"model": network.half(), "train_args": {"imgsz": 64}}, folder / "detect.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yolo(folder / "detect.pt").export(format="onnx", imgsz=64, verbose=False)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="session")
def blip_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    import torch
    from transformers import (
        BertTokenizer,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]")
    words = (*marks, "a", "scratch", "dent", "on", "the", "metal", "plate", "long", "thin", "photo", "of")
    vocabulary = {word: number for number, word in enumerate(words)}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {
        "vocab_size": len(words),
        "bos_token_id": 5,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
    }
    config = BlipConfig(
        text_config={**tower, **text, "encoder_hidden_size": 32, "max_position_embeddings": 64},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
    )
    folder = tmp_path_factory.mktemp("blip")
    torch.manual_seed(0)
    model = BlipForConditionalGeneration(config)
    for parameter in model.parameters():  # at the usual scale, one picture would be like another
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.6)
    model.save_pretrained(folder)
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    tokenizer = BertTokenizer(vocab=vocabulary, additional_special_tokens=["[DEC]", "[ENC]"])
    BlipProcessor(processor, tokenizer).save_pretrained(folder)
    return Checkpoint("blip", "tiny-blip", folder)


@pytest.fixture(scope="session")
def blip2_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        BlipImageProcessor,
        GPT2Tokenizer,
    )

    tokens = ["<s>", "<pad>", "</s>", *sorted(ByteLevel.alphabet()), "<image>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    language = {"model_type": "opt", "vocab_size": len(tokens), "ffn_dim": 64, "word_embed_proj_dim": 32}
    config = Blip2Config(
        vision_config={**tower, "image_size": 32, "patch_size": 8, "initializer_range": 0.3},
        qformer_config={**tower, "vocab_size": len(tokens)},
        text_config={**tower, **language, "max_position_embeddings": 64},
        num_query_tokens=4,
        image_token_index=len(tokens) - 1,
    )
    folder = tmp_path_factory.mktemp("blip2")
    torch.manual_seed(0)
    Blip2ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer = GPT2Tokenizer(
        vocab=vocabulary, merges=[], bos_token="</s>", eos_token="</s>", unk_token="</s>", pad_token="<pad>"
    )
    processor = BlipImageProcessor(size={"height": 32, "width": 32})
    Blip2Processor(processor, tokenizer, num_query_tokens=4).save_pretrained(folder)
    return Checkpoint("blip", "tiny-blip-2", folder)
