from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from agent.log import read_log
from tests.agent.fakes import FakeEngines
from tests.tui.test_asking import answers
from tools.errors import ExitCode, ModelError, UsageError
from tui import demonstrating
from tui.demonstrating import run_demo

EXAMPLES = Path(__file__).parents[2] / "examples"
WORK = ("final_answer(f'{len(inspect())} images')", "final_answer(write_report(lot='A-17')['report'])")


@pytest.fixture
def examples(tmp_path):
    folder = tmp_path / "examples"
    (folder / "batch").mkdir(parents=True)
    Image.new("RGB", (96, 96), (140, 141, 142)).save(folder / "batch" / "part.png")
    (folder / "recipes").mkdir()
    shutil.copy(EXAMPLES / "recipes" / "metal-surface.yaml", folder / "recipes")
    return folder


@pytest.mark.parametrize(
    ("written", "takes_over"),
    [
        (WORK, False),
        (("final_answer(decline('no'))",), True),
        (WORK[:1] * 2, True),
        ((), False),  # a model that fails is replaced within its turn
    ],
)
def test_there_is_a_report_whatever_the_model_makes_of_it(examples, tmp_path, capfd, written, takes_over):
    out = tmp_path / "out"
    code = run_demo(answers(tmp_path, *written), out, examples=examples)
    said = capfd.readouterr()
    assert code in (ExitCode.ACCEPTED, ExitCode.REJECTED, ExitCode.REVIEW)
    assert "> inspect everything" in said.err
    assert ("at a loss" in said.err) is takes_over
    assert said.out.splitlines()[-1].startswith("img_001  part.png  ")
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "report.pdf",
        "inspections.jsonl",
        "run.json",
        "findings.csv",
        "coco.json",
        "session.jsonl",
    }
    if written:
        run = json.loads((out / "run.json").read_text())
        assert (run["lot"], run["inspector"]) == ("A-17", "")  # nobody said who inspects


def test_a_second_demonstration_goes_on_with_the_first(examples, tmp_path):
    out = tmp_path / "out"
    for _ in range(2):
        run_demo(answers(tmp_path, *WORK), out, quiet=True, examples=examples)
    assert [event.kind for event in read_log(out)[1]].count("turn_finished") == 4


def test_without_the_sample_batch_it_is_said(tmp_path):
    with pytest.raises(UsageError, match="sample batch"):
        run_demo("", tmp_path, examples=tmp_path)


def test_the_sample_batch_is_where_the_demonstration_looks_for_it():
    assert (demonstrating._EXAMPLES / "batch").is_dir()
    assert (demonstrating._EXAMPLES / "recipes" / demonstrating._RECIPE).is_file()


def test_a_report_that_cannot_be_written_is_no_success(examples, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("agent.desk.Engines", lambda recipe, _: FakeEngines(recipe))
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.pdf").write_bytes(b"of somebody else")
    assert run_demo(answers(tmp_path, *WORK), out, examples=examples) is ExitCode.MODEL
    said = capfd.readouterr()
    assert "img_001  part.png  accept" in said.out
    assert "Written:" not in said.err


def test_where_nothing_can_be_inspected_no_verdict_is_printed(examples, tmp_path, capfd, monkeypatch):
    def fail():
        raise ModelError("`x` lacks 3 weights.", "The file is not complete.")

    def blind(recipe, _):
        engines = FakeEngines(recipe)
        engines.screener.before_each = fail
        return engines

    monkeypatch.setattr("agent.desk.Engines", blind)
    assert run_demo(answers(tmp_path, *WORK), tmp_path / "out", examples=examples) is ExitCode.MODEL
    said = capfd.readouterr()
    assert "lacks 3 weights" in said.out
    assert "accepted" not in said.err
