from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from tools.errors import BatchError
from tools.images import Batch
from tools.images.files import discover, photographs_in, printable_name
from tools.images.reasons import Reason, reason_text
from tools.records import Language


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"any")


def names(*inputs):
    return [source.name for source in discover(inputs)]


def test_a_folder_in_natural_order_files_before_subfolders(tmp_path):
    put(
        tmp_path,
        "img10.jpg",
        "img2.JPG",
        "IMG1.png",
        "lot 2/a.tif",
        "lot 10/a.webp",
        "notes.md",
        ".hidden.jpg",
    )
    put(tmp_path, ".cache/a.jpg", "phone.heic", "camera.NEF")
    assert names(tmp_path) == [
        "camera.NEF",
        "IMG1.png",
        "img2.JPG",
        "img10.jpg",
        "phone.heic",
        "lot 2/a.tif",
        "lot 10/a.webp",
    ]


def test_of_a_folder_that_may_be_empty(tmp_path):
    put(tmp_path, "lot/img10.jpg", "lot/img2.jpg", "lot/img2.nef", "notes.md")
    assert photographs_in(tmp_path) == [tmp_path / "lot" / "img2.jpg", tmp_path / "lot" / "img10.jpg"]
    (tmp_path / "empty").mkdir()
    assert photographs_in(tmp_path / "empty") == []


def test_an_explicit_file_is_always_taken(tmp_path):
    put(tmp_path, "frame.raw", ".hidden.jpg")
    assert names(tmp_path / "frame.raw", tmp_path / ".hidden.jpg") == ["frame.raw", ".hidden.jpg"]


def test_raw_data_beside_its_picture_is_the_same_photograph(tmp_path):
    put(tmp_path, "a.nef", "a.jpg", "b.nef", "c.JPG", "c.CR2")
    assert names(tmp_path) == ["a.jpg", "b.nef", "c.JPG"]
    assert names(tmp_path / "*") == ["a.jpg", "b.nef", "c.JPG"]
    assert names(tmp_path / "a.nef") == ["a.nef"]
    assert names(tmp_path / "*.nef") == names(tmp_path / "**" / "*.nef") == ["a.nef", "b.nef"]


def test_given_order_is_kept_and_nothing_is_taken_twice(tmp_path):
    put(tmp_path, "a/1.jpg", "b/1.jpg")
    assert names(tmp_path / "b", tmp_path / "a" / "1.jpg", tmp_path / "a", tmp_path / "b" / ".." / "a") == [
        "b/1.jpg",
        "a/1.jpg",
    ]


def test_relative_inputs_and_home(tmp_path, monkeypatch):
    put(tmp_path, "a/1.jpg", "~$x.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert names("a") == names("./a/1.jpg") == names("~/a") == ["1.jpg"]
    assert names("~$x.jpg") == ["~$x.jpg"]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("*.jpg", ["1.jpg", "2.jpg"]),
        ("*", ["1.jpg", "2.jpg", "lot_a/3.jpg", "lot_b/x/4.png"]),
        ("lot_?", ["lot_a/3.jpg", "lot_b/x/4.png"]),
        ("**/*.png", ["4.png"]),
        ("**/x/*", ["4.png"]),
        ("lot_*/**", ["lot_a/3.jpg", "lot_b/x/4.png"]),
        ("*.dat", ["5.dat"]),
        ("**/*.dat", ["5.dat"]),
    ],
)
def test_globs(tmp_path, pattern, wanted):
    put(tmp_path, "1.jpg", "2.jpg", "5.dat", "readme.md", "lot_a/3.jpg", "lot_b/x/4.png")
    assert names(f"{tmp_path}/{pattern}") == wanted


def test_a_name_with_glob_signs_is_a_name(tmp_path):
    put(tmp_path, "part[1].jpg", "part1.jpg")
    assert names(tmp_path / "part[1].jpg") == ["part[1].jpg"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_file(tmp_path, encoding):
    put(tmp_path, "photos/긁힘 1.jpg", "photos/b.png", "more/c.tif")
    (tmp_path / "list.txt").write_bytes("photos/b.png\r\n\r\nphotos/긁힘 1.jpg\r\nmore\r\n".encode(encoding))
    assert names(tmp_path / "list.txt") == ["photos/b.png", "photos/긁힘 1.jpg", "more/c.tif"]


def test_a_list_names_the_line_that_is_wrong(tmp_path):
    put(tmp_path, "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg\nb.jpg\n")
    with pytest.raises(BatchError, match=r"list\.txt, line 2: .*b\.jpg does not exist") as caught:
        discover([tmp_path / "list.txt"])
    assert "did you mean" in caught.value.hint


def test_a_list_in_a_list_is_a_file(tmp_path):
    (tmp_path / "list.txt").write_text("list.txt\n")
    assert names(tmp_path / "list.txt") == ["list.txt"]


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ([], "no images were given", "list"),
        ([""], "is empty", "current folder"),
        (["empty"], "holds no images", "subfolders"),
        (["empty", "vacant"], "empty holds no images", "subfolders"),
        (["photos/scrach.jpg"], "scrach.jpg does not exist", "photos/scratch.jpg?"),
        (["fotos/scratch.jpg"], "fotos/scratch.jpg does not exist", "photos?"),
        (["zzz"], "zzz does not exist", "nothing in"),
        (["photos/*.png"], "no image matches", ""),
        (["photos/**/*.png"], "no image matches", ""),
        (["blank.txt"], "is empty", "one path per line"),
        (["nul\0.jpg"], "does not exist", ""),
    ],
)
def test_what_is_not_there_is_named(tmp_path, monkeypatch, given, message, hint):
    put(tmp_path, "photos/scratch.jpg")
    for folder in ("empty", "vacant"):
        (tmp_path / folder).mkdir()
    (tmp_path / "blank.txt").write_text("\n \n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BatchError) as caught:
        discover(given)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("given", [["photos", "empty"], ["empty", "photos/a.jpg"], ["list.txt"]])
def test_an_empty_folder_beside_images_is_a_row_that_says_so(tmp_path, monkeypatch, given):
    put(tmp_path, "photos/a.jpg", "empty/notes.md")
    (tmp_path / "list.txt").write_text("photos\nempty\n")
    monkeypatch.chdir(tmp_path)
    reasons = {record.name: record.reason for record in Batch.open(given).records}
    assert sorted(reasons) == ["empty", "photos/a.jpg"]
    assert reasons["empty"] == Reason.EMPTY_FOLDER
    assert reason_text(reasons["empty"], Language.KO) == "폴더에 이미지가 없습니다"


def test_loops_of_links_end(tmp_path):
    put(tmp_path, "a/1.jpg", "b/2.jpg")
    for folder in ("a", "b"):
        for link, target in (("up", ".."), ("self", "."), ("again", "..")):
            (tmp_path / folder / link).symlink_to(target)
    assert names(tmp_path) == ["a/1.jpg", "b/2.jpg"]
    assert names(f"{tmp_path}/**/*.jpg") == ["a/1.jpg", "b/2.jpg"]


def test_links_are_followed_and_broken_ones_become_rows(tmp_path):
    put(tmp_path, "store/1.jpg")
    (tmp_path / "batch").mkdir()
    (tmp_path / "batch" / "linked.jpg").symlink_to(tmp_path / "store" / "1.jpg")
    (tmp_path / "batch" / "lost.jpg").symlink_to("nowhere")
    (tmp_path / "batch" / "folder").symlink_to(tmp_path / "store")
    assert names(tmp_path / "batch") == ["linked.jpg", "lost.jpg", "folder/1.jpg"]


@pytest.mark.parametrize("log", ["inspections.jsonl", "session.jsonl"])
def test_what_loupe_wrote_among_the_photographs_is_no_photograph(tmp_path, log):
    put(tmp_path, "a.jpg", "loupe-runs/one/overlays/img_001.jpg", f"loupe-runs/one/{log}", "b/c.jpg")
    assert names(tmp_path) == ["a.jpg", "b/c.jpg"]
    assert names(tmp_path / "loupe-runs" / "one") == ["overlays/img_001.jpg"]


def test_pipes_in_a_folder_are_skipped(tmp_path):
    put(tmp_path, "1.jpg")
    os.mkfifo(tmp_path / "2.jpg")
    assert names(tmp_path) == ["1.jpg"]


def test_a_closed_subfolder_becomes_a_row(tmp_path, monkeypatch):
    put(tmp_path, "1.jpg", "closed/2.jpg")
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert names(tmp_path) == ["1.jpg", "closed"]
    with pytest.raises(BatchError, match="cannot be opened"):
        discover([tmp_path / "closed"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("긁힘.jpg", "긁힘.jpg"),
        (unicodedata.normalize("NFD", "긁힘.jpg"), "긁힘.jpg"),
        ("two\nlines\t.jpg", "two\\nlines\\t.jpg"),
        (os.fsdecode(b"caf\xe9.jpg"), "caf\\xe9.jpg"),
        ("\u202egpj.exe.jpg", "\\u202egpj.exe.jpg"),
        ("\x1b[31mred.jpg", "\\x1b[31mred.jpg"),
        ("wide\u3000space.jpg", "wide\u3000space.jpg"),
        ("🔧.jpg", "🔧.jpg"),
    ],
)
def test_names_are_safe_to_print_and_paths_are_kept(tmp_path, name, shown):
    put(tmp_path, name)
    (source,) = discover([tmp_path])
    assert source.name == shown
    assert source.path.read_bytes() == b"any"
    shown.encode()
    assert printable_name(name) == shown


def test_twins_in_nfc_and_nfd_keep_two_names(tmp_path):
    put(tmp_path, "가.jpg", unicodedata.normalize("NFD", "가.jpg"))
    assert sorted(names(tmp_path)) == ["가.jpg", "가.jpg (2)"]


def test_a_name_typed_in_the_other_unicode_form_is_found(tmp_path):
    put(tmp_path, unicodedata.normalize("NFD", "긁힘.jpg"))
    assert names(tmp_path / "긁힘.jpg") == ["긁힘.jpg"]


def test_pages_of_a_tiff_are_images_of_their_own(tmp_path):
    pages = [Image.new("L", (32, 32), shade) for shade in (0, 100, 200)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    sources = discover([tmp_path])
    assert [(source.name, source.page) for source in sources] == [
        ("scan.tif", 0),
        ("scan.tif#2", 1),
        ("scan.tif#3", 2),
    ]
