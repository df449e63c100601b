"""Scripted conversations that check themselves: the regression suite of an inspection agent on any model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from agent.calls import TOOL_NAMES
from agent.events import Outcome
from agent.results import MadeCall, ToolCall, TurnResult
from tools.errors import UsageError
from tools.images.files import finds
from tools.records import Record, Verdict

if TYPE_CHECKING:
    from agent.events import Sink
    from agent.session import Session

__all__ = ["Conversation", "ConversationResult", "Playbook", "load_playbook", "misses_of", "play"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _known_tool(name: str) -> str:
    if name not in TOOL_NAMES:
        raise ValueError(f"no tool is called {name!r}; there are {', '.join(TOOL_NAMES)}")
    return name


def _of_known_tool(call: ToolCall) -> ToolCall:
    _known_tool(call.tool)
    return call


_Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
_Tools = Annotated[tuple[Annotated[str, AfterValidator(_known_tool)], ...], BeforeValidator(_as_list)]
_Call = Annotated[ToolCall, AfterValidator(_of_known_tool)]


class AnswerExpectation(_Section):
    """Words that the answer must hold, in any case of letters."""

    contains: _Names = ()


class Expectation(_Section):
    """What must hold after a turn.

    Attributes:
        calls: Each must have been made with at least these arguments, in any order, and have worked.
        forbid: Tools that must not have been called, be it in vain.
        outcome: How the turn must have ended; None for any end but a failure or a stop.
        files: Patterns, each of which must match the name of a file that the turn wrote.
    """

    calls: tuple[_Call, ...] = ()
    forbid: _Tools = ()
    outcome: Outcome | None = None
    answer: AnswerExpectation = AnswerExpectation()
    verdicts: dict[str, Verdict] = {}
    files: _Names = ()


class PlaybookTurn(_Section):
    """One request and what is expected of it."""

    say: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    expect: Expectation = Expectation()


class Conversation(_Section):
    """Turns that follow one another in one session."""

    name: str
    turns: Annotated[tuple[PlaybookTurn, ...], Field(min_length=1)]


class Playbook(_Section):
    """A batch, a recipe, and conversations about them, each in a session of its own.

    Attributes:
        images: Files, folders or globs; relative to the current folder, or else to the playbook's.
        model: Model string, a path in it likewise; empty for the one given on the command line.
    """

    images: _Names
    recipe: str = ""
    model: str = ""
    conversations: Annotated[tuple[Conversation, ...], Field(min_length=1)]


class ConversationResult(Record):
    """Whether a conversation went as expected.

    Attributes:
        misses: What did not, a line each.
    """

    name: str
    misses: tuple[str, ...] = ()
    turns: tuple[TurnResult, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all expectations held."""
        return not self.misses


def load_playbook(path: Path) -> Playbook:
    """Reads a playbook.

    Raises:
        UsageError: It is missing, no YAML, or does not fit the schema; each problem with its place.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        playbook = Playbook.model_validate(content)
    except OSError as error:
        raise UsageError(f"cannot read the playbook {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {error}", "see examples/playbooks for one that is") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in each['loc']) or 'top'}: {each['msg']}"
            for each in error.errors()
        )
        raise UsageError(
            f"{path} is no playbook: {problems}", "see examples/playbooks for one that is"
        ) from error
    before, scripted, file = playbook.model.rpartition("scripted:")
    return playbook.model_copy(
        update={
            "images": tuple(_located(each, path.parent) for each in playbook.images),
            "recipe": _located(playbook.recipe, path.parent),
            "model": before + scripted + _located(file, path.parent),
        }
    )


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice: of two expectations only the last would be checked."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        known: set[str] = set()
        for key, _ in node.value:
            if key.value in known:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            known.add(key.value)
        return super().construct_mapping(node, deep)


def _located(given: str, folder: Path) -> str:
    """Returns a path as it is where it leads somewhere, or beside the playbook where only that does."""
    beside = folder / given
    return str(beside) if given and not finds(given) and finds(beside) else given


def play(
    playbook: Playbook, open_session: Callable[[Conversation], Session], sink: Sink, cancel: threading.Event
) -> Iterator[ConversationResult]:
    """Yields the result of each conversation as it is over; one that is stopped has none, and is the last.

    Args:
        playbook: What to say and what to expect.
        open_session: Opens a fresh session for a conversation.
        sink: Is told everything that happens.
        cancel: Stops where it is set; whoever sets it cancels the session's turn too.
    """
    for conversation in playbook.conversations:
        misses: list[str] = []
        with open_session(conversation) as session:
            for number, turn in enumerate(conversation.turns, start=1):
                for event in session.ask(turn.say):
                    sink(event)
                if cancel.is_set():
                    return
                found = misses_of(turn.expect, session.turns[-1], session.verdicts())
                misses += [f"turn {number} ({turn.say!r}): {miss}" for miss in found]
            turns = tuple(session.turns)
        yield ConversationResult(name=conversation.name, misses=tuple(misses), turns=turns)


def misses_of(expected: Expectation, result: TurnResult, verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """Yields what of an expectation a turn did not meet, a line each."""
    for call in expected.calls:
        if not any(_covers(made, call) for made in result.tool_calls if not made.error):
            yield f"no call {_shown(call)}; made: {', '.join(map(_shown_made, result.tool_calls)) or 'none'}"
    called = {call.tool for call in result.tool_calls}
    yield from (f"{tool} was called" for tool in expected.forbid if tool in called)
    why = f": {result.error}" if result.error else ""
    if expected.outcome and result.outcome is not expected.outcome:
        yield f"outcome {result.outcome}, not {expected.outcome}{why}"
    elif not expected.outcome and result.outcome in {Outcome.FAILED, Outcome.CANCELLED}:
        yield f"outcome {result.outcome}{why}"
    for words in expected.answer.contains:
        if words.casefold() not in result.answer.casefold():
            yield f"the answer does not hold {words!r}: {result.answer!r}"
    for image_id, verdict in expected.verdicts.items():
        if verdicts.get(image_id) is not verdict:
            yield f"{image_id} is {verdicts.get(image_id) or 'undecided'}, not {verdict}"
    names = [PurePath(path).name for path in result.artifacts]
    for pattern in expected.files:
        if not any(fnmatch(name, pattern) for name in names):
            yield f"no file {pattern}; written: {', '.join(names) or 'none'}"


def _covers(made: ToolCall, expected: ToolCall) -> bool:
    return made.tool == expected.tool and all(
        name in made.arguments and _is_same(made.arguments[name], value)
        for name, value in expected.arguments.items()
    )


def _is_same(made: JsonValue, expected: JsonValue) -> bool:
    """Compares arguments: one id is a list of one, lists are sets, numbers may differ in the last digits."""
    if isinstance(made, list) or isinstance(expected, list):
        return _elements(made) == _elements(expected)
    numbers = [value for value in (made, expected) if isinstance(value, int | float)]
    if len(numbers) == 2 and not any(isinstance(value, bool) for value in numbers):
        return abs(numbers[0] - numbers[1]) < 1e-6
    return made == expected


def _elements(value: JsonValue) -> list[str]:
    return sorted(map(str, value if isinstance(value, list) else [value]))


def _shown(call: ToolCall) -> str:
    return f"{call.tool}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"


def _shown_made(call: MadeCall) -> str:
    return f"{_shown(call)} failed ({call.error})" if call.error else _shown(call)
