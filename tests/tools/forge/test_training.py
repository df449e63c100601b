from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoProcessor, BlipForConditionalGeneration, CLIPModel, CLIPTokenizerFast

from tools.captioning.rules import caption_faults
from tools.checkpoints import Checkpoint, resolve
from tools.errors import UsageError
from tools.forge.augment import developed, turned
from tools.forge.captions import captioned_regions
from tools.forge.dataset import write_set
from tools.forge.phrases import LABELS, corpus, state_prompts
from tools.forge.schedule import Averaged, Budget, Progress
from tools.forge.train_blip import train_blip
from tools.forge.train_clip import ClipSize, new_tokenizer, train_clip
from tools.forge.train_yolo import Stage, train_yolo
from tools.forge.training import main
from tools.forge.training_set import Photo, read_set, tight_box
from tools.forge.truth import DEFECT_TYPES
from tools.forge.views import MARK_TYPES, views_of_photo
from tools.localization.localizer import Localizer
from tools.recipe import Models
from tools.recipe.file import load_recipe
from tools.records import ImageRecord

TWO_STEPS = Budget(minutes=5, steps=2)
TINY = ClipSize(image_px=32, hidden=64, layers=1, text_hidden=64, text_layers=1, batch=4)
LIMIT_BYTES = 40_000_000


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Photo]:
    folder = tmp_path_factory.mktemp("set") / "set"
    write_set(folder, 8, 1, size_px=(256, 256), defect_rate=1.0)
    return read_set(folder)


@pytest.fixture(scope="module")
def clip(photos: list[Photo], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip")
    train_clip(photos, out, TWO_STEPS, size=TINY)
    return out


def test_a_set_reads_back_what_was_written(photos: list[Photo]):
    assert len(photos) == 8
    assert any(photo.defects for photo in photos)
    for photo in photos:
        assert photo.pixels().shape == (256, 256, 3)
        for defect, mask in zip(photo.defects, photo.masks(), strict=True):
            assert tight_box(mask) == defect.box_xyxy_px


def test_a_folder_without_a_set_is_an_error(tmp_path: Path):
    with pytest.raises(UsageError, match="holds no set"):
        read_set(tmp_path)


def test_turning_moves_boxes_with_the_picture():
    image = np.zeros((40, 40, 3), np.uint8)
    image[4:12, 20:36] = 255
    box = np.array([[0.5, 0.1, 0.9, 0.3]], np.float32)
    seen = set()
    for seed in range(40):
        picture, boxes = turned(image, box, np.random.default_rng(seed))
        assert tight_box(picture[..., 0] > 0) == tuple(round(float(edge) * 40) for edge in boxes[0])
        seen.add(picture.tobytes())
    assert len(seen) == 8


def test_developing_keeps_size_and_kind():
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    for seed in range(20):
        other = developed(image, np.random.default_rng(seed))
        assert other.shape == image.shape
        assert other.dtype == np.uint8


def test_views_say_what_lies_inside(photos: list[Photo]):
    rng = np.random.default_rng(0)
    views = [view for photo in photos for view in views_of_photo(photo, 6, rng, side_px=128, grid=8)]
    assert {LABELS[i] for view in views for i in np.flatnonzero(view.state)} >= {"normal", "scratch", "crack"}
    for view in views:
        assert view.pixels.shape == (128, 128, 3)
        assert view.state.sum() == pytest.approx(1.0)
        for kind in DEFECT_TYPES:
            if view.state[LABELS.index(kind)] > 0:
                assert view.patches[..., MARK_TYPES.index(kind)].any()


def test_captions_name_the_defect_and_pass_the_quality_rules(photos: list[Photo]):
    metal, rng = load_recipe(), np.random.default_rng(0)
    part = metal.part.model_copy(update={"noun": "part", "name": "Part", "name_ko": ""})
    recipe = metal.model_copy(update={"part": part})  # the forge makes parts of every material
    regions = [region for photo in photos for region in captioned_regions(photo, 6, rng, side_px=64)]
    assert {region.type for region in regions} > {"scratch", ""}
    for region in regions:
        if region.type:
            assert region.type in region.caption
            assert not caption_faults(region.caption, recipe, {region.type: 1}, ())


def test_prompts_of_a_group_differ_in_the_state_only():
    prompts = state_prompts(("zinc disc",), np.random.default_rng(3))
    assert len(prompts) == len(LABELS) == len(set(prompts))


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizerFast:
    return new_tokenizer(corpus(("zinc disc",), np.random.default_rng(0)))


@pytest.mark.parametrize("text", ["A Scratch, 3 mm!", "zebra crossing", "크랙 é ß", "🙂"])
def test_the_tokenizer_knows_any_text(tokenizer: CLIPTokenizerFast, text: str):
    tokens = tokenizer(text)["input_ids"]
    assert tokens[0] == tokenizer.bos_token_id
    assert tokens[-1] == tokenizer.eos_token_id
    assert tokenizer.eos_token_id not in tokens[1:-1]


def test_the_rate_rises_stays_and_falls():
    progress = Progress(Budget(minutes=60, steps=1000), warm_up=10)
    rates = [progress.rate for _ in progress]
    assert len(rates) == 1000
    assert rates[0] < rates[5] < rates[20] == rates[500] == 1.0
    assert rates[700] > rates[900] > rates[999] > 0


def test_a_run_that_was_cut_off_goes_on_where_it_was():
    progress = Progress(Budget(minutes=60, steps=100, spent=0.8), warm_up=1)
    assert progress.fraction == pytest.approx(0.8, abs=0.01)
    assert progress.rate == pytest.approx(0.505, abs=0.02)
    assert len([*progress]) == 100


def test_averaged_weights_follow_the_model():
    model = torch.nn.Linear(2, 1)
    averaged = Averaged(model, decay=0.5)
    before = averaged.model.weight.clone()
    with torch.no_grad():
        model.weight += 1.0
    averaged.update(model, step=100)
    assert torch.allclose(averaged.model.weight, before + 0.5)


def test_clip_loads_and_embeds(clip: Path, photos: list[Photo]):
    model, processor = CLIPModel.from_pretrained(clip, dtype="float32"), AutoProcessor.from_pretrained(clip)
    inputs = processor(
        text=["a scratch", "a dent"], images=[photos[0].pixels()], return_tensors="pt", padding=True
    )
    with torch.inference_mode():
        logits = model(**inputs).logits_per_image
    assert logits.shape == (1, 2)
    assert torch.isfinite(logits).all()


def test_training_is_repeatable(clip: Path, photos: list[Photo], tmp_path: Path):
    train_clip(photos, tmp_path, TWO_STEPS, size=TINY)
    assert (tmp_path / "model.safetensors").read_bytes() == (clip / "model.safetensors").read_bytes()


def test_blip_loads_and_speaks(clip: Path, photos: list[Photo], tmp_path: Path):
    train_blip(photos, tmp_path, TWO_STEPS, clip=clip, layers=1, batch=2)
    model = BlipForConditionalGeneration.from_pretrained(tmp_path, dtype="float32")
    processor = AutoProcessor.from_pretrained(tmp_path)
    inputs = processor(images=[photos[0].pixels()], return_tensors="pt")
    tokens = model.generate(**inputs, max_new_tokens=4)
    assert processor.batch_decode(tokens, skip_special_tokens=True)[0]


def test_yolo_loads_and_locates(photos: list[Photo], tmp_path: Path):
    stages = (Stage(1.0, 64, 2, (0.7, 1.4), 0.8),)
    train_yolo(photos, tmp_path, TWO_STEPS, stages=stages)
    localizer = Localizer(Checkpoint("detector", "tiny", tmp_path), load_recipe())
    record = ImageRecord(id="img_001", name="part.jpg", width_px=256, height_px=256)
    assert len(list(localizer.locate([(record, photos[0].pixels())]))) == 1


def test_the_command_trains_from_a_set(clip: Path, photos: list[Photo], tmp_path: Path):
    folder = photos[0].path.parent.parent
    status = main(
        ["clip", "--set", str(folder), "--out", str(tmp_path), "--start", str(clip), "--steps", "1"]
    )
    assert status == 0
    scale = CLIPModel.from_pretrained(tmp_path, dtype="float32").logit_scale
    assert 1.0 < math.exp(scale.item()) <= 100.0


@pytest.mark.parametrize("kind", ["clip", "blip", "detector"])
def test_a_pocket_checkpoint_has_weights_and_a_card(kind: str):
    folder = resolve(kind, Models()).path
    assert folder is not None
    assert (folder / "model.safetensors").stat().st_size > 1_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("Data", "Recipe", "Seeds", "Time", "Figures", "Limits"))


def test_the_pocket_checkpoints_load_with_the_standard_classes():
    clip, blip = resolve("clip", Models()).path, resolve("blip", Models()).path
    assert CLIPModel.from_pretrained(clip).config.vision_config.image_size == 128
    assert AutoProcessor.from_pretrained(clip).tokenizer("a scratch")["input_ids"]
    assert BlipForConditionalGeneration.from_pretrained(blip).config.vision_config.image_size == 128
    assert AutoProcessor.from_pretrained(blip).tokenizer("a scratch")["input_ids"]
    assert Localizer(resolve("detector", Models()), load_recipe()).provenance.model == "pocket/yolo"


def test_the_pocket_checkpoints_stay_small():
    pocket = resolve("clip", Models()).path.parent
    assert sum(file.stat().st_size for file in pocket.rglob("*") if file.is_file()) < LIMIT_BYTES
