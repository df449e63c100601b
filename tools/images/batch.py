"""The batch: photographs with ids, hashes and sizes, decoded on demand with bounded memory."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, fromarray

from tools.errors import Cancelled, ImageError, UsageError
from tools.images.decoding import decode, open_regular, read_header
from tools.images.files import ImageSource, discover
from tools.images.reasons import MIN_SIDE_PX, Reason, reason_of
from tools.records import ImageRecord, ImageStatus

__all__ = ["Batch"]

_THREADS = 4
_PIXELS_AHEAD = 150_000_000  # decoded ahead of the consumer at most: 450 MB
_CANCEL_POLL_S = 0.1

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Entry:
    """One image: where it lies, what is told of it, and what the file was like when it was hashed."""

    source: ImageSource
    record: ImageRecord
    stamp: tuple[int, int] = (0, 0)


class Batch:
    """An ordered set of images, opened once: ids, hashes, sizes, duplicates and what cannot be read.

    A duplicate stays an image of the batch; its record's `duplicate_of` names the first one with its content.

    Attributes:
        records: One per image, in batch order, unreadable ones included.
        sha256: Hash over the names and contents in batch order.
    """

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._entries = {entry.record.id: entry for entry in entries}
        self.records: tuple[ImageRecord, ...] = tuple(entry.record for entry in self._entries.values())
        lines = "".join(f"{record.name}\0{record.sha256}\n" for record in self.records)
        self.sha256 = hashlib.sha256(lines.encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.records)

    @classmethod
    def open(
        cls,
        inputs: Sequence[str | Path],
        *,
        progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Batch:
        """Finds the images, hashes the files and reads their headers; pixels are decoded later.

        Args:
            inputs: Files, folders, globs and list files; see `discover`.
            progress: Called with the images done and the images in all.
            cancel: Set by another thread to stop.

        Raises:
            BatchError: A path does not exist, or there is no image in what was given.
            Cancelled: `cancel` was set.
        """
        sources = discover(inputs)
        files = [list(pages) for _, pages in groupby(sources, key=lambda source: source.path)]
        digits = max(3, len(str(len(sources))))
        first_ids: dict[str, str] = {}
        entries: list[_Entry] = []
        for examined in _in_order(_examine, files, cancel=cancel, ahead=4 * _THREADS):
            for entry in examined:
                image_id = f"img_{len(entries) + 1:0{digits}d}"
                first_id = image_id
                if entry.record.status is ImageStatus.READABLE:
                    first_id = first_ids.setdefault(entry.record.picture_key, image_id)
                update = {"id": image_id, "duplicate_of": None if first_id == image_id else first_id}
                entries.append(replace(entry, record=entry.record.model_copy(update=update)))
                if progress is not None:
                    progress(len(entries), len(sources))
        return cls(entries)

    def record(self, image_id: str) -> ImageRecord:
        """Returns the record of an image.

        Raises:
            UsageError: There is no such id; the hint names those that there are.
        """
        return self._entry(image_id).record

    def path(self, image_id: str) -> Path:
        """Returns the file that holds an image; raises as `record`."""
        return self._entry(image_id).source.path

    def load(self, image_id: str) -> NDArray[np.uint8]:
        """Decodes an image at full size.

        Returns:
            Writable uint8 array of shape (height, width, 3), RGB, orientation applied.

        Raises:
            ImageError: It cannot be read; the message is the reason.
            UsageError: There is no such id.
        """
        return _load(self._entry(image_id), None)

    def photograph(self, image_id: str) -> Image:
        """Decodes an image at full size for who draws on it, RGB; raises as `load`."""
        return fromarray(self.load(image_id))

    def load_small(self, image_id: str, max_side_px: int) -> NDArray[np.uint8]:
        """Decodes an image shrunk to a longest side, of a JPEG no more than that needs; raises as `load`."""
        return _load(self._entry(image_id), max_side_px)

    def stream(
        self,
        ids: Sequence[str] | None = None,
        *,
        max_side_px: int | None = None,
        cancel: threading.Event | None = None,
        prefetch: int = 4,
    ) -> Iterator[tuple[ImageRecord, NDArray[np.uint8] | None]]:
        """Decodes images in threads ahead of the consumer, in order, with bounded memory.

        Args:
            ids: The images wanted; all when None.
            max_side_px: As in `load_small`; full size when None.
            cancel: Set by another thread to stop.
            prefetch: Images decoded ahead at most; fewer when they are very large.

        Returns:
            Per image its record and its array; of one that cannot be decoded a record that is unreadable,
            with the reason, and None.

        Raises:
            UsageError: There is no such id.
            Cancelled: `cancel` was set; raised by the iterator.
        """
        entries = list(self._entries.values()) if ids is None else [self._entry(image_id) for image_id in ids]

        def decoded(entry: _Entry) -> tuple[ImageRecord, NDArray[np.uint8] | None]:
            try:
                return entry.record, _load(entry, max_side_px)
            except ImageError as error:
                return _unreadable(entry.record, error.message), None

        def pixels(entry: _Entry) -> int:
            return entry.record.width_px * entry.record.height_px

        return _in_order(decoded, entries, cancel=cancel, ahead=prefetch, pixels=pixels)

    def _entry(self, image_id: str) -> _Entry:
        if image_id in self._entries:
            return self._entries[image_id]
        first, last = self.records[0].id, self.records[-1].id
        raise UsageError(f"there is no image {image_id!r} in this batch", f"valid ids: {first} to {last}")


def _examine(sources: list[ImageSource]) -> list[_Entry]:
    """Hashes one file and reads the header of each of its pages that is wanted."""
    path = sources[0].path
    try:
        with open_regular(path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            stamp = _stamp(os.fstat(file.fileno()))
    except (ImageError, OSError) as error:
        reason = error.message if isinstance(error, ImageError) else reason_of(error, path)
        return [
            _Entry(source, _unreadable(ImageRecord(id="", name=source.name), reason)) for source in sources
        ]
    entries = []
    for source in sources:
        record = ImageRecord(id="", name=source.name, sha256=sha256, page=source.page, size_bytes=stamp[0])
        entries.append(_Entry(source, _with_header(record, source), stamp))
    return entries


def _with_header(record: ImageRecord, source: ImageSource) -> ImageRecord:
    try:
        header = read_header(source.path, source.page)
    except ImageError as error:
        return _unreadable(record, error.message)
    if min(header.width_px, header.height_px) < MIN_SIDE_PX:
        return _unreadable(record, Reason.TOO_SMALL)
    size = {"width_px": header.width_px, "height_px": header.height_px}
    return record.model_copy(update={"format": header.format, **size})


def _unreadable(record: ImageRecord, reason: str) -> ImageRecord:
    status = {"status": ImageStatus.UNREADABLE, "reason": str(reason)}
    return record.model_copy(update={**status, "width_px": 0, "height_px": 0, "duplicate_of": None})


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _load(entry: _Entry, max_side_px: int | None) -> NDArray[np.uint8]:
    """Decodes an image, provided that its file is still the one that was hashed."""
    record, source = entry.record, entry.source
    if record.status is ImageStatus.UNREADABLE:
        raise ImageError(record.reason)
    try:
        if _stamp(source.path.stat()) != entry.stamp:
            raise ImageError(Reason.CHANGED)
    except OSError as error:
        raise ImageError(reason_of(error, source.path)) from error
    image_rgb = decode(source.path, source.page, max_side_px)
    if max_side_px is None and image_rgb.shape[:2] != (record.height_px, record.width_px):
        raise ImageError(Reason.DAMAGED)  # header and pixels disagree: boxes would be wrong
    return image_rgb


def _in_order(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    *,
    cancel: threading.Event | None,
    ahead: int,
    pixels: Callable[[_Item], int] = lambda _: 0,
) -> Iterator[_Result]:
    """Yields the results of `work` in the order of the items, computed by threads a bounded way ahead.

    Raises:
        Cancelled: `cancel` was set.
    """
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="images")
    running: deque[Future[_Result]] = deque()
    loads: deque[int] = deque()
    submitted = 0
    try:
        while submitted < len(items) or running:
            while submitted < len(items) and len(running) < max(1, ahead):
                load = pixels(items[submitted])
                if running and sum(loads) + load > _PIXELS_AHEAD:
                    break
                running.append(pool.submit(work, items[submitted]))
                loads.append(load)
                submitted += 1
            loads.popleft()
            yield _result(running.popleft(), cancel)  # no name kept: the consumer alone holds the array
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(future: Future[_Result], cancel: threading.Event | None) -> _Result:
    """Waits for a result without turning a deaf ear to a cancellation."""
    while True:
        if cancel is not None and cancel.is_set():
            raise Cancelled("reading images was cancelled")
        try:
            return future.result(timeout=_CANCEL_POLL_S)
        except TimeoutError:
            continue
