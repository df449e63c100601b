"""Writes results to stdout, in whatever encoding, and goes on where whoever read them has left."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TextIO

from tools.errors import OutputError

__all__ = ["fit_stdout", "let_go", "print_out"]

_AS_IN_JSON = "loupe.as_in_json"


def fit_stdout(*, as_json: bool) -> None:
    r"""Lets what stdout's encoding lacks be written as JSON does, `\ud55c`: it must not end a run.

    Args:
        as_json: JSON is to come. Where stdout is not in UTF-8, which JSON is, it is written in ASCII: that
            is read rightly by whoever takes it for either.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        codecs.register_error(_AS_IN_JSON, _escaped)
        sys.stdout.reconfigure(encoding="ascii" if as_json and not is_utf8 else None, errors=_AS_IN_JSON)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


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
