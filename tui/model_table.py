"""`loupe models`: the named model sets with what they cost."""

from __future__ import annotations

from tools.checkpoints import MODEL_SETS
from tools.fetching import megabytes

__all__ = ["model_table"]


def model_table() -> str:
    """Returns the model sets as plain text, one checkpoint a line."""
    rows = [("set", "kind", "checkpoint", "download", "memory")]
    rows += [
        (name, kind, choice.id or "(your own)", megabytes(choice.download_mb), megabytes(choice.memory_mb))
        for name, kinds in MODEL_SETS.items()
        for kind, choice in kinds.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
