"""The CodeAgent itself: smolagents' loop around our memory, our prompt, our gate and our events."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from smolagents import CodeAgent
from smolagents.memory import ActionStep, FinalAnswerStep, PlanningStep, ToolCall
from smolagents.monitoring import AgentLogger, LogLevel, TokenUsage
from smolagents.utils import AgentError, AgentParsingError

from agent.abstention import Abstention, Unsure, changes, sure_of, works
from agent.cancelling import stop_if_cancelled
from agent.events import CodeWritten, Note, StepFinished, Usage
from agent.memory import Memory, Step
from agent.models.prose import announces_work
from agent.models.repair import CLOSE, OPEN
from agent.models.scripted import ScriptedModel
from agent.prompts import prompt_templates
from tools.errors import TurnFailed

if TYPE_CHECKING:
    import threading

    from smolagents import Tool
    from smolagents.local_python_executor import PythonExecutor
    from smolagents.models import ChatMessage

    from agent.events import Sink
    from agent.models.base import VisionModel
    from agent.models.pictures import Picture

__all__ = ["InspectionAgent"]

_MOST_UNPARSABLE = 3
_MOST_ANNOUNCED = 2  # a model that is reminded and announces again does not get to work
_THOUGHT = re.compile(r"^(.*?)<code>", re.DOTALL)
# smolagents' frame around what a program printed and returned.
_FRAME = re.compile(
    r"^Execution logs:\n?|(?:Last output from code snippet:\nNone\s*)$|Last output from code snippet:\n"
)


class InspectionAgent(CodeAgent):  # type: ignore[misc]
    """A CodeAgent whose prompt is `Memory`'s and whose code runs where it is told.

    Args:
        tools: The session's tools.
        model: Writes the programs.
        executor: Runs them.
        recall: What the model is sent.
        new_pictures: Returns the pictures that the last program asked to see, and why others are not shown.
        check_answer: Raises ValueError with the reason where an answer is not backed by results.
        sink: Is told when a step is over.
        cancel: Stops the turn when set.
        max_steps: Rounds per turn.
        abstention: How sure the model must be of a program; None lets it run whatever it writes.
    """

    model: VisionModel  # smolagents sets it

    def __init__(
        self,
        tools: Sequence[Tool],
        model: VisionModel,
        executor: PythonExecutor,
        recall: Memory,
        *,
        new_pictures: Callable[[], tuple[list[Picture], list[str]]],
        check_answer: Callable[[str, Sequence[str]], None],
        sink: Sink,
        cancel: threading.Event,
        max_steps: int = 8,
        abstention: Abstention | None = None,
    ) -> None:
        self.recall = recall
        self.turn_number = 0
        self._new_pictures = new_pictures
        self._check_answer = check_answer
        self._sink = sink
        self._cancel = cancel
        self._abstention = abstention
        self._unparsable = self._announced = 0
        self._code, self._told_unknown = "", False
        super().__init__(
            tools=list(tools),
            model=model,
            prompt_templates=prompt_templates(recall.system_prompt),
            executor=executor,
            additional_authorized_imports=["json"],
            code_block_tags=(OPEN, CLOSE),
            max_steps=max_steps,
            final_answer_checks=[self.evidence],
            # smolagents draws on a console; that would tear a full-screen app.
            logger=AgentLogger(level=LogLevel.OFF, console=Console(file=io.StringIO())),
        )

    def evidence(self, answer: Any, memory: object, agent: object) -> bool:  # noqa: ANN401 -- smolagents' signature
        """The gate as smolagents calls it: raises with the reason, or returns True."""
        programs = [
            step.code_action
            for step in self.memory.steps
            if isinstance(step, ActionStep) and step.code_action
        ]
        self._check_answer(str(answer), [*programs, *([self._code] if self._code else [])])
        return True

    def write_memory_to_messages(self, summary_mode: bool = False) -> list[ChatMessage]:
        """Returns the prompt of the next step."""
        stop_if_cancelled(self._cancel)
        return self.recall.messages()

    def _step_stream(self, memory_step: ActionStep) -> Any:  # noqa: ANN401 -- smolagents' generator
        self._code = ""
        if memory_step.step_number == 1:
            self._unparsable = self._announced = 0
            if confirmed := self.recall.running.confirmed:
                yield from self._recited(memory_step, confirmed)
                return
        try:
            yield from self._taken(memory_step)
        except Unsure as unsure:
            is_first = memory_step.step_number == 1
            if self._abstention is None or not is_first or not self.recall.before() or self._told_unknown:
                raise
            yield from self._read_alone(memory_step, unsure, self._abstention)

    def _recited(self, memory_step: ActionStep, code: str) -> Any:  # noqa: ANN401 -- smolagents' generator
        """Runs the program to which the user said yes, and no other that the model might write now."""
        model = self.model
        self.model = ScriptedModel([f"{OPEN}\n{code}\n{CLOSE}"])
        try:
            yield from self._taken(memory_step)
        finally:
            self.model = model

    def _taken(self, memory_step: ActionStep) -> Any:  # noqa: ANN401 -- smolagents' generator
        """Lets the model write a program and runs it, if the model is sure enough of it."""
        for output in super()._step_stream(memory_step):
            if isinstance(output, ToolCall):  # smolagents' name for the program, told before it runs
                self._code, step = memory_step.code_action or "", memory_step.step_number
                thought = thought_of(str(memory_step.model_output or ""))
                self._stop_if_unsure(memory_step, thought)
                self._sink(CodeWritten(turn=self.turn_number, step=step, thought=thought, code=self._code))
            yield output

    def _read_alone(self, memory_step: ActionStep, first: Unsure, abstention: Abstention) -> Any:  # noqa: ANN401
        """Lets the model read a request once more, without what was said before, which may mislead it."""
        self.recall.running.stands_alone = True
        spent = memory_step.token_usage
        try:
            yield from self._taken(memory_step)
        except Unsure as second:
            counts = abstention.counts_alone(second.code, second.sureness, first.sureness)
            raise (second if counts else first) from None
        finally:
            memory_step.token_usage = _sum(spent, memory_step.token_usage)

    def _stop_if_unsure(self, memory_step: ActionStep, thought: str) -> None:
        """Ends the turn before a program runs of which the model was not sure enough."""
        if self._abstention is None:
            return
        sureness = memory_step.model_output_message.raw["sureness"]
        sureness = sure_of(self._code, sureness, self.recall.running.request, self.recall.earlier())
        least, step = self._abstention.least(self._code), memory_step.step_number
        if sureness is None:
            if changes(self._code) and not (step == 1 and self.recall.running.confirmed):
                self._tell_unknown()
                raise Unsure(step, self._code, thought, least=least, is_likely=True)
            return
        is_empty = self.recall.running.stands_alone and step == 1 and not works(self._code)
        if sureness < least or is_empty:
            is_likely = sureness >= self._abstention.looking
            raise Unsure(step, self._code, thought, sureness, least, is_likely=is_likely)

    def _tell_unknown(self) -> None:
        if not self._told_unknown:
            self._told_unknown = True
            self._sink(
                Note(text=f"{self.model.name} does not tell how sure it is, and changes nothing unasked")
            )

    def _finalize_step(self, memory_step: ActionStep | PlanningStep | FinalAnswerStep) -> None:
        super()._finalize_step(memory_step)
        if not isinstance(memory_step, ActionStep):
            return
        pictures, missing = self._new_pictures()
        printed = _FRAME.sub("", memory_step.observations or "").strip()
        observation = "\n".join((printed, *missing)).strip()
        written = memory_step.model_output if isinstance(memory_step.model_output, str) else ""
        error = _said(memory_step.error, written)
        said = "\n".join(part for part in (observation, f"Error: {error}" if error else "") if part)
        self.recall.running.steps.append(Step(written, said or "(nothing was printed)", pictures))
        self._sink(
            StepFinished(
                turn=self.turn_number,
                step=memory_step.step_number,
                observation=observation,
                error=error,
                usage=_usage(memory_step),
            )
        )
        self._stop_if_stuck(written, is_program=not isinstance(memory_step.error, AgentParsingError))

    def _stop_if_stuck(self, written: str, *, is_program: bool) -> None:
        """Ends the turn of a model that writes no programs, however often it is told."""
        self._unparsable = 0 if is_program else self._unparsable + 1
        self._announced = 0 if is_program or not announces_work(written) else self._announced + 1
        if self._announced >= _MOST_ANNOUNCED:
            raise TurnFailed(
                "the model says what it will do, but does not do it",
                "ask for one thing at a time, or choose a larger model (--model; /model in the app)",
            )
        if self._unparsable >= _MOST_UNPARSABLE:
            raise TurnFailed(
                f"the model wrote {_MOST_UNPARSABLE} answers in a row that are no program",
                "ask in other words, or choose a larger model (--model; /model in the app)",
            )

    def _handle_max_steps_reached(self, task: str) -> Any:  # noqa: ANN401 -- smolagents' signature
        raise TurnFailed(
            f"the model did not come to an answer within {self.max_steps} steps",
            "ask for less at once, or choose a larger model (--model; /model in the app)",
        )


def _said(error: AgentError | None, written: str) -> str:
    """Returns an error as the model should read it: what to do better, in few words."""
    if error is None:
        return ""
    if isinstance(error, AgentParsingError):
        if announces_work(written):
            return (
                "nothing has been done yet; do it now, in a program between <code> and </code>, "
                "or answer with final_answer"
            )
        return "there was no program in this; answer with one between <code> and </code>"
    return str(error.message).removeprefix("Check evidence failed with error: ")


def thought_of(written: str) -> str:
    """Returns what a model wrote before its program."""
    match = _THOUGHT.match(written)
    return match.group(1).strip() if match else ""


def _sum(first: TokenUsage | None, second: TokenUsage | None) -> TokenUsage | None:
    if first is None or second is None:
        return first or second
    return TokenUsage(first.input_tokens + second.input_tokens, first.output_tokens + second.output_tokens)


def _usage(step: ActionStep) -> Usage:
    tokens = step.token_usage
    messages = step.model_input_messages or []
    images = sum(part["type"] == "image" for message in messages for part in message.content or ())
    seconds = (step.timing.end_time or step.timing.start_time) - step.timing.start_time
    return Usage(
        input_tokens=tokens.input_tokens if tokens else 0,
        output_tokens=tokens.output_tokens if tokens else 0,
        images=images,
        seconds=round(seconds, 3),
    )
