"""One session's state over one batch: what was seen, decided, shown and written; a method per tool."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.cancelling import Patient, stop_if_cancelled
from agent.checks import around, fraction, language_of, line, quoting, region_of, verdict_of, whole
from agent.events import Approve, Decision, Event, Inspected, Sink
from agent.good_parts import kept_good
from agent.ids import ImageIds
from agent.loads import told_of
from agent.lots import Lots
from agent.resuming import refuse_other_weights
from agent.rows import (
    Row,
    box_row,
    case_row,
    comparison_row,
    decision_row,
    finding_row,
    image_row,
    inspection_row,
    located_row,
    measured_row,
    screening_row,
    text_rows,
    unreadable_row,
)
from agent.showing import Showing, Shown
from agent.verdicts import Verdicts
from tools.errors import ImageError, UsageError
from tools.overriding import AGENT
from tools.pipeline.engines import Engines
from tools.pipeline.stepwise import Stepwise
from tools.records import Finding, ImageRecord, Inspection, Provenance, Verdict
from tools.timing import now

if TYPE_CHECKING:
    from agent.examining import AskCandidates
    from reports.ledger import Ledger
    from reports.publishing import Publisher
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["Workbench"]

_MOST_CASES = 50


class Workbench:
    """What the agent's tools work on. Each tool is a method that takes and returns plain JSON values.

    The first paragraph of a tool's docstring is what the model reads.

    Args:
        batch: The images.
        recipe: What is inspected.
        out: Folder of the session, or what makes it; all that is written goes there.
        engines: What sees; those of the recipe when None.
        sink: Is told every event of the tools: calls, loads, inspections, decisions.
        cancel: Stops a tool within one model batch when set.
        user: Who inspects, for the report.
        ledger: Past and future cases; None keeps none.
        ask_candidates: Asks the vision-language model about a picture; raises ModelError where it is unsure.
        approve: Is asked before the agent decides otherwise; None lets it.

    Attributes:
        showing: What programs asked to see since `take_shown`.
        artifacts: Files that were written, by each report anew.
        new_act: Numbers decisions that are taken together.
        waiting: The engines, as what waits for them.
        spoken: Language of the reasons that are given; the recipe's until a user speaks.
        asked: What the user asks for now, in their own words; empty where nobody does.
        acting: Who uses the tools.
        started_at: ISO 8601 with zone; when a session was begun that is resumed.
        writers: The models that have written programs, for the report.
    """

    def __init__(
        self,
        batch: Batch,
        recipe: Recipe,
        *,
        out: Path | Callable[[], Path],
        engines: Engines | None = None,
        sink: Sink | None = None,
        cancel: threading.Event | None = None,
        user: str = "",
        ledger: Ledger | None = None,
        ask_candidates: AskCandidates | None = None,
        approve: Approve | None = None,
    ) -> None:
        self.batch, self._out, self.user = batch, out, user
        self.cancel = cancel or threading.Event()
        self.sink: Sink = sink or (lambda _: None)
        self.waiting = Patient(engines or Engines(recipe), self.cancel, lambda name: told_of(self, name))
        self.engines = cast(Engines, self.waiting)
        self._given_recipe, self.recipe = recipe, self.engines.recipe
        self.spoken, self.acting, self.asked = self.recipe.language, AGENT, ""
        self.ask_candidates, self._ledger = ask_candidates, ledger
        self.writers: tuple[Provenance, ...] = ()
        self.showing = Showing(batch)
        self.artifacts: list[Path] = []
        self.progress: Callable[[int, int], None] | None = None
        self.ids = ImageIds(batch.records)
        self._steps = Stepwise(batch, self.engines, self.cancel, embeds=ledger is not None)
        self._known: dict[str, dict[str, Finding]] = {}  # by image, then by finding
        self._verdicts = Verdicts(batch, self.recipe, self.sink, ledger, approve)
        self.new_act = self._verdicts.new_act
        self._publisher: Publisher | None = None
        self._lots, self.started_at = Lots(), now()

    # The tools.

    def images(self) -> list[Row]:
        """Lists the batch. Rows: id, name, width_px, height_px, verdict or None; reason if unreadable."""
        verdicts = self.verdicts()
        return [image_row(record, verdicts.get(i)) for i, record in self._steps.records.items()]

    def screen(self, ids: str | int | list[str] | None = None, threshold: float | None = None) -> list[Row]:
        """Screens with CLIP. Rows: id, suspicion 0..1, label, status clear|suspect|unsure."""
        wanted, limit = self.ids.many(ids), fraction("threshold", threshold)
        found = self._steps.screen(wanted, threshold=limit, progress=self.progress)
        return [screening_row(found[i]) if i in found else self._unreadable(i) for i in wanted]

    def locate(self, ids: str | int | list[str] | None = None) -> list[Row]:
        """Locates defects. Rows: finding, id, type, box_xyxy_px, confidence, origin. Clean: no row."""
        wanted = self.ids.many(ids)
        found = self._steps.locate(wanted, progress=self.progress)
        return self._rows_of(wanted, found, located_row, is_asked=ids is not None)

    def measure(self, ids: str | int | list[str] | None = None) -> list[Row]:
        """Measures defects. Rows: finding, id, type, length, width, area, unit px|mm, uncertainty."""
        wanted = self.ids.many(ids)
        found = self._steps.measure(wanted, progress=self.progress)
        return self._rows_of(wanted, found, measured_row, is_asked=ids is not None)

    def describe(self, ids: str | int | list[str] | None = None, language: str = "en") -> list[Row]:
        """Describes in words; language en or ko. Rows: id, finding (None: whole image), text."""
        wanted, spoken = self.ids.many(ids), language_of(language)
        texts = ((each.image.id, list(text_rows(each, spoken))) for each in self.inspections(wanted))
        return [row for image_id, rows in texts for row in rows or [self._unreadable(image_id)]]

    def inspect(self, ids: str | int | list[str] | None = None, threshold: float | None = None) -> list[Row]:
        """Runs the whole inspection. Rows: id, verdict accept|reject|review, reason, findings (their ids)."""
        wanted, limit = self.ids.many(ids), fraction("threshold", threshold)
        self._inspect(wanted)
        if limit == self.recipe.screening.threshold:
            self._verdicts.return_to_rule(wanted, self.acting, self.spoken)
        elif limit is not None:  # who only looks changes nothing: what another threshold decided stands
            at = self._steps.inspect(wanted, threshold=limit, progress=self.progress)
            self._verdicts.judge_at(limit, at, self.acting, self.spoken)
        return [inspection_row(i, self.spoken) for i in self.inspections(wanted)]

    def findings(self, ids: str | int | list[str] | None = None) -> list[Row]:
        """Returns all that is known of findings so far, without looking again. Rows as locate and measure."""
        wanted, verdicts = set(self.ids.many(ids)), self.verdicts()
        known = (finding for finding in self._findings().values() if finding.image_id in wanted)
        return [finding_row(finding, verdicts.get(finding.image_id)) for finding in known]

    def look(self, id: str | int, region: list[float] | None = None) -> Row:  # noqa: A002
        """Shows you the image, or a zoomed region [x_min, y_min, x_max, y_max] in px, at your next step.

        Of more than 30 images there are several contact sheets: `look("sheet 2")` shows the second.
        """
        try:
            image_id = self.ids.one(id)
        except UsageError:  # an image that bears the name of a sheet comes first
            if (sheet := self.showing.ask_sheet(id, region)) is None:
                raise
            return sheet
        record = self.readable(image_id)
        finding = self._findings().get(str(id)) if region is None else None
        box = around(finding.box_xyxy_px) if finding else region
        clipped = region_of(box, record.width_px, record.height_px)
        self.showing.ask(Shown(image_id, clipped))
        x_min, y_min, x_max, y_max = clipped or (0, 0, record.width_px, record.height_px)
        size: Row = {"width_px": round(x_max - x_min), "height_px": round(y_max - y_min)}
        return {"id": image_id, "region": clipped and box_row(clipped), **size, "shown": "at the next step"}

    def examine(self, id: str | int, region: list[float] | None = None) -> Row:  # noqa: A002
        """Asks the vision model for defects that were missed. Returns measured candidates, not confirmed."""
        from agent.examining import examined

        image_id = self.ids.one(id)
        record = self.readable(image_id)
        if self.ask_candidates is None:
            raise UsageError("no vision-language model is connected", "use locate and look instead")
        clipped = region_of(region, record.width_px, record.height_px)
        seen = self._steps.seen(image_id)
        return examined(seen, clipped, self.ask_candidates, self.engines, self.cancel)

    def compare(self, id: str | int, other: str | int) -> Row:  # noqa: A002
        """Compares two images. Returns similarity (1 is alike), same_content and differences."""
        first, second = self.ids.one(id), self.ids.one(other)
        for image_id in (first, second):
            self.readable(image_id)
        similarity = float(self._steps.embedding(first) @ self._steps.embedding(second))
        one, two = self.inspections([first, second]) if first != second else self.inspections([first]) * 2
        return comparison_row(one, two, similarity)

    def search(self, text: str | None = None, like: str | int | None = None, limit: int = 5) -> list[Row]:
        """Searches past cases by words (type, part, lot, name) or by likeness to an image of the batch."""
        most = whole("limit", limit, 1, _MOST_CASES)
        words = line("text", text) if text is not None else ""
        if self._ledger is None:
            raise UsageError("this session keeps no ledger of past cases", "start it with a ledger to search")
        embedding = weights = None
        if like is not None:
            image_id = self.ids.one(like)
            self.readable(image_id)
            embedding = self._steps.embedding(image_id)
            weights = self.engines.screener.provenance.weights_sha256
        cases = self._ledger.search(words, embedding, weights=weights or "", limit=most)
        return [case_row(case) for case in cases]

    def decide(self, id: str | int, verdict: str, reason: str) -> Row:  # noqa: A002
        """Overrides the verdict of an image: accept, reject or review. The reason goes on record."""
        said, asked = line("reason", reason, is_required=True), self.asked if self.acting == AGENT else ""
        return self.override(id, verdict, quoting(said, asked), by=self.acting)

    def keep_good(self, ids: str | int | list[str]) -> Row:
        """Keeps images the user calls good; others are held against them. Returns good_parts, added."""
        return kept_good(self, self._verdicts, self.ids.many(ids))

    def write_report(
        self, lot: str | None = None, ids: str | int | list[str] | None = None, language: str = "en"
    ) -> Row:
        """Writes the PDF report and its data files; language en or ko. Returns report, files."""
        from reports.publishing import Publisher, run_info
        from reports.source import ReportInput

        wanted, spoken = self.ids.many(ids), language_of(language)
        name = line("lot", lot) if lot is not None else self._lots.current
        if not wanted:
            raise UsageError("a report needs at least one image", "leave ids out for all")
        inspections, models = self.inspections(sorted(wanted)), self.engines.models
        refuse_other_weights(inspections, models)
        run = run_info(
            self.batch,
            self._given_recipe,
            (*models, *self.writers),
            started_at=self.started_at,
            lot=name,
            inspector=self.user,
        ).model_copy(update={"language": spoken, "reported_at": now()})
        self._publisher = self._publisher or Publisher(self.out)
        report = ReportInput(run, self._given_recipe, inspections, self.batch.load, spoken, run.reported_at)
        files = self._publisher.publish(report, progress=self.progress, cancel=self.cancel)
        unknown = set(self._lots.named(name, sorted(wanted)))  # until now nobody had said which lot they are
        self.artifacts += files
        if self._ledger is not None:
            self._put_on_record([each for each in inspections if each.image.id in unknown], name)
            self._ledger.add_report(
                run, files[0].name, [i.image for i in inspections], by=self.user or self.acting
            )
        return {
            "report": str(files[0]),
            "files": [str(path) for path in files[1:]],
            "lot": name or None,
            "images": len(inspections),
            "language": spoken.value,
        }

    # What the session uses besides the tools.

    @cached_property
    def out(self) -> Path:
        """Where all that is written goes; made, where it is to be, when something is."""
        return self._out() if callable(self._out) else self._out

    @property
    def has_ledger(self) -> bool:
        """Whether past cases can be searched."""
        return self._ledger is not None

    def verdicts(self) -> dict[str, Verdict]:
        """Returns the verdict of each image that has one, decisions included, in batch order."""
        return self._verdicts.current()

    def inspection(self, image_id: str) -> Inspection | None:
        """Returns what is known of an image, with the decision on it; None where it was not inspected."""
        return self._verdicts.inspection(image_id) if image_id in self._verdicts.inspected else None

    def inspections(self, ids: Sequence[str] | None = None) -> list[Inspection]:
        """Returns complete inspections with the decisions on them; what is missing is inspected first."""
        wanted = list(self._steps.records) if ids is None else ids
        missing = [i for i in wanted if i not in self._verdicts.inspected]
        self._inspect(missing)
        return [self._verdicts.inspection(i) for i in wanted]

    def override(
        self, image: object, verdict: str, reason: str, *, by: str, act: int = 0, takes_back: int = 0
    ) -> Row:
        """Records that somebody decided a verdict.

        Args:
            image: Its id.
            verdict: `accept`, `reject` or `review`.
            reason: Why; not empty.
            by: `agent`, or the name of the person.
            act: As in `Decision`; 0 for one of its own.
            takes_back: Likewise.

        Raises:
            UsageError: An unknown image or verdict, or no reason, or whoever must approve did not.
        """
        image_id, new = self.ids.one(image), verdict_of(verdict)
        said = line("reason", reason, is_required=True)
        decision = self._verdicts.proposed(image_id, new, said, by=by, act=act, takes_back=takes_back)
        self._verdicts.ask([decision])
        self._verdicts.record([decision])
        rule = self._verdicts.inspected.get(image_id)
        return decision_row(decision, rule.judgement.verdict if rule else None)

    def before(self, decision: Decision) -> Verdict:
        """Returns what an image goes back to where a decision on it is taken back."""
        return self._verdicts.before(decision)

    def add_writer(self, model: Provenance) -> None:
        """Takes a model for one that has written programs."""
        if model not in self.writers:
            self.writers += (model,)

    @property
    def has_reported(self) -> bool:
        """Whether there was a report, in an earlier start of the session too."""
        return self._lots.has_reports

    def restore(self, events: Sequence[Event]) -> None:
        """Takes up what earlier starts of the same session found and decided, as they logged it."""
        self._verdicts.restore(events)
        self._lots.restore(events, [*self._steps.records])
        self._steps.recall(self._verdicts.inspected.values())
        self._remember(finding for each in self._verdicts.inspected.values() for finding in each.findings)

    def start_over(self) -> None:
        """Forgets what was seen of the batch, as good parts have changed; decisions stay."""
        self.engines.forget_good_parts()
        self._steps = Stepwise(self.batch, self.engines, self.cancel, embeds=self._ledger is not None)
        self._verdicts.forget()
        self._known.clear()
        self._lots.forget_recorded()

    def take_shown(self) -> list[Shown]:
        """Returns what programs asked to see since the last call."""
        return self.showing.take()

    def summary(self, image_id: str) -> str:
        """Returns in a line what is known of an image; for a label that is no image, nothing."""
        if image_id not in self._steps.records:
            return ""
        verdict = self.verdicts().get(image_id)
        found = ", ".join(f.type for f in self._findings().values() if f.image_id == image_id)
        found = found or "nothing found so far"
        return f"{found}; verdict {verdict}" if verdict else found

    # Inside.

    def _inspect(self, ids: Sequence[str]) -> None:
        """Inspects what is not yet; each is kept as it is complete, so that a stop loses none of them."""
        inspected = self._steps.inspect(ids, progress=self.progress, finished=self._keep)
        for inspection in inspected.values():
            self._keep(inspection)

    def _keep(self, inspection: Inspection) -> None:
        if inspection.image.id in self._verdicts.inspected:
            return
        self._known.pop(inspection.image.id, None)  # what measuring showed to be no finding of its own
        self._remember(inspection.findings)
        self._verdicts.keep([inspection])
        self.sink(Inspected(inspection=inspection))
        self._put_on_record([self._verdicts.inspection(inspection.image.id)])

    def _put_on_record(self, inspections: Sequence[Inspection], lot: str = "") -> None:
        if self._ledger is None or not inspections:
            return
        readable = [i.image.id for i in inspections if self._steps.is_readable(i.image.id)]
        self._ledger.add_inspections(
            inspections,
            recipe=self._given_recipe,
            lot=lot,
            embeddings={image_id: self._steps.embedding(image_id) for image_id in readable},
            weights=self.engines.screener.provenance.weights_sha256 or "",
        )

    def _findings(self) -> dict[str, Finding]:
        """All that is known of findings by id; where another threshold holds, what is found there."""
        tried = {each.image.id: {f.id: f for f in each.findings} for each in self._verdicts.tried()}
        return {f_id: f for found in (self._known | tried).values() for f_id, f in found.items()}

    def _remember(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._known.setdefault(finding.image_id, {})[finding.id] = finding

    def _rows_of(
        self,
        wanted: Sequence[str],
        found: Mapping[str, tuple[Finding, ...]],
        row: Callable[[Finding], Row],
        *,
        is_asked: bool,
    ) -> list[Row]:
        """Rows of findings; an unreadable image has one where it was asked for by id."""
        rows: list[Row] = []
        for image_id in wanted:
            for finding in found.get(image_id, ()):
                if image_id not in self._verdicts.inspected:
                    self._remember([finding])
                rows.append(row(finding))
            if is_asked and image_id not in found:
                rows.append(self._unreadable(image_id))
        return rows

    def _unreadable(self, image_id: str) -> Row:
        return unreadable_row(self._steps.records[image_id])

    def readable(self, image_id: str) -> ImageRecord:
        """Returns the record of an image that can be decoded, as far as is known yet.

        Raises:
            ImageError: It cannot.
        """
        stop_if_cancelled(self.cancel)
        if not self._steps.is_readable(image_id):
            raise ImageError(f"{image_id} cannot be read: {self._steps.records[image_id].reason}")
        return self._steps.records[image_id]
