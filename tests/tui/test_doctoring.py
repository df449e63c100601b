from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from agent.models import loading, selftest
from agent.models.selftest import Sight
from tests.tui.conftest import Done
from tools.errors import ExitCode, ModelError
from tui import doctoring

Loupe = Callable[..., Done]


@pytest.fixture(autouse=True)
def _nothing_but_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("_installed", "_machine", "_walls"):
        monkeypatch.setattr(doctoring, part, lambda: iter(()))
    monkeypatch.setattr(doctoring, "_models", lambda _recipe: iter(()))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    model = SimpleNamespace(name="some/agent", context_tokens=512, close=lambda: None)
    monkeypatch.setattr(loading, "load_model", lambda _name: model)
    return model


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("sight", Sight)
def test_weak_eyes_are_a_note(loupe: Loupe, monkeypatch: pytest.MonkeyPatch, sight: Sight) -> None:
    seen = SimpleNamespace(sight=sight, detail="What it saw.")
    monkeypatch.setattr(selftest, "vision_self_test", lambda _model: seen)
    done = loupe("doctor", "--json")
    status = "ok" if sight is Sight.PASSED else "note"
    assert json.loads(done.stdout)["checks"][-1] == {
        "part": "agent's sight",
        "status": status,
        "detail": "What it saw.",
    }
    assert done.exit_code == ExitCode.ACCEPTED


@pytest.mark.parametrize("step", ["load_model", "vision_self_test"])
def test_an_agent_that_cannot_be_loaded_or_run_fails(
    loupe: Loupe, monkeypatch: pytest.MonkeyPatch, model: SimpleNamespace, step: str
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("no such weights", "check the id")

    monkeypatch.setattr(loading if step == "load_model" else selftest, step, fail)
    done = loupe("doctor")
    assert done.stdout.endswith("fails  agent           no such weights. check the id\n")
    assert done.exit_code == ExitCode.MODEL
