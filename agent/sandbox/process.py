"""One child process and the threads that carry its messages: the parent never waits where it cannot stop."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full, Queue, SimpleQueue

from agent.cancelling import stop_if_cancelled
from agent.sandbox.frames import FrameTooLongError, read_frame, write_frame

__all__ = ["ChildEnded", "ChildProcess", "DeadlinePassed"]

_ROOT = Path(__file__).resolve().parents[2]
_BOOTSTRAP = "import sys; sys.path.append(sys.argv[1]); from agent.sandbox.child import main; main()"
_POLL_SECONDS = 0.05


class ChildEnded(Exception):
    """The child is gone, or has to be; the text says why."""


class DeadlinePassed(Exception):
    """The child said nothing in the time it had."""


class ChildProcess:
    """Starts the child at once and does not wait until it is ready.

    One thread starts the child, reads what it says and stays until its end: the parent-death signal is bound
    to the thread that started it, and a session's turns may run in threads that come and go. Another thread
    writes, since a child that does not read would block whoever does.

    Args:
        start: The first message, see `agent.sandbox.child`.
        max_bytes: Longest message that is taken from the child.

    Raises:
        OSError: The process could not be started.
    """

    def __init__(self, start: Mapping[str, object], max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._why = ""
        self._killed = threading.Event()
        # Short: the child speaks once and waits. One that floods is held back by its full pipe.
        self._inbox: Queue[bytes | None] = Queue(maxsize=2)
        self._outbox: SimpleQueue[Mapping[str, object] | None] = SimpleQueue()
        started: Future[subprocess.Popen[bytes]] = Future()
        self._reader = threading.Thread(target=self._keep, args=(started,), name="sandbox", daemon=True)
        self._reader.start()
        self._process = started.result()
        self._writer = threading.Thread(target=self._write, name="sandbox writer", daemon=True)
        self._writer.start()
        self.send(start)

    def send(self, message: Mapping[str, object]) -> None:
        """Queues a message; returns at once, whether the child reads or not."""
        self._outbox.put(message)

    def receive(self, seconds: float, cancel: threading.Event) -> bytes:
        """Waits for the child's next message.

        Raises:
            TurnCancelled: The event was set meanwhile.
            DeadlinePassed: The child said nothing for that long.
            ChildEnded: The child is gone.
        """
        until = time.monotonic() + seconds
        while True:
            stop_if_cancelled(cancel)
            left = until - time.monotonic()
            if left <= 0:
                raise DeadlinePassed
            try:
                frame = self._inbox.get(timeout=min(left, _POLL_SECONDS))
            except Empty:
                continue
            if frame is None:
                raise ChildEnded(self._why)
            return frame

    def has_ended(self) -> bool:
        """Whether the child is gone and all that it said is read."""
        return not self._reader.is_alive()

    def kill(self) -> None:
        """Ends the child and both threads."""
        self._killed.set()
        self._process.kill()
        self._outbox.put(None)
        self._reader.join()
        self._writer.join()

    def _keep(self, started: Future[subprocess.Popen[bytes]]) -> None:
        try:
            process = _start()
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(process)
        assert process.stdout is not None
        with process.stdout:
            try:
                while (frame := read_frame(process.stdout, self._max_bytes)) is not None:
                    self._deliver(frame)
            except FrameTooLongError as error:
                self._why = f"it sent {error}"
        process.kill()
        status = process.wait()
        self._why = self._why or f"it ended by itself (status {status}), perhaps for want of memory"
        self._deliver(None)

    def _deliver(self, frame: bytes | None) -> None:
        while not self._killed.is_set():
            with suppress(Full):
                self._inbox.put(frame, timeout=_POLL_SECONDS)
                return

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        # A child that is gone: the reader tells.
        with suppress(OSError), stdin:
            while (message := self._outbox.get()) is not None:
                write_frame(stdin, message)


def _start() -> subprocess.Popen[bytes]:
    """Starts the interpreter without site-packages, environment, descriptors or terminal."""
    needed = ("SYSTEMROOT",) if sys.platform == "win32" else ()  # without it Python does not start there
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _BOOTSTRAP, str(_ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in needed},
        cwd=Path(sys.executable).anchor,
        close_fds=True,
        start_new_session=True,
    )
