from __future__ import annotations

from pathlib import Path

from agent.abstention import read_abstention
from agent.forge.trajectories import prompt_of

POCKET = Path(__file__).parents[2] / "agent" / "pocket"


def test_the_prompt_is_the_one_that_it_was_trained_on() -> None:
    from transformers import AutoTokenizer

    prompt = prompt_of(has_ledger=True, has_eyes=True)
    tokens = AutoTokenizer.from_pretrained(POCKET, local_files_only=True)(prompt)["input_ids"]
    assert len(tokens) <= len(prompt.splitlines()) + 5, (
        "a line that it does not know as one token is new to it"
    )


def test_it_ships_with_thresholds_and_a_card_and_is_small() -> None:
    abstention = read_abstention(POCKET)
    assert abstention is not None
    assert abstention.changing >= abstention.looking
    assert (POCKET / "README.md").exists()
    assert sum(path.stat().st_size for path in POCKET.iterdir()) < 40e6
