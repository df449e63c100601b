"""From one string to a model: `pocket`, a hub id, a folder, `http://host:port/v1#name` or `scripted:FILE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.models.base import MAX_TOKENS
from tools.checkpoints import Checkpoint, resolve
from tools.errors import ModelError
from tools.recipe import Models

if TYPE_CHECKING:
    from agent.models.base import VisionModel

__all__ = ["is_local", "load_model"]

_POCKET = Path(__file__).resolve().parent.parent / "pocket"
_SCRIPTED = "scripted:"
_SERVERS = ("http://", "https://")


def load_model(
    spec: str,
    *,
    device: str = "auto",
    precision: str = "auto",
    max_tokens: int = MAX_TOKENS,
) -> VisionModel:
    """Loads the model that a string names.

    Args:
        spec: `pocket`; a model set (`standard`, `large`); a hub id; a folder; the address of a server that
            speaks OpenAI's protocol, with the model's name after `#`; or `scripted:` and a YAML file.
        device: For local weights: auto, cpu, cuda, cuda:1, mps.
        precision: For local weights: auto, float32, bfloat16, float16, int8, int4.
        max_tokens: Limit of one answer.

    Raises:
        ModelError: There is no such model, or it cannot be loaded.
    """
    spec = spec.strip()
    if spec.startswith(_SCRIPTED):
        from agent.models.scripted import ScriptedModel

        return ScriptedModel.load(Path(spec.removeprefix(_SCRIPTED)).expanduser())
    if spec.startswith(_SERVERS):
        from agent.models.server import ServerModel

        address, _, name = spec.partition("#")
        return ServerModel(address, name, max_tokens=max_tokens)
    from agent.models.vlm import LocalModel

    return LocalModel(_checkpoint(spec), device=device, precision=precision, max_tokens=max_tokens)


def is_local(spec: str) -> bool:
    """Returns whether a string names weights that are loaded here."""
    return not spec.strip().startswith((_SCRIPTED, *_SERVERS))


def _checkpoint(spec: str) -> Checkpoint:
    if spec != "pocket":
        return resolve("agent", Models(agent=spec))
    if not _POCKET.is_dir():
        raise ModelError(
            "The agent's pocket model is missing from this installation.",
            "Name one with --model (/model in the app): `Qwen/Qwen2.5-VL-3B-Instruct`, a folder, or "
            "`http://127.0.0.1:8000/v1#name`.",
        )
    return Checkpoint("agent", "pocket/agent", _POCKET)
