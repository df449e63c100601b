from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge import samples
from agent.forge.checkpoint import make_model, save
from agent.forge.evaluate import Judge, Kind
from agent.forge.training import Options, begun, train
from agent.forge.trajectories import PICTURE_TOKENS
from agent.models.vlm import LocalModel
from tests.agent.forge.conftest import TINY
from tools.checkpoints import Checkpoint
from tools.forge.schedule import Budget, optimizers_of
from tools.forge.training_set import Photo
from tools.forge.workers import Worker


def test_the_eyes_of_another_checkpoint_are_taken_over_where_they_fit(
    processor: Qwen2_5_VLProcessor, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    theirs = make_model(processor, TINY)
    save(theirs, processor, tmp_path / "eyes")
    wider = replace(TINY, hidden=128)
    torch.manual_seed(2)
    mine, _ = begun(Options(eyes=tmp_path / "eyes", size=wider))
    first, last = "patch_embed.proj.weight", "merger.mlp.2.weight"
    own, other = mine.model.visual.state_dict(), theirs.model.visual.state_dict()
    assert torch.equal(own[first], other[first].bfloat16().float())
    assert own[last].shape[0] == 128


def test_all_matrices_inside_eyes_and_language_are_trained_by_muon(
    model: Qwen2_5_VLForConditionalGeneration,
) -> None:
    muon, _ = optimizers_of(model, 1e-3)
    trained = {id(each) for group in muon.param_groups for each in group["params"]}
    outside = {name for name, each in model.named_parameters() if each.ndim == 2 and id(each) not in trained}
    assert outside == {"model.language_model.embed_tokens.weight"}


def test_a_training_leaves_a_checkpoint_that_loads_like_any_other(
    photos: list[Photo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_CONVERSATIONS", 2)
    monkeypatch.setattr(samples, "_TASKS", 1)
    out = tmp_path / "pocket"
    train(Worker(), photos, out, Budget(5, steps=1), Options(size=TINY, sight_rate=0.0))
    train(Worker(), photos, out, Budget(5, steps=2), Options(start=out, sight_rate=1.0))
    local = LocalModel(Checkpoint("agent", "pocket", out), max_tokens=4)
    assert local.max_picture_tokens == PICTURE_TOKENS
    judge = Judge(local)
    try:
        [trial] = [next(judge.trials(photos, 1, 1))]
    finally:
        judge.close()
        local.close()
    assert all(sureness < 0 for sureness in trial.sureness)
    assert trial.kind is not Kind.RIGHT
