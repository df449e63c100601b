"""Writes results to stdout, and goes on where whoever read them has left, as `head` does."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from tools.errors import OutputError

__all__ = ["let_go", "print_out"]


def print_out(text: str) -> None:
    """Writes to stdout at once, or nowhere if nobody reads it: the exit code speaks of parts, not of pipes.

    Raises:
        OutputError: It cannot be written, as where a disk is full.
    """
    if sys.stdout is None:  # as Python has it where the shell closed it
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout)
    except OSError as error:
        let_go(sys.stdout)
        raise OutputError(
            f"cannot write to stdout: {error.strerror}", "what was to be printed is not complete"
        ) from error


def let_go(stream: TextIO) -> None:
    """Points a stream whose reader has left at nowhere: what it still holds would fail again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
