from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tui.chat.opening_dialog import ImageTree


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("a.jpg", True),
        ("b.HEIC", True),
        ("c.jfif", True),
        ("list.txt", True),
        ("lot", True),
        ("d.md", False),
        (".e.jpg", False),
    ],
)
def test_folders_and_files_that_may_be_images_are_shown(tmp_path: Path, name: str, is_shown: bool) -> None:
    (tmp_path / "lot").mkdir()
    tree = cast(Any, None)  # nothing is asked of it
    assert list(ImageTree.filter_paths(tree, [tmp_path / name])) == [tmp_path / name] * is_shown
