from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.abstention import FILE, Abstention, read_abstention, sure_of
from agent.forge import calibration
from agent.forge.calibration import chosen, curve
from agent.forge.evaluate import Kind, Trial, outcome
from agent.forge.language import Request, Share, intents
from agent.forge.trajectories import Past, asked, begun, memory_of
from tests.agent.forge.conftest import MakeStage
from tools.records import Language

LOOK, DECIDE = 'final_answer(measure("img_001"))', 'final_answer(decide("img_001", "reject", "x"))'

REPORT = 'row = write_report(lot="A-17")'


def trial(code: str, sureness: float, *, is_right: bool = True) -> Trial:
    kind = Kind.RIGHT if is_right else Kind.ARGUMENTS
    is_wrong_change = code in (DECIDE, REPORT) and not is_right
    request = Request(f"{code} {sureness}", Language.EN, "report", ())
    return Trial(request, kind, (code,), (code,), (sureness,), is_wrong_change)


GOOD = [trial(LOOK, -0.01 * n) for n in range(1, 300)] + [trial(DECIDE, -0.01 * n) for n in range(1, 101)]


def test_where_right_and_wrong_part_is_the_threshold() -> None:
    trials = [*GOOD, *[trial(LOOK, -5.0, is_right=False)] * 20]
    assert -5.0 < chosen(trials).looking < -2.99
    assert outcome(trials, chosen(trials)).startswith("of 419 requests 399 are answered, 399 of them right")


def test_what_only_looks_is_answered_as_long_as_it_is_about_as_often_right_as_wrong() -> None:
    doubtful = [trial(LOOK, -4 - 0.01 * n, is_right=n % 9 % 2 == 1) for n in range(40)]
    hopeless = [trial(LOOK, -6 - 0.01 * n, is_right=False) for n in range(40)]
    assert -6.1 < chosen([*GOOD, *doubtful, *hopeless]).looking < -4.3
    assert chosen([*GOOD, *hopeless]).looking > -6.02
    careful = [trial(DECIDE, -4 - 0.01 * n, is_right=n % 9 % 2 == 1) for n in range(40)]
    assert chosen([*GOOD, *careful]).changing > -4.1


def test_a_wrong_answer_among_many_right_ones_is_the_price_of_these() -> None:
    assert chosen([*GOOD, trial(LOOK, -1.0, is_right=False)]).looking < -2.99


def test_wrong_changes_must_be_rare_whatever_it_costs() -> None:
    wrong = [trial(DECIDE, -0.005 - 0.1 * n, is_right=False) for n in range(6)]
    trials = [*GOOD, *wrong]
    allowed = int(0.005 * len(trials))
    abstention = chosen(trials)
    kept = [each for each in wrong if each.is_answered(abstention)]
    assert len(kept) == allowed
    assert abstention.changing > abstention.looking
    assert f"{allowed} change something wrongly" in outcome(trials, abstention)


def test_reports_of_which_fewer_are_wrong_need_less_sureness_than_decisions() -> None:
    reports = [trial(REPORT, -0.01 * n) for n in range(1, 101)]
    wrong = [trial(DECIDE, -0.1 * n, is_right=False) for n in range(6)]
    trials = [*GOOD, *reports, *wrong]
    abstention = chosen(trials)
    assert abstention.reporting is not None
    assert abstention.reporting < -1.0 < abstention.changing
    assert all(each.is_answered(abstention) for each in reports)
    assert sum(each.is_answered(abstention) for each in wrong) == int(0.005 * len(trials))


def test_wrong_reports_and_wrong_decisions_are_rare_together() -> None:
    reports = [trial(REPORT, -0.01 * n, is_right=n % 9 > 0) for n in range(1, 101)]
    wrong = [trial(DECIDE, -0.1 * n, is_right=False) for n in range(6)]
    trials = [*GOOD, *reports, *wrong]
    changed = [each for each in trials if each.is_wrong_change and each.is_answered(chosen(trials))]
    assert len(changed) == int(0.005 * len(trials))


def test_who_nearly_dares_to_change_something_asks_back() -> None:
    report = 'row = write_report(lot="A")'
    trials = [
        trial(report, -0.05),
        trial(report, -0.2),
        trial(report, -0.3, is_right=False),
        trial(report, -2.0),
    ]
    said = outcome(trials, Abstention(looking=-1.0, changing=-0.1))
    assert said.endswith("; 2 are asked back about, 1 of them as meant")


def test_where_nothing_is_right_nothing_is_answered() -> None:
    trials = [trial(code, -0.01 * n, is_right=False) for n in range(1, 9) for code in (LOOK, DECIDE)]
    abstention = chosen(trials)
    assert not any(each.is_answered(abstention) for each in trials)


def test_where_all_is_right_everything_is_answered() -> None:
    assert outcome(GOOD, chosen(GOOD)).startswith("of 399 requests 399 are answered, 399 of them right")
    assert trial(LOOK, -9.0).is_answered(chosen(GOOD))


def test_the_curve_leaves_out_what_is_least_sure() -> None:
    trials = [trial(DECIDE, -0.01) for _ in range(9)] + [trial(DECIDE, -1.0, is_right=False)]
    rows = [*curve(trials, (1.0, 0.9))]
    assert rows == [(-1.0, 1.0, 0.1, 0.1), (-0.01, 0.9, 0.0, 0.0)]


def test_a_calibration_leaves_its_thresholds_and_its_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(*_: object, share: Share) -> Iterator[Trial]:
        assert share is Share.TUNING  # what chooses thresholds does not judge them
        yield from GOOD

    monkeypatch.setattr(calibration, "judged", judged)
    lines = [*calibration.report(tmp_path, [], 1, 1, tmp_path / "curve.csv")]
    assert isinstance(read_abstention(tmp_path), Abstention)
    assert (tmp_path / FILE).exists()
    assert lines[1].split()[1:] == ["100.0%", "0.0%", "0.00%"]
    assert "399 are answered" in lines[-1]
    points = (tmp_path / "curve.csv").read_text().splitlines()
    assert points[0].startswith("least_log_probability,")
    assert len(points) == 1 + len(GOOD)


@pytest.mark.parametrize("language", [*Language])
def test_the_right_programs_name_nothing_that_nobody_named(make_stage: MakeStage, language: Language) -> None:
    rng = random.Random(11)
    doubted = []
    for intent in [*intents(language), *["pair"] * 6]:
        for _ in range(3):
            stage, past = make_stage(14, seed=rng.getrandbits(16)), Past(language, 1, rng.getrandbits(32))
            player = begun(stage, past)
            request = asked(rng, stage, past, "pair" if intent == "pair" else "single", intent)
            programs, memory = player.take(request), memory_of(stage, player)
            doubted += [
                (request.text, program)
                for program in programs
                if sure_of(program, -0.01, request.text, memory.earlier()) != -0.01
            ]
    assert doubted == []
