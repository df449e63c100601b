from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from pypdf import PdfReader
from rich.cells import cell_len

from reports.ledger import Ledger
from reports.publishing import Publisher, run_info
from reports.source import ReportInput
from tests.agent.fakes import FakeEngines, write_batch
from tests.tui.conftest import Done
from tools.errors import ExitCode, OutputError
from tools.images import Batch
from tools.overriding import overridden
from tools.pipeline.engines import Engines
from tools.pipeline.fixed import Pipeline
from tools.pipeline.journal import Journal
from tools.recipe import Recipe
from tools.recipe.file import load_recipe
from tools.records import Inspection, Language, Verdict
from tools.timing import now

Loupe = Callable[..., Done]

EXAMPLES = Path(__file__).parents[2] / "examples"
# One good, one bad, one cut short, one rotated by EXIF.
CHOSEN = ("cover_001.jpg", "cover_008.jpg", "cover_013.jpg", "cover_017.jpg")
RECIPE = EXAMPLES / "recipes" / "metal-surface.yaml"
OTHER = EXAMPLES / "recipes" / "painted-cover.yaml"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "사진"
    folder.mkdir()
    for name in CHOSEN:
        shutil.copy(EXAMPLES / "batch" / name, folder / name)
    return folder


class QuickEngines(FakeEngines):
    """With what `loupe inspect` asks of its engines beside."""

    def __init__(self, recipe: Recipe, _: object = None) -> None:
        super().__init__(recipe)
        vars(self.screener).update(plan=lambda _: "not held against anything", hears=lambda _: True)

    def pipeline(self) -> Pipeline:
        seers = self.as_engines
        return Pipeline(self.recipe, seers.screener, seers.localizer, seers.measurer)


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs, and engines that take no time for them."""
    monkeypatch.setattr("tui.inspecting.Engines", QuickEngines)
    write_batch(tmp_path / "quick", 2)
    return tmp_path / "quick"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_becomes_verdicts_a_report_and_its_twins(loupe: Loupe, photos: Path, tmp_path: Path) -> None:
    before, out = contents(photos), tmp_path / "out"
    done = loupe("inspect", photos, "--recipe", RECIPE, "--out", out, "--lot", "L-1", "--json")
    result = json.loads(done.stdout)
    assert list(result["verdicts"]) == ["img_001", "img_002", "img_003", "img_004"]
    assert result["verdicts"]["img_003"] == "review"
    assert sum(result["counts"].values()) == len(CHOSEN)
    assert done.exit_code == (1 if result["counts"]["reject"] else 3)
    assert all(Path(path).exists() for path in result["artifacts"])
    assert str(out / "inspections.jsonl") in result["artifacts"]
    assert str(out / "run.json") in result["artifacts"]
    assert {"inspections.jsonl", "findings.csv", "coco.json", "report.pdf", "overlays"} <= {
        path.name for path in out.iterdir()
    }
    assert contents(photos) == before


def test_the_same_command_resumes_and_writes_the_same_report(
    loupe: Loupe, photos: Path, tmp_path: Path
) -> None:
    (photos / "cover_001.jpg").rename(photos / "덮개_앞면.jpg")
    arguments = ("inspect", photos, "--out", tmp_path / "out", "--no-captions")
    first = loupe(*arguments)
    assert (
        len({cell_len(re.split("accept|reject|review", line)[0]) for line in first.stdout.splitlines()}) == 1
    )
    report = (tmp_path / "out" / "report.pdf").read_bytes()
    second = loupe(*arguments)
    assert (second.exit_code, second.stdout) == (first.exit_code, first.stdout)
    assert "4 of 4 are done" in second.stderr
    assert (tmp_path / "out" / "report.pdf").read_bytes() == report
    korean = loupe(*arguments, "--language", "ko", "--quiet")
    assert korean.stderr == ""
    assert (tmp_path / "out" / "report.pdf").read_bytes() != report
    assert json.loads((tmp_path / "out" / "run.json").read_text())["language"] == "ko"


def test_another_run_in_the_same_folder_is_refused_before_models_are_loaded(
    loupe: Loupe, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("inspect", photos, "--out", tmp_path / "out", "--no-captions", "--no-report")
    loupe(*arguments)
    before = (tmp_path / "out" / "inspections.jsonl").read_bytes()
    monkeypatch.setattr("tui.inspecting.Engines", lambda *_: pytest.fail("loaded the models"))
    (photos / "cover_001.jpg").rename(photos / "cover_000.jpg")
    for anew, said in (
        ((), "of other images"),
        (("--lot", "another"), "for another lot"),
        (("--recipe", OTHER), "by another recipe"),
    ):
        refused = loupe(*arguments, *anew)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"holds another run, made {said}" in " ".join(refused.stderr.split())
        assert "Loading models" not in refused.stderr
    assert (tmp_path / "out" / "inspections.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["nowhere"], 2, "nowhere"),
        ([EXAMPLES / "batch", "--recipe", "nowhere.yaml"], 2, "nowhere.yaml"),
        ([EXAMPLES / "batch", "--language", "fr"], 2, "fr"),
        ([EXAMPLES / "batch", "--models", "gigantic"], 2, "gigantic"),
        ([EXAMPLES / "batch", "--lot", "A\udcff"], 2, "--lot is not in UTF-8"),
        ([EXAMPLES / "batch", "--inspector", "A\udcff"], 2, "--inspector is not in UTF-8"),
        ([EXAMPLES / "batch", "--station", "A\udcff"], 2, "--station is not in UTF-8"),
        ([EXAMPLES / "batch", "--device", "gigantic"], 2, "no device `gigantic`"),
        ([EXAMPLES / "batch", "--precision", "gigantic"], 2, "no precision `gigantic`"),
        ([EXAMPLES / "batch", "--clip", "./no-such-checkpoint"], 4, "no-such-checkpoint"),
    ],
)
def test_bad_input_is_named_and_writes_nothing(
    loupe: Loupe, tmp_path: Path, arguments: list[object], exit_code: int, said: str
) -> None:
    done = loupe("inspect", *arguments, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert said in done.stderr
    assert "hint:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_every_run_without_a_folder_gets_its_own(
    loupe: Loupe, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tools.home.datetime", Mock(now=lambda: datetime(2026, 11, 23, 9, 30)))
    done = [loupe("inspect", quick, "--no-report", "--no-ledger", "--json") for _ in range(2)]
    runs = [tmp_path / json.loads(each.stdout)["out"] for each in done]
    assert [each.name for each in runs] == ["20261123-093000", "20261123-093000-2"]
    assert all((each / "inspections.jsonl").is_file() for each in runs)


def test_a_session_s_report_is_no_run_to_go_on_with(loupe: Loupe, quick: Path, tmp_path: Path) -> None:
    batch, recipe, out, at = Batch.open([quick]), load_recipe(), tmp_path / "out", now()
    engines = QuickEngines(recipe)
    rejected = next(iter(engines.pipeline().inspect(batch)))
    decided = overridden(rejected, Verdict.ACCEPT, "only dust", by="Kim", at=at)
    run = run_info(batch, recipe, engines.models, started_at=at)
    Publisher(out).publish(ReportInput(run, recipe, [decided], batch.load, Language.EN, at))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    refused = loupe("inspect", quick, "--out", out)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "holds the report or the log of a session" in " ".join(refused.stderr.split())
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_the_recipe_of_the_report_and_of_the_ledger_is_the_one_whose_hash_is_printed(
    loupe: Loupe, quick: Path, tmp_path: Path
) -> None:
    out, recipe = tmp_path / "out", load_recipe(str(RECIPE))
    loupe("inspect", quick, "--recipe", RECIPE, "--out", out, "--no-captions", "--models", "pocket")
    assert json.loads((out / "run.json").read_text())["recipe_sha256"] == recipe.sha256
    (attached,) = PdfReader(out / "report.pdf").attachments["recipe.json"]
    assert hashlib.sha256(attached).hexdigest() == recipe.sha256
    connection = sqlite3.connect(Ledger().path)
    assert set(connection.execute("SELECT recipe_sha256 FROM inspections")) == {(recipe.sha256,)}


def test_a_report_has_the_date_on_which_it_was_written(
    loupe: Loupe, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OutputError("the disk is full", "make room")

    out = tmp_path / "out"
    for day, options, fails, dated in (
        (1, ["--no-report"], False, ""),
        (2, [], True, ""),
        (3, [], False, "2030-01-03T00:00:00+00:00"),
        (4, [], False, "2030-01-03T00:00:00+00:00"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("tui.inspecting.now", lambda day=day: f"2030-01-0{day}T00:00:00+00:00")
            if fails:
                patch.setattr("reports.document.write_report", fail)
            loupe("inspect", quick, "--out", out, *options)
        assert json.loads((out / "run.json").read_text())["reported_at"] == dated
        assert (out / "report.pdf").exists() is bool(dated)
    first_page = PdfReader(out / "report.pdf").pages[0].extract_text()
    assert "2030-01-03 00:00:00" in first_page
    assert json.loads((out / "coco.json").read_text())["info"]["date_created"] == dated


def test_who_inspects_and_where_stays_said_whatever_the_recipe_says(
    loupe: Loupe, quick: Path, tmp_path: Path
) -> None:
    recipe, out = tmp_path / "recipe.yaml", tmp_path / "out"
    recipe.write_text(RECIPE.read_text().replace("\nreport:", "\nreport:\n  station: Line 1\n#"))
    for options, told in (
        (["--inspector", "Kim", "--station", "Line 3"], ("Kim", "Line 3")),
        ([], ("Kim", "Line 3")),
        (["--station", "Line 4"], ("Kim", "Line 4")),
        (["--inspector", "Lee"], ("Lee", "Line 4")),
    ):
        loupe("inspect", quick, "--recipe", recipe, "--out", out, *options)
        run = json.loads((out / "run.json").read_text())
        assert (run["inspector"], run["station"]) == told
    loupe("inspect", quick, "--recipe", recipe, "--out", tmp_path / "other", "--no-report")
    assert json.loads((tmp_path / "other" / "run.json").read_text())["station"] == "Line 1"
    connection = sqlite3.connect(Ledger().path)
    assert connection.execute("SELECT by FROM reports").fetchall() == [("Kim",), ("Kim",), ("Kim",), ("Lee",)]
    connection.close()


def test_nothing_is_written_among_the_photographs(
    loupe: Loupe, photos: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(photos)
    monkeypatch.chdir(photos)
    done = loupe("inspect", ".", "--no-captions", "--no-report")
    (out,) = (own_home / "runs").iterdir()
    assert (out / "inspections.jsonl").exists()
    assert f"Photographs lie in {photos}, so the run goes to {own_home / 'runs'}." in done.stderr
    assert contents(photos) == before


def test_each_inspection_comes_into_the_ledger_once_whatever_the_starts(
    loupe: Loupe, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append(journal: Journal, inspection: Inspection) -> None:
        if len(journal.done_ids) == 2:
            raise KeyboardInterrupt
        write(journal, inspection)

    arguments = ("inspect", photos, "--out", tmp_path / "out", "--no-report")
    write = Journal.append
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", append)
        patch.setattr("tui.recording.Recorder.add", lambda *_: None)  # as if killed before it entered any
        loupe(*arguments)
    for _ in range(2):
        loupe(*arguments)
    query = (
        "SELECT image_id, vector IS NULL FROM inspections "
        " LEFT JOIN embeddings ON inspection = inspections.id"
    )
    connection = sqlite3.connect(Ledger().path)
    rows = connection.execute(query).fetchall()
    connection.close()
    assert sorted(rows) == [("img_001", 0), ("img_002", 0), ("img_003", 1), ("img_004", 0)]


def test_models_that_load_do_not_hold_up_ctrl_c(
    loupe: Loupe, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: Engines) -> None:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on loading")

    monkeypatch.setattr(Engines, "models", property(load))
    before = signal.getsignal(signal.SIGINT)
    done = loupe("inspect", photos, "--out", tmp_path / "out")
    assert (done.exit_code, done.stdout) == (130, "")
    assert "stopped while the models were loading" in done.stderr
    assert "images in work" not in done.stderr
    assert not (tmp_path / "out").exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_many_inputs_are_not_all_told(loupe: Loupe, tmp_path: Path) -> None:
    done = loupe("inspect", *(f"part_{number}.jpg" for number in range(900)), "--out", tmp_path / "out")
    assert "part_4.jpg and 895 more ..." in done.stderr
    assert "part_5.jpg" not in done.stderr


def test_other_files_are_refused_before_any_work(
    loupe: Loupe, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.images.Batch.open", lambda *_, **__: pytest.fail("read the photographs"))
    for out in (photos, photos / "cover_001.jpg"):
        refused = loupe("inspect", photos, "--out", out)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert f"{out} " in refused.stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("stop", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=["Ctrl-C", "kill -9"],
)
def test_a_stopped_run_keeps_what_is_done_and_goes_on(
    photos: Path, tmp_path: Path, stop: signal.Signals, exit_code: int
) -> None:
    for number in range(20):
        shutil.copy(photos / "cover_001.jpg", photos / f"more_{number:02d}.jpg")
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "tui.cli",
        "inspect",
        photos,
        "--out",
        out,
        "--no-captions",
        "--no-report",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    journal = out / "inspections.jsonl"
    while not (journal.exists() and journal.stat().st_size):
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"ended before it wrote anything: {process.communicate()}")
    process.send_signal(stop)
    process.communicate()
    assert process.returncode == exit_code
    kept = [json.loads(line)["image"]["id"] for line in journal.read_bytes().split(b"\n")[:-1]]
    assert 0 < len(kept) < 24
    resumed = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert f"{len(kept)} of 24 are done" in resumed.stderr
    ids = [json.loads(line)["image"]["id"] for line in journal.read_text().splitlines()]
    assert ids == [f"img_{number:03d}" for number in range(1, 25)]


def test_a_path_that_is_mistyped_is_told_before_a_download(loupe: Loupe, tmp_path: Path) -> None:
    done = loupe("inspect", tmp_path / "nowhere", "--clip", "nobody/such-model")
    assert done.exit_code == ExitCode.USAGE
    assert "nowhere does not exist" in done.stderr
