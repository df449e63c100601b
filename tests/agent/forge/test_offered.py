"""Whatever Loupe offers a user to say, the model that ships understands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from agent.forge.trajectories import Past, Stage, begun, memory_of
from agent.memory import Turn
from agent.models.pictures import Picture
from agent.models.repair import code_of
from agent.models.vlm import LocalModel
from agent.phrases import phrase
from tests.agent.forge.conftest import MakeStage
from tools.checkpoints import Checkpoint
from tools.records import Language

POCKET = Path(__file__).parents[3] / "agent" / "pocket"


@pytest.fixture(scope="module")
def pocket() -> Iterator[LocalModel]:
    model = LocalModel(Checkpoint("agent", str(POCKET), POCKET), max_tokens=160)
    yield model
    model.close()


@pytest.mark.parametrize("has_sheet", [True, False])
@pytest.mark.parametrize("language", [*Language])
@pytest.mark.parametrize(
    ("key", "call"),
    [
        ("do_accept", '"accept"'),
        ("do_reject", '"reject"'),
        ("do_review", '"review"'),
        ("do_report", "write_report("),
        ("ask_inspect", "inspect()"),
        ("ask_screen", "screen()"),
        ("ask_look", 'look("img_003")'),
        ("ask_measure", 'measure("img_003")'),
        ("ask_verdicts", "images()"),
    ],
)
def test_what_is_offered_is_understood(
    pocket: LocalModel, make_stage: MakeStage, key: str, call: str, language: Language, has_sheet: bool
) -> None:
    sheet = Picture("contact sheet", Image.new("RGB", (448, 336), (128, 128, 128))) if has_sheet else None
    made = make_stage(12)
    stage = Stage(made.steps, made.picture, sheet)
    memory = memory_of(stage, begun(stage, Past(language)))
    memory.turns.append(Turn(phrase(key, language, ids="img_003", image="img_003")))
    code = code_of(str(pocket.generate(memory.messages(), stop_sequences=["</code>"]).content))
    assert call in code
    assert ("img_003" in code) is ("img_003" in memory.running.request)
