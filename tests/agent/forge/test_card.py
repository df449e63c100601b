from __future__ import annotations

from pathlib import Path

import pytest
import torch

from agent.abstention import FILE, Abstention
from agent.forge import __main__ as command
from agent.forge import speed
from agent.forge.card import PRINTED, Measured, card
from agent.forge.checkpoint import Size, make_model, make_processor, save
from agent.models.scripted import ScriptedModel
from agent.session import Session
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import UsageError
from tools.recipe.file import load_recipe

TINY = Size(hidden=64, intermediate=64, layers=1, vision_hidden=32, vision_depth=2)
EVALUATION = "report               en 9/10   ko 7/10\nall                  en 98/100   ko 97/100\n"
PRINTS = ("-0.1 99.0%", "90 of 110 conversations passed", "colour 49 of 50 right", "first token 0.5 s")
MEASURED = Measured(EVALUATION, *PRINTS, "two cores", "Long.", "7", "An hour.")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder, processor = tmp_path_factory.mktemp("model") / "pocket", make_processor()
    save(make_model(processor, TINY), processor, folder)
    (folder / FILE).write_text(Abstention(looking=-0.75, changing=-0.25).model_dump_json())
    return folder


def test_a_card_says_what_was_measured_and_shows_a_conversation(checkpoint: Path, tmp_path: Path) -> None:
    write_batch(tmp_path / "parts", 1)
    engines = FakeEngines(load_recipe(), {}, []).as_engines
    model = ScriptedModel(["<code>\nfinal_answer('img_001')\n</code>"])
    with Session([tmp_path / "parts"], model=model, out=tmp_path / "out", engines=engines) as session:
        list(session.ask("which one?"))
    given = Measured(**{**vars(MEASURED), "sessions": (tmp_path / "out",)})
    text = card(checkpoint, given)
    assert "> which one?\n    final_answer('img_001')\nimg_001\n```" in text
    assert "-0.750, or -0.250 where" in text
    assert all(printed in text for printed in (EVALUATION.strip(), *PRINTS))
    assert "1 layers of width 64" in text
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize(
    ("evaluation", "verdict"),
    [
        (EVALUATION, "The aim is 97%: reached (98.0% en, 97.0% ko)."),
        ("all   en 98/100   ko 96/100", "The aim is 97%: **not reached** (98.0% en, 96.0% ko)."),
    ],
)
def test_a_miss_is_told_as_a_miss(checkpoint: Path, evaluation: str, verdict: str) -> None:
    assert verdict in card(checkpoint, Measured(**{**vars(MEASURED), "evaluation": evaluation}))


def test_without_sums_or_thresholds_there_is_no_card(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no line of sums"):
        card(checkpoint, Measured(**{**vars(MEASURED), "evaluation": "nothing"}))
    with pytest.raises(UsageError, match="no thresholds"):
        card(tmp_path, MEASURED)


def test_the_command_prints_the_card(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for name in PRINTED:
        (tmp_path / name).write_text(getattr(MEASURED, name))
        told += [f"--{name}", str(tmp_path / name)]
    told += ["--machine", "two cores", "--recipe", "Long.", "--seeds", "7", "--time", "An hour."]
    assert command.main(["card", str(checkpoint), *told]) == 0
    assert capsys.readouterr().out == card(checkpoint, MEASURED)


def test_the_speed_of_a_conversation_is_told_a_line_each(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "MOST_TOKENS", 4)
    write_batch(tmp_path / "parts", 2)
    first, second = speed.report(checkpoint, tmp_path / "parts", ("inspect", "measure 1"))
    assert "(0 known)" in first
    assert "(0 known)" not in second
    assert second.endswith(": measure 1")
