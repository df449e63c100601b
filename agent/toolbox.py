"""The workbench's tools as smolagents Tools: thin, typed, and shown to the model as Python signatures."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from pydantic import JsonValue
from smolagents import Tool

from agent.calls import Calls

__all__ = ["InspectionTool", "build_tools"]

_JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_SHORT = {"list[Row]": "list[dict]", "Row": "dict"}


class InspectionTool(Tool):  # type: ignore[misc]
    """A tool that shows itself as one Python signature with defaults and a line of what it returns."""

    skip_forward_signature_validation: ClassVar[bool] = True  # it reads no unions and no bound methods

    def to_code_prompt(self) -> str:
        """Returns the tool as the model reads it in its prompt."""
        return f'def {self.name}{_signature(self.signature())}:\n    """{self.description}"""\n'

    def signature(self) -> inspect.Signature:
        """Returns the parameters that the tool takes."""
        return inspect.signature(self.forward)


class WorkbenchTool(InspectionTool):
    """A method of the workbench: its name, signature and first line of documentation are the tool's.

    Args:
        name: Of the tool and the method.
        calls: Carries out the calls.
    """

    def __init__(self, name: str, calls: Calls) -> None:
        self._method, self._calls = calls.method(name), calls
        self.name = name
        self.description = (inspect.getdoc(self._method) or "").partition("\n\n")[0]
        self.inputs = {
            parameter.name: _input(parameter) for parameter in self.signature().parameters.values()
        }
        self.output_type = "any"
        super().__init__()

    def signature(self) -> inspect.Signature:
        """Returns the method's parameters."""
        return inspect.signature(self._method)

    def __call__(
        self,
        *args: Any,  # noqa: ANN401 -- as in smolagents
        sanitize_inputs_outputs: bool = False,
        **kwargs: Any,  # noqa: ANN401
    ) -> JsonValue:
        """Calls the method as an event; values are plain, so there is nothing to sanitise."""
        return self._calls(self.name, *args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> JsonValue:  # noqa: ANN401
        """Calls the method as `__call__` does."""
        return self(*args, **kwargs)


def build_tools(calls: Calls) -> dict[str, InspectionTool]:
    """Returns the tools that a workbench can serve, by name, in the order in which they are best shown."""
    return {name: WorkbenchTool(name, calls) for name in calls.names}


def _input(parameter: inspect.Parameter) -> dict[str, Any]:
    """A parameter as smolagents checks it: unions of types are checked by the tool itself."""
    parts = {part.strip() for part in str(parameter.annotation).split("|")}
    plain = parts - {"None"}
    kind = _JSON_TYPES.get(next(iter(plain)), "any") if len(plain) == 1 else "any"
    described: dict[str, Any] = {"type": kind, "description": str(parameter.annotation)}
    if parameter.default is not inspect.Parameter.empty:
        described["nullable"] = True
    return described


def _signature(signature: inspect.Signature) -> str:
    def shown(parameter: inspect.Parameter) -> str:
        text = f"{parameter.name}: {str(parameter.annotation).replace(' | int', '')}"
        has_default = parameter.default is not inspect.Parameter.empty
        return f"{text} = {parameter.default!r}" if has_default else text

    returned = str(signature.return_annotation)
    parameters = ", ".join(shown(parameter) for parameter in signature.parameters.values())
    return f"({parameters}) -> {_SHORT.get(returned, returned)}"
