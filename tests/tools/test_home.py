from __future__ import annotations

from datetime import datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from tools.errors import OutputError
from tools.home import cache_dir, data_folder, new_run_folder, write_cached


def test_cache_folder_and_its_override(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("LOUPE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "loupe"


def test_the_data_folder_may_be_named_by_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOUPE_HOME", "~/mine")
    assert data_folder() == tmp_path / "mine"


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    write_cached(tmp_path / "file" / "below" / "entry", b"content")
    write_cached(tmp_path / "below" / "entry", b"content")
    assert [path.name for path in (tmp_path / "below").iterdir()] == ["entry"]


@pytest.mark.parametrize(
    ("here", "images", "is_among"),
    [
        ("photos", ["."], True),
        ("photos", ["a.jpg"], True),
        ("photos", ["*.jpg"], True),
        ("photos", ["../list.txt"], True),
        ("photos/lot", [".."], True),
        ("linked", ["../photos"], True),
        (".", ["photos", "other/b.jpg"], False),
        (".", ["list.txt"], False),
        ("photos/lot", ["../a.jpg"], True),
        ("other", ["../photos/a.jpg", "../photos"], False),
    ],
)
def test_a_run_does_not_go_among_its_photographs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, here: str, images: list[str], is_among: bool
) -> None:
    (tmp_path / "photos" / "lot").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "linked").symlink_to("photos")
    for name in ("photos/a.jpg", "other/b.jpg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "list.txt").write_text("photos/a.jpg\n")
    monkeypatch.chdir(tmp_path / here)
    said: list[str] = []
    folder = new_run_folder(images, said.append)
    runs = data_folder() / "runs"
    assert folder.parent == (runs if is_among else Path("loupe-runs"))
    assert [str(runs) in text for text in said] == [True] * is_among


def test_what_begins_in_the_same_second_has_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tools.home.datetime", Mock(now=lambda: datetime(2026, 11, 23, 9, 30)))
    (tmp_path / "photos").mkdir()
    folders = []
    for _ in range(3):
        folders.append(new_run_folder(["photos"]))
    assert [each.name for each in folders] == [
        "20261123-093000",
        "20261123-093000-2",
        "20261123-093000-3",
    ]
    assert all(each.is_dir() for each in folders)  # else a run in another process would take the same


def test_where_no_folder_can_be_made_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "loupe-runs").write_bytes(b"")
    with pytest.raises(OutputError, match=r"cannot write to loupe-runs: File exists"):
        new_run_folder(["photos"])
