"""What came of a session's turns, folded from their events: for `--json`, playbooks and replays."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

from agent.events import (
    Abstained,
    Answer,
    CodeWritten,
    Event,
    Outcome,
    ToolFinished,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Usage,
)
from agent.phrases import in_language_of, phrase
from tools.records import Record

__all__ = [
    "MadeCall",
    "ToolCall",
    "TurnResult",
    "answer_text",
    "fact_of_call",
    "has_run",
    "turn_result",
    "unanswered",
    "unlogged_end",
]


_ANSWER_CHARS = 100_000


class ToolCall(Record):
    """A tool that was called, with its arguments as the tool took them."""

    tool: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class MadeCall(ToolCall):
    """A call with what came of it.

    Attributes:
        error: Why it failed; empty where it did not.
    """

    error: str = ""

    @model_serializer(mode="wrap")
    def _with_error_where_there_is_one(self, whole: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        row: dict[str, JsonValue] = whole(self)
        return row if self.error else {name: value for name, value in row.items() if name != "error"}


class TurnResult(Record):
    """One request and what came of it, as `loupe ask --json` prints it.

    Attributes:
        unverified: Why the answer is not backed by results; empty for a verified one.
        abstained: Whether the model was not sure enough of a program, which was not run.
        meant: What the user was asked about then.
        meant_code: The program of which that is the meaning.
        error: Message and hint where the outcome is `failed`.
    """

    request: str
    answer: str = ""
    outcome: Outcome = Outcome.CANCELLED
    steps: int = 0
    seconds: float = 0.0
    tool_calls: tuple[MadeCall, ...] = ()
    artifacts: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()
    abstained: bool = False
    meant: str = ""
    meant_code: str = ""
    error: str = ""
    usage: Usage = Usage()

    def printed(self) -> dict[str, JsonValue]:
        """Returns what is shown of it: of what is seldom there, only what is."""
        always = {"request", "answer", "outcome", "steps", "seconds", "tool_calls", "artifacts"}
        row = self.model_dump(mode="json", include=always)
        more = self.model_dump(mode="json", include={"abstained", "error", "meant", "unverified"})
        return row | {name: value for name, value in more.items() if value}

    @property
    def came_to_nothing(self) -> bool:
        """Whether not even the first program was run."""
        return self.abstained and self.steps == 1


def turn_result(events: Iterable[Event]) -> TurnResult:
    """Folds the events of one turn; one that never finished counts as cancelled."""
    result = TurnResult(request="")
    calls: dict[int, MadeCall] = {}
    written = ""
    for event in events:
        match event:
            case TurnStarted(request=request):
                result = TurnResult(request=request)
            case ToolStarted(tool=tool, arguments=arguments):
                calls[event.call] = MadeCall(tool=tool, arguments=arguments)
            case ToolFinished(call=call, error=error) if call in calls:
                calls[call] = calls[call].model_copy(update={"error": error})
            case CodeWritten(code=code):
                written = code
            case Abstained(meant=meant):
                about = {"meant": meant, "meant_code": written if meant else ""}
                result = result.model_copy(update={"abstained": True, **about})
            case Answer(text=text, unverified=unverified):
                result = result.model_copy(update={"answer": text, "unverified": unverified})
            case TurnFinished():
                finished = event.model_dump(include={"outcome", "steps", "artifacts", "error"})
                seconds = round(event.usage.seconds, 2)
                result = result.model_copy(update={**finished, "usage": event.usage, "seconds": seconds})
    return result.model_copy(update={"tool_calls": tuple(calls.values())})


def answer_text(output: JsonValue) -> str:
    """Returns what a program gave as its answer, as the user reads it; it can make it endless."""
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)
    return text if len(text) <= _ANSWER_CHARS else f"{text[:_ANSWER_CHARS]} …"


def unlogged_end(number: int, request: str, reason: str) -> tuple[Event, ...]:
    """Returns how a turn ends whose log cannot be written: told, as nothing else can be done with it."""
    text = phrase("failed", in_language_of(request), reason=reason)
    finished = TurnFinished(turn=number, outcome=Outcome.FAILED, steps=0, usage=Usage(), error=reason)
    return Answer(turn=number, text=text), finished


def has_run(tool: str) -> str:
    """Returns what later turns read as the answer where a tool was used without the model."""
    return f"{tool} has run"


def unanswered(result: TurnResult, request: str) -> str:
    """Returns what later turns read as the answer of a turn that gave none.

    Args:
        result: What came of the turn.
        request: As it was understood.
    """
    if result.outcome is Outcome.ANSWERED and result.tool_calls and not result.steps:
        return has_run(result.tool_calls[-1].tool)
    return phrase("unfinished", in_language_of(request))


def fact_of_call(tool: str, arguments: dict[str, JsonValue], result: JsonValue, error: str) -> str:
    """Returns a tool call and what it returned in a line, for the memory of later turns."""
    given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    if error:
        return f"{tool}({given}) failed: {error}"
    many = f"{len(result)} rows: " if isinstance(result, list) else ""
    return f"{tool}({given}) -> {many}{json.dumps(result, ensure_ascii=False)}"
