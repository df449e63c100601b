from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge import training
from agent.forge.emphasis import Emphasis
from agent.forge.evaluate import Judge, Kind
from agent.forge.packs import Encoder, packed
from agent.forge.sight import Gallery
from agent.forge.training import Options, train
from agent.forge.trajectories import PICTURE_TOKENS, Past, make_example
from agent.models.vlm import LocalModel
from tests.agent.forge.conftest import TINY, MakeStage
from tools.checkpoints import Checkpoint
from tools.forge.schedule import Budget, Progress, optimizers_of
from tools.forge.training_set import Photo
from tools.records import Language


@pytest.mark.parametrize(("is_young", "kinds"), [(True, {"drill"}), (False, {"words"})])
def test_a_fresh_model_copies_before_it_converses(
    processor: Qwen2_5_VLProcessor,
    model: Qwen2_5_VLForConditionalGeneration,
    photos: list[Photo],
    is_young: bool,
    kinds: set[str],
) -> None:
    rng = random.Random(0)
    young = Progress(Budget(60.0)) if is_young else None
    options = Options(sight_rate=0.0)
    samples = training._samples(
        model, Encoder(processor), Gallery(photos, rng), rng, options, young, Emphasis()
    )
    drawn = [next(samples) for _ in range(3)]
    assert {sample.kind for sample in drawn} == kinds
    assert all(bool(sample.requests) is (sample.kind == "words") for sample in drawn)


def test_a_failure_is_the_chance_that_not_all_of_a_program_is_written(
    make_stage: MakeStage, processor: Qwen2_5_VLProcessor, model: Qwen2_5_VLForConditionalGeneration
) -> None:
    stage, rng, encoder = make_stage(3), random.Random(1), Encoder(processor)
    examples = [make_example(rng, stage, Past(Language.EN), intent="report_lot") for _ in range(2)]
    pack = packed(
        model, encoder, encoder.opening(), [encoder.branch(e.messages, e.first_written) for e in examples]
    )
    half = torch.where(pack.owners == 1, torch.log(torch.tensor(2.0)), torch.tensor(0.0))
    first, second = training._failures(pack, half)
    assert first == pytest.approx(0.0)
    assert second == pytest.approx(1 - 0.5 ** int((pack.owners == 1).sum()))


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
    monkeypatch.setattr(training, "_CONVERSATIONS", 2)
    monkeypatch.setattr(training, "_TASKS", 1)
    out = tmp_path / "pocket"
    train(photos, out, Budget(5, steps=1), Options(size=TINY, sight_rate=0.0))
    train(photos, out, Budget(5, steps=2), Options(start=out, sight_rate=1.0, new_eyes=True, size=TINY))
    local = LocalModel(Checkpoint("agent", "pocket", out), max_tokens=4)
    assert local.max_picture_tokens == PICTURE_TOKENS
    judge = Judge(local)
    try:
        [trial] = [next(judge.trials(1, 1))]
    finally:
        judge.close()
        local.close()
    assert all(sureness < 0 for sureness in trial.sureness)
    assert trial.kind is not Kind.RIGHT
