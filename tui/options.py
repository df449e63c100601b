"""The arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tools.errors import UsageError
from tools.writing import is_utf_8

__all__ = [
    "AgentOption",
    "AgentPrecisionOption",
    "BatchSizeOption",
    "BlipOption",
    "ClipOption",
    "DetectorOption",
    "DeviceOption",
    "DrawOption",
    "DrawnGoodOption",
    "Images",
    "JsonOption",
    "LabelledSetArgument",
    "LedgerOption",
    "ModelsOption",
    "OutOption",
    "PrecisionOption",
    "QuietOption",
    "RecipeOption",
    "TrustOption",
    "named_path",
    "not_empty",
    "writable",
]


def _for_seeing(precision: str) -> str:
    from tools.quantizing import QUANTIZED

    if precision in QUANTIZED:
        raise UsageError(
            f"--precision {precision} is for the agent's model, which this command does not use",
            "leave it out, or choose auto, float32, bfloat16 or float16",
        )
    return precision


def not_empty(context: typer.Context, parameter: typer.CallbackParam, value: str) -> str:
    """Refuses a blank name, as of an unset variable in a script: only what is left out has a default.

    Raises:
        UsageError: The value is blank and not the default.
    """
    source = context.get_parameter_source(parameter.name or "")
    if not value.strip() and source is not None and source.name != "DEFAULT":
        raise UsageError(f"{parameter.opts[0]} is empty", "give a value, or leave it out for the default")
    return value


def named_path(value: str | Path) -> Path:
    """Reads a path; a blank one, as of an unset variable in a script, would be the current folder.

    Raises:
        UsageError: It is blank.
    """
    if not str(value).strip():
        raise UsageError("the name of a file or folder is empty", "give one, or `.` for the current folder")
    return Path(value)


def writable(parameter: typer.CallbackParam, value: str) -> str:
    """Refuses bytes of a command line that are no UTF-8: no file of a run could hold them.

    Raises:
        UsageError: The value holds some.
    """
    if not is_utf_8(value):
        hint = "type it again, or set the terminal or the script that gives it to UTF-8"
        raise UsageError(f"{parameter.opts[0]} is not in UTF-8", hint)
    return value


Images = Annotated[
    list[str], typer.Argument(metavar="IMAGES", help="Files, folders, globs, or a .txt file that lists them.")
]
LabelledSetArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SET",
        parser=named_path,
        help="Folder with annotations.json (COCO), or good/ and defect folders.",
    ),
]
RecipeOption = Annotated[
    str,
    typer.Option(
        "--recipe",
        "-r",
        callback=not_empty,
        help="Recipe file, or the name of a bundled one.",
        show_default="metal-surface",
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        parser=named_path,
        metavar="PATH",
        help="Run or session folder.",
        show_default="loupe-runs/<date-time>",
    ),
]
AgentOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        callback=not_empty,
        help="The agent's model: pocket, a hub id, a folder, or http://host:port/v1#name.",
    ),
]
ModelsOption = Annotated[
    str, typer.Option("--models", callback=not_empty, help="Model set: pocket, standard or large.")
]
ClipOption = Annotated[
    str, typer.Option("--clip", callback=not_empty, help="CLIP checkpoint: path or hub id.")
]
BlipOption = Annotated[
    str, typer.Option("--blip", callback=not_empty, help="BLIP or BLIP-2 checkpoint: path or hub id.")
]
DetectorOption = Annotated[
    str,
    typer.Option(
        "--detector", callback=not_empty, help="YOLO checkpoint: folder with safetensors, .onnx, or .pt."
    ),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0 or mps.")]
PrecisionOption = Annotated[
    str, typer.Option(callback=_for_seeing, help="auto, float32, bfloat16 or float16.")
]
AgentPrecisionOption = Annotated[
    str, typer.Option(help="auto, float32, bfloat16 or float16; int8 or int4 for the agent's model alone.")
]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(min=1, help="Windows, views or regions in one model call; by kind and device if not given."),
]
DrawnGoodOption = Annotated[
    int,
    typer.Option(min=0, help="Good images of the set to hold the others against, in place of the recipe's."),
]
DrawOption = Annotated[int, typer.Option(help="Which random draw of them: the same number, the same images.")]
TrustOption = Annotated[
    bool, typer.Option("--trust-checkpoint", help="Load a .pt file although loading it runs its code.")
]
LedgerOption = Annotated[bool, typer.Option(help="Keep the cases for later searches.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only data and errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
