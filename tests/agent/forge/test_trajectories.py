from __future__ import annotations

import pytest

from agent.forge.trajectories import Past, begun, memory_of
from agent.memory import Turn
from agent.prompts import batch_table
from tests.agent.forge.conftest import MakeStage
from tools.records import Language


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (24, ""),
        (45, 'contact sheets: 2; look("sheet 2") shows img_031 to img_045, and so on'),
        (90, 'contact sheets: 3; look("sheet 2") shows img_031 to img_060, and so on'),
    ],
)
def test_a_batch_is_told_as_sessions_tell_it(make_stage: MakeStage, count: int, more: str) -> None:
    stage = make_stage(count)
    memory = memory_of(stage, begun(stage, Past(Language.EN)))
    memory.turns.append(Turn("inspect everything"))
    case = stage.steps.case
    told = str(memory.messages())
    assert repr(batch_table(case.records, case.recipe.part.name, more))[1:-1] in told
