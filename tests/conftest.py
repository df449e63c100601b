from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps the tests' cases out of the user's own ledger."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LOUPE_HOME", str(home))
    return home
