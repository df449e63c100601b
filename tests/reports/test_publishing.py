from __future__ import annotations

from pathlib import Path

import pytest

from agent.log import LOG
from reports.publishing import Publisher
from tests.reports.builders import RUN, inspection, report
from tools.errors import OutputError
from tools.pipeline.journal import REPORT_FILES, Journal
from tools.records import Verdict


@pytest.mark.parametrize("left", [(REPORT_FILES,), (LOG,), (REPORT_FILES, LOG)])
def test_a_session_s_report_is_no_run_to_go_on_with(tmp_path: Path, left: tuple[str, ...]) -> None:
    Publisher(tmp_path).publish(report(inspection(1, Verdict.ACCEPT)))
    if REPORT_FILES not in left:
        (tmp_path / REPORT_FILES).unlink()
    if LOG in left:
        (tmp_path / LOG).write_text("{}\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="holds the report or the log of a session"):
        Journal(tmp_path, RUN)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
