"""Which lot a batch is said to be of, and which of its images are on record with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.events import Event, GoodKept, ToolFinished, ToolStarted

__all__ = ["Lots"]


class Lots:
    """What reports have said of lots so far.

    Attributes:
        current: Lot of later reports, unless they name another; empty until one is named.
        has_reports: Whether there was any.
    """

    def __init__(self) -> None:
        self.current, self.has_reports = "", False
        self._recorded: set[tuple[str, str]] = set()

    def named(self, lot: str, image_ids: Iterable[str]) -> list[str]:
        """Takes a report's lot; returns the images that are not yet on record with it.

        Args:
            lot: Empty for none, which no image needs to be on record with.
            image_ids: Of the report.
        """
        self.current, self.has_reports = lot, True
        new = [each for each in image_ids if lot and (each, lot) not in self._recorded]
        self._recorded.update((each, lot) for each in new)
        return new

    def forget_recorded(self) -> None:
        """Takes all images for new to any lot, as their verdicts may be others now."""
        self._recorded.clear()

    def restore(self, events: Iterable[Event], all_ids: Sequence[str]) -> None:
        """Takes up what the reports of earlier starts said.

        Args:
            events: As logged.
            all_ids: Of the batch: what a report is on that names no images.
        """
        asked: dict[int, ToolStarted] = {}
        for event in events:
            if isinstance(event, ToolStarted):
                asked[event.call] = event
            elif isinstance(event, GoodKept):
                self.forget_recorded()
            elif isinstance(event, ToolFinished) and event.tool == "write_report" and not event.error:
                result = event.result if isinstance(event.result, dict) else {}
                started = asked.get(event.call)
                given = started.arguments.get("ids") if started else None
                ids = [str(each) for each in given] if isinstance(given, list) else all_ids
                self.named(str(result.get("lot") or ""), ids)
