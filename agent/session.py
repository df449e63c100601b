"""One conversation about one batch: requests in, events out, everything recorded as it happens."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from agent.cancelling import Pending, TurnCancelled
from agent.desk import Desk
from agent.events import (
    Answer,
    CodeWritten,
    Decision,
    Event,
    GoodKept,
    Outcome,
    StepFinished,
    TurnFinished,
    TurnStarted,
    Usage,
)
from agent.good_parts import changed_elsewhere
from agent.log import SessionHeader, SessionLog, has_log, read_log, refuse_unwritable, turns_of
from agent.phrases import in_language_of, phrase
from agent.results import TurnResult, turn_result, unlogged_end
from agent.resuming import found_again, placed, refuse_other, seers_again
from agent.session_options import SessionOptions
from agent.settings import load_settings, model_choice
from agent.undoing import newest_act, numbered
from tools.errors import LoupeError, TurnFailed, UsageError
from tools.home import new_run_folder
from tools.images.files import from_root
from tools.pipeline.engines import EngineOptions
from tools.pipeline.journal import refuse_run
from tools.records import Verdict
from tools.timing import now

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from tools.pipeline.engines import Engines
    from tools.records import Inspection

__all__ = ["Session", "SessionOptions"]

log = logging.getLogger(__name__)

_END = object()


class Session:
    """A conversation about a batch.

    Models load at the first request, not before, so that a session opens at once. A session in a folder that
    holds one already goes on from there: what was asked, answered and decided is known again.

    Args:
        images: Files, folders, globs or list files, as for `loupe inspect`.
        recipe: Recipe file or bundled name; empty for the bundled default.
        model: Model string (`pocket`, a hub id, a path, `http://host:port/v1#name`), or a loaded model;
            empty for what the recipe or `loupe.toml` names.
        out: Output folder of the session; a new one when None, see `new_run_folder`.
        options: How it works.
        engines: What sees, where sessions share it; else each loads what the options say.

    Raises:
        LoupeError: Bad images or recipe, or a folder that cannot be used.
    """

    def __init__(
        self,
        images: Sequence[str | Path],
        recipe: str = "",
        model: str | VisionModel = "",
        *,
        out: Path | None = None,
        options: SessionOptions | None = None,
        engines: Engines | None = None,
    ) -> None:
        from tools.images import Batch
        from tools.recipe.file import load_recipe

        settings = load_settings()
        options = options or SessionOptions()
        self.options = replace(options, abstention=options.abstention or settings.abstention)
        self._cancel = threading.Event()
        self.recipe = load_recipe(recipe or None)
        if isinstance(model, str):
            model = model_choice(model, self.recipe.models.agent, settings)
        self.batch = Batch.open(images, progress=self.options.progress, cancel=self._cancel)
        self.out = out or new_run_folder(images)
        self._events: queue.Queue[Any] = queue.Queue()
        self._worker: threading.Thread | None = None
        self._turn: list[Event] = []
        self.turns: list[TurnResult] = []
        self._decisions: list[Decision] = []
        self._lapsed = 0  # decisions that came before good parts were last kept
        self._desk = Desk(
            self.batch, self.recipe, model, self.out, self.options, self._emit, self._cancel, engines
        )
        header = SessionHeader(
            loupe_version=version("loupe-inspection"),
            started_at=now(),
            images=tuple(str(from_root(image)) for image in images),
            recipe=found_again(self.recipe, recipe),
            recipe_sha256=self.recipe.sha256,
            batch_sha256=self.batch.sha256,
            model=model if isinstance(model, str) else model.name,
            seers=placed((self.options.engines or EngineOptions()).chosen_for(self.recipe)),
            good_sha256=self._desk.workbench.engines.good_sha256,
        )
        refuse_unwritable(*header.images, header.recipe, str(from_root(self.out)))
        if has_log(self.out):
            changed = self._recall(header)
        else:
            refuse_run(self.out)
            changed = []
        self._log = SessionLog(self.out, header)
        for event in changed:
            self._log.append(event)

    def _recall(self, header: SessionHeader) -> Sequence[Event]:
        """Takes up what the log says; returns what it lacks of what happened since."""
        earlier, events = read_log(self.out)
        refuse_other(self.out, earlier, header)
        self._desk.workbench.started_at = earlier.started_at
        changed = changed_elsewhere(earlier.good_sha256, events, header.good_sha256 or "")
        events += changed
        for event in events:
            self._note(event)
        self._decisions = numbered(self._decisions)
        turns = list(turns_of(events))
        self.turns = [result for turn in turns if (result := turn_result(turn)).request]
        self._desk.recall(turns)
        return changed

    @classmethod
    def resume(
        cls, folder: Path, model: str | VisionModel = "", *, options: SessionOptions | None = None
    ) -> Self:
        """Opens the session that a folder holds, with the images, recipe and model of its first start.

        Raises:
            LoupeError: There is no session, or its images or recipe are no longer the same.
        """
        header, _ = read_log(folder)
        options = options or SessionOptions()
        seen_by = seers_again(options.engines or EngineOptions(), header)
        given = replace(options, engines=seen_by)
        return cls(header.images, header.recipe, model or header.model, out=folder, options=given)

    def warm(self, work: Callable[[], None]) -> None:
        """Starts importing the models' libraries in a thread; models are loaded only after it.

        Two threads that import the same library at once can find it half initialised.
        """
        self._desk.warming = Pending(work)
        self._desk.workbench.waiting.after(self._desk.warming)

    def ask(self, request: str) -> Iterator[Event]:
        """Asks, and yields what happens until the turn is finished.

        The work is done in a thread of its own: whoever iterates may take their time, and `cancel` may be
        called from anywhere. The turn goes on also when nobody iterates to the end; the next call waits.

        Raises:
            UsageError: The request is empty or no UTF-8, or the turn before is still running.
        """
        if not request.strip():
            raise UsageError("the request is empty", "say what to do, e.g. 'inspect everything'")
        refuse_unwritable(request)
        return self._start(request, lambda number: self._desk.turn(number, request))

    def use(self, tool: str, arguments: Mapping[str, Any], request: str) -> Iterator[Event]:
        """Uses a tool without the model, as a turn of its own: told, recorded and stoppable like one.

        Args:
            tool: Name of the tool.
            arguments: As a program would give them.
            request: What the user typed, for the record.

        Raises:
            UsageError: The turn before is still running.
        """

        def work(_: int) -> Outcome:
            self._desk.use(tool, arguments, request)
            return Outcome.ANSWERED

        return self._start(request, work)

    def _start(self, request: str, work: Callable[[int], Outcome]) -> Iterator[Event]:
        if self.is_running:
            raise UsageError("the turn before is still running", "wait for it, or cancel it")
        self._cancel.clear()
        self._events = queue.Queue()
        self._worker = threading.Thread(
            target=self._work, args=(request, work), name="loupe-turn", daemon=True
        )
        self._worker.start()
        return self._until_finished()

    def _until_finished(self) -> Iterator[Event]:
        while (event := self._events.get()) is not _END:
            yield event
        if self._worker:
            self._worker.join()

    def cancel(self) -> None:
        """Stops the running turn, wherever it is; what was done is kept and the next turn works."""
        self._cancel.set()

    def verdicts(self) -> Mapping[str, Verdict]:
        """Returns the verdict of each image that has one."""
        return self._desk.workbench.verdicts()

    def inspection(self, image_id: str) -> Inspection | None:
        """Returns what is known of an image, with the decision on it; None where it was not inspected."""
        return self._desk.workbench.inspection(image_id)

    def decisions(self, image_id: str) -> list[Decision]:
        """Returns who decided on an image, the first first; those that were replaced or taken back too."""
        return [decision for decision in self._decisions if decision.image_id == image_id]

    def new_act(self) -> int:
        """Returns a number for decisions that the user takes together, and takes back together."""
        return self._desk.workbench.new_act()

    def decide(self, image_id: str, verdict: Verdict, reason: str, *, act: int = 0) -> None:
        """Records that the user decided a verdict.

        Args:
            image_id: The image.
            verdict: The new one.
            reason: Why.
            act: Number from `new_act`; 0 for a decision that is taken alone.

        Raises:
            UsageError: An unknown image, or no reason.
        """
        self._desk.workbench.override(image_id, verdict.value, reason, by=self.options.decider, act=act)

    def undo(self, reason: Callable[[Decision], str]) -> Iterator[Decision]:
        """Takes back the newest decisions that stand, whoever took them together, also before a resume.

        What had no verdict before goes to review; both decisions stay on record.

        Args:
            reason: Returns why one is taken back.

        Yields:
            Each decision that was taken back; none where there is nothing to take back.
        """
        user = self.options.decider
        for decision in newest_act(self._decisions, self._lapsed):
            back, why = self._desk.workbench.before(decision), reason(decision)
            self._desk.workbench.override(
                decision.image_id, back.value, why, by=user, takes_back=decision.act
            )
            yield decision

    @property
    def is_running(self) -> bool:
        """Whether a turn is running."""
        return self._worker is not None and self._worker.is_alive()

    @property
    def model_name(self) -> str:
        """The model that answers, or will."""
        return self._desk.model_name

    @property
    def is_model_loaded(self) -> bool:
        """Whether the next turn finds the model in memory."""
        return self._desk.is_model_loaded

    def switch_model(self, model: str | VisionModel) -> None:
        """Lets another model answer from the next turn on, which loads it; what was said stays known.

        Raises:
            UsageError: A turn is running.
        """
        if self.is_running:
            raise UsageError("a turn is running", "wait for it, or stop it")
        self._desk.switch_model(model)

    def result(self) -> dict[str, Any]:
        """Returns the session as `loupe ask --json` prints it."""
        return {
            "turns": [turn.printed() for turn in self.turns],
            "verdicts": {each: verdict.value for each, verdict in self.verdicts().items()},
        }

    def close(self) -> None:
        """Ends the session: stops a running turn, the sandbox and the log."""
        self.cancel()
        if self._worker:
            self._worker.join()
        self._desk.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What follows runs in the turn's own thread.

    def _emit(self, event: Event) -> None:
        self._log.append(event)
        self._turn.append(event)
        self._note(event)
        self._desk.take(event)
        self._events.put(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, Decision):
            self._decisions.append(event)
        elif isinstance(event, GoodKept):
            self._lapsed = len(self._decisions)

    def _work(self, request: str, work: Callable[[int], Outcome]) -> None:
        """Works on a turn in its thread, and tells its end also where the log cannot be written."""
        number = len(self.turns) + 1
        self._turn = []
        try:
            self._work_logged(number, request, work)
        except OSError as failure:
            log.exception("turn %d cannot be logged", number)
            ends = unlogged_end(number, request, f"cannot write to {self.out}: {failure.strerror or failure}")
            self.turns.append(turn_result([*self._turn, *ends]))
            for event in ends:
                self._events.put(event)
        finally:
            self._events.put(_END)

    def _work_logged(self, number: int, request: str, work: Callable[[int], Outcome]) -> None:
        started = datetime.now()
        self._emit(TurnStarted(turn=number, request=request, at=now()))
        outcome, error = Outcome.FAILED, ""
        try:
            outcome = work(number)
        except TurnCancelled:
            outcome = Outcome.CANCELLED
        except LoupeError as failure:
            error = failure.as_text()
            self._fail(number, request, failure)
        except Exception as failure:  # The conversation outlives whatever went wrong in a turn.
            log.exception("turn %d", number)
            error = f"{type(failure).__name__}: {failure}"
            self._fail(number, request, TurnFailed(error))
        finally:
            self._finish(number, outcome, error, (datetime.now() - started).total_seconds())

    def _fail(self, number: int, request: str, failure: LoupeError) -> None:
        """Tells the user what went wrong, and does or offers what works without the model."""
        language = in_language_of(request)
        text = phrase("failed", language, reason=failure.message.rstrip("."))
        if not self.options.fallback:
            text += " " + phrase("offer", language, command=self.options.inspect_command)
        else:
            try:
                text += " " + phrase(
                    "fell_back", language, summary=self._desk.inspect_without_model(language)
                )
            except (LoupeError, TurnCancelled) as error:
                text += f" {error}"
        self._emit(Answer(turn=number, text=text))

    def _finish(self, number: int, outcome: Outcome, error: str, seconds: float) -> None:
        steps = [event for event in self._turn if isinstance(event, StepFinished)]
        usage = sum((step.usage for step in steps), Usage())
        artifacts = self._desk.end_turn()
        self._emit(
            TurnFinished(
                turn=number,
                outcome=outcome,
                steps=len(steps),
                usage=usage.model_copy(update={"seconds": round(seconds, 3)}),
                artifacts=tuple(str(path) for path in artifacts),
                error=error,
                writer=self._desk.writer if any(isinstance(e, CodeWritten) for e in self._turn) else None,
            )
        )
        self.turns.append(turn_result(self._turn))
