from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.writing import append_line, cut_half_line, replace_file


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
    (tmp_path / f".a.json.{os.getpid()}.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "old"


def test_of_what_could_not_be_put_in_place_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "a.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"", b""),
        (b"one", b""),
        (b"one\n", b"one\n"),
        (b"one\ntw", b"one\n"),
        (b"one\n" + b"x" * 200_000, b"one\n"),
        (b"x" * 200_000 + b"\ntw", b"x" * 200_000 + b"\n"),
    ],
)
def test_a_half_line_is_cut_off(tmp_path: Path, written: bytes, kept: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(written)
    cut_half_line(path)
    assert path.read_bytes() == kept


def test_a_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log.jsonl").open("ab") as file:
        append_line(file, "한 줄")
        assert (tmp_path / "log.jsonl").read_text("utf-8") == "한 줄\n"
