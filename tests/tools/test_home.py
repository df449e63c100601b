from __future__ import annotations

from pathlib import Path

import pytest

from tools.home import cache_dir, write_cached


def test_cache_folder_and_its_override(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("LOUPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "loupe"


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    write_cached(tmp_path / "file" / "below" / "entry", b"content")
    write_cached(tmp_path / "below" / "entry", b"content")
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["entry"]
