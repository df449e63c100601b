"""`loupe doctor`: what is installed, which models resolve, which walls stand, whether the agent sees."""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from tools.errors import ExitCode, LoupeError
from tui.narration import Narrator
from tui.printing import print_out

if TYPE_CHECKING:
    from tools.checkpoints import Kind
    from tools.recipe import Recipe

__all__ = ["Check", "run_doctor"]

_PACKAGES = (
    "torch",
    "transformers",
    "ultralytics",
    "opencv-python",
    "smolagents",
    "reportlab",
    "textual",
)
_OPTIONAL = {"bitsandbytes": "8- and 4-bit weights", "onnxruntime": "exported detectors", "mcp": "loupe mcp"}
_KINDS: dict[Kind, str] = {"clip": "screening", "detector": "localization", "blip": "captions"}


@dataclass(frozen=True)
class Check:
    """One line of the doctor's.

    Attributes:
        status: `ok`, `note` (works, but the user should know) or `fails`.
    """

    part: str
    status: str
    detail: str


def run_doctor(recipe_name: str, model: str, *, as_json: bool) -> ExitCode:
    """Prints the checks as they are made; exit 4 where something that a recipe needs fails.

    Raises:
        LoupeError: The recipe cannot be read.
    """
    from agent.settings import load_settings, model_choice
    from tools.recipe.file import load_recipe

    recipe = load_recipe(recipe_name or None)
    chosen = model_choice(model, recipe.models.agent, load_settings())
    checks = []
    with Narrator().downloads():
        for check in (*_installed(), *_machine(), *_models(recipe), *_walls(), *_sight(chosen)):
            checks.append(check)
            if not as_json:
                print_out(f"{check.status:<5}  {check.part:<14}  {check.detail}\n")
    if as_json:
        print_out(json.dumps({"checks": [vars(check) for check in checks]}, ensure_ascii=False) + "\n")
    return ExitCode.MODEL if any(check.status == "fails" for check in checks) else ExitCode.ACCEPTED


def _installed() -> Iterator[Check]:
    found = [f"{name} {version(name)}" for name in _PACKAGES]
    yield Check("loupe", "ok", f"{version('loupe-inspection')} on Python {platform.python_version()}")
    yield Check("packages", "ok", ", ".join(found))
    for name, what_for in _OPTIONAL.items():
        try:
            yield Check("optional", "ok", f"{name} {version(name)}: {what_for}")
        except PackageNotFoundError:
            yield Check("optional", "note", f"{name} is not installed: {what_for}")


def _machine() -> Iterator[Check]:
    from tools.checkpoints import pick_device, pick_precision
    from tools.home import cache_dir

    device = pick_device()
    yield Check("device", "ok", f"{device}, {pick_precision('auto', device)}, {os.cpu_count()} cores")
    yield Check("cache", "ok", str(cache_dir()))


def _models(recipe: Recipe) -> Iterator[Check]:
    from tools.checkpoints import checkpoint_folder, resolve

    for kind, part in _KINDS.items():
        try:
            checkpoint = resolve(kind, recipe.models)
            yield Check(part, "ok", f"{checkpoint.id} in {checkpoint_folder(checkpoint)}")
        except LoupeError as error:
            yield Check(part, "fails", _in_one_line(error))


def _walls() -> Iterator[Check]:
    from agent.sandbox.executor import SandboxExecutor

    executor = SandboxExecutor(cancel=threading.Event())
    try:
        for wall in executor.walls:
            yield Check("sandbox", "ok" if wall.in_place else "note", f"{wall.name}: {wall.why}")
    except LoupeError as error:
        yield Check("sandbox", "fails", _in_one_line(error))
    finally:
        executor.close()


def _sight(chosen: str) -> Iterator[Check]:
    """Loads the agent's model and shows it pictures of known content."""
    from agent.models.loading import load_model
    from agent.models.selftest import Sight, vision_self_test

    try:
        model = load_model(chosen)
        try:
            yield Check("agent", "ok", f"{model.name}, context of {model.context_tokens} tokens")
            seen = vision_self_test(model)
            yield Check("agent's sight", "ok" if seen.sight is Sight.PASSED else "note", seen.detail)
        finally:
            model.close()
    except LoupeError as error:
        yield Check("agent", "fails", _in_one_line(error))


def _in_one_line(error: LoupeError) -> str:
    return " ".join(error.as_text().split())
