from __future__ import annotations

from pathlib import Path

import pytest

from agent.forge import language
from agent.playbooks import load_playbook

DATA = Path(language.__file__).parent / "data"


@pytest.mark.parametrize("name", ["fresh-en.yaml", "fresh-ko.yaml"])
def test_requests_that_training_never_saw_are_a_playbook_on_the_sample_batch(name: str) -> None:
    playbook = load_playbook(DATA / name)
    assert len({conversation.name for conversation in playbook.conversations}) >= 100
    assert all(Path(each).exists() for each in (*playbook.images, playbook.recipe))
    trained = set((DATA / "phrases.jsonl").read_text(encoding="utf-8").splitlines())
    said = [turn.say for conversation in playbook.conversations for turn in conversation.turns]
    known = [each for each in said if any(f'"text": "{each}"' in line for line in trained)]
    assert len(known) <= len(said) / 100  # two people may say "size?"
