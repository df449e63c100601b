"""The parent's side of the sandbox: an executor whose code runs in a child, and whose tools run here."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any, NoReturn

from smolagents.local_python_executor import CodeOutput, InterpreterError, PythonExecutor
from smolagents.tools import Tool, validate_tool_arguments

from agent.cancelling import stop_if_cancelled
from agent.sandbox.process import ChildEnded, ChildProcess, DeadlinePassed
from agent.sandbox.protocol import Call, Done, Failed, ProtocolError, Ready, parse
from agent.sandbox.walls import Limits, Wall
from tools.errors import LoupeError

__all__ = ["SandboxExecutor"]

_LOST = "Note: Python was restarted; variables and functions of earlier steps are gone."
_PROCESS = Wall(
    "process", True, "the code runs in a process of its own without environment, killed at a deadline"
)


class SandboxExecutor(PythonExecutor):  # type: ignore[misc]
    """Runs the agent's code in a child process behind the walls of the operating system.

    Variables and functions persist between blocks. Where a child has to be killed, the next block gets a
    fresh one, and its observation begins with a note that the variables are gone. For one thread at a time.

    Args:
        cancel: Set from any thread to stop: the child is killed, `TurnCancelled` is raised.
        limits: What a block and a child may use.
        authorized_imports: Modules that the code may import beside smolagents' defaults and json. They are
            loaded before the walls go up; they stand inside the walls, but outside the interpreter's limits.

    Attributes:
        state: `_print_outputs`, what the last block printed; smolagents reads it there after an error.
    """

    def __init__(
        self,
        *,
        cancel: threading.Event,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        authorized_imports: Sequence[str] = (),
    ) -> None:
        self.state: dict[str, str] = {"_print_outputs": ""}
        self._cancel = cancel
        self._limits = limits
        self._authorized_imports = tuple(authorized_imports)
        self._tools: dict[str, Tool] = {}
        self._variables: dict[str, object] = {}
        self._child: ChildProcess | None = None
        self._walls: tuple[Wall, ...] | None = None
        self._has_run = False
        self._lost = False

    @property
    def walls(self) -> tuple[Wall, ...]:
        """What stands around the child here; starts one where none runs.

        Raises:
            LoupeError: No child can be started.
        """
        self._ready()
        return (_PROCESS, *(self._walls or ()))

    def send_tools(self, tools: Mapping[str, Tool]) -> None:
        """Names the tools that the code may call; starts the child, so that it is ready when code comes."""
        self._tools = dict(tools)
        child = self._child or self._start()
        child.send(self._tools_message())

    def send_variables(self, variables: Mapping[str, object]) -> None:
        """Sets variables of the code.

        Raises:
            TypeError, ValueError: A value is not plain JSON.
        """
        self._variables |= json.loads(json.dumps(dict(variables), allow_nan=False))
        if self._child is not None and variables:
            self._child.send({"kind": "variables", "variables": self._variables})

    def __call__(self, code_action: str) -> CodeOutput:
        """Runs one block.

        Raises:
            InterpreterError: The block failed, or was stopped; the text is for the model.
            TurnCancelled: The event was set, or a tool raised it.
            LoupeError: No child can be started.
        """
        stop_if_cancelled(self._cancel)
        self.state["_print_outputs"] = ""
        child = self._ready()
        note = f"{_LOST}\n" if self._lost else ""
        said = self._converse(child, code_action, note)
        self._lost = False
        logs = note + _cut(said.logs, self._limits.print_chars)
        self.state["_print_outputs"] = logs
        if isinstance(said, Failed):
            raise InterpreterError(_cut(said.error, self._limits.print_chars))
        return CodeOutput(output=said.output, logs=logs, is_final_answer=said.is_final_answer)

    def close(self) -> None:
        """Ends the child; the next block would start another."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _start(self) -> ChildProcess:
        spec = find_spec("smolagents")
        folders = spec.submodule_search_locations if spec else None
        start = {
            "parent": os.getpid(),
            "limits": asdict(self._limits),
            "authorized_imports": self._authorized_imports,
            "smolagents_folder": next(iter(folders or ())),
        }
        try:
            self._child = ChildProcess(start, self._limits.message_bytes)
        except OSError as error:
            raise LoupeError(
                f"The sandbox cannot be started: {error}", "Free memory and processes, and try again."
            ) from error
        self._walls, self._has_run = None, False
        self._child.send(self._tools_message())
        self._child.send({"kind": "variables", "variables": self._variables})
        return self._child

    def _tools_message(self) -> dict[str, object]:
        return {"kind": "tools", "tools": {name: list(tool.inputs) for name, tool in self._tools.items()}}

    def _ready(self) -> ChildProcess:
        """A child whose walls are up."""
        if self._child is not None and self._walls is not None and self._child.has_ended():
            self._kill()
        child = self._child or self._start()
        if self._walls is None:
            try:
                said = parse(child.receive(self._limits.start_seconds, self._cancel))
                if not isinstance(said, Ready):
                    raise ProtocolError(said.error if isinstance(said, Failed) else said.kind)
            except (ChildEnded, DeadlinePassed, ProtocolError) as error:
                self._kill()
                raise LoupeError(
                    f"The sandbox did not start: {str(error) or 'it took too long'}",
                    "`loupe doctor` tells what this system offers.",
                ) from error
            except BaseException:  # a cancelled turn above all: no child outlives what ended it
                self._kill()
                raise
            self._walls = said.walls
        return child

    def _converse(self, child: ChildProcess, code: str, note: str) -> Done | Failed:
        """Has the child run the code and answers its calls; kills it where that goes wrong in any way."""
        self._has_run = True
        block = secrets.token_hex(16)
        child.send({"kind": "run", "block": block, "code": code})
        left, calls, given = self._limits.seconds, 0, 0
        try:
            while True:
                began = time.monotonic()
                frame = child.receive(left, self._cancel)
                left, given, said = left - (time.monotonic() - began), given + len(frame), parse(frame)
                if isinstance(said, Ready) or said.block != block:
                    raise ProtocolError("a message out of turn")
                if isinstance(said, Done | Failed):
                    return said
                calls += 1
                if said.number != calls or calls > self._limits.tool_calls + 1:
                    raise ProtocolError("a call out of turn")
                child.send(self._answer(said, given))
        except DeadlinePassed:
            self._stopped(note + f"The code ran for more than {self._limits.seconds:g} s.")
        except ChildEnded as error:
            self._stopped(note + f"Python ended while it ran the code: {error}.")
        except ProtocolError as error:
            self._stopped(note + f"The code broke the rules between Python and Loupe: {error}.")
        except BaseException:  # as when it starts
            self._kill()
            raise

    def _stopped(self, why: str) -> NoReturn:
        self._kill()
        self._lost = False  # told here
        raise InterpreterError(
            f"{why} It was stopped; variables and functions of earlier steps are gone."
        ) from None

    def _kill(self) -> None:
        self._lost = self._lost or self._has_run
        self.close()

    def _answer(self, call: Call, given: int) -> dict[str, object]:
        """Calls the tool for the child, which has sent so many bytes in this block."""
        if call.number > self._limits.tool_calls:
            return {"kind": "stop", "message": self._too_many()}
        if given > self._limits.given_bytes:
            return {"kind": "stop", "message": self._too_much()}
        if call.tool not in self._tools:
            raise ProtocolError("a call of a tool that there is not")
        tool = self._tools[call.tool]
        try:
            # Also keeps from a tool's `__call__` what is no argument of the tool itself.
            validate_tool_arguments(tool, call.arguments)
        except (TypeError, ValueError) as error:
            return _refusal(f"{call.tool}: {error}. It takes: {', '.join(tool.inputs)}.")
        try:
            value = tool(**call.arguments)
            size = len(json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8", "replace"))
        except LoupeError as error:
            return _refusal(error.as_text())
        except Exception as error:  # noqa: BLE001 - as in smolagents, a tool's fault is an observation
            return _refusal(f"{call.tool}: {type(error).__name__}: {error}")
        if size > self._limits.message_bytes // 2:
            return _refusal(
                f"{call.tool} returned {size} bytes, too many for the code. Ask for fewer images at a time."
            )
        return {"kind": "value", "value": value}

    def _too_many(self) -> str:
        return (
            f"Stopped: more than {self._limits.tool_calls} tool calls in one block. "
            "Pass lists of ids to a tool instead of calling it for each."
        )

    def _too_much(self) -> str:
        return (
            f"Stopped: more than {self._limits.given_bytes} bytes were given to tools in one block. "
            "Give them ids, numbers and short texts."
        )


def _refusal(message: str) -> dict[str, Any]:
    return {"kind": "error", "message": message}


def _cut(text: str, max_chars: int) -> str:
    note = 100  # the child's own note on what it cut
    return text if len(text) <= max_chars + note else text[:max_chars] + "\n(cut)"
