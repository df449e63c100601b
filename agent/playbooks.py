"""Scripted conversations that check themselves: the regression suite of an inspection agent on any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from agent.events import Outcome
from agent.results import MadeCall, ToolCall, TurnResult
from tools.errors import UsageError
from tools.records import Record, Verdict

if TYPE_CHECKING:
    from agent.events import Sink
    from agent.session import Session

__all__ = ["Conversation", "ConversationResult", "Playbook", "load_playbook", "misses_of", "play"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Names = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class AnswerExpectation(_Section):
    """Words that the answer must hold, in any case of letters."""

    contains: _Names = ()


class Expectation(_Section):
    """What must hold after a turn.

    Attributes:
        calls: Each must have been made with at least these arguments, in any order, and have worked.
        forbid: Tools that must not have been called, be it in vain.
        files: Patterns, each of which must match the name of a file that the turn wrote.
    """

    calls: tuple[ToolCall, ...] = ()
    forbid: _Names = ()
    outcome: Outcome | None = None
    answer: AnswerExpectation = AnswerExpectation()
    verdicts: dict[str, Verdict] = {}
    files: _Names = ()


class PlaybookTurn(_Section):
    """One request and what is expected of it."""

    say: str
    expect: Expectation = Expectation()


class Conversation(_Section):
    """Turns that follow one another in one session."""

    name: str
    turns: tuple[PlaybookTurn, ...]


class Playbook(_Section):
    """A batch, a recipe, and conversations about them, each in a session of its own.

    Attributes:
        images: Files, folders or globs; relative to the current folder, or else to the playbook's.
        model: Model string; empty for the one given on the command line.
    """

    images: _Names
    recipe: str = ""
    model: str = ""
    conversations: tuple[Conversation, ...]


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
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
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
    located = tuple(_located(each, path.parent) for each in playbook.images)
    recipe = _located(playbook.recipe, path.parent) if playbook.recipe else ""
    return playbook.model_copy(update={"images": located, "recipe": recipe})


def _located(given: str, folder: Path) -> str:
    beside = folder / given
    return given if Path(given).exists() or not beside.exists() else str(beside)


def play(
    playbook: Playbook, open_session: Callable[[Conversation], Session], sink: Sink
) -> Iterator[ConversationResult]:
    """Yields the result of each conversation as it is over.

    Args:
        playbook: What to say and what to expect.
        open_session: Opens a fresh session for a conversation.
        sink: Is told everything that happens.
    """
    for conversation in playbook.conversations:
        misses: list[str] = []
        with open_session(conversation) as session:
            for number, turn in enumerate(conversation.turns, start=1):
                for event in session.ask(turn.say):
                    sink(event)
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
    if expected.outcome and result.outcome is not expected.outcome:
        yield f"outcome {result.outcome}, not {expected.outcome}" + (
            f": {result.error}" if result.error else ""
        )
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
