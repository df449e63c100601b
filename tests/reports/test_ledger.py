from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reports.ledger import Ledger
from tests.reports.builders import RECIPE, RUN, finding, inspection, unreadable
from tools.errors import OutputError
from tools.home import data_folder
from tools.records import Verdict


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "home" / "ledger.sqlite")
    scratched = inspection(1, Verdict.REJECT, (finding(),))
    dented = inspection(2, Verdict.ACCEPT, (finding("img_002", defect_type="dent"),), name="b/lid_100%.png")
    vectors = {"img_001": np.array([1, 0, 0], np.float32), "img_002": np.array([0.6, 0.8, 0], np.float32)}
    ledger.add_inspections([scratched, dented], recipe=RECIPE, lot="A-17", embeddings=vectors, weights="w1")
    return ledger


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["b/lid_100%.png", "line/cover_1.jpg"]),
        ("scratch", ["line/cover_1.jpg"]),
        ("스크래치", ["line/cover_1.jpg"]),
        ("찍힘", ["b/lid_100%.png"]),
        ("덮개 a-17", ["b/lid_100%.png", "line/cover_1.jpg"]),
        ("dent A-17 accept", ["b/lid_100%.png"]),
        ("100%", ["b/lid_100%.png"]),
        ("lid_1", ["b/lid_100%.png"]),
        ("cover%1", []),
        ("scratch dent", []),
        ("' OR 1=1 --", []),
    ],
)
def test_all_words_must_occur_and_the_newest_come_first(ledger: Ledger, text: str, names: list[str]) -> None:
    assert [case.name for case in ledger.search(text)] == names


def test_likeness_orders_and_holds_within_the_same_weights_only(ledger: Ledger) -> None:
    like = np.array([0, 1, 0], np.float32)
    cases = ledger.search(like=like, weights="w1")
    assert [case.name for case in cases] == ["b/lid_100%.png", "line/cover_1.jpg"]
    assert [case.similarity for case in cases] == pytest.approx([0.8, 0.0], abs=1e-3)
    assert ledger.search(like=like, weights="w2") == []
    assert ledger.search("scratch", like, weights="w1", limit=1)[0].name == "line/cover_1.jpg"


def test_the_latest_verdict_counts_until_the_image_is_inspected_anew(ledger: Ledger) -> None:
    image = inspection(1).image
    ledger.add_decision(
        image, Verdict.REJECT, Verdict.ACCEPT, "only dust", by="Kim", at="2999-01-01T00:00:00+00:00"
    )
    case = ledger.search("scratch")[0]
    assert (case.verdict, case.reason) == ("accept", "only dust")
    assert ledger.search("dust scratch") == [case]
    assert len(ledger.search("", limit=10)) == 2
    assert [entry["kind"] for entry in ledger.history(image.sha256)] == ["inspection", "decision"]


@pytest.mark.parametrize(
    ("text", "verdicts"), [("", ["accept"]), ("cover", ["accept"]), ("scratch", []), ("A-18", ["accept"])]
)
def test_words_are_looked_for_in_what_an_image_was_inspected_as_last(
    tmp_path: Path, text: str, verdicts: list[str]
) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.add_inspections([inspection(1, Verdict.REJECT, (finding(),))], recipe=RECIPE, lot="A-17")
    ledger.add_inspections([inspection(1, Verdict.ACCEPT)], recipe=RECIPE, lot="A-18")
    assert [case.verdict for case in ledger.search(text)] == verdicts


@pytest.mark.parametrize(
    ("inspected_at", "decided_at", "verdict"),
    [
        ("2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00", "reject"),  # 20 minutes later
        ("2026-10-25T02:10:00+01:00", "2026-10-25T02:50:00+02:00", "review"),  # 20 minutes earlier
        ("2026-10-25T02:10:00+01:00", "2026-10-25T03:10:00+02:00", "reject"),  # at once
    ],
)
def test_a_decision_is_later_by_the_time_and_not_by_the_clock_on_the_wall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inspected_at: str, decided_at: str, verdict: str
) -> None:
    monkeypatch.setattr("reports.ledger.now", lambda: inspected_at)
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.add_inspections([inspection(1, Verdict.REVIEW)], recipe=RECIPE)
    image = inspection(1).image
    ledger.add_decision(image, Verdict.REVIEW, Verdict.REJECT, "burr", by="Kim", at=decided_at)
    assert [case.verdict for case in ledger.search()] == [verdict]


def test_files_that_could_not_be_read_are_cases_of_their_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    first, second = unreadable(4), unreadable(5)
    ledger.add_inspections([first, second], recipe=RECIPE)
    at = "2999-01-01T00:00:00+00:00"
    ledger.add_decision(first.image, Verdict.REVIEW, Verdict.ACCEPT, "by hand", by="Kim", at=at)
    assert [(case.verdict, case.reason) for case in ledger.search()] == [("review", "Unreadable.")] * 2
    assert len(ledger.search("torn")) == 2
    assert ledger.search("hand") == []


def test_pages_of_one_file_are_cases_of_their_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    first = inspection(1, Verdict.ACCEPT, name="scan.tif")
    image = first.image.model_copy(update={"id": "img_002", "name": "scan.tif#2", "page": 1})
    pages = [first, first.model_copy(update={"image": image})]
    vectors = {"img_001": np.array([1, 0], np.float32), "img_002": np.array([0, 1], np.float32)}
    ledger.add_inspections(pages, recipe=RECIPE, embeddings=vectors, weights="w1")
    ledger.add_decision(image, None, Verdict.REJECT, "cracked", by="Kim", at="2999-01-01T00:00:00+00:00")
    told = [("scan.tif#2", "reject"), ("scan.tif", "accept")]
    assert [(case.name, case.verdict) for case in ledger.search()] == told
    like = np.array([0, 1], np.float32)
    assert [(case.name, case.verdict) for case in ledger.search(like=like, weights="w1")] == told
    assert [case.name for case in ledger.search("cracked")] == ["scan.tif#2"]
    assert [len(ledger.history(page.image.picture_key)) for page in pages] == [1, 2]
    assert ledger.lacking(pages) == []


def test_corrections_and_reports_are_kept(ledger: Ledger) -> None:
    image = inspection(1).image
    ledger.add_correction(image, "img_001-1", "type", "scratch", "dent", "pressed in", by="Kim")
    ledger.add_report(RUN, "report.pdf", [image], by="Kim")
    assert ledger.history(image.sha256)[-1]["after"] == "dent"
    with sqlite3.connect(ledger.path) as connection:
        assert connection.execute("SELECT lot, file, image_count, by FROM reports").fetchall() == [
            ("A-17", "report.pdf", 1, "Kim")
        ]
    connection.close()


@pytest.mark.parametrize("change", ["DELETE FROM inspections", "UPDATE decisions SET verdict = 'accept'"])
def test_nothing_can_be_changed_or_deleted(ledger: Ledger, change: str) -> None:
    ledger.add_decision(inspection(1).image, None, Verdict.REJECT, "why", by="agent", at="2026-01-01")
    connection = sqlite3.connect(ledger.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()


def test_two_programs_may_write_and_be_the_first_at_once(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from reports.ledger import Ledger\n"
        "from tests.reports.builders import inspection\n"
        "from tools.records import Verdict\n"
        "sys.stdin.read(1)\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for number in range(20):\n"
        "    image = inspection(1).image\n"
        "    ledger.add_decision(image, None, Verdict.ACCEPT, str(number), by=sys.argv[2], at='2026')\n"
    )
    path = tmp_path / "ledger.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path), name], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"g")
        writer.stdin.flush()
    for writer in writers:
        assert writer.communicate()[1] == b""
    entries = Ledger(path).history(inspection(1).image.sha256)
    assert sorted((str(e["by"]), int(str(e["reason"]))) for e in entries) == [
        (name, number) for name in ("a", "b") for number in range(20)
    ]


def test_a_newer_or_foreign_file_is_refused_and_kept(tmp_path: Path) -> None:
    newer = tmp_path / "newer.sqlite"
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(b"no database, but somebody's file" * 40)
    for path, said in ((newer, "newer version"), (foreign, "cannot be used")):
        before = path.read_bytes()
        with pytest.raises(OutputError, match=said):
            Ledger(path)
        assert path.read_bytes() == before


def test_the_home_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_HOME", str(tmp_path / "here"))
    assert data_folder() == tmp_path / "here"
    assert Ledger().path == tmp_path / "here" / "ledger.sqlite"
