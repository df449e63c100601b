from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from agent.events import Decision, Event, GoodKept, Note
from agent.good_parts import changed_elsewhere
from tests.agent.conftest import Bench
from tests.agent.fakes import FakeGoodParts
from tools.errors import Cancelled, LoupeError, UsageError
from tools.records import Language, Verdict


def kept(sha256: str | None) -> GoodKept:
    return GoodKept(
        image_ids=("img_001",), total=1, by="agent", at="2026-11-21T20:00:00+00:00", sha256=sha256
    )


@pytest.mark.parametrize(
    ("began_with", "events", "now", "expected"),
    [
        ("", [], "", []),
        ("a", [Note(text="x")], "a", []),
        ("a", [kept("b")], "b", []),
        ("", [], "a", ["a"]),
        ("a", [], "", [""]),
        ("a", [kept("b")], "a", ["a"]),
        ("a", [kept("b"), kept("c")], "b", ["b"]),
        (None, [], "a", []),
        (None, [kept(None)], "a", []),
        (None, [kept("b")], "a", ["a"]),
    ],
)
def test_good_parts_that_changed_outside_of_a_session_are_noticed(
    began_with: str | None, events: list[Event], now: str, expected: list[str]
) -> None:
    found = changed_elsewhere(began_with, events, now)
    assert [(each.sha256, each.image_ids) for each in found] == [(sha256, ()) for sha256 in expected]


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
    decisions = good_bench.told(Decision)
    assert [(each.named_good, each.kept_as) for each in decisions] == [
        (True, "part_1.png (2)"),
        (True, "part_3.png (2)"),
    ]
    (told,) = good_bench.told(GoodKept)
    assert (told.image_ids, told.total, told.by) == (("img_001", "img_003"), 2, "agent")
    assert workbench.verdicts() == {"img_001": Verdict.ACCEPT, "img_003": Verdict.ACCEPT}
    assert workbench.findings() == []
    workbench.inspect()
    assert len(engines.screener.companies) == 2 * looked


@pytest.mark.parametrize(
    ("spoken", "reason"), [(Language.EN, "named as a good part"), (Language.KO, "양품으로 등록")]
)
def test_why_a_good_part_is_accepted_is_recorded_as_the_user_speaks_and_read_in_either_language(
    good_bench: Bench, spoken: Language, reason: str
) -> None:
    good_bench.workbench.spoken = spoken
    good_bench.calls("keep_good", ids="img_003")
    assert [each.reason for each in good_bench.told(Decision)] == [reason]
    (inspection,) = good_bench.workbench.inspections(["img_003"])
    assert inspection.judgement.reason(Language.EN) == "named as a good part"
    assert inspection.judgement.reason(Language.KO) == "양품으로 등록"


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
