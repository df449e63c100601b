"""What the child may say, checked: everything that comes from it is taken for an attempt to deceive."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from agent.sandbox.walls import Wall

__all__ = ["Call", "Done", "Failed", "FromChild", "ProtocolError", "Ready", "parse"]


class ProtocolError(Exception):
    """The child said something that it cannot have said by running code as it should."""


def _finite(value: JsonValue) -> JsonValue:
    json.dumps(value, allow_nan=False)  # raises ValueError for NaN and infinities, which JSON has not
    return value


_Plain = Annotated[JsonValue, AfterValidator(_finite)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ready(_Message):
    """The walls are up; once in the child's life, before it has seen any code."""

    kind: Literal["ready"]
    walls: tuple[Wall, ...] = Field(max_length=20)


class Call(_Message):
    """The code calls a tool and waits.

    Attributes:
        block: As the parent named the block that runs: what was said before it began cannot name it.
        number: 1 for the first call of a block, and so on.
    """

    kind: Literal["call"]
    block: str
    number: int
    tool: str = Field(max_length=100)
    arguments: dict[str, _Plain]


class Done(_Message):
    """The block ran to its end, or to `final_answer`."""

    kind: Literal["done"]
    block: str
    output: _Plain
    logs: str
    is_final_answer: bool


class Failed(_Message):
    """The block, or the start of the child (which has no name), ended in an error."""

    kind: Literal["failed"]
    block: str = ""
    error: str
    logs: str


FromChild = Ready | Call | Done | Failed
_FROM_CHILD: TypeAdapter[FromChild] = TypeAdapter(Annotated[FromChild, Field(discriminator="kind")])


def parse(frame: bytes) -> FromChild:
    """Reads one message of the child.

    Raises:
        ProtocolError: It is none: not JSON, nested too deeply, of an unknown kind, with other fields.
    """
    try:
        return _FROM_CHILD.validate_json(frame)
    except ValidationError as error:
        raise ProtocolError(error.errors(include_input=False, include_url=False)[0]["msg"]) from None
