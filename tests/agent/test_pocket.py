from __future__ import annotations

from pathlib import Path

from agent.abstention import read_abstention
from agent.forge.trajectories import prompt_of

POCKET = Path(__file__).parents[2] / "agent" / "pocket"


# It was trained on these too, but its tokens were chosen before there was such a tool.
SPELLED = (
    "def keep_good(ids: str | list[str]) -> dict:\n",
    '    """Keeps images the user calls good; others are held against them. Returns good_parts, added."""\n',
)


def test_the_prompt_is_the_one_that_it_was_trained_on() -> None:
    from transformers import AutoTokenizer

    lines = prompt_of(has_ledger=True, has_eyes=True).splitlines(keepends=True)
    known = [line for line in lines if line not in SPELLED]
    assert len(known) == len(lines) - len(SPELLED)
    tokens = AutoTokenizer.from_pretrained(POCKET, local_files_only=True)("".join(known))["input_ids"]
    assert len(tokens) <= len(known) + 5, "a line that it does not know as one token is new to it"


def test_it_ships_with_thresholds_and_a_card_and_is_small() -> None:
    abstention = read_abstention(POCKET)
    assert abstention is not None
    assert abstention.changing >= abstention.looking
    assert (POCKET / "README.md").exists()
    assert sum(path.stat().st_size for path in POCKET.iterdir()) < 40e6
