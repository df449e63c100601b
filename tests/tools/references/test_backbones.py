from __future__ import annotations

import numpy as np
import pytest

from tools.errors import ModelError
from tools.recipe.schema import Models
from tools.references.backbones import TextureBackbone, TowerBackbone, load_backbone


@pytest.fixture(scope="module")
def tower(clip_checkpoint) -> TowerBackbone:
    return TowerBackbone(clip_checkpoint, device="cpu", patches=6)


@pytest.mark.parametrize(
    ("size", "grid"), [((120, 120), (6, 6)), ((120, 200), (6, 10)), ((20, 20), (6, 6)), ((30, 600), (6, 24))]
)
def test_a_tower_covers_pictures_of_any_shape(tower, size: tuple[int, int], grid: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    features = tower.features(image)
    assert features.shape[:2] == grid
    assert np.isfinite(features).all()


def test_a_cell_sees_its_own_place(tower) -> None:
    image = np.full((120, 120, 3), 128, np.uint8)
    marked = image.copy()
    marked[100:, 100:] = 0
    change = np.abs(tower.features(marked) - tower.features(image)).mean(axis=2)
    assert change[5, 5] > 3 * change[0, 0]


def test_a_tower_tells_its_weights_and_texture_has_none(tower) -> None:
    assert len(tower.weights_sha256) == 64
    assert tower.name == "tiny-clip"
    assert TextureBackbone().weights_sha256 is None


def test_backbones_are_found_by_name(clip_checkpoint) -> None:
    assert load_backbone("texture", Models()).name == "texture"
    assert load_backbone("clip", Models(), device="cpu").name == "pocket/clip"
    named = load_backbone(str(clip_checkpoint.path), Models(), device="cpu")
    assert named.features(np.zeros((32, 32, 3), np.uint8)).shape[:2] == (24, 24)
    with pytest.raises(ModelError, match="does not exist"):
        load_backbone("./no/such/folder", Models())


def test_a_vision_tower_of_another_family_works_in_its_place(tmp_path) -> None:
    import torch
    from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

    from tools.checkpoints import Checkpoint

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, patch_size=7, mlp_ratio=2
    )
    Dinov2Model(config).save_pretrained(tmp_path)
    BitImageProcessor(size={"height": 28, "width": 28}).save_pretrained(tmp_path)
    tower = TowerBackbone(Checkpoint("clip", "tiny-dino", tmp_path), device="cpu", patches=4)
    assert tower.features(np.zeros((50, 50, 3), np.uint8)).shape == (4, 4, 64)
