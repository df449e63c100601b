from __future__ import annotations

from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from agent.forge.exactness import exact_trials
from agent.forge.language import Share
from agent.forge.packs import Encoder
from tools.forge.training_set import Photo
from tools.records import Language


def test_a_random_model_is_never_exact(
    processor: Qwen2_5_VLProcessor, model: Qwen2_5_VLForConditionalGeneration, photos: list[Photo]
) -> None:
    trials = [*exact_trials(model, Encoder(processor), photos, 1, 1, share=Share.JUDGING)]
    assert {trial.request.language for trial in trials} == {*Language}
    assert not any(trial.is_exact for trial in trials)
    assert all(trial.sureness < -1 for trial in trials)
