from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from reports.ledger import Ledger
from tests.agent.fakes import FakeEngines, write_batch
from tools.images import Batch
from tools.pipeline.fixed import Pipeline
from tools.recipe.file import load_recipe
from tools.records import Inspection
from tui.recording import Recorder


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    write_batch(tmp_path / "batch", 3)
    (tmp_path / "batch" / "torn.png").write_bytes(b"no image")
    return Batch.open([tmp_path / "batch"])


@pytest.fixture
def engines() -> FakeEngines:
    return FakeEngines(load_recipe())


@pytest.fixture
def inspections(batch: Batch, engines: FakeEngines) -> list[Inspection]:
    seers = engines.as_engines
    pipeline = Pipeline(seers.recipe, seers.screener, seers.localizer, seers.measurer)
    return list(pipeline.inspect(batch))


def recorder(ledger: Ledger | None, engines: FakeEngines, lot: str = "A-17") -> Recorder:
    return Recorder(ledger, engines.recipe, lot, engines.as_engines.screener)


def entered(ledger: Ledger) -> list[tuple[str, str, bool]]:
    """Image, lot, and whether there is an embedding, in the order in which they were entered."""
    query = (
        "SELECT image_id, lot, vector IS NOT NULL FROM inspections"
        " LEFT JOIN embeddings ON inspection = inspections.id ORDER BY inspections.id"
    )
    connection = sqlite3.connect(ledger.path)
    rows = connection.execute(query).fetchall()
    connection.close()
    return [(image_id, lot, bool(has_vector)) for image_id, lot, has_vector in rows]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_waits_is_entered_when_an_exception_ends_the_run(
    ledger: Ledger, engines: FakeEngines, inspections: list[Inspection], error: type[BaseException]
) -> None:
    def run() -> None:
        with recorder(ledger, engines) as recording:
            recording.add(inspections[0])
            raise error

    with pytest.raises(error):
        run()
    assert entered(ledger) == [("img_001", "A-17", False)]


def test_a_later_start_enters_what_an_earlier_one_was_killed_before(
    ledger: Ledger, engines: FakeEngines, inspections: list[Inspection], batch: Batch
) -> None:
    with recorder(ledger, engines, "another lot") as recording:
        recording.add(inspections[0])
    with recorder(ledger, engines) as recording:
        recording.add(inspections[1])
    reread = [Inspection.model_validate_json(each.model_dump_json()) for each in inspections]
    for _ in range(2):
        with recorder(ledger, engines) as recording:
            recording.catch_up(reread, batch, threading.Event())
    assert entered(ledger) == [
        ("img_001", "another lot", False),
        ("img_002", "A-17", False),
        ("img_001", "A-17", True),
        ("img_003", "A-17", True),
        ("img_004", "A-17", False),
    ]


def test_catching_up_that_is_stopped_leaves_the_rest_to_the_next_start(
    ledger: Ledger, engines: FakeEngines, inspections: list[Inspection], batch: Batch
) -> None:
    cancel = threading.Event()
    cancel.set()
    with recorder(ledger, engines) as recording:
        recording.catch_up(inspections, batch, cancel)
    assert entered(ledger) == []


def test_without_a_ledger_nothing_is_embedded(
    engines: FakeEngines, inspections: list[Inspection], batch: Batch
) -> None:
    with recorder(None, engines) as recording:
        recording.catch_up(inspections, batch, threading.Event())
        recording.add(inspections[0])
    assert recording.embeddings is None
