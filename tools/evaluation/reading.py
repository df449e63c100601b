"""Hands the images of a labelled set to a model one by one, and keeps the time of each stage."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tools.checkpoints import file_sha256
from tools.errors import Cancelled, ImageError, UsageError
from tools.evaluation.labelled_sets import LabelledImage, Truth
from tools.images import decode
from tools.images.reasons import MIN_SIDE_PX
from tools.progress import Steps
from tools.records import ImageRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    ImageRgb = NDArray[np.uint8]

__all__ = ["Clock", "Reader"]


class Clock:
    """Seconds per stage; a stage within a stage counts for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._inner = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what is done within to a stage."""
        start, outer = time.perf_counter(), self._inner
        self.seconds.setdefault(name, 0.0)
        self._inner = 0.0
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            self.seconds[name] += elapsed - self._inner
            self._inner = outer + elapsed


class Reader:
    """Decodes labelled images one by one and remembers those that a model has not answered yet.

    Args:
        cancel: Set by another thread to stop.
        progress: Called with passes done and passes in all.
        total: Passes in all.
        left_out: Hashes of files that are passed over.

    Attributes:
        clock: The time that reading takes is counted here, and that of other stages by whoever does them.
        unreadable: Files that could not be decoded or are too small, each once, in order.
        passed_over: Truth of the files that were passed over for their hash.
    """

    def __init__(
        self,
        cancel: threading.Event,
        progress: Callable[[int, int], None] | None,
        total: int,
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self.cancel = cancel
        self.clock = Clock()
        self.unreadable: dict[Path, None] = {}
        self.passed_over: dict[Path, Truth] = {}
        self._waiting: deque[tuple[LabelledImage, ImageRecord]] = deque()
        self._steps = Steps(progress, total)
        self._left_out = left_out

    def stream(self, images: Sequence[LabelledImage]) -> Iterator[tuple[ImageRecord, ImageRgb]]:
        """Yields readable images as the models take them; raises UsageError where boxes do not fit one."""
        for number, image in enumerate(images, start=1):
            if self.cancel.is_set():
                return
            with self.clock.stage("reading"):
                image_rgb, sha256 = _read(image.path)
            if image_rgb is None:
                self.unreadable[image.path] = None
                self._steps.advance()
                continue
            if sha256 in self._left_out:
                self.passed_over[image.path] = image.truth
                self._steps.advance()
                continue
            height, width = image_rgb.shape[:2]
            if image.defects and image.size_px not in (None, (width, height)):
                raise UsageError(
                    f"{image.path} is {width}x{height} px, but its boxes were drawn on {image.size_px}",
                    "annotate the image as it is shown, with its EXIF orientation applied",
                )
            name = image.path.name
            record = ImageRecord(
                id=f"img_{number:04d}", name=name, sha256=sha256, width_px=width, height_px=height
            )
            self._waiting.append((image, record))
            yield record, image_rgb

    def answered(self) -> tuple[LabelledImage, ImageRecord]:
        """Lets go of the image that the model answered last."""
        self._steps.advance()
        return self._waiting.popleft()

    def check_cancelled(self) -> None:
        """Raises Cancelled when the user stopped the work."""
        if self.cancel.is_set():
            raise Cancelled("the evaluation was stopped", "its figures need the whole set, so there are none")


def _read(path: Path) -> tuple[ImageRgb | None, str]:
    """The picture and the hash of its file; no picture where an inspection would refuse it."""
    try:
        image_rgb = decode(path)
    except ImageError:
        return None, ""
    return (image_rgb if min(image_rgb.shape[:2]) >= MIN_SIDE_PX else None), file_sha256(path)
