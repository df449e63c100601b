from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub import HUB_ID, WEIGHTS, Hub
from tests.tui.conftest import Done
from tools.downloading import Download, download, telling_downloads
from tools.errors import Cancelled
from tui.narration import Narrator, cancel_on_interrupt, stopped_at_once

ALL = ["*.json", "*.safetensors"]
LINE = f"Downloading {HUB_ID} (1 MB)"


@pytest.mark.parametrize(
    ("terminal", "quiet", "expected", "absent"),
    [
        (True, False, [LINE, "0.0/1.0 MB", "1.0/1.0 MB", "B/s", "0:00:0"], []),
        (False, False, [LINE], ["/1.0 MB"]),
        (True, True, [], [HUB_ID, "MB"]),
    ],
)
def test_a_download_is_shown_on_stderr_as_far_as_that_is_wanted(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    terminal: bool,
    quiet: bool,
    expected: list[str],
    absent: list[str],
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", str(int(terminal)))
    monkeypatch.setenv("COLUMNS", "80")
    with Narrator(quiet=quiet).downloads():
        download(HUB_ID, ALL)
    told = capfd.readouterr()
    assert told.out == ""
    assert [each for each in expected if each not in told.err] == []
    assert [each for each in absent if each in told.err] == []
    assert "Fetching" not in told.err  # huggingface_hub's own bars


def test_a_command_that_ends_leaves_no_download_behind(hub: Hub) -> None:
    hub.go.clear()
    half_is_here = threading.Event()
    caught: list[BaseException] = []

    def load() -> None:
        try:
            download(HUB_ID, ALL)
        except Cancelled as error:
            caught.append(error)

    def tell(told: Download) -> None:
        if told.done_bytes >= told.total_bytes // 2:
            half_is_here.set()

    loading = threading.Thread(target=load)
    with Narrator(quiet=True).downloads(), telling_downloads(tell):
        loading.start()
        half_is_here.wait()
    loading.join()
    assert len(caught) == 1
    assert WEIGHTS in hub.fetched
    assert not hub.was_let_down


def test_a_step_that_hears_nothing_is_not_begun_after_ctrl_c() -> None:
    with cancel_on_interrupt(Narrator(quiet=True)) as cancel:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(Cancelled), stopped_at_once(cancel):
            pytest.fail("begun")


@pytest.mark.parametrize(("arguments", "says"), [((), True), (("--quiet",), False)])
def test_inspect_says_what_it_downloads_unless_it_is_quiet(
    hub: Hub, loupe: Callable[..., Done], tmp_path: Path, arguments: tuple[str, ...], says: bool
) -> None:
    (tmp_path / "no photographs").mkdir()
    given = (tmp_path / "no photographs", "--clip", HUB_ID, "--out", tmp_path / "out")
    done = loupe("inspect", *given, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert (LINE in done.stderr) is says
    assert WEIGHTS in hub.fetched
