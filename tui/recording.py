"""Entering a run's inspections into the ledger: each of them, whatever ends the run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tools.errors import Cancelled

if TYPE_CHECKING:
    from reports.ledger import Embedding, Ledger
    from tools.images import Batch
    from tools.recipe import Recipe
    from tools.records import Inspection
    from tools.screening.combined import CombinedScreener

__all__ = ["Recorder"]

_TOGETHER = 64  # inspections entered at once


class Recorder:
    """Enters inspections as they come, some at a time; on its exit, also by an exception, those that wait.

    Args:
        ledger: Where they go; None enters nothing.
        recipe: That they are judged by.
        lot: Of the batch.
        screener: Made the embeddings.

    Attributes:
        embeddings: Of images whose inspection is to come, by id; None where nothing is entered.
    """

    def __init__(self, ledger: Ledger | None, recipe: Recipe, lot: str, screener: CombinedScreener) -> None:
        self._ledger, self._recipe, self._lot, self._screener = ledger, recipe, lot, screener
        self._waiting: list[Inspection] = []
        self.embeddings: dict[str, Embedding] | None = {} if ledger else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enter()

    def catch_up(self, inspections: Iterable[Inspection], batch: Batch, cancel: threading.Event) -> None:
        """Adds what earlier starts of the run inspected, but were killed before they entered.

        Args:
            inspections: Of the earlier starts.
            batch: Their images, for embeddings.
            cancel: Set by another thread to stop; the next start goes on.
        """
        if self._ledger is None or self.embeddings is None:
            return
        lacking = {each.image.id: each for each in self._ledger.lacking(inspections, lot=self._lot)}
        with suppress(Cancelled):
            for record, image_rgb in batch.stream(list(lacking), cancel=cancel):
                if image_rgb is not None:
                    self.embeddings[record.id] = self._screener.embed([image_rgb])[0]
                self.add(lacking[record.id])

    def add(self, inspection: Inspection) -> None:
        """Takes an inspection, to be entered with others."""
        self._waiting.append(inspection)
        if len(self._waiting) == _TOGETHER:
            self._enter()

    def _enter(self) -> None:
        entered, self._waiting = self._waiting, []  # at once: what fails is not tried again on the exit
        if self._ledger is None or not entered:
            return
        vectors = self.embeddings or {}
        weights = self._screener.provenance.weights_sha256 or ""
        self._ledger.add_inspections(
            entered, recipe=self._recipe, lot=self._lot, embeddings=vectors, weights=weights
        )
        for inspection in entered:
            vectors.pop(inspection.image.id, None)
