from __future__ import annotations

from pathlib import Path

import pytest
import torch

from agent.events import ImageShown
from agent.models.vlm import LocalModel
from tests.agent.models.tiny import teach
from tests.agent.playing import WORST, endings, photographs, played
from tools.checkpoints import Checkpoint


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return teach(tmp_path_factory.mktemp("taught") / "checkpoint", endings())


class Watched:
    """A checkpoint that writes the playbook's answers, and the logits that the weights had for each."""

    def __init__(self, folder: Path) -> None:
        from transformers import GenerationConfig

        self.model = LocalModel(Checkpoint("agent", "tiny", folder), device="cpu", precision="float32")
        taught = GenerationConfig.from_pretrained(folder).sequence_bias
        self.model._model.generation_config.sequence_bias = taught  # the model's own config is not taken over
        self.logits: list[torch.Tensor] = []
        self.model._model.lm_head.register_forward_hook(
            lambda _layer, _inputs, logits: self.logits.append(logits[0, -1].clone())
        )


def test_the_playbook_through_a_real_checkpoint_and_a_pixel_that_changes_what_it_reads(
    taught: Path, tmp_path: Path
) -> None:
    seen = {}
    for name, changed in (("as it is", None), ("again", None), ("one pixel", (140, 98))):
        watched = Watched(taught)
        photos = photographs(tmp_path / name.replace(" ", "-"), changed=changed)
        results, events = played(watched.model, photos, tmp_path / f"out-{name}", slice(0, 1))
        assert [result.misses for result in results] == [()]
        assert [event.image_id for event in events if isinstance(event, ImageShown)] == [WORST]
        turns = results[0].turns
        assert [turn.usage.images for turn in turns] == [1, 3, 1]  # the sheet at each step, then the look
        assert all(turn.usage.input_tokens > 1_000 for turn in turns)
        seen[name] = watched.logits
        watched.model.close()
    assert len(seen["as it is"]) == len(seen["again"]) == len(seen["one pixel"])
    torch.testing.assert_close(seen["as it is"], seen["again"])
    looked = 2  # the step after the look
    assert not torch.allclose(seen["as it is"][looked], seen["one pixel"][looked], atol=1e-5)
