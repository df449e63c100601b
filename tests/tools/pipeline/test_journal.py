from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.errors import OutputError
from tools.pipeline.journal import INSPECTIONS, RUN_INFO, Journal, refuse_other_run
from tools.records import (
    Centre,
    Finding,
    ImageRecord,
    Inspection,
    Judgement,
    Language,
    Origin,
    Provenance,
    RunInfo,
    Verdict,
)

RUN = RunInfo(
    loupe_version="0.1.0",
    started_at="2026-01-02T03:04:05+00:00",
    recipe_name="metal-surface",
    recipe_sha256="a" * 64,
    batch_sha256="b" * 64,
    image_count=3,
)


def inspection(number: int) -> Inspection:
    return Inspection(
        image=ImageRecord(id=f"img_{number:03d}", name=f"부품_{number}.jpg"),
        judgement=Judgement(verdict=Verdict.ACCEPT, rule="all", reason_en="ok", reason_ko="정상"),
    )


def test_a_second_start_finds_what_the_first_wrote(tmp_path: Path) -> None:
    with Journal(tmp_path / "run", RUN) as journal:
        journal.append(inspection(1))
        journal.append(inspection(2))
    later = RUN.model_copy(update={"started_at": "2026-01-03T00:00:00+00:00"})
    with Journal(tmp_path / "run", later) as journal:
        assert journal.done_ids == {"img_001", "img_002"}
        assert journal.run.started_at == RUN.started_at
        journal.append(inspection(3))
        assert list(journal.inspections()) == [inspection(1), inspection(2), inspection(3)]


def test_one_run_at_a_time_writes_into_a_folder(tmp_path: Path) -> None:
    with Journal(tmp_path / "run", RUN) as journal:
        journal.append(inspection(1))
        with pytest.raises(OutputError, match="another Loupe"):
            Journal(tmp_path / "run", RUN)
        journal.append(inspection(2))
    with pytest.raises(OutputError, match="another run"):
        Journal(tmp_path / "run", RUN.model_copy(update={"lot": "other"}))
    with Journal(tmp_path / "run", RUN) as journal:  # what was refused holds nothing back
        assert journal.done_ids == {"img_001", "img_002"}


def test_a_run_that_was_killed_before_its_first_line_can_begin_again(tmp_path: Path) -> None:
    Journal(tmp_path, RUN).close()
    (tmp_path / RUN_INFO).unlink()
    (tmp_path / INSPECTIONS).unlink()
    with Journal(tmp_path, RUN) as journal:
        assert not journal.done_ids


def test_findings_of_a_version_that_measured_no_centre_are_read(tmp_path: Path) -> None:
    found = Finding(
        id="img_001-1",
        image_id="img_001",
        type="dent",
        confidence=0.9,
        box_xyxy_px=(0, 0, 9, 9),
        origin=Origin.YOLO,
        centre=Centre(
            xy_px=(4.5, 4.25),
            uncertainty_xy_px=(0.5, 0.25),
            xy_mm=(0.45, 0.425),
            uncertainty_xy_mm=(0.06, 0.03),
            method="centroid of pixel coverage",
        ),
    )
    with_centre = inspection(1).model_copy(update={"findings": (found,)})
    with Journal(tmp_path, RUN) as journal:
        journal.append(with_centre)
        assert list(journal.inspections()) == [with_centre]
    path = tmp_path / INSPECTIONS
    line = json.loads(path.read_bytes())
    assert line["findings"][0].pop("centre")["xy_px"] == [4.5, 4.25]
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    with Journal(tmp_path, RUN) as journal:
        (earlier,) = journal.inspections()
    assert earlier.findings[0] == found.model_copy(update={"centre": None})


@pytest.mark.parametrize("cut_bytes", [1, 5, 200])
def test_a_half_written_line_is_cut_off_and_done_again(tmp_path: Path, cut_bytes: int) -> None:
    with Journal(tmp_path, RUN) as journal:
        journal.append(inspection(1))
        journal.append(inspection(2))
    path = tmp_path / INSPECTIONS
    path.write_bytes(path.read_bytes()[:-cut_bytes])
    with Journal(tmp_path, RUN) as journal:
        assert journal.done_ids == {"img_001"}
        journal.append(inspection(2))
        assert list(journal.inspections()) == [inspection(1), inspection(2)]


def test_a_file_with_only_half_a_line_starts_over(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN):
        pass
    (tmp_path / INSPECTIONS).write_bytes(b'{"half')
    with Journal(tmp_path, RUN) as journal:
        assert journal.done_ids == set()
    assert (tmp_path / INSPECTIONS).read_bytes() == b""


@pytest.mark.parametrize(
    ("changed", "made"),
    [
        ({"schema_version": 0}, "in another format"),
        ({"recipe_sha256": "c" * 64}, "by another recipe"),
        ({"batch_sha256": "d" * 64}, "of other images"),
        (
            {"models": (Provenance(tool="captioning"),)},
            "with other models, good parts, device or captions",
        ),
        ({"lot": "L2"}, "for another lot"),
        ({"lot": "L2", "batch_sha256": "d" * 64}, "of other images and for another lot"),
    ],
)
def test_another_run_is_refused_and_left_alone(tmp_path: Path, changed: dict[str, object], made: str) -> None:
    with Journal(tmp_path, RUN) as journal:
        journal.append(inspection(1))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OutputError) as caught:
        Journal(tmp_path, RUN.model_copy(update=changed))
    assert caught.value.message == f"{tmp_path} holds another run, made {made}"
    assert ("Loupe was updated since" in caught.value.hint) == ("recipe_sha256" in changed)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_run_of_another_loupe_says_with_which_to_go_on(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN) as journal:
        journal.append(inspection(1))
    with pytest.raises(OutputError, match=r"a run of Loupe 0\.1\.0; this is 0\.2\.0") as caught:
        Journal(tmp_path, RUN.model_copy(update={"loupe_version": "0.2.0", "recipe_sha256": "c" * 64}))
    assert "go on with Loupe 0.1.0" in caught.value.hint


def test_a_run_may_be_refused_by_what_is_known_of_it_so_far(tmp_path: Path) -> None:
    refuse_other_run(tmp_path / "new", lot="L2")
    with Journal(tmp_path, RUN.model_copy(update={"lot": "L1"})):
        pass
    refuse_other_run(tmp_path, lot="L1", batch_sha256=RUN.batch_sha256)
    with pytest.raises(OutputError, match="for another lot"):
        refuse_other_run(tmp_path, lot="L2")


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not a run"):
        Journal(tmp_path, RUN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN) as journal:
        journal.append(inspection(1))
    with (tmp_path / INSPECTIONS).open("ab") as file:
        file.write(b"garbage\n")
    with pytest.raises(OutputError, match=rf"{INSPECTIONS}:2"):
        Journal(tmp_path, RUN)


def test_a_damaged_run_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / RUN_INFO).write_text("{}")
    with pytest.raises(OutputError, match="damaged"):
        Journal(tmp_path, RUN)


def test_an_output_path_that_is_a_file_is_an_error_not_a_crash(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("x")
    with pytest.raises(OutputError, match="cannot write"):
        Journal(target, RUN)


def test_the_same_report_keeps_its_date_and_another_gets_its_own(tmp_path: Path) -> None:
    steps = [
        ("", Language.EN, "2026-01-02", "2026-01-02"),
        ("", Language.EN, "2026-01-03", "2026-01-02"),
        ("", Language.KO, "2026-01-04", "2026-01-04"),
        ("Kim", Language.KO, "2026-01-05", "2026-01-05"),
        ("", Language.KO, "2026-01-06", "2026-01-05"),
    ]
    for inspector, language, now, dated in steps:
        with Journal(tmp_path, RUN, {"inspector": inspector}) as journal:
            told = journal.dated(language, now)
            journal.reported(told)
        assert (told.reported_at, told.language) == (dated, language)
        assert RunInfo.model_validate_json((tmp_path / RUN_INFO).read_bytes()) == told


def test_a_report_that_was_not_written_has_no_date(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN) as journal:
        assert journal.dated(Language.EN, "2026-01-02").reported_at == "2026-01-02"
    with Journal(tmp_path, RUN) as journal:
        assert journal.run == RUN
        assert journal.dated(Language.EN, "2026-01-03").reported_at == "2026-01-03"


def test_who_inspects_and_where_may_be_said_later_and_stays_said(tmp_path: Path) -> None:
    first = RUN.model_copy(update={"station": "Line 3"})
    again = RUN.model_copy(update={"station": "Line 1"})  # by default, and not as anybody gave it
    for run, given, told in (
        (first, {}, ("", "Line 3")),
        (again, {"inspector": "Kim", "station": ""}, ("Kim", "Line 3")),
        (again, {"inspector": "", "station": ""}, ("Kim", "Line 3")),
        (again, {"inspector": "", "station": "Line 4"}, ("Kim", "Line 4")),
    ):
        with Journal(tmp_path, run, given) as journal:
            assert (journal.run.inspector, journal.run.station) == told


def test_a_verdict_that_somebody_decided_is_of_no_run(tmp_path: Path) -> None:
    with Journal(tmp_path, RUN) as journal:
        ruled = inspection(1).judgement
        decided = ruled.model_copy(update={"verdict": Verdict.REJECT, "overrides": ruled})
        journal.append(inspection(1).model_copy(update={"judgement": decided}))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OutputError, match=rf"{INSPECTIONS}:1: somebody decided this verdict"):
        Journal(tmp_path, RUN, {"inspector": "Kim"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
