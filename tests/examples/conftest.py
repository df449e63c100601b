from __future__ import annotations

from tests.tui.conftest import loupe

__all__ = ["loupe"]
