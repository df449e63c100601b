"""`loupe mcp`: serves the tools until the client hangs up, and leaves cleanly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.errors import ExitCode
from tools.pipeline.engines import EngineOptions
from tui.arguments import open_ledger
from tui.leaving import end_at_once
from tui.narration import Narrator

__all__ = ["run_mcp"]


def run_mcp(
    images: Sequence[str], recipe: str, out: Path | None, user: str, *, ledger: bool, engines: EngineOptions
) -> ExitCode:
    """Serves until the client hangs up or Ctrl-C comes; work that nobody waits for any more is stopped.

    Args:
        images: Files, folders, globs or list files.
        recipe: Recipe file or bundled name; empty for the default.
        out: Folder for reports; a new one when None.
        user: Who inspects, for the report.
        ledger: Whether cases are kept.
        engines: Checkpoints that see, and on what.

    Raises:
        LoupeError: Bad images or recipe, or the package `mcp` is missing.
    """
    from agent.mcp_server import serve

    code = ExitCode.ACCEPTED
    try:
        with Narrator().downloads():
            serve(images, recipe, out=out, options=engines, user=user, ledger=open_ledger(wanted=ledger))
    except KeyboardInterrupt:
        code = ExitCode.CANCELLED
    end_at_once(code)
    return code
