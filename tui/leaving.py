"""Leaves the process without waiting for what need not be waited for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Container

from tools.errors import ExitCode

__all__ = ["end_at_once"]


def end_at_once(code: ExitCode, modules: Container[str] = sys.modules.keys()) -> None:
    """Ends the process where a thread of ours is still at work, or where there is much to take apart.

    The interpreter would wait for what such a thread holds, and then take its memory apart under it; after
    torch alone that was seen to take seven seconds. All that was inspected and decided is on disk before it
    is shown.

    Args:
        code: Exit status.
        modules: That are imported.
    """
    if "torch" in modules or any(thread.name.startswith("loupe-") for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
