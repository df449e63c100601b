"""Brings a hub id's files onto this machine, tells how far that is, and stops at once when it is asked to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import Cancelled

if TYPE_CHECKING:
    from huggingface_hub.utils.tqdm import tqdm

__all__ = ["Download", "download", "stop_downloads", "telling_downloads"]

_POLL_S = 0.05
_PATIENCE_S = 2.0
_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Download:
    """How far a download is.

    Attributes:
        hub_id: What is downloaded.
        done_bytes: Of what was not on this machine when it began.
        total_bytes: All that was not on this machine.
        seconds: Since it began.
        is_over: Whether nothing more will be told of it, however it ended.
    """

    hub_id: str
    done_bytes: int
    total_bytes: int
    seconds: float
    is_over: bool = False


_Tell = Callable[[Download], None]
_listeners: list[_Tell] = []
_running: list[_Running] = []


@contextmanager
def telling_downloads(tell: _Tell) -> Iterator[None]:
    """Tells how far each download is that runs meanwhile, whichever thread loads the model that needs it.

    Args:
        tell: Called in the threads that download, one at a time for each download.
    """
    _listeners.append(tell)
    try:
        yield
    finally:
        _listeners.remove(tell)


def stop_downloads(*, patiently: bool = False) -> None:
    """Stops what is being downloaded; whoever waits for it gets `Cancelled`. Whole files are kept.

    It waits for no lock that a listener may hold, so that a signal handler may call it.

    Args:
        patiently: Waits, for two seconds at most, until they have cleared away what is not whole.
    """
    running = tuple(_running)
    for each in running:
        each.stop()
    if patiently:
        wait([each.result for each in running], _PATIENCE_S)


def download(hub_id: str, patterns: list[str]) -> Path:
    """Downloads the files of a hub id that match a pattern and are not here, and waits for them.

    The work is done in a thread of its own: huggingface_hub waits for its connections, however long they
    take, before it lets go of a KeyboardInterrupt.

    Returns:
        The folder with the files.

    Raises:
        Cancelled: `stop_downloads` was called.
        Exception: Whatever huggingface_hub raises where it cannot be done.
    """
    running = _Running(hub_id, patterns)
    running.start()
    try:
        while not wait([running.result], _POLL_S).done:
            pass
    except KeyboardInterrupt:
        running.stop()
        wait([running.result], _PATIENCE_S)
        raise
    if running.is_stopped and (error := running.result.exception()):
        raise Cancelled(
            f"The download of `{hub_id}` was stopped.", "Whole files are kept, and not downloaded again."
        ) from error
    return running.result.result()


class _Stopped(Exception):
    """Ends a thread that downloads."""


class _Running:
    """One download while it runs.

    Attributes:
        result: The folder in the end.
    """

    def __init__(self, hub_id: str, patterns: list[str]) -> None:
        self.result: Future[Path] = Future()
        self._hub_id, self._patterns = hub_id, patterns
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._meters: list[tqdm] = []
        self._total_bytes, self._told_bytes, self._since = 0, -1, 0.0

    def start(self) -> None:
        """Begins, in a thread of its own."""
        _running.append(self)
        threading.Thread(target=self._run, name="loupe-download", daemon=True).start()

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Stops it, wherever it is."""
        from huggingface_hub.utils._xet import abort_xet_session

        self._stop.set()
        _hang_up()
        # Its transfers run outside Python, and hear nothing else.
        abort_xet_session()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        try:
            self.result.set_result(self._fetch())
        except BaseException as error:  # noqa: BLE001 -- raised again in the thread that waits
            self.result.set_exception(error)
        finally:
            _running.remove(self)

    def _fetch(self) -> Path:
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import DryRunError

        # In the usual 10 MB a slow line would show nothing, and hear of no stop, for minutes.
        constants.DOWNLOAD_CHUNK_SIZE = _CHUNK_BYTES
        _hook_session()
        names: dict[str, Any] = {"allow_patterns": self._patterns, "local_files_only": False}
        meter = self._meter()
        try:
            plan = snapshot_download(self._hub_id, tqdm_class=meter, dry_run=True, **names)
        except DryRunError as error:
            raise error.__cause__ or error from None
        self._total_bytes = sum(file.file_size for file in plan if file.will_download)
        self._since = time.monotonic()
        try:
            self._tell()
            return Path(snapshot_download(self._hub_id, tqdm_class=meter, **names))
        finally:
            self._tell(is_over=True)

    def _meter(self) -> type[tqdm]:
        """Makes what huggingface_hub takes for the class of its bars: it shows nothing, and counts bytes."""
        from huggingface_hub.utils.tqdm import tqdm

        running = self

        class Meter(tqdm):
            monitor_interval = 0  # no thread that watches whether bars are redrawn

            def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
                super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]
                if kwargs.get("unit") == "B":
                    running._meters.append(self)

            def update(self, n: float | None = 1) -> None:
                if running.is_stopped:
                    raise _Stopped
                with running._lock:
                    self.n += n or 0
                    running._tell()

        return Meter

    def _tell(self, *, is_over: bool = False) -> None:
        """Tells the listeners where there is something new."""
        # One meter counts what came over the network, one what is written; xet compresses the former.
        counted = max((int(meter.n) for meter in self._meters), default=0)
        done_bytes = min(counted, self._total_bytes)
        if self._total_bytes and (is_over or done_bytes != self._told_bytes):
            self._told_bytes = done_bytes
            seconds = time.monotonic() - self._since
            told = Download(self._hub_id, done_bytes, self._total_bytes, seconds, is_over)
            for tell in tuple(_listeners):
                tell(told)


# A connection on which nothing comes notices no stop until it times out; its socket does.
_sockets: list[socket.socket] = []


def _hook_session() -> None:
    from huggingface_hub import get_session

    hooks = get_session().event_hooks
    for name, hook in (("request", _refuse_if_stopped), ("response", _remember_socket)):
        if hook not in hooks[name]:
            hooks[name].append(hook)


def _refuse_if_stopped(_: object) -> None:
    """Keeps huggingface_hub from trying a connection again that was hung up."""
    if any(each.is_stopped for each in _running):
        raise _Stopped


def _remember_socket(response: Any) -> None:  # noqa: ANN401 -- of a package that only huggingface_hub knows
    stream = response.extensions.get("network_stream")  # a transport of the user's own may have none
    if stream is not None and (connected := stream.get_extra_info("socket")) is not None:
        is_open = [each for each in _sockets if each.fileno() >= 0 and each is not connected]
        _sockets[:] = [*is_open, connected]


def _hang_up() -> None:
    for each in tuple(_sockets):
        with suppress(OSError):  # closed meanwhile
            each.shutdown(socket.SHUT_RDWR)
