from __future__ import annotations

from itertools import pairwise

import pytest

from reports.statistics import (
    Tally,
    bin_edges,
    distinct,
    largest_step,
    lengths,
    nice_step,
    pareto,
    seconds_by_tool,
    source_uses,
    tally,
)
from tests.reports.builders import finding, inspection, mixed_batch, unreadable
from tools.overriding import overridden
from tools.records import Provenance, Source, SourceScore, Unit, Verdict
from tools.voices import TOO_FEW


def test_tally_counts_unreadable_apart_from_its_verdict() -> None:
    assert tally(mixed_batch()) == Tally(accepted=1, review=1, rejected=1, unreadable=1, findings=3)


def test_a_duplicate_is_not_counted_again() -> None:
    first = inspection(1, Verdict.REJECT, (finding(),))
    image = first.image.model_copy(update={"id": "img_002", "duplicate_of": "img_001"})
    again = first.model_copy(update={"image": image})
    other = inspection(3, Verdict.ACCEPT)
    assert distinct([first, again, other]) == [first, other]
    assert distinct([again, other]) == [again, other]  # a report on some images may lack the first one


DECIDED_AT = "2026-03-04T05:30:00+09:00"


@pytest.mark.parametrize(
    ("verdicts", "decided", "counted"),
    [
        ((Verdict.ACCEPT, Verdict.ACCEPT, Verdict.REVIEW), {2: Verdict.REJECT}, 2),
        ((Verdict.REJECT, Verdict.REJECT), {2: Verdict.ACCEPT}, 2),
        ((Verdict.ACCEPT, Verdict.ACCEPT, Verdict.ACCEPT), {2: Verdict.REVIEW, 3: Verdict.REJECT}, 3),
        ((Verdict.ACCEPT, Verdict.REVIEW, Verdict.ACCEPT), {}, 2),
        ((Verdict.ACCEPT, Verdict.ACCEPT), {1: Verdict.ACCEPT}, 1),
    ],
)
def test_copies_that_disagree_count_with_what_was_decided_else_with_the_worst(
    verdicts: tuple[Verdict, ...], decided: dict[int, Verdict], counted: int
) -> None:
    copies = []
    for number, verdict in enumerate(verdicts, start=1):
        made = inspection(number, verdict)
        first = None if number == 1 else "img_001"
        made = made.model_copy(update={"image": made.image.model_copy(update={"duplicate_of": first})})
        if number in decided:
            made = overridden(made, decided[number], "Seen.", by="Kim", at=DECIDED_AT)
        copies.append(made)
    assert [each.image.id for each in distinct(copies)] == [f"img_{counted:03d}"]


def test_a_source_that_was_not_asked_is_not_counted_as_asked() -> None:
    unasked = SourceScore(source=Source.BATCH, score=0.0, suspicion=0.0, remark=TOO_FEW, compared_with=7)
    made = inspection(1)
    screening = made.screening and made.screening.model_copy(update={"sources": (unasked,)})
    (use,) = source_uses([made.model_copy(update={"screening": screening})])
    assert (use.asked, use.counted, use.remarks) == (0, 0, (TOO_FEW,))


@pytest.mark.parametrize(
    ("accepted", "rejected", "share", "interval"),
    [
        # Bounds computed by hand from Wilson's formula with z = 1.959964.
        (8, 2, 0.8, (0.4902, 0.9433)),
        (0, 10, 0.0, (0.0, 0.2775)),
        (10, 0, 1.0, (0.7225, 1.0)),
        (1, 0, 1.0, (0.2065, 1.0)),
    ],
)
def test_yield_has_its_wilson_interval(
    accepted: int, rejected: int, share: float, interval: tuple[float, float]
) -> None:
    counts = Tally(accepted=accepted, review=0, rejected=rejected, unreadable=3, findings=0)
    assert counts.yield_share == share
    assert counts.yield_interval == pytest.approx(interval, abs=5e-5)


def test_review_counts_as_not_accepted() -> None:
    counts = Tally(accepted=1, review=1, rejected=0, unreadable=0, findings=0)
    assert counts.yield_share == 0.5


def test_nothing_inspected_has_no_yield() -> None:
    counts = tally([unreadable(1)])
    assert (counts.inspected, counts.yield_share, counts.yield_interval) == (0, None, None)


def test_pareto_falls_and_accumulates() -> None:
    types = ["dent", "scratch", "dent", "crack", "dent", "crack"]
    found = tuple(finding(number=n, defect_type=name) for n, name in enumerate(types, start=1))
    bars = pareto([inspection(1, findings=found)])
    assert [(bar.type, bar.count) for bar in bars] == [("dent", 3), ("crack", 2), ("scratch", 1)]
    assert [bar.cumulative for bar in bars] == pytest.approx([3 / 6, 5 / 6, 1.0])
    assert pareto([inspection(1)]) == []


def test_lengths_never_mix_units() -> None:
    measured = lengths(mixed_batch())
    assert (measured.unit, measured.values, measured.left_out) == (Unit.MM, (7.25, 1.5), 1)
    pixels = lengths([inspection(1, findings=(finding(unit=Unit.PX, length=12.0),))])
    assert (pixels.unit, pixels.values, pixels.left_out) == (Unit.PX, (12.0,), 0)


@pytest.mark.parametrize(
    ("span", "parts", "step"),
    [(10, 10, 1), (11, 10, 2), (0.9, 3, 0.5), (49, 1, 50), (100, 1, 100), (0.034, 10, 0.005)],
)
def test_nice_step(span: float, parts: int, step: float) -> None:
    assert nice_step(span, parts) == pytest.approx(step)


@pytest.mark.parametrize(
    ("limit", "step"), [(1, 1), (1.9, 1), (49, 20), (50, 50), (0.3, 0.2), (0.001, 0.001), (999, 500)]
)
def test_largest_step(limit: float, step: float) -> None:
    assert largest_step(limit) == pytest.approx(step)


@pytest.mark.parametrize("values", [[0.0], [10.0], [0.3, 7.77, 7.7700001], [1e-3], [123456.0, 3.0]])
def test_bins_hold_every_value_once(values: list[float]) -> None:
    edges = bin_edges(values)
    assert len(edges) <= 12
    for value in values:
        assert sum(low <= value < high for low, high in pairwise(edges)) == 1


def test_seconds_add_up_over_images_and_findings() -> None:
    seconds = seconds_by_tool(
        [inspection(1, findings=(finding(),)), inspection(2, Verdict.ACCEPT, (finding("img_002"),))]
    )
    assert seconds == {"measurement": 0.5, "screening": 1.0}


def test_seconds_are_of_all_that_looked_once_per_image() -> None:
    looked = Provenance(tool="localization", elapsed_s=2.0)
    said = [(Source.WORDS, 0.0), (Source.REFERENCES, 0.25), (Source.DETECTOR, 1.0), (Source.TEMPLATE, 0.0)]
    sources = tuple(
        SourceScore(source=source, score=0.5, suspicion=0.5, elapsed_s=elapsed_s)
        for source, elapsed_s in said
    )
    inspected = [
        inspection(1, findings=(finding(), finding(number=2))),
        inspection(2, Verdict.ACCEPT),
    ]
    inspected = [
        each.model_copy(
            update={
                "provenance": (looked,),
                "screening": each.screening.model_copy(update={"sources": sources}),
            }
        )
        for each in inspected
        if each.screening
    ]
    assert seconds_by_tool(inspected) == {
        "localization": 6.0,
        "measurement": 0.5,
        "references": 0.5,
        "screening": 1.0,
    }
