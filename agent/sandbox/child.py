"""The child's side: smolagents' AST-limited interpreter behind the walls, its tools at the far end of a pipe.

Runs as `python -I -S` with nothing of Loupe but this package's standard-library modules. It trusts its
parent; the parent trusts nothing that comes from here.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from types import ModuleType, TracebackType
from typing import IO, Any, NoReturn

from agent.sandbox.frames import read_frame, write_frame
from agent.sandbox.walls import Limits, raise_walls

__all__ = ["main"]

# Loaded before the walls go up, since `strptime` and the JSON of the tools ask for them later.
_PRELOADED = ("_strptime", "encodings.ascii", "encodings.latin_1", "json")
# smolagents 1.26 checks dunders where they are read, but not where they are written or read by `+=`
# (CVE-2026-4963), and not the frame of a generator, through which code reaches the interpreter's variables
# and adds to the imports that are allowed. The walls do not depend on this list.
_FORBIDDEN = re.compile(
    r"__\w+__|(gi|cr|ag|tb)_\w+|f_(back|builtins|code|globals|lasti|lineno|locals|trace\w*)"
)


class ToolError(Exception):
    """A tool refused or failed; the text is its message and hint. Named in what the model reads."""


class _BlockStopped(BaseException):
    """The parent wants this block to end; not an `Exception`, which the code could catch."""


class _Prints:
    """Takes the place of smolagents' PrintContainer, which grows without bound until the block ends."""

    def __init__(self, max_chars: int) -> None:
        self.value = ""
        self._max_chars = max_chars
        self._cut = False

    def __iadd__(self, text: str) -> _Prints:
        room = self._max_chars - len(self.value)
        if len(text) > room and not self._cut:
            text = f"{text[:room]}\n(print output cut at {self._max_chars} characters)"
            self.value, self._cut = self.value + text, True
        elif not self._cut:
            self.value += text
        return self

    def __str__(self) -> str:
        return self.value


def _load_interpreter(smolagents_folder: str) -> Any:  # noqa: ANN401 - a module loaded by name
    """Imports smolagents' interpreter alone.

    Its package imports HTTP clients and a hub, which takes twenty times as long and is nothing to have on
    this side of the walls; the interpreter uses of it but a type name and two helpers.
    """
    package, tools = ModuleType("smolagents"), ModuleType("smolagents.tools")
    package.__path__ = [smolagents_folder]
    vars(tools)["Tool"] = object
    sys.modules |= {"smolagents": package, "smolagents.tools": tools, "jinja2": ModuleType("jinja2")}
    return importlib.import_module("smolagents.local_python_executor")


class Workspace:
    """The variables, functions and tools of one child.

    Args:
        source: Frames from the parent.
        sink: Frames to the parent.
        start: The parent's first message.
    """

    def __init__(self, source: IO[bytes], sink: IO[bytes], start: Mapping[str, Any]) -> None:
        self._source, self._sink = source, sink
        self._limits = Limits(**start["limits"])
        self._interpreter = _load_interpreter(start["smolagents_folder"])
        self._interpreter.PrintContainer = partial(_Prints, self._limits.print_chars)
        self._imports = sorted(
            {*self._interpreter.BASE_BUILTIN_MODULES, "json", *start["authorized_imports"]}
        )
        for name in (*_PRELOADED, *self._imports):
            importlib.import_module(name)
        self._state: dict[str, Any] = {"__name__": "__main__"}
        self._functions: dict[str, Callable[..., Any]] = {}
        self._tools: dict[str, Callable[..., Any]] = {}
        self._block = ""
        self._calls = 0

    def handle(self, message: Mapping[str, Any]) -> None:
        """Does what the parent says: takes tools or variables, or runs a block."""
        match message["kind"]:
            case "tools":
                given = {name: self._proxy(name, names) for name, names in message["tools"].items()}
                base = self._interpreter.BASE_PYTHON_TOOLS
                by_name = {name: self._guarded(base[name]) for name in ("getattr", "setattr", "hasattr")}
                self._tools = {**base, **by_name, **given, "final_answer": _final_answer}
            case "variables":
                self._state |= message["variables"]
            case "run":
                self._block = message["block"]
                write_frame(self._sink, {"block": self._block, **self._run(message["code"])})

    def _run(self, code: str) -> dict[str, object]:
        self._calls = 0
        self._state["_print_outputs"] = ""
        try:
            self._refuse_attributes(code)
            output, is_final_answer = self._interpreter.evaluate_python_code(
                code,
                static_tools=self._tools,
                custom_tools=self._functions,
                state=self._state,
                authorized_imports=self._imports,
                max_print_outputs_length=2 * self._limits.print_chars,
                timeout_seconds=None,
            )
            output = self._plain(output)
        # SystemExit and its like are names that the code may raise; none of them is the child's end.
        except BaseException as error:  # noqa: BLE001
            return {"kind": "failed", "error": self._explain(error, code), "logs": self._logs()}
        return {"kind": "done", "output": output, "logs": self._logs(), "is_final_answer": is_final_answer}

    def _logs(self) -> str:
        return str(self._state.get("_print_outputs", ""))

    def _plain(self, value: object) -> object:
        """The value where it is JSON of a moderate size, else its text."""
        with suppress(TypeError, ValueError, RecursionError):
            if len(json.dumps(value, allow_nan=False)) <= self._limits.output_chars:
                return value
        return str(value)[: self._limits.output_chars]

    def _refuse_attributes(self, code: str) -> None:
        try:
            tree = ast.parse(code)
        except SyntaxError:
            return  # the interpreter has the better words for it
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self._refuse_attribute(node.attr)

    def _refuse_attribute(self, name: str) -> None:
        if _FORBIDDEN.fullmatch(name) and name not in self._interpreter.ALLOWED_DUNDER_METHODS:
            raise self._interpreter.InterpreterError(f"Forbidden access to attribute: {name}")

    def _guarded(self, by_name: Callable[..., object]) -> Callable[..., object]:
        """`getattr` and its like, with the names checked that `_refuse_attributes` cannot see in the code."""

        def call(value: object, name: str, *rest: object) -> object:
            name = str.__str__(name)  # a subclass of str could answer differently each time it is asked
            self._refuse_attribute(name)
            return by_name(value, name, *rest)

        return call

    def _proxy(self, tool: str, names: list[str]) -> Callable[..., Any]:
        """A function that has the tool called by the parent; positional arguments get their names here."""

        def call(*args: object, **kwargs: object) -> object:
            if len(args) > len(names):
                raise TypeError(f"{tool}() takes at most {len(names)} arguments: {', '.join(names)}")
            given = dict(zip(names, args, strict=False))
            if twice := sorted(given.keys() & kwargs.keys()):
                raise TypeError(f"{tool}() got {twice[0]} twice")
            return self._ask(tool, {**given, **kwargs})

        call.__name__ = tool
        return call

    def _ask(self, tool: str, arguments: Mapping[str, object]) -> object:
        plain = _plain_arguments(tool, arguments, self._limits.message_bytes // 2)
        self._calls += 1
        call = {"kind": "call", "block": self._block, "number": self._calls, "tool": tool, "arguments": plain}
        write_frame(self._sink, call)
        answer = _read(self._source, self._limits)
        match answer["kind"]:
            case "value":
                return answer["value"]
            case "error":
                raise ToolError(answer["message"])
            case _:
                raise _BlockStopped(answer["message"])

    def _explain(self, error: BaseException, code: str) -> str:
        """What went wrong and in which line, as the model will read it."""
        if isinstance(error, _BlockStopped):
            return str(error)
        cause = error.__context__ if isinstance(error, self._interpreter.InterpreterError) else error
        if cause is None or isinstance(cause, SyntaxError):
            return str(error)
        line = _line_of(cause.__traceback__)
        where = f"Line {line}, `{code.splitlines()[line - 1].strip()}`: " if line else ""
        what = f"of {self._limits.memory_mb} MB" if isinstance(cause, MemoryError) else str(cause)
        return f"{where}{type(cause).__name__}: {what}"[: self._limits.print_chars]


def _final_answer(answer: object) -> object:
    return answer


def _plain_arguments(tool: str, arguments: Mapping[str, object], max_chars: int) -> object:
    """The arguments as JSON has them; sets, ranges and the like become lists.

    Raises:
        TypeError: Something is not plain data; says so to the model.
    """

    def as_list(value: object) -> list[object]:
        if isinstance(value, Iterable):
            return list(value)
        raise TypeError(f"{tool}() takes plain values (text, numbers, lists), not {type(value).__name__}")

    try:
        text = json.dumps(arguments, allow_nan=False, default=as_list)
    except (ValueError, RecursionError) as error:
        raise TypeError(f"{tool}() takes plain values (text, finite numbers, lists): {error}") from None
    if len(text) > max_chars:
        raise TypeError(f"{tool}() takes at most {max_chars} characters of arguments, not {len(text)}")
    return json.loads(text)


def _line_of(trace: TracebackType | None) -> int | None:
    """The line of the innermost expression of this block that was being evaluated at the error."""
    line, nodes = None, set()
    while trace is not None:
        local = trace.tb_frame.f_locals
        expression = local.get("expression")
        if trace.tb_frame.f_code.co_name == "_execute_code":
            nodes = (
                {id(node) for node in ast.walk(expression)} if isinstance(expression, ast.Module) else set()
            )
            expression = local.get("node")
        if id(expression) in nodes:
            line = getattr(expression, "lineno", line)
        trace = trace.tb_next
    return line


def _read(source: IO[bytes], limits: Limits) -> Any:  # noqa: ANN401 - JSON of the parent
    frame = read_frame(source, limits.message_bytes)
    if frame is None:
        _leave()
    return json.loads(frame)


def _leave() -> NoReturn:
    """Ends at once: the parent is gone, and nothing here is worth tidying up."""
    os._exit(0)


def _channel() -> tuple[IO[bytes], IO[bytes]]:
    """Moves the pipes away from stdin and stdout, so that nothing written there by chance ends up in them."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return source, sink


def main() -> None:
    """Takes the parent's first message, raises the walls, then does what it is told until the pipe closes."""
    source, sink = _channel()
    limits = Limits()
    start = _read(source, limits)
    try:
        limits = Limits(**start["limits"])
        workspace = Workspace(source, sink, start)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        write_frame(sink, {"kind": "failed", "error": f"{type(error).__name__}: {error}", "logs": ""})
        return
    walls = raise_walls(limits)
    if os.name == "posix" and os.getppid() != start["parent"]:
        _leave()  # it died before the signal of its death was asked for
    write_frame(sink, {"kind": "ready", "walls": [asdict(wall) for wall in walls]})
    while True:
        workspace.handle(_read(source, limits))
