from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest.mock import Mock

import pytest

from agent.events import EVENT, Decision, GoodKept, Note
from agent.rows import Row
from agent.workbench import Workbench
from tests.agent.conftest import SUSPECT, UNSURE, Bench
from tools.errors import OutputError, UsageError
from tools.records import DecidedBy, Language, Verdict


def return_to_rule(workbench: Workbench) -> list[Row]:
    return workbench.inspect(threshold=workbench.recipe.screening.threshold)


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


def test_what_is_taken_back_leaves_the_rules_own_judgement(bench: Bench) -> None:
    bench.workbench.inspect()
    rule = bench.workbench.inspections(["img_003"])[0].judgement
    bench.workbench.override("img_003", "accept", "only dust", by="Kim", act=7)
    assert bench.workbench.inspections(["img_003"])[0].judgement.overrides == rule
    bench.workbench.override("img_003", rule.verdict.value, "taken back", by="Kim", takes_back=7)
    assert bench.workbench.inspections(["img_003"])[0].judgement == rule
    assert [each.verdict for each in bench.told(Decision)] == [Verdict.ACCEPT, rule.verdict]


def test_what_cannot_be_logged_is_not_decided(make: Callable[..., Bench]) -> None:
    def full(event: object) -> None:
        if isinstance(event, Decision):
            raise OSError("no space left")

    ledger = Mock()
    bench = make(sink=full, ledger=ledger)
    bench.workbench.inspect()
    with pytest.raises(OSError, match="no space"):
        bench.workbench.override("img_003", "accept", "only dust", by="Kim")
    assert bench.workbench.verdicts()["img_003"] is Verdict.REVIEW
    ledger.add_decision.assert_not_called()


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
    assert bench.workbench.inspect() == rows  # who only looks changes nothing
    again = return_to_rule(bench.workbench)
    assert [row["verdict"] for row in again] == ["review", "accept", "review", "review"]
    assert bench.told(Decision)[-1].reason == "the recipe's own threshold again"
    judgement = bench.workbench.inspections(["img_003"])[0].judgement
    assert (judgement.decided_by, judgement.overrides) == (DecidedBy.RULE, None)
    screening = bench.workbench.inspections(["img_003"])[0].screening
    assert screening
    assert screening.threshold == 0.5  # the fake screener's own


def test_why_another_threshold_decides_is_in_the_language_of_who_asks(bench: Bench) -> None:
    bench.workbench.spoken = Language.KO
    bench.workbench.inspect(threshold=0.95)
    return_to_rule(bench.workbench)
    by_threshold, by_rule = (each.reason for each in bench.told(Decision))
    own = f"{bench.workbench.recipe.screening.threshold:g}"
    assert by_threshold.startswith(f"레시피의 기준 {own} 대신 0.95 적용: 모든 기준 충족")
    assert by_rule == "다시 레시피의 기준 적용"


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
    return_to_rule(bench.workbench)
    assert asked[1:] == ([["img_003 review"]] if agreed else [])


def test_what_a_refused_threshold_would_have_found_is_not_known(make: Callable[..., Bench]) -> None:
    bench = make(approve=lambda _: False)
    bench.engines.screener.statuses = {"img_002": SUSPECT}
    bench.workbench.inspect()
    before = bench.workbench.findings()
    with pytest.raises(UsageError, match="did not agree to review img_003"):
        bench.workbench.inspect(threshold=0.05)
    assert bench.workbench.findings() == before


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
        (lambda bench: bench.inspect(), Verdict.ACCEPT),
        (return_to_rule, Verdict.REVIEW),
        (lambda bench: bench.inspect(threshold=0.45), Verdict.REVIEW),
        (lambda bench: (return_to_rule(bench), bench.inspect(threshold=0.99)), Verdict.ACCEPT),
        (lambda bench: (bench.start_over(), bench.inspections()), Verdict.REVIEW),
        (lambda bench: bench.override("img_003", "reject", "bent", by="Kim"), Verdict.REJECT),
    ],
    ids=["only looking", "the recipe's again", "another", "again", "other good parts", "somebody decides"],
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


def test_what_was_found_at_another_threshold_is_known_to_a_resumed_session_while_that_holds(
    make: Callable[..., Bench],
) -> None:
    def told(bench: Bench) -> list[tuple[list[str], float | None]]:
        seen = bench.workbench.inspections(["img_001", "img_002"])
        return [
            ([finding.id for finding in each.findings], each.screening and each.screening.threshold)
            for each in seen
        ]

    def resumed(before: Bench) -> Bench:
        after = make()
        after.events.extend(EVENT.validate_json(event.model_dump_json()) for event in before.events)
        after.workbench.restore(after.events)
        return after

    bench = make()
    bench.workbench.inspect()
    own = told(bench)
    bench.workbench.inspect(threshold=0.05)
    tried = told(bench)
    assert tried != own
    again = resumed(bench)
    assert told(again) == tried
    assert again.workbench.findings() == bench.workbench.findings()
    again.workbench.inspect("img_001", threshold=again.workbench.recipe.screening.threshold)
    assert told(again) == told(resumed(again)) == [own[0], tried[1]]
    again.events.append(GoodKept(image_ids=(), total=0, by="", at="2026", sha256="b"))
    assert told(resumed(again)) == own


def test_a_decision_in_a_log_of_an_earlier_version_is_nobody_s_threshold_nor_good_part() -> None:
    old = Decision(image_id="img_003", verdict=Verdict.ACCEPT, reason="x", by="agent", at="2026")
    line = old.model_dump_json(exclude={"by_threshold", "named_good", "kept_as"})
    assert EVENT.validate_json(line) == old
    assert (old.by_threshold, old.named_good, old.kept_as) == (False, False, "")


def restored(make: Callable[..., Bench], before: Bench) -> Bench:
    """A bench of a later start, with what the first one logged."""
    after = make()
    after.workbench.restore([EVENT.validate_json(event.model_dump_json()) for event in before.events])
    return after


def taken_back(bench: Bench, decision: Decision) -> None:
    verdict = bench.workbench.before(decision)
    bench.workbench.override(
        decision.image_id, verdict.value, "taken back", by="Kim", takes_back=decision.act
    )


@pytest.mark.parametrize("is_resumed", [False, True])
def test_what_was_taken_back_gives_way_to_what_other_good_parts_say(
    make: Callable[..., Bench], is_resumed: bool
) -> None:
    bench = make()
    bench.workbench.inspect()
    bench.workbench.decide("img_003", "reject", "bent")
    taken_back(bench, bench.told(Decision)[-1])
    bench.workbench.decide("img_004", "accept", "looked at it")
    bench.workbench.sink(GoodKept(image_ids=(), total=1, by="Kim", at="2026"))
    if is_resumed:
        bench = restored(make, bench)
    else:
        bench.workbench.start_over()
    bench.engines.screener.statuses = {}
    *_, third, last = bench.workbench.inspections()
    assert (third.judgement.verdict, third.judgement.decided_by) == (Verdict.ACCEPT, DecidedBy.RULE)
    assert last.judgement.verdict is Verdict.ACCEPT  # which nobody took back


def test_a_threshold_that_is_taken_back_takes_along_what_it_found(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.workbench.inspect()
    own, found = bench.workbench.inspections(), bench.workbench.findings()
    for threshold in (0.99, 0.95):
        bench.workbench.inspect(threshold=threshold)
    changed = bench.told(Decision)[-1]
    assert f"threshold {threshold}" in bench.workbench.inspections(["img_003"])[0].judgement.reason_en
    assert (changed.image_id, changed.verdict) == ("img_003", Verdict.ACCEPT)
    taken_back(bench, changed)
    for each in (bench, restored(make, bench)):
        assert each.workbench.inspections(["img_003"]) == own[2:3]
        assert each.workbench.findings("img_003") == [row for row in found if row["id"] == "img_003"]
        return_to_rule(each.workbench)
        assert each.workbench.findings() == found


def test_findings_of_another_threshold_go_with_it(bench: Bench) -> None:
    bench.workbench.inspect()
    found = bench.workbench.findings()
    bench.workbench.inspect(threshold=0.05)
    assert len(bench.workbench.findings()) > len(found)
    return_to_rule(bench.workbench)
    assert bench.workbench.findings() == found


def test_a_stricter_threshold_hides_what_only_the_recipes_found(bench: Bench) -> None:
    bench.workbench.inspect()
    found = bench.workbench.findings()
    bench.workbench.inspect(threshold=0.999)
    shown = {f.id for each in bench.workbench.inspections() for f in each.findings}
    assert {row["finding"] for row in bench.workbench.findings()} == shown
    assert len(shown) < len(found)


def test_a_threshold_that_was_given_up_counts_for_nothing_when_the_next_is_tried(bench: Bench) -> None:
    own = bench.workbench.recipe.screening.threshold
    for threshold in (0.99, own):
        bench.workbench.inspect("img_003", threshold=threshold)
    told = bench.told(Decision)
    assert [each.verdict for each in told] == [Verdict.ACCEPT, Verdict.REVIEW]
    unsure_at = bench.workbench.screen("img_003")[0]["suspicion"]
    bench.workbench.inspect("img_003", threshold=unsure_at)  # says there what the recipe's says
    assert bench.told(Decision) == told


@pytest.mark.parametrize("inspected_when", ["before the undo", "after the undo"])
def test_a_first_word_that_is_taken_back_leaves_the_rule_to_judge(
    make: Callable[..., Bench], inspected_when: str
) -> None:
    bench = make()
    bench.workbench.decide("img_001", "reject", "scratched")
    (decision,) = bench.told(Decision)
    if inspected_when == "before the undo":
        bench.workbench.inspect()
    taken_back(bench, decision)
    bench.workbench.inspect()
    for each in (bench, restored(make, bench)):
        judgement = each.workbench.inspections(["img_001"])[0].judgement
        assert (judgement.verdict, judgement.decided_by) == (Verdict.ACCEPT, DecidedBy.RULE)
        assert each.workbench.verdicts()["img_001"] is Verdict.ACCEPT


def test_a_ledger_that_takes_nothing_loses_no_decision(make: Callable[..., Bench]) -> None:
    ledger = Mock()
    bench = make(ledger=ledger)
    bench.workbench.inspect()
    ledger.add_decision.side_effect = OutputError("the ledger cannot be used: database is locked", "wait")
    bench.workbench.decide("img_003", "reject", "bent")
    assert bench.workbench.verdicts()["img_003"] is Verdict.REJECT
    [note] = bench.told(Note)
    assert note.text == (
        "the ledger lacks a decision on img_003: the ledger cannot be used: database is locked"
    )
