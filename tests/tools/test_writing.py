from __future__ import annotations

from pathlib import Path

import pytest

from tools.writing import replace_file


@pytest.mark.parametrize("name", ["결과.csv", ".hidden.json"])
@pytest.mark.parametrize("content", ["한 줄\n", "한 줄\n".encode()])
def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    (tmp_path / name).write_text("old")
    replace_file(tmp_path / name, content)
    assert (tmp_path / name).read_text("utf-8") == "한 줄\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_cannot_be_written_keeps_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    (tmp_path / ".a.json.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"
