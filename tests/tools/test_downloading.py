from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import FILES, HUB_ID, WEIGHTS, Hub
from tools.checkpoints import Checkpoint, checkpoint_folder
from tools.downloading import Download, download, stop_downloads, telling_downloads
from tools.errors import Cancelled, ExitCode, ModelError

TEXTS, ALL = ["*.json"], ["*.json", "*.safetensors"]
TEXT_BYTES, WEIGHT_BYTES = len(FILES["config.json"]), len(FILES[WEIGHTS])


def cached(part: str) -> list[Path]:
    from huggingface_hub import constants

    return [path for path in Path(constants.HF_HUB_CACHE).rglob(part) if path.is_file()]


def test_what_is_missing_is_counted_until_all_of_it_is_there(hub: Hub) -> None:
    told: list[Download] = []
    with telling_downloads(told.append):
        folder = download(HUB_ID, ALL)
    assert {name: (folder / name).read_bytes() for name in ("config.json", WEIGHTS)} == {
        name: content for name, content in FILES.items() if name != "README.md"
    }
    assert not (folder / "README.md").exists()
    assert {(each.hub_id, each.total_bytes) for each in told} == {(HUB_ID, TEXT_BYTES + WEIGHT_BYTES)}
    done = [each.done_bytes for each in told]
    assert done == sorted(done)
    assert done[0] == 0
    assert len(set(done)) > 3  # the weights come in pieces
    assert done[-1] == TEXT_BYTES + WEIGHT_BYTES
    assert [each.is_over for each in told] == [*[False] * (len(told) - 1), True]


def test_what_is_here_is_not_counted_and_not_asked_for_again(hub: Hub) -> None:
    told: list[Download] = []
    download(HUB_ID, TEXTS)
    with telling_downloads(told.append):
        download(HUB_ID, ALL)
        assert told[-1].total_bytes == WEIGHT_BYTES
        told.clear()
        download(HUB_ID, ALL)
    assert told == []
    assert hub.fetched == ["config.json", WEIGHTS]


def test_a_stopped_download_ends_although_nothing_comes_and_the_next_one_goes_on(hub: Hub) -> None:
    download(HUB_ID, TEXTS)
    hub.go.clear()
    half_is_here = threading.Event()

    def stop() -> None:
        half_is_here.wait()
        stop_downloads()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with (
        telling_downloads(lambda told: half_is_here.set() if told.done_bytes >= WEIGHT_BYTES // 2 else None),
        pytest.raises(Cancelled, match=f"download of `{HUB_ID}` was stopped") as caught,
    ):
        download(HUB_ID, ALL)
    stopper.join()
    assert caught.value.exit_code is ExitCode.CANCELLED
    assert not hub.was_let_down
    assert cached("*.incomplete") == []
    hub.go.set()
    assert (download(HUB_ID, ALL) / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert hub.fetched == ["config.json", WEIGHTS, WEIGHTS]


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """What a shell starts in the background ignores Ctrl-C."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_ends_a_download_on_which_nothing_comes(hub: Hub) -> None:
    hub.go.clear()
    interrupted: list[Download] = []

    def interrupt(told: Download) -> None:
        if told.done_bytes >= WEIGHT_BYTES // 2 and not interrupted:
            interrupted.append(told)
            _thread.interrupt_main()

    with telling_downloads(interrupt), pytest.raises(KeyboardInterrupt):
        download(HUB_ID, ALL)
    assert not hub.was_let_down
    assert cached("*.incomplete") == []
    assert not [thread.name for thread in threading.enumerate() if thread.name == "loupe-download"]


def test_nothing_to_stop_is_no_error() -> None:
    stop_downloads(patiently=True)


@pytest.mark.parametrize(
    ("hub_id", "error"), [("owner/other", "RepositoryNotFoundError"), (HUB_ID, "ConnectError")]
)
def test_what_cannot_be_had_is_told_with_what_to_do(
    hub: Hub, hub_id: str, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    if hub_id == HUB_ID:
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    told: list[Download] = []
    with (
        telling_downloads(told.append),
        pytest.raises(ModelError, match=rf"`{hub_id}` is not on this machine.*\({error}\)") as caught,
    ):
        checkpoint_folder(Checkpoint("clip", hub_id))
    for advice in (f"hf download {hub_id}", constants.HF_HUB_CACHE, "--models pocket"):
        assert advice in caught.value.hint
    assert told == []


def test_a_checkpoint_comes_from_the_hub_once(hub: Hub) -> None:
    asked: list[str] = []
    folder = checkpoint_folder(Checkpoint("clip", HUB_ID), on_download=asked.append)
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert checkpoint_folder(Checkpoint("clip", HUB_ID), on_download=asked.append) == folder
    assert asked == [HUB_ID]
    assert sorted(hub.fetched) == ["config.json", WEIGHTS]


def test_whatever_breaks_a_download_is_an_error_with_a_hint(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub.errors import LocalEntryNotFoundError

    def cut(hub_id: str, *, local_files_only: bool, **_: object) -> str:
        raise LocalEntryNotFoundError("not here") if local_files_only else RuntimeError("cut")

    monkeypatch.setattr("huggingface_hub.snapshot_download", cut)
    with pytest.raises(ModelError, match=r"could not be downloaded \(RuntimeError\)") as caught:
        checkpoint_folder(Checkpoint("clip", HUB_ID))
    assert f"hf download {HUB_ID}" in caught.value.hint
