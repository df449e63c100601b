from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest

from agent.cancelling import Patient, Pending, TurnCancelled
from agent.events import Answer, LoadEnd, LoadFinished, LoadStarted, Outcome, Purpose, TurnFinished
from agent.loads import load_after
from agent.log import LOG
from agent.models.scripted import ScriptedModel
from agent.session import Session, SessionOptions
from tests.agent.fakes import CountingScreener, FakeEngines, write_batch
from tools.errors import ModelError
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


def test_what_was_left_behind_is_waited_for_before_more_is_made() -> None:
    cancel, go, order = threading.Event(), threading.Event(), []
    around: list[str] = []

    class Two:
        @property
        def first(self) -> str:
            go.wait(10)
            order.append("first")
            return "first"

        @property
        def second(self) -> str:
            order.append("second")
            return "second"

    @contextmanager
    def telling(name: str) -> Iterator[None]:
        around.append(name)
        yield

    patient = Patient(Two(), cancel, telling)
    cancel.set()
    with pytest.raises(TurnCancelled):
        patient.first  # noqa: B018
    cancel.clear()
    threading.Thread(target=go.set).start()
    assert patient.second == "second"
    assert order == ["first", "second"]
    assert around == ["first", "second"]


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
        (_, begun, left, finished) = session.ask("are you there?")
        assert isinstance(begun, LoadStarted)
        assert (begun.purpose, begun.model) == (Purpose.CONVERSATION, "large")
        assert isinstance(left, LoadFinished)
        assert left.end is LoadEnd.LEFT
        assert isinstance(finished, TurnFinished)
        assert finished.outcome is Outcome.CANCELLED
        go.set()
        events = list(session.ask("and now?"))
    assert [event.text for event in events if isinstance(event, Answer)] == ["here"]
    assert [event.end for event in events if isinstance(event, LoadFinished)] == [LoadEnd.LOADED]
    assert asked == [("large", "int4")]
    assert "load_" not in (folder / "out" / LOG).read_text("utf-8")


class SlowEngines(FakeEngines):
    """Engines the screener of which is loaded at its first use."""

    def __init__(self, load: Callable[[], None]) -> None:
        super().__init__(load_recipe())
        self._loaded_screener = self.__dict__.pop("screener")
        self._load = load

    @cached_property
    def screener(self) -> CountingScreener:  # type: ignore[override]
        self._load()
        return self._loaded_screener


@pytest.mark.parametrize(
    ("error", "expected"),
    [(None, LoadEnd.LOADED), (ModelError("no such model", "name another"), LoadEnd.FAILED)],
)
def test_what_a_tool_waits_for_is_told_with_its_purpose(
    tmp_path: Path, error: ModelError | None, expected: LoadEnd
) -> None:
    def load() -> None:
        if error:
            raise error

    write_batch(tmp_path / "parts", 1)
    engines = SlowEngines(load).as_engines
    with Session(
        [tmp_path / "parts"], model=ScriptedModel([]), out=tmp_path / "out", engines=engines
    ) as session:
        events = list(session.use("screen", {}, "/screen"))
    loads = [event for event in events if isinstance(event, LoadStarted | LoadFinished)]
    assert [event.kind for event in loads] == ["load_started", "load_finished"]
    assert isinstance(loads[0], LoadStarted)
    assert isinstance(loads[1], LoadFinished)
    assert (loads[0].purpose, loads[0].model, loads[1].end) == (Purpose.SCREENING, "pocket", expected)
    assert loads[0].load == loads[1].load


def test_models_load_after_the_libraries_that_are_being_imported(tmp_path: Path) -> None:
    order: list[str] = []
    go = threading.Event()

    def imports() -> None:
        go.wait(10)
        order.append("imported")

    write_batch(tmp_path / "parts", 1)
    engines = SlowEngines(lambda: order.append("loaded")).as_engines
    with Session(
        [tmp_path / "parts"], model=ScriptedModel([]), out=tmp_path / "out", engines=engines
    ) as session:
        session.warm(imports)
        assert isinstance(list(session.use("images", {}, "/images"))[-1], TurnFinished)  # needs no model
        events = session.use("screen", {}, "/screen")
        while not isinstance(next(events), LoadStarted):
            pass
        session.cancel()
        assert [event.end for event in events if isinstance(event, LoadFinished)] == [LoadEnd.LEFT]
        go.set()
        *_, finished = session.use("screen", {}, "/screen")
    assert isinstance(finished, TurnFinished)
    assert finished.outcome is Outcome.ANSWERED
    assert order == ["imported", "loaded"]


@pytest.mark.parametrize(
    ("spec", "expected"), [("large", ["imported", "loaded"]), ("http://host/v1#m", ["loaded"])]
)
def test_only_a_model_that_runs_here_waits_for_libraries(
    monkeypatch: pytest.MonkeyPatch, spec: str, expected: list[str]
) -> None:
    order: list[str] = []
    go = threading.Event()
    monkeypatch.setattr("agent.models.loading.load_model", lambda *_, **__: order.append("loaded"))
    warming = Pending(lambda: go.wait(10) and order.append("imported"))
    if expected[0] == "imported":
        go.set()
    load_after(warming, spec, device="cpu", precision="auto")
    assert order == expected
    go.set()
