"""Writes results to stdout, and goes on where whoever read them has left, as `head` does."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["let_go", "print_out"]


def print_out(text: str) -> None:
    """Writes to stdout at once; a closed pipe swallows it, as the exit code speaks of parts, not of pipes."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout)


def let_go(stream: TextIO) -> None:
    """Points a stream whose reader has left at nowhere: what it still holds would fail again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
