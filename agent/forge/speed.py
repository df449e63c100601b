"""How fast a checkpoint answers on this machine: the first token, tokens a second, a program of one step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.forge.evaluate import MOST_TOKENS
from agent.forge.trajectories import prompt_of
from agent.memory import Budget, Memory, Turn
from agent.models.pictures import Picture
from agent.prompts import batch_table

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from tools.images import Batch

__all__ = ["REQUESTS", "report"]

REQUESTS = (
    "inspect everything",
    "img_003 결함 크기 재 줘",
    "write the report, lot A-17",
    "how many defects of each type?",
)
"""What is asked; the first finds nothing in the cache, the others the batch and what was said."""

_STOPS = ["Observation:", "Calling tools:", "</code>"]
_SHEET_COLUMNS = 6


def report(folder: Path, images: Path, requests: Sequence[str] = REQUESTS) -> Iterator[str]:
    """Yields a line per request: how long the model takes, the tools left out.

    Args:
        folder: Of the checkpoint.
        images: A batch; it is put before the model as a table and a contact sheet.
        requests: One conversation.
    """
    from agent.models.vlm import LocalModel
    from tools.checkpoints import Checkpoint
    from tools.images import Batch

    model = LocalModel(Checkpoint("agent", str(folder), folder), max_tokens=MOST_TOKENS)
    memory = _memory(model, Batch.open([images]))
    heard: list[float] = []
    model.on_text = lambda _: heard.append(time.perf_counter())
    for request in requests:
        memory.turns.append(Turn(request))
        heard.clear()
        begun = time.perf_counter()
        said = model.generate(memory.messages(), stop_sequences=_STOPS)
        seconds, cost = time.perf_counter() - begun, said.token_usage
        first = heard[0] - begun if heard else seconds
        rate = (cost.output_tokens - 1) / max(seconds - first, 1e-9)
        read = f"{cost.input_tokens} tokens read ({said.raw['reused_tokens']} known)"
        wrote = f"{cost.output_tokens} written ({rate:.0f} a second)"
        yield f"first token {first:.2f} s, answer {seconds:.2f} s, {read}, {wrote}: {request}"
        memory.running.answer, memory.running.is_finished = "done", True
    model.close()


def _memory(model: VisionModel, batch: Batch) -> Memory:
    from PIL import Image

    from tools.images import contact_sheet
    from tools.recipe.file import load_recipe

    ids = [record.id for record in batch.records]
    sheet = Image.fromarray(contact_sheet(batch, ids, columns=_SHEET_COLUMNS))
    budget = Budget()
    return Memory(
        prompt_of(has_ledger=True, has_eyes=True),
        batch_table(batch.records, load_recipe(None).part.name),
        Picture("contact sheet", model.fitted(sheet, budget.sheet_tokens)),
        budget,
        model.picture_tokens,
        lambda _: "",
    )
