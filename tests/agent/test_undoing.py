from __future__ import annotations

import pytest

from agent.events import Decision
from agent.undoing import acts_after, newest_act, numbered, opinions
from tools.records import Verdict


def decision(image: int, act: int = 0, takes_back: int = 0, *, by_threshold: bool = False) -> Decision:
    return Decision(
        image_id=f"img_{image:03}",
        verdict=Verdict.REJECT,
        reason="bent",
        by="Kim",
        at="2026",
        act=act,
        takes_back=takes_back,
        by_threshold=by_threshold,
    )


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], []),
        ([decision(1, 1), decision(2, 2)], [(2, 2)]),
        ([decision(1, 1), decision(2, 2), decision(3, 2)], [(2, 2), (3, 2)]),
        ([decision(1, 1), decision(2, 2), decision(2, 3, takes_back=2)], [(1, 1)]),
        ([decision(1, 1), decision(1, 2, takes_back=1)], []),
        ([decision(1, 1), decision(2, 1), decision(2, 2, takes_back=1)], [(1, 1)]),
        ([decision(1, 1), decision(1, 2, takes_back=1), decision(1, 3)], [(1, 3)]),
        ([decision(1, 2), decision(2, 1), decision(3, 2)], [(1, 2), (3, 2)]),
    ],
    ids=["none", "last", "together", "taken back", "all back", "half back", "decided anew", "two threads"],
)
def test_the_newest_decisions_that_stand_are_found(
    decisions: list[Decision], expected: list[tuple[int, int]]
) -> None:
    assert [(int(each.image_id[-3:]), each.act) for each in newest_act(decisions)] == expected


def test_of_several_thresholds_only_the_last_one_is_taken_back() -> None:
    decisions = [
        decision(1, 1),
        decision(2, 2, by_threshold=True),
        decision(2, 3, by_threshold=True),
        decision(2, 4, takes_back=3),
    ]
    assert [each.act for each in newest_act(decisions[:3])] == [3]
    assert [each.act for each in newest_act(decisions)] == [1]


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], {}),
        ([decision(1, 1), decision(1, 2)], {"img_001": 2}),
        ([decision(1, 1), decision(1, 2), decision(1, 3, takes_back=2)], {"img_001": 1}),
        ([decision(1, 1), decision(1, 2, takes_back=1)], {}),
        ([decision(1, 1), decision(2, 2, by_threshold=True)], {"img_001": 1}),
    ],
    ids=["none", "newest", "older", "taken back", "threshold"],
)
def test_what_somebody_thinks_of_an_image_is_what_nobody_took_back(
    decisions: list[Decision], expected: dict[str, int]
) -> None:
    assert {image: each.act for image, each in opinions(decisions).items()} == expected


@pytest.mark.parametrize(("lapsed", "newest"), [(0, [3]), (2, [3]), (3, [1])])
def test_what_another_threshold_decided_before_good_parts_were_kept_is_not_taken_back(
    lapsed: int, newest: list[int]
) -> None:
    decisions = [decision(1, 1), decision(2, 2, by_threshold=True), decision(3, 3, by_threshold=True)]
    assert [each.act for each in newest_act(decisions, lapsed)] == newest


def test_a_log_of_an_earlier_version_gets_an_act_per_decision_and_new_ones_follow() -> None:
    old = [decision(1), decision(2), decision(3)]
    assert [each.act for each in numbered(old)] == [1, 2, 3]
    assert next(acts_after(old)) == 4
    mixed = [*old, decision(4, act=4), decision(5, act=9)]
    assert [each.act for each in numbered(mixed)] == [1, 2, 3, 4, 9]
    assert next(acts_after(mixed)) == 10
    assert next(acts_after([])) == 1
