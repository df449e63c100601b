from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from PIL import Image

from agent.calls import Calls
from agent.cancelling import TurnCancelled
from agent.events import (
    EVENT,
    Decision,
    Event,
    GoodKept,
    Inspected,
    ToolFinished,
    ToolProgress,
    ToolStarted,
)
from agent.showing import Shown
from agent.workbench import Workbench
from reports.ledger import Ledger
from tests.agent.fakes import FakeEngines, FakeGoodParts, write_batch
from tools.errors import Cancelled, ImageError, LoupeError, OutputError, UsageError
from tools.images import Batch
from tools.recipe import FixedScale, Recipe
from tools.recipe.file import load_recipe
from tools.records import BoxXyxyPx, DecidedBy, ScreeningStatus, Verdict

SUSPECT, UNSURE = ScreeningStatus.SUSPECT, ScreeningStatus.UNSURE


@dataclass
class Bench:
    """A workbench over four pictures, one of them unreadable, with what it told."""

    workbench: Workbench
    engines: FakeEngines
    events: list[Event]
    calls: Calls

    def told(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("batch")
    write_batch(folder, 3)
    (folder / "torn.png").write_bytes(b"no picture")
    return Batch.open([folder])


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_recipe().model_copy(update={"scale": FixedScale(mm_per_px=0.1)})


@pytest.fixture
def make(batch: Batch, recipe: Recipe, tmp_path: Path) -> Callable[..., Bench]:
    def made(**options: Any) -> Bench:
        engines = FakeEngines(recipe, {"img_002": SUSPECT, "img_003": UNSURE}, ["img_002", "img_001"])
        events: list[Event] = []
        settings = {"out": tmp_path / "out", "engines": engines.as_engines, "sink": events.append, **options}
        workbench = Workbench(batch, recipe, **settings)
        return Bench(workbench, engines, events, Calls(workbench))

    return made


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


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


def test_a_decision_needs_a_reason_is_told_and_leaves_the_rule_visible(bench: Bench) -> None:
    before = bench.workbench.inspect("img_003")[0]
    assert before["verdict"] == "review"
    row = bench.workbench.decide("part_3.png", "REJECT", "bent\nedge")
    assert (row["before"], row["verdict"], row["rule_verdict"], row["by"]) == (
        "review",
        "reject",
        "review",
        "agent",
    )
    (decision,) = bench.told(Decision)
    assert (decision.image_id, decision.reason, decision.by) == ("img_003", "bent edge", "agent")
    after = bench.workbench.inspect("img_003")[0]
    assert (after["verdict"], after["rule_verdict"], after["reason"]) == ("reject", "review", "bent edge")
    judgement = bench.workbench.inspections(["img_003"])[0].judgement
    assert judgement.decided_by is DecidedBy.AGENT
    assert judgement.overrides
    bench.workbench.override("img_003", "review", "undone", by="김검사")
    judgement = bench.workbench.inspections(["img_003"])[0].judgement
    assert (judgement.verdict, judgement.decided_by, judgement.decided_name) == (
        Verdict.REVIEW,
        DecidedBy.HUMAN,
        "김검사",
    )
    assert judgement.overrides.rule == "screening.unsure"  # type: ignore[union-attr]


def test_a_decision_may_come_before_the_inspection_and_outlives_a_restart(
    make: Callable[..., Bench],
) -> None:
    first = make()
    first.workbench.decide(2, "reject", "the customer said so")
    assert first.workbench.verdicts() == {"img_002": Verdict.REJECT}
    again = make()
    again.workbench.restore(first.told(Decision))
    again.workbench.inspect()
    assert again.workbench.verdicts()["img_002"] is Verdict.REJECT
    assert again.told(Decision) == []


def test_another_threshold_changes_verdicts_on_the_record_only(bench: Bench) -> None:
    bench.workbench.inspect()
    bench.workbench.decide("img_001", "review", "somebody shall look")
    assert bench.workbench.inspect("img_001")[0]["findings"] == []
    assert bench.workbench.inspect("img_001", threshold=0.05)[0]["findings"] == ["img_001-1"]
    rows = bench.workbench.inspect(threshold=0.95)
    assert [row["verdict"] for row in rows] == ["review", "accept", "accept", "review"]
    decisions = bench.told(Decision)
    assert [(d.image_id, d.verdict) for d in decisions[1:]] == [("img_003", Verdict.ACCEPT)]
    assert "threshold 0.95" in decisions[1].reason
    assert [row["verdict"] for row in bench.workbench.inspect()] == ["review", "accept", "review", "review"]
    assert bench.told(Decision)[-1].reason == "the recipe's own threshold again"
    screening = bench.workbench.inspections(["img_003"])[0].screening
    assert screening
    assert screening.threshold == 0.5  # the fake screener's own


@pytest.mark.parametrize("agreed", [True, False])
def test_what_another_threshold_changes_is_asked_for_in_one_question(
    make: Callable[..., Bench], agreed: bool
) -> None:
    asked: list[list[str]] = []

    def approve(decisions: Sequence[Decision]) -> bool:
        asked.append([f"{each.image_id} {each.verdict}" for each in decisions])
        return agreed

    ledger = Mock()
    bench = make(approve=approve, ledger=ledger)
    bench.workbench.inspect()
    before = bench.workbench.inspections()
    bench.workbench.override("img_001", "review", "somebody shall look", by="Kim")
    bench.workbench.override("img_004", "reject", "torn", by="Kim")
    ledger.add_decision.reset_mock()
    if agreed:
        bench.workbench.inspect(threshold=0.99)
    else:
        with pytest.raises(UsageError, match="did not agree to accept img_003"):
            bench.workbench.inspect(threshold=0.99)
        assert bench.workbench.inspections()[1:3] == before[1:3]
    assert asked == [["img_003 accept"]]
    changed = [each.image_id for each in bench.told(Decision) if each.by == "agent"]
    assert changed == (["img_003"] if agreed else [])
    assert ledger.add_decision.call_count == len(changed)
    assert bench.workbench.verdicts()["img_003"] is (Verdict.ACCEPT if agreed else Verdict.REVIEW)
    bench.workbench.inspect("img_002", threshold=0.99)  # which changes nothing
    bench.workbench.inspect()
    assert len(asked) == 1


def test_a_refusal_of_several_changes_counts_them(make: Callable[..., Bench]) -> None:
    bench = make(approve=lambda decisions: len(decisions) < 2)
    bench.engines.screener.statuses = {"img_002": UNSURE, "img_003": UNSURE}
    bench.engines.localizer.found_in = []
    bench.workbench.inspect()
    with pytest.raises(UsageError, match="did not agree to change 2 verdicts"):
        bench.workbench.inspect(threshold=0.99)
    assert bench.told(Decision) == []


@pytest.mark.parametrize("is_resumed", [False, True])
@pytest.mark.parametrize(
    ("then", "expected"),
    [
        (lambda bench: bench.inspect(), Verdict.REVIEW),
        (lambda bench: bench.inspect(threshold=0.45), Verdict.REVIEW),
        (lambda bench: (bench.inspect(), bench.inspect(threshold=0.99)), Verdict.ACCEPT),
        (lambda bench: (bench.start_over(), bench.inspections()), Verdict.REVIEW),
        (lambda bench: bench.override("img_003", "reject", "bent", by="Kim"), Verdict.REJECT),
    ],
    ids=["the recipe's again", "another", "again", "other good parts", "somebody decides"],
)
def test_what_another_threshold_decided_goes_with_it_also_after_a_resume(
    make: Callable[..., Bench], is_resumed: bool, then: Callable[[Workbench], object], expected: Verdict
) -> None:
    first = make()
    first.workbench.inspect()
    first.workbench.inspect(threshold=0.99)
    assert first.workbench.verdicts()["img_003"] is Verdict.ACCEPT
    bench = first
    if is_resumed:
        bench = make()
        bench.workbench.restore([EVENT.validate_json(event.model_dump_json()) for event in first.events])
        assert bench.workbench.verdicts() == first.workbench.verdicts()
    then(bench.workbench)
    assert bench.workbench.verdicts()["img_003"] is expected


def test_a_decision_in_a_log_of_an_earlier_version_is_nobody_s_threshold() -> None:
    old = Decision(image_id="img_003", verdict=Verdict.ACCEPT, reason="x", by="agent", at="2026")
    line = old.model_dump_json(exclude={"by_threshold"})
    assert EVENT.validate_json(line) == old
    assert not old.by_threshold


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


@pytest.fixture
def good_bench(bench: Bench) -> Bench:
    bench.engines.good_parts = FakeGoodParts()
    return bench


def test_good_parts_are_accepted_on_the_record_and_all_is_seen_anew(good_bench: Bench) -> None:
    workbench, engines = good_bench.workbench, good_bench.engines
    workbench.inspect()
    looked = len(engines.screener.companies)
    row = good_bench.calls("keep_good", ids=["part_1.png", "img_003"])
    assert row == {"good_parts": 2, "added": 2, "remark": "too few"}
    assert engines.good_parts.kept == ["img_001", "img_003"]
    assert [(each.image_id, each.verdict) for each in good_bench.told(Decision)] == [
        ("img_001", Verdict.ACCEPT),
        ("img_003", Verdict.ACCEPT),
    ]
    (told,) = good_bench.told(GoodKept)
    assert (told.image_ids, told.total, told.by) == (("img_001", "img_003"), 2, "agent")
    assert workbench.verdicts() == {"img_001": Verdict.ACCEPT, "img_003": Verdict.ACCEPT}
    assert workbench.findings() == []
    workbench.inspect()
    assert len(engines.screener.companies) == 2 * looked


@pytest.mark.parametrize(
    ("ids", "error"), [([], "name the images that are good"), (["img_001", "img_004"], "cannot be read")]
)
def test_nothing_is_kept_where_an_image_cannot_be(good_bench: Bench, ids: list[str], error: str) -> None:
    with pytest.raises(LoupeError, match=error):
        good_bench.calls("keep_good", ids=ids)
    assert good_bench.engines.good_parts.kept == []
    assert good_bench.told(Decision) == []


def test_whoever_must_agree_to_a_decision_must_agree_to_good_parts(make: Callable[..., Bench]) -> None:
    asked: list[list[str]] = []

    def refuse(decisions: Sequence[Decision]) -> bool:
        asked.append([each.image_id for each in decisions])
        return False

    refused = make(approve=refuse)
    refused.engines.good_parts = FakeGoodParts()
    with pytest.raises(UsageError, match="did not agree"):
        refused.calls("keep_good", ids=["img_001", "img_003"])
    assert asked == [["img_001", "img_003"]]
    assert refused.engines.good_parts.kept == []
    assert refused.told(Decision) == []


@pytest.mark.parametrize("error", [Cancelled("stopped"), UsageError("the recipe has changed")])
def test_nothing_is_accepted_where_nothing_could_be_kept(bench: Bench, error: LoupeError) -> None:
    bench.engines.good_parts = FakeGoodParts(error)
    with pytest.raises(type(error)):
        bench.calls("keep_good", ids=["img_001", "img_003"])
    assert (bench.told(Decision), bench.told(GoodKept)) == ([], [])
    assert bench.workbench.verdicts() == {}


def test_good_parts_that_were_kept_are_known_to_a_resumed_session(
    good_bench: Bench, make: Callable[..., Bench]
) -> None:
    good_bench.workbench.inspect()
    good_bench.workbench.inspect(threshold=0.99)
    good_bench.calls("keep_good", ids=["img_001"])
    good_bench.workbench.inspect("img_002")
    again = make()
    again.workbench.restore(good_bench.events)
    assert again.workbench.verdicts() == good_bench.workbench.verdicts()
    assert [i for i in ("img_001", "img_002", "img_003") if again.workbench.inspection(i)] == ["img_002"]
