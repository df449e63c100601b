"""What one conversation works with: the workbench, the model, the sandbox, the memory and the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from agent.abstention import Unsure, chosen, offer
from agent.calls import Calls
from agent.cancelling import Pending, TurnCancelled, stop_if_cancelled
from agent.consent import Consent
from agent.declining import DeclineTool
from agent.events import (
    Abstained,
    Answer,
    CodeWritten,
    Event,
    Note,
    Outcome,
    Purpose,
    StepFinished,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from agent.evidence import Evidence
from agent.loads import load_after, tell_sight, told
from agent.meaning import agrees, meaning
from agent.memory import Memory, Turn
from agent.phrases import in_language_of, phrase
from agent.prompts import batch_table, system_prompt
from agent.results import answer_text, fact_of_call, has_run, turn_result, unanswered
from agent.toolbox import build_tools
from agent.workbench import Workbench
from tools.errors import LoupeError, ModelError, TurnFailed
from tools.overriding import AGENT
from tools.pipeline.engines import EngineOptions, Engines
from tools.records import Language, Provenance, Verdict

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from PIL.Image import Image
    from pydantic import JsonValue

    from agent.events import Sink
    from agent.examining import Proposal
    from agent.inspector import InspectionAgent
    from agent.models.base import VisionModel
    from agent.sandbox.executor import SandboxExecutor
    from agent.session_options import SessionOptions
    from agent.views import Views
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["Desk"]

_ANSWER_TOKENS = 1_024  # of the model's context, kept free for what it writes


class _Meant(NamedTuple):
    """A request as it is understood, and the program for it where the user has seen what that would do."""

    request: str
    code: str = ""


_NOTHING = _Meant("")


class Desk:
    """The parts of a conversation, put together at its first turn.

    Args:
        batch: The images.
        recipe: What is inspected.
        model: Model string or a loaded model.
        out: Where the session's files go.
        options: How the session works.
        emit: Is told everything.
        cancel: Stops whatever is running when set.
        engines: What sees; loaded as the options say when None.
    """

    def __init__(
        self,
        batch: Batch,
        recipe: Recipe,
        model: str | VisionModel,
        out: Path,
        options: SessionOptions,
        emit: Sink,
        cancel: threading.Event,
        engines: Engines | None = None,
    ) -> None:
        self._batch, self._recipe, self._model_choice = batch, recipe, model
        self._options, self._emit, self._cancel = options, emit, cancel
        self._consent = Consent(options.approve)
        self.workbench = Workbench(
            batch,
            recipe,
            out=out,
            engines=engines or Engines(recipe, options.engines),
            sink=emit,
            cancel=cancel,
            user=options.user,
            ledger=options.ledger,
            ask_candidates=self._ask_candidates,
            approve=self._consent,
        )
        self._calls = Calls(self.workbench)
        self._told_artifacts = 0
        self._evidence = Evidence((record.id for record in batch.records), self.workbench.verdicts)
        self._evidence.quote(recipe)
        self._turns: list[Turn] = []
        self._arguments: dict[int, ToolStarted] = {}
        self._program = ""
        self.writer: Provenance | None = None
        self._model: VisionModel | None = None
        self._loading: Pending[VisionModel] | None = None
        self.warming: Pending[None] | None = None
        self._agent: InspectionAgent | None = None
        self._executor: SandboxExecutor | None = None
        self._unverified: tuple[str, ...] = ()
        self._was_sent_back = False
        self._declined = False
        self._meant = _NOTHING  # what the user was asked about, who may say yes to it

    def recall(self, turns: Sequence[Sequence[Event]]) -> None:
        """Takes up what earlier turns asked, answered and decided.

        Args:
            turns: Events of each, as logged.
        """
        for events in turns:
            result = turn_result(events)
            turn = Turn(self._understood(result.request).request, is_finished=True)
            turn.answer = result.answer or unanswered(result, turn.request)
            self._meant = _Meant(result.meant, result.meant_code)
            if result.request and not result.came_to_nothing:  # else these are decisions before any turn
                self._turns.append(turn)
            self._evidence.hear(result.request)
            for event in events:
                self._remember(event, turn)
                if isinstance(event, TurnFinished) and event.writer:
                    self.workbench.add_writer(event.writer)
        self.workbench.restore([event for events in turns for event in events])

    def take(self, event: Event) -> None:
        """Learns from an event of the running turn what an answer may rest on."""
        if self._turns:
            self._remember(event, self._turns[-1])

    def _remember(self, event: Event, turn: Turn) -> None:
        match event:
            case ToolStarted():
                self._arguments[event.call] = event
            case ToolFinished():
                started = self._arguments.pop(event.call, None)
                arguments = started.arguments if started else {}
                turn.facts.append(fact_of_call(event.tool, arguments, event.result, event.error))
                self._evidence.take(event.result, arguments)
            case CodeWritten():
                self._program = event.code
                if self._model is not None:  # what it is by now: a server may have refused something
                    self.writer = self._model.provenance
                    self.workbench.add_writer(self.writer)
            case Answer() if not turn.is_finished:
                turn.answer = event.text
            case StepFinished():
                self._evidence.hear(event.observation, self._program)

    def turn(self, number: int, request: str) -> Outcome:
        """Works on a request until the model answers.

        Raises:
            TurnCancelled: The turn was stopped.
            LoupeError: The model could not be loaded, or failed.
        """
        from smolagents.memory import ActionStep, FinalAnswerStep
        from smolagents.utils import AgentGenerationError

        agent = self._ready()
        agent.turn_number = number
        request, confirmed = self._understood(request)
        self._turns.append(Turn(request, confirmed=confirmed))
        self._evidence.hear(request)
        spoken = in_language_of(request)
        self.workbench.spoken, self.workbench.asked = spoken, request
        self._consent.begin_turn()
        self._unverified, self._was_sent_back, self._declined = (), False, False
        output: Any = ""
        try:
            for item in agent.run(request, stream=True, reset=True):
                if isinstance(item, FinalAnswerStep):
                    output = item.output
                elif isinstance(item, ActionStep) and self._consent.is_refused:
                    output, self._declined, self._unverified = self._consent.refusal(spoken), True, ()
                    break
        except Unsure as unsure:
            return self._offer(number, request, unsure)
        except AgentGenerationError as error:
            cause = error.__cause__
            raise (
                cause if isinstance(cause, LoupeError) else TurnFailed(f"the model failed: {cause}")
            ) from error
        self._emit(Answer(turn=number, text=answer_text(output), unverified=self._unverified))
        return Outcome.DECLINED if self._declined else Outcome.ANSWERED

    def _understood(self, request: str) -> _Meant:
        """Returns what is asked by a request, which may be a yes to the question right before it."""
        meant, self._meant = self._meant, _NOTHING
        return meant if meant.request and agrees(request) else _Meant(request)

    def _offer(self, number: int, request: str, unsure: Unsure) -> Outcome:
        """Says that a request was not understood, and what could be asked instead."""
        records, verdicts, language = self._batch.records, self.workbench.verdicts(), in_language_of(request)
        if unsure.step == 1:  # nothing came of it, and nothing of it is put before the model again
            self._turns.pop()
            meant = meaning(unsure.code, language) if unsure.is_likely else ""
            self._meant = _Meant(meant, unsure.code) if meant else _NOTHING
        self._emit(CodeWritten(turn=number, step=unsure.step, thought=unsure.thought, code=unsure.code))
        self._emit(
            Abstained(
                turn=number,
                step=unsure.step,
                sureness=unsure.sureness,
                least=unsure.least,
                meant=self._meant.request,
            )
        )
        has_report = self._told_artifacts > 0
        text = offer(unsure, records, verdicts, language, has_report=has_report, meant=self._meant.request)
        self._emit(Answer(turn=number, text=text))
        return Outcome.DECLINED

    def use(self, tool: str, arguments: Mapping[str, JsonValue], request: str) -> None:
        """Uses a tool for the user, without the model; later turns know what it returned.

        Raises:
            TurnCancelled: The turn was stopped.
            LoupeError: The tool failed.
        """
        self._meant = _NOTHING  # a yes that comes later is to something else
        self._turns.append(Turn(request))
        self.workbench.acting = self._options.decider
        try:
            self._calls(tool, **arguments)
        finally:
            self.workbench.acting = AGENT
        self._turns[-1].answer = has_run(tool)

    def end_turn(self) -> list[Path]:
        """Closes the running turn in memory, however it ended; returns the files that it wrote."""
        if self._turns and not self._turns[-1].is_finished:
            running = self._turns[-1]
            running.is_finished = True
            running.answer = running.answer or phrase("unfinished", in_language_of(running.request))
        new = dict.fromkeys(self.workbench.artifacts[self._told_artifacts :])
        self._told_artifacts = len(self.workbench.artifacts)
        return [*new]

    def inspect_without_model(self, language: Language) -> str:
        """Runs the fixed pipeline, writes a report where there is none, and returns it all in a clause."""
        self._calls("inspect")
        counts = Counter(self.workbench.verdicts().values())
        numbers = {verdict.value: counts[verdict] for verdict in Verdict}
        said = phrase("summary", language, total=len(self._batch), **numbers)
        if not self.workbench.has_reported:  # a question on the side replaces nobody's report
            written = cast("dict[str, JsonValue]", self._calls("write_report", language=language.value))
            said += phrase("with_report", language, report=written["report"])
        return said

    @property
    def model_name(self) -> str:
        """The model that answers, or will."""
        choice = self._model_choice
        return choice if isinstance(choice, str) else choice.name

    @property
    def is_model_loaded(self) -> bool:
        """Whether the next turn finds the model in memory."""
        return self._model is not None

    def switch_model(self, model: str | VisionModel) -> None:
        """Lets another model answer from the next turn on, which loads it; what was said stays known."""
        self.close()
        self._model_choice = model
        self._model = self._agent = self._executor = self._loading = None

    def close(self) -> None:
        """Ends the sandbox and lets go of the model."""
        if self._executor:
            self._executor.close()

    def _ready(self) -> InspectionAgent:
        """Returns the agent, put together at the first call: the models take seconds to load."""
        if self._agent is None:
            from agent.inspector import InspectionAgent
            from agent.sandbox.executor import SandboxExecutor
            from agent.views import Views

            model = self._loaded()
            views = Views(self.workbench, model, self._options.budget, self._emit)
            tools = [*build_tools(self._calls).values(), DeclineTool(self._on_decline)]
            self._executor = SandboxExecutor(cancel=self._cancel)
            for wall in self._executor.walls:
                if not wall.in_place:
                    self._emit(Note(text=f"the sandbox lacks a wall: {wall.name} ({wall.why})"))
            self._agent = InspectionAgent(
                tools,
                model,
                self._executor,
                self._memory(model, views, system_prompt(tools)),
                new_pictures=views.new,
                check_answer=self._check,
                sink=self._emit,
                cancel=self._cancel,
                max_steps=self._options.max_steps,
                abstention=chosen(self._options.abstention, model.abstention),
            )
        return self._agent

    def _loaded(self) -> VisionModel:
        """Returns the model, loaded at the first call."""
        if self._model is None:
            choice = self._model_choice
            on = self._options.engines or EngineOptions()
            if isinstance(choice, str):
                load = partial(load_after, self.warming, choice, device=on.device, precision=on.precision)
                loading, self._loading = self._loading or Pending(load), None
                try:
                    with told(self._emit, Purpose.CONVERSATION, choice):
                        model = loading.result(self._cancel)
                except TurnCancelled:
                    self._loading = loading  # it goes on, and the next turn waits for it
                    raise
            else:
                model = choice
            model.cancel, model.on_text = self._cancel, self._on_text
            self._model = model  # now: it stays loaded where the test below is stopped
        if self._options.self_test:
            tell_sight(self._model, self._emit)
        return self._model

    def _memory(self, model: VisionModel, views: Views, prompt: str) -> Memory:
        budget = self._options.budget
        if limits := chosen(self._options.abstention, model.abstention):
            budget = replace(budget, turns=limits.turns)
        if model.context_tokens:
            budget = replace(budget, tokens=min(budget.tokens, model.context_tokens - _ANSWER_TOKENS))
        more = self.workbench.showing.hint()
        table = batch_table(self._batch.records, self._recipe.part.name, more)
        memory = Memory(prompt, table, views.sheet(), budget, model.picture_tokens, views.seen)
        memory.turns = self._turns  # one list: it outlives the model
        return memory

    def _ask_candidates(self, image: Image, labels: Sequence[str]) -> Sequence[Proposal]:
        """Asks the model about a picture while its program runs; boxes come back in the image's pixels."""
        from agent.candidates import NoAnswer, ask_candidates, placed
        from agent.models.pictures import Picture

        model = self._loaded()
        picture = Picture("the picture", model.fitted(image, self._options.budget.picture_tokens))
        model.on_text = None  # an answer to a tool is no part of the conversation
        try:
            candidates = ask_candidates(model, picture, labels, self.workbench.spoken)
        finally:
            model.on_text = self._on_text
        if isinstance(candidates, NoAnswer):
            raise ModelError(f"the model is unsure: {candidates.reason}", "look at the picture instead")
        return placed(candidates, image.width / picture.image.width, image.height / picture.image.height)

    def _on_text(self, text: str) -> None:
        if self._agent:
            self._emit(TextDelta(turn=self._agent.turn_number, step=self._agent.step_number, text=text))

    def _on_decline(self) -> None:
        self._declined = True

    def _check(self, answer: str, programs: Sequence[str]) -> None:
        """The evidence gate: sends an answer back once, then lets it through marked as unverified."""
        stop_if_cancelled(self._cancel)
        problems = () if self._declined else self._evidence.problems(answer_text(answer), programs)
        if problems and not self._was_sent_back:
            self._was_sent_back = True
            raise ValueError("; ".join(problems))
        self._unverified = problems
