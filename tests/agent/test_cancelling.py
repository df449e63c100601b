from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property

import pytest

from agent.cancelling import Patient, Pending, TurnCancelled
from agent.events import Answer, Outcome, TurnFinished
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import FakeEngines, write_batch
from tools.pipeline.engines import EngineOptions
from tools.recipe.file import load_recipe


def test_whoever_waits_can_leave_and_come_back_for_the_result() -> None:
    cancel, finished = threading.Event(), threading.Event()
    begun: list[int] = []

    def work() -> str:
        begun.append(1)
        finished.wait(10)
        return "loaded"

    pending = Pending(work)
    cancel.set()
    with pytest.raises(TurnCancelled):
        pending.result(cancel)
    cancel.clear()
    finished.set()
    assert pending.result(cancel) == "loaded"
    assert begun == [1]


@pytest.mark.parametrize("error", [ValueError("damaged"), TimeoutError("slow disk")])
def test_what_the_work_raises_reaches_whoever_waits(error: Exception) -> None:
    def work() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        Pending(work).result(None)


class Slow:
    plain = "at once"

    def __init__(self, made: Callable[[], str]) -> None:
        self._made = made

    @cached_property
    def weights(self) -> str:
        return self._made()


def test_what_takes_long_to_make_is_left_behind_and_made_once() -> None:
    cancel, go, made = threading.Event(), threading.Event(), []

    def make() -> str:
        go.wait(10)
        made.append(1)
        return "weights"

    patient = Patient(Slow(make), cancel)
    assert patient.plain == "at once"
    cancel.set()
    with pytest.raises(TurnCancelled):
        patient.weights  # noqa: B018
    cancel.clear()
    go.set()
    assert (patient.weights, patient.weights, made) == ("weights", "weights", [1])


def test_a_turn_can_be_stopped_while_its_model_loads_and_the_next_one_has_it(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    write_batch(folder, 1)
    go, asked = threading.Event(), []

    def load(spec: str, *, device: str, precision: str) -> ScriptedModel:
        asked.append((spec, precision))
        session.cancel()
        go.wait(10)
        return ScriptedModel(['<code>\nfinal_answer("here")\n</code>'])

    monkeypatch.setattr("agent.models.loading.load_model", load)
    with Session(
        [folder],
        model="large",
        out=folder / "out",
        options=SessionOptions(engines=EngineOptions(precision="int4")),
        engines=FakeEngines(load_recipe()).as_engines,
    ) as session:
        (*_, finished) = session.ask("are you there?")
        assert isinstance(finished, TurnFinished)
        assert finished.outcome is Outcome.CANCELLED
        go.set()
        events = list(session.ask("and now?"))
    assert [event.text for event in events if isinstance(event, Answer)] == ["here"]
    assert asked == [("large", "int4")]
