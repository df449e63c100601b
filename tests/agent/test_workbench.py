from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader

from agent.cancelling import TurnCancelled
from agent.events import Event, Inspected, ToolFinished, ToolProgress, ToolStarted
from agent.showing import Shown
from reports.ledger import Ledger
from tests.agent.conftest import Bench
from tests.agent.fakes import FakeEngines, write_batch
from tools.errors import Cancelled, ImageError, LoupeError, OutputError, UsageError
from tools.images import Batch
from tools.recipe import Recipe
from tools.records import BoxXyxyPx, Finding


def test_rows_are_plain_and_tell_of_what_cannot_be_read(bench: Bench) -> None:
    images = bench.calls("images")
    screened = bench.calls("screen")
    assert isinstance(images, list)
    assert isinstance(screened, list)
    assert [row["id"] for row in images] == ["img_001", "img_002", "img_003", "img_004"]  # type: ignore[call-overload,index]
    assert images[3]["reason"]  # type: ignore[call-overload,index]
    assert screened[1] == {"id": "img_002", "suspicion": 0.9, "label": "scratch", "status": "suspect"}
    assert screened[3]["status"] == "unreadable"  # type: ignore[call-overload,index]
    for name in ("locate", "measure", "describe", "inspect", "findings"):
        assert json.loads(json.dumps(bench.calls(name))) == bench.calls(name)


def test_located_measured_and_found_are_the_same_findings(bench: Bench) -> None:
    located = bench.workbench.locate()
    assert [row["finding"] for row in located] == ["img_001-1", "img_002-1"]
    assert located[0]["box_xyxy_px"] == [10, 10, 40, 20]
    measured = bench.workbench.measure("img_2")
    assert measured == [
        {
            "finding": "img_002-1",
            "id": "img_002",
            "type": "scratch",
            "length": 0.5,
            "width": 0.1,
            "area": None,
            "unit": "mm",
            "uncertainty": 0.01,
        }
    ]
    assert [row["finding"] for row in bench.workbench.findings()] == ["img_001-1", "img_002-1"]
    assert bench.workbench.measure(["img_004"])[0]["status"] == "unreadable"
    assert bench.workbench.measure([]) == []


def test_asking_twice_costs_nothing(bench: Bench) -> None:
    for _ in range(2):
        for name in ("screen", "locate", "measure", "inspect", "describe"):
            bench.calls(name)
    assert len(bench.engines.screener.companies) == 1
    assert sorted(bench.engines.localizer.shown) == ["img_001", "img_002", "img_003"]
    assert bench.engines.measurer.measured == ["img_001-1", "img_002-1"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("screen", {"ids": ["img_9"]}, "valid ids: img_001 to img_004"),
        ("screen", {"threshold": 1.5}, "0..1"),
        ("screen", {"threshold": True}, "number"),
        ("inspect", {"threshold": float("nan")}, "number"),
        ("screen", {"ids": 1, "folder": "/"}, "call it as screen(ids"),
        ("describe", {"language": "fr"}, "'en', 'ko'"),
        ("decide", {"id": "img_001", "verdict": "pass", "reason": "x"}, "accept, review, reject"),
        ("decide", {"id": "img_001", "verdict": "accept", "reason": "  \n"}, "must not be empty"),
        ("decide", {"id": "img_001", "verdict": "accept"}, "call it as decide(id"),
        ("look", {"id": "../img_001"}, "unknown image id"),
        ("look", {"id": "img_004"}, "cannot be read"),
        ("look", {"id": "img_001", "region": [0, 0, 10]}, "x_min, y_min, x_max, y_max"),
        ("look", {"id": "img_001", "region": [100, 100, 200, 200]}, "64 x 64"),
        ("write_report", {"lot": "x" * 600}, "600 characters"),
        ("write_report", {"ids": []}, "at least one image"),
        ("compare", {"id": "img_001", "other": "img_004"}, "cannot be read"),
        ("search", {"text": "scratch"}, "no ledger"),
        ("examine", {"id": "img_001"}, "no vision-language model"),
    ],
)
def test_what_does_not_fit_is_answered_with_what_would(
    bench: Bench, tool: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(LoupeError) as caught:
        bench.calls(tool, **arguments)
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert bench.engines.screener.companies == []
    assert bench.workbench.verdicts() == {}


def test_calls_are_told_with_resolved_ids_rows_and_errors(bench: Bench) -> None:
    bench.calls("screen", "2")
    with pytest.raises(UsageError):
        bench.calls("look", "img_77")
    first, second = bench.told(ToolStarted)
    assert (first.call, first.tool, first.arguments) == (1, "screen", {"ids": ["img_002"]})
    assert second.arguments == {"id": "img_77"}
    finished = bench.told(ToolFinished)
    assert finished[0].result[0]["id"] == "img_002"
    assert "img_77" in finished[1].error
    assert [(e.call, e.done, e.total) for e in bench.told(ToolProgress)] == [(1, 1, 1)]


def test_look_asks_for_a_picture_a_region_or_a_finding(bench: Bench) -> None:
    bench.workbench.locate()
    bench.workbench.look(1)
    bench.workbench.look("img_001", [-5, 10.5, 30, 400])
    row = bench.workbench.look("img_002-1")
    shown = bench.workbench.take_shown()
    assert shown[:2] == [Shown("img_001"), Shown("img_001", (0.0, 10.5, 30.0, 64.0))]
    assert (shown[2].image_id, row["region"]) == ("img_002", [0.0, 0.0, 56.0, 36.0])
    assert bench.workbench.take_shown() == []
    assert [bench.workbench.showing.drawn(each).size for each in shown[:2]] == [(64, 64), (30, 54)]
    with pytest.raises(ImageError):
        bench.workbench.showing.drawn(Shown("img_004"))
    for _ in range(8):
        bench.workbench.look(1)
    with pytest.raises(UsageError, match="wait to be shown"):
        bench.workbench.look(1)


def test_compare_tells_likeness_and_what_differs(bench: Bench) -> None:
    row = bench.workbench.compare("img_001", "img_002")
    assert 0.5 < float(str(row["similarity"])) < 1.0
    assert row["same_content"] is False
    assert {"what": "suspicion", "img_001": 0.1, "img_002": 0.9} in row["differences"]  # type: ignore[operator]
    assert bench.workbench.compare(1, 1)["differences"] == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("copy.tif", "copy.tif#2", False),
        ("copy.tif", "stack.tif#2", False),
        ("copy.tif", "stack.tif", True),
        ("copy.tif#2", "stack.tif#2", True),
    ],
)
def test_a_page_has_the_content_of_its_copy_and_of_no_other_page(
    make: Callable[..., Bench], tmp_path: Path, one: str, other: str, is_same: bool
) -> None:
    stack = tmp_path / "stack.tif"
    pages = [Image.new("L", (64, 64), shade) for shade in (60, 200)]
    pages[0].save(stack, save_all=True, append_images=pages[1:])
    shutil.copy(stack, tmp_path / "copy.tif")
    bench = make(Batch.open([tmp_path]))
    assert bench.workbench.compare(one, other)["same_content"] is is_same


def test_past_cases_are_found_again(make: Callable[..., Bench], tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    first = make(ledger=ledger)
    first.workbench.decide(3, "reject", "미세 균열")
    first.workbench.inspect()
    first.workbench.decide(2, "reject", "too deep")
    cases = make(ledger=ledger).workbench.search("scratch")
    assert [(case["name"], case["verdict"], case["reason"]) for case in cases] == [
        ("part_2.png", "reject", "too deep")
    ]
    assert make(ledger=ledger).workbench.search("균열")[0]["name"] == "part_3.png"
    first.workbench.write_report(lot="B-9", ids=[3])
    assert [case["lot"] for case in make(ledger=ledger).workbench.search("b-9 균열")] == ["B-9"]
    alike = make(ledger=ledger).workbench.search(like="img_001", limit=2)
    assert alike[0]["name"] == "part_1.png"
    assert alike[0]["similarity"] == pytest.approx(1.0, abs=1e-3)


@dataclass
class Believed:
    label: str
    box_xyxy_px: BoxXyxyPx | None
    reason: str = "dark"
    severity: int | None = 2


def test_what_a_vision_model_believes_is_a_candidate_only_where_it_can_be_measured(
    make: Callable[..., Bench],
) -> None:
    asked: list[tuple[tuple[int, int], tuple[str, ...]]] = []

    def ask(picture: Image.Image, labels: Any) -> list[Believed]:
        asked.append((picture.size, tuple(labels)))
        return [
            Believed("Scratch", (2, 4, 33, 10)),
            Believed("scratch", None),
            Believed("alien", (3, 3, 99, 14)),
            Believed("dent", (40, 20, 50, 40)),
            Believed("dent", (0, 0, 50, 46)),
            Believed("dent", (60, 60, 80, 80)),
        ]

    bench = make(ask_candidates=ask)
    row = bench.calls("examine", "img_001", [8, 8, 58, 54])
    assert isinstance(row, dict)
    assert asked == [((50, 46), bench.engines.recipe.type_names)]
    candidates = row["candidates"]
    assert isinstance(candidates, list)
    assert [(c["candidate"], c["type"], c["box_xyxy_px"], c["origin"]) for c in candidates] == [  # type: ignore[call-overload,index]
        ("img_001-c1", "scratch", [10.0, 12.0, 41.0, 18.0], "vlm"),
        ("img_001-c2", "unclassified", [11.0, 11.0, 58.0, 22.0], "vlm"),
    ]
    assert (row["dropped"], row["confirmed"]) == (4, False)
    assert bench.workbench.verdicts() == {}
    assert bench.workbench.inspect("img_001")[0]["verdict"] == "accept"


def test_the_tools_offered_are_those_that_can_work(make: Callable[..., Bench], tmp_path: Path) -> None:
    assert not {"examine", "search"} & set(make().calls.names)
    full = make(ledger=Ledger(tmp_path / "l.sqlite"), ask_candidates=lambda picture, labels: [])
    assert {"examine", "search"} <= set(full.calls.names)


def test_cancelling_stops_within_a_tool_and_the_next_call_works(make: Callable[..., Bench]) -> None:
    cancel = threading.Event()
    bench = make(cancel=cancel)
    bench.engines.screener.before_each = cancel.set
    with pytest.raises(TurnCancelled):
        bench.calls("inspect")
    with pytest.raises(TurnCancelled):
        bench.calls("images")
    assert len(bench.told(ToolFinished)) == 1
    cancel.clear()
    bench.engines.screener.before_each = lambda: None
    assert len(bench.workbench.inspect()) == 4


def test_a_report_is_written_inside_the_output_folder_and_replaces_only_its_own(
    bench: Bench, tmp_path: Path
) -> None:
    bench.workbench.decide("img_002", "reject", "scratched")
    row = bench.workbench.write_report(lot="../A-17/..", language="ko")
    report, out = Path(str(row["report"])), tmp_path / "out"
    assert report == out / "report.pdf"
    assert set(tmp_path.iterdir()) == {out}
    assert (out / "overlays" / "img_002.jpg").exists()
    line = json.loads((out / "inspections.jsonl").read_text().splitlines()[1])
    assert (line["judgement"]["decided_name"], line["judgement"]["overrides"]["verdict"]) == (
        "agent",
        "accept",
    )
    assert json.loads((out / "run.json").read_text())["lot"] == "../A-17/.."
    first = report.read_bytes()
    assert bench.workbench.write_report()["lot"] == "../A-17/.."
    bench.workbench.write_report(ids=["img_003", "img_001"])
    lines = (out / "inspections.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"]["id"] for line in lines] == ["img_001", "img_003"]
    assert report.read_bytes() != first
    assert not (out / "overlays" / "img_002.jpg").exists()
    (out / "findings.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"findings\.csv"):
        bench.workbench.write_report()
    assert (out / "findings.csv").read_text() == "mine"
    assert report in bench.workbench.artifacts


def test_the_recipe_of_the_report_and_of_the_ledger_is_the_one_whose_hash_is_printed(
    make: Callable[..., Bench], recipe: Recipe, tmp_path: Path
) -> None:
    changed = recipe.model_copy(update={"models": recipe.models.model_copy(update={"clip": "another"})})
    engines, ledger = FakeEngines(changed), Ledger(tmp_path / "l.sqlite")
    workbench = make(engines=engines.as_engines, ledger=ledger).workbench
    workbench.inspect("img_001")
    report = Path(str(workbench.write_report()["report"]))
    (attached,) = PdfReader(report).attachments["recipe.json"]
    assert hashlib.sha256(attached).hexdigest() == recipe.sha256
    assert json.loads((tmp_path / "out" / "run.json").read_text())["recipe_sha256"] == recipe.sha256
    connection = sqlite3.connect(ledger.path)
    assert set(connection.execute("SELECT recipe_sha256 FROM inspections")) == {(recipe.sha256,)}


def test_what_others_put_beside_labels_and_overlays_stays(bench: Bench, tmp_path: Path) -> None:
    bench.workbench.write_report()
    theirs = tmp_path / "out" / "labels" / "classes.txt"
    theirs.write_text("scratch")
    for _ in range(2):
        bench.workbench.write_report()
    assert theirs.read_text() == "scratch"
    taken = tmp_path / "out" / "overlays" / "img_001.jpg"
    taken.write_text("mine")
    bench.workbench.decide("img_001", "reject", "bent")
    with pytest.raises(OutputError, match=r"img_001\.jpg"):
        bench.workbench.write_report()
    assert taken.read_text() == "mine"


def test_a_report_that_was_stopped_leaves_nothing_behind_the_next(
    make: Callable[..., Bench], tmp_path: Path
) -> None:
    cancel = threading.Event()
    bench = make(cancel=cancel)
    bench.workbench.inspect()
    bench.workbench.decide("img_002", "reject", "bent")
    bench.workbench.progress = lambda *_: cancel.set()
    with pytest.raises(Cancelled):
        bench.workbench.write_report()
    cancel.clear()
    bench.workbench.progress = None
    bench.workbench.write_report(ids=["img_003"])
    labels = {path.name for path in (tmp_path / "out" / "labels").rglob("*.txt")}
    assert labels == {"part_3.txt"}
    assert not (tmp_path / "out" / "overlays" / "img_002.jpg").exists()


def test_a_report_on_another_batch_is_not_replaced(
    make: Callable[..., Bench], bench: Bench, tmp_path: Path
) -> None:
    bench.workbench.write_report(lot="A-17")
    kept = (tmp_path / "out" / "report.pdf").read_bytes()
    others = write_batch(tmp_path / "others", 2)
    with pytest.raises(OutputError, match="made of other images"):
        make(others).workbench.write_report(lot="B-1")
    assert (tmp_path / "out" / "report.pdf").read_bytes() == kept


@pytest.mark.parametrize("name", ["report.pdf", "run.json", "overlays"])
def test_a_foreign_file_is_never_replaced(bench: Bench, tmp_path: Path, name: str) -> None:
    foreign = tmp_path / "out" / name
    foreign.mkdir(parents=True) if name == "overlays" else foreign.parent.mkdir(parents=True)
    if name != "overlays":
        foreign.write_text("foreign")
    with pytest.raises(OutputError, match=name):
        bench.workbench.write_report()
    assert list((tmp_path / "out").iterdir()) == [foreign]


def test_a_link_is_never_written_through(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.pdf").symlink_to(tmp_path / "elsewhere.pdf")
    with pytest.raises(OutputError):
        bench.workbench.write_report()
    assert not (tmp_path / "elsewhere.pdf").exists()


def test_what_was_inspected_before_a_stop_is_kept(bench: Bench) -> None:
    seen: list[str] = []

    def stop_after_two(event: Event) -> None:
        if isinstance(event, Inspected):
            seen.append(event.inspection.image.id)
            if len(seen) == 2:
                bench.workbench.cancel.set()

    bench.workbench.sink = stop_after_two
    with pytest.raises(Cancelled):
        bench.workbench.inspect()
    assert seen == ["img_001", "img_002"]
    assert list(bench.workbench.verdicts()) == seen


def test_a_defect_in_two_boxes_is_one_finding_once_it_was_measured(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    located, measured = bench.engines.localizer.locate, bench.engines.measurer.measure

    def locate(*arguments: Any, **named: Any) -> Iterator[tuple[Finding, ...]]:
        for found in located(*arguments, **named):
            x_min, y_min, x_max, y_max = found[0].box_xyxy_px if found else (0, 0, 0, 0)
            wide = {"id": "img_002-9", "box_xyxy_px": (x_min, y_min, 3 * x_max - 2 * x_min, y_max)}
            yield tuple(each for f in found for each in (f, f.model_copy(update=wide)))

    def measure(*arguments: Any) -> Finding:
        return measured(*arguments).model_copy(update={"contours_px": (((1, 1), (9, 1), (9, 9)),)})

    monkeypatch.setattr(bench.engines.localizer, "locate", locate)
    monkeypatch.setattr(bench.engines.measurer, "measure", measure)
    assert len(bench.workbench.locate("img_002")) == len(bench.workbench.findings()) == 2
    (row,) = bench.workbench.inspect("img_002")
    assert len(row["findings"]) == 1
    for rows in (
        bench.workbench.findings(),
        bench.workbench.locate("img_002"),
        bench.workbench.measure("img_002"),
    ):
        assert [each["finding"] for each in rows] == row["findings"]
