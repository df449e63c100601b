"""What a command says besides its data: narration, progress and errors, on stderr only."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from tools.downloading import Download, stop_downloads, telling_downloads
from tools.errors import Cancelled, LoupeError
from tools.fetching import megabytes
from tui.printing import let_go

if TYPE_CHECKING:
    from rich.progress import Task

__all__ = ["Narrator", "bar_setter", "cancel_on_interrupt", "stopped_at_once"]


class _RateColumn(ProgressColumn):
    """Images per second."""

    def render(self, task: Task) -> Text:
        """Returns the task's rate, empty until there is one."""
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


class _Console(Console):
    """Falls silent where nobody reads or the disk is full; the run would end as if a part were rejected."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        let_go(sys.stderr)

    def _check_buffer(self) -> None:
        try:
            super()._check_buffer()
        except OSError:
            self.on_broken_pipe()


class Narrator:
    """Speaks to the person at the terminal; never writes to stdout.

    Args:
        quiet: Leaves out everything but errors.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = _Console(stderr=True, highlight=False, soft_wrap=True)
        self._quiet = quiet

    def say(self, text: str) -> None:
        """Prints one line of narration."""
        if not self._quiet:
            self._console.print(escape(text))

    def error(self, error: LoupeError) -> None:
        """Prints an error with its hint, also when quiet."""
        self._console.print(f"[bold red]{escape(error.title)}:[/] {escape(error.message)}")
        if error.hint:
            self._console.print(f"[dim]hint:[/] {escape(error.hint)}")

    @contextmanager
    def progress(self, doing: str, total: int | None = None) -> Iterator[Progress]:
        """Shows a bar with rate and remaining time; `advance` the only task's id 0.

        A total that is not known yet comes with the first call of what `bar_setter` returns.
        """
        hint = TextColumn("[dim]Ctrl-C stops and keeps what is done")
        with self.bar(MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn(), hint) as bar:
            bar.add_task(doing, total=total)
            yield bar

    @contextmanager
    def downloads(self) -> Iterator[None]:
        """Shows a bar for what is downloaded meanwhile; what still is at the end is stopped."""
        with telling_downloads(_DownloadBars(self).tell):
            try:
                yield
            finally:
                stop_downloads(patiently=True)

    def bar(self, *columns: ProgressColumn) -> Progress:
        """Makes a bar with these columns behind it; it shows nothing when quiet, and without a terminal."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *columns,
            console=self._console,
            transient=True,
            disable=self._quiet or not self._console.is_terminal,
        )


class _DownloadBars:
    """A bar for each download that runs, and a line where one begins.

    Args:
        narrator: Speaks on stderr.
    """

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._lock = threading.Lock()  # models are loaded in more than one thread
        self._bars: dict[str, tuple[Progress, TaskID]] = {}

    def tell(self, download: Download) -> None:
        """Shows how far a download is."""
        with self._lock:
            if download.hub_id not in self._bars:
                self._bars[download.hub_id] = self._begun(download)
            bar, task = self._bars[download.hub_id]
            bar.update(task, completed=download.done_bytes)
            if download.is_over:
                bar.stop()
                del self._bars[download.hub_id]

    def _begun(self, download: Download) -> tuple[Progress, TaskID]:
        size = megabytes(max(1, round(download.total_bytes / 1e6)))
        self._narrator.say(f"Downloading {download.hub_id} ({size}); Ctrl-C stops, and whole files are kept.")
        bar = self._narrator.bar(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        task = bar.add_task(download.hub_id, total=download.total_bytes)
        bar.start()
        return bar, task


@contextmanager
def cancel_on_interrupt(
    narrator: Narrator, on_cancel: Callable[[], None] | None = None
) -> Iterator[threading.Event]:
    """Turns the first Ctrl-C into a set event, and the second into the usual KeyboardInterrupt.

    Args:
        narrator: Tells that it was heard.
        on_cancel: Called besides, at once.
    """
    cancel = threading.Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()
        if on_cancel:
            on_cancel()
        narrator.say("Stopping: finishing the images in work ...")

    earlier = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, earlier)


@contextmanager
def stopped_at_once(cancel: threading.Event) -> Iterator[None]:
    """Within `cancel_on_interrupt`, lets Ctrl-C end a step that looks at no event: loading models.

    Nothing may be lost by that. `on_cancel` is not called.

    Raises:
        Cancelled: It came, now or before.
    """
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if cancel.is_set():
            raise KeyboardInterrupt
        yield
    except KeyboardInterrupt as error:
        raise Cancelled("stopped while the models were loading") from error
    finally:
        signal.signal(signal.SIGINT, earlier)


def bar_setter(bar: Progress) -> Callable[[int, int], None]:
    """Returns a callback (done, total) that moves the bar's only task."""
    return lambda done, total: bar.update(bar.task_ids[0], completed=done, total=total)
