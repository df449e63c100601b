from __future__ import annotations

import os
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.errors import BatchError, Cancelled, ImageError, UsageError
from tools.images import Batch, contact_sheet
from tools.images import batch as images
from tools.images.reasons import Reason
from tools.images.sheets import thumbnail
from tools.records import ImageStatus


def photo(path: Path, shade: int = 120, size_px: tuple[int, int] = (48, 32), **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size_px, (shade, 60, 30)).save(path, **options)
    return path


@pytest.fixture
def mixed(tmp_path):
    photo(tmp_path / "1.png", 10)
    (tmp_path / "2.jpg").write_bytes(b"")
    photo(tmp_path / "3.png", 30)
    photo(tmp_path / "4.png", 10)
    photo(tmp_path / "5.png", size_px=(40, 8))
    (tmp_path / "6.jpg").symlink_to("nowhere")
    return Batch.open([tmp_path])


def test_records_of_a_mixed_folder(mixed):
    assert len(mixed) == 6
    assert [record.id for record in mixed.records] == [f"img_00{n}" for n in range(1, 7)]
    assert [record.reason for record in mixed.records] == [
        "",
        Reason.EMPTY,
        "",
        "",
        Reason.TOO_SMALL,
        Reason.BROKEN_LINK,
    ]
    assert [record.duplicate_of for record in mixed.records] == [None, None, None, "img_001", None, None]
    first = mixed.record("img_001")
    assert (first.format, first.width_px, first.height_px) == ("PNG", 48, 32)
    assert first.sha256 == mixed.record("img_004").sha256 != mixed.record("img_003").sha256
    assert mixed.record("img_006").sha256 == ""


def test_unreadable_records_survive_json(mixed):
    for record in mixed.records:
        assert type(record).model_validate_json(record.model_dump_json()) == record
        assert type(record.reason) is str


def test_load_gives_the_picture_or_the_reason(mixed):
    assert mixed.load("img_003")[0, 0].tolist() == [30, 60, 30]
    assert mixed.load_small("img_003", 24).shape == (16, 24, 3)
    with pytest.raises(ImageError, match=Reason.EMPTY):
        mixed.load("img_002")
    for ask in (mixed.record, mixed.load):
        with pytest.raises(UsageError) as caught:
            ask("img_7")
        assert caught.value.hint == "valid ids: img_001 to img_006"


def test_stream_keeps_order_and_goes_on_past_bad_files(mixed):
    got = list(mixed.stream())
    assert [record.id for record, _ in got] == [record.id for record in mixed.records]
    assert [image is None for _, image in got] == [False, True, False, False, True, True]
    picked = list(mixed.stream(["img_003", "img_001"], max_side_px=12))
    assert [(record.id, image.shape) for record, image in picked] == [
        ("img_003", (8, 12, 3)),
        ("img_001", (8, 12, 3)),
    ]
    with pytest.raises(UsageError):
        mixed.stream(["nonsense"])


def test_a_full_decode_that_fails_turns_the_record_unreadable(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    path = tmp_path / "cut.jpg"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:8_000])
    batch = Batch.open([path])
    assert batch.records[0].status is ImageStatus.READABLE
    ((record, image),) = batch.stream()
    assert image is None
    assert (record.status, record.reason) == (ImageStatus.UNREADABLE, Reason.TRUNCATED)
    assert (record.width_px, record.height_px) == (0, 0)


@pytest.mark.parametrize("late", [lambda path: path.unlink(), lambda path: photo(path, 99, (64, 64))])
def test_files_that_vanish_or_change_while_running(tmp_path, late):
    photo(tmp_path / "1.png")
    path = photo(tmp_path / "2.png", 200)
    batch = Batch.open([tmp_path])
    late(path)
    got = list(batch.stream())
    assert got[0][1] is not None
    assert got[1][1] is None
    assert got[1][0].reason in {Reason.GONE, Reason.CHANGED}


def test_permission_denied_is_a_row(tmp_path, monkeypatch):
    photo(tmp_path / "1.png")
    photo(tmp_path / "2.png")
    real = os.open

    def denying(path, *args, **kwargs):
        if str(path).endswith("1.png"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", denying)
    batch = Batch.open([tmp_path])
    assert [record.reason for record in batch.records] == [Reason.NO_PERMISSION, ""]


@pytest.mark.parametrize("size_px", [(20_000, 64), (64, 20_000), (16, 16)])
def test_extreme_sizes_that_are_fine(tmp_path, size_px):
    batch = Batch.open([photo(tmp_path / "long.png", size_px=size_px)])
    assert batch.load("img_001").shape == (size_px[1], size_px[0], 3)


def test_orientation_counts_in_the_record(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    batch = Batch.open([photo(tmp_path / "turned.jpg", exif=exif)])
    assert (batch.records[0].width_px, batch.records[0].height_px) == (32, 48)
    assert batch.load("img_001").shape == (48, 32, 3)


def test_pages_of_equal_files_are_duplicates_page_by_page(tmp_path):
    pages = [Image.new("L", (32, 32), shade) for shade in (0, 200)]
    for name in ("a.tif", "b.tif"):
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    batch = Batch.open([tmp_path])
    assert [record.name for record in batch.records] == ["a.tif", "a.tif#2", "b.tif", "b.tif#2"]
    assert [record.duplicate_of for record in batch.records] == [None, None, "img_001", "img_002"]
    assert [image[0, 0, 0] for _, image in batch.stream()] == [0, 200, 0, 200]


def test_the_batch_hash_follows_names_and_contents(tmp_path):
    for folder in ("a", "b", "c", "d"):
        photo(tmp_path / folder / "1.png")
    (tmp_path / "c" / "1.png").rename(tmp_path / "c" / "2.png")
    photo(tmp_path / "d" / "1.png", 121)
    first, same, renamed, changed = (Batch.open([tmp_path / folder]).sha256 for folder in "abcd")
    assert first == same
    assert len({first, renamed, changed}) == 3


def test_strange_names_load(tmp_path):
    for name in ("긁힘.png", unicodedata.normalize("NFD", "찍힘.png"), "a\nb.png", os.fsdecode(b"\xff.png")):
        photo(tmp_path / name)
    batch = Batch.open([tmp_path])
    assert all(image is not None for _, image in batch.stream())
    assert {record.name for record in batch.records} == {"긁힘.png", "찍힘.png", "a\\nb.png", "\\xff.png"}


def test_progress_and_wide_ids(tmp_path):
    tile = photo(tmp_path / "tile.png").read_bytes()
    for number in range(1_000):
        (tmp_path / f"{number}.png").write_bytes(tile)
    seen = []
    batch = Batch.open([tmp_path], progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 1_001) for done in range(1, 1_002)]
    assert (batch.records[0].id, batch.records[-1].id) == ("img_0001", "img_1001")
    assert batch.records[0].name == "0.png"


def test_cancelling(tmp_path):
    for number in range(5):
        photo(tmp_path / f"{number}.png")
    cancel = threading.Event()
    batch = Batch.open([tmp_path])
    stream = batch.stream(cancel=cancel)
    next(stream)
    cancel.set()
    with pytest.raises(Cancelled):
        next(stream)
    with pytest.raises(Cancelled):
        Batch.open([tmp_path], cancel=cancel)


def test_no_more_is_decoded_ahead_than_allowed(tmp_path, monkeypatch):
    for number in range(12):
        photo(tmp_path / f"{number}.png")
    batch = Batch.open([tmp_path])
    decoded = []
    real = images.decode

    def counting(path, *args):
        decoded.append(path)
        return real(path, *args)

    monkeypatch.setattr(images, "decode", counting)
    for taken, _ in enumerate(batch.stream(prefetch=3), 1):
        assert len(decoded) <= taken + 3
    decoded.clear()
    monkeypatch.setattr(images, "_PIXELS_AHEAD", 48 * 32)
    for taken, _ in enumerate(batch.stream(prefetch=12), 1):
        assert len(decoded) <= taken + 1
    assert len(decoded) == 12


def test_nothing_is_written_beside_the_originals(tmp_path):
    photo(tmp_path / "1.png")
    photo(tmp_path / "2.tif")
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    batch = Batch.open([tmp_path])
    list(batch.stream())
    contact_sheet(batch, ["img_001"])
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_thumbnails_are_writable_and_never_enlarged():
    image_rgb = np.full((30, 60, 3), 77, dtype=np.uint8)
    assert thumbnail(image_rgb, 20).shape == (10, 20, 3)
    copy = thumbnail(image_rgb, 500)
    copy[:] = 0
    assert copy.shape == (30, 60, 3)
    assert image_rgb.min() == 77


def test_contact_sheet_shows_each_image_in_its_place(mixed):
    sheet = contact_sheet(mixed, ["img_001", "img_002", "img_003"], columns=2, thumb_px=60)
    assert sheet.shape == (2 * 82 + 6, 2 * 66 + 6, 3)
    assert sheet[6 + 30, 6 + 30].tolist() == [10, 60, 30]
    assert sheet[82 + 6 + 30, 6 + 30].tolist() == [30, 60, 30]
    empty_tile = sheet[6:66, 72:132]
    assert (empty_tile == 20).all(axis=2).sum() > 60
    twins = [contact_sheet(mixed, [image_id], thumb_px=60) for image_id in ("img_001", "img_004")]
    assert (twins[0][:66] == twins[1][:66]).all()
    assert (twins[0][66:] != twins[1][66:]).any()  # the labels


@pytest.mark.parametrize(("ids", "options"), [([], {}), (["img_001"], {"columns": 0}), (["img_9"], {})])
def test_contact_sheet_refuses_what_it_cannot_draw(mixed, ids, options):
    with pytest.raises(UsageError):
        contact_sheet(mixed, ids, **options)


def test_a_batch_of_nothing_is_an_error(tmp_path):
    with pytest.raises(BatchError):
        Batch.open([tmp_path])
