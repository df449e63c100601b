from __future__ import annotations

import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from tools.errors import ImageError
from tools.images import decoding as image_decoding
from tools.images.decoding import decode, full_size_pages, read_header
from tools.images.reasons import Reason, reason_of, reason_text
from tools.records import Language


def scene(width_px=96, height_px=64):
    y, x = np.mgrid[0:height_px, 0:width_px]
    red = 255 * x / (width_px - 1)
    green = 255 * y / (height_px - 1)
    blue = np.where((x < width_px // 3) & (y < height_px // 4), 230, 20)
    return np.stack([red, green, blue], axis=2).round().astype(np.uint8)


def save(path: Path, image: Image.Image, **options) -> Path:
    image.save(path, **options)
    return path


def difference(got, wanted):
    assert got.shape == wanted.shape
    return np.abs(got.astype(int) - wanted.astype(int)).mean()


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [
        ("jpg", {"quality": 95, "subsampling": 0}, 2.0),
        ("jpg", {"quality": 95, "progressive": True}, 3.0),
        ("png", {}, 0.0),
        ("webp", {"lossless": True}, 0.0),
        ("tif", {}, 0.0),
        ("tif", {"compression": "tiff_lzw"}, 0.0),
        ("bmp", {}, 0.0),
        ("gif", {}, 12.0),
    ],
)
def test_decodes_every_format_without_image_open(tmp_path, monkeypatch, suffix, options, tolerance):
    path = save(tmp_path / f"scene.{suffix}", Image.fromarray(scene()), **options)

    def patched(*_args, **_kwargs):
        raise AssertionError("another package has replaced Image.open")

    monkeypatch.setattr(Image, "open", patched)
    image_rgb = decode(path)
    assert difference(image_rgb, scene()) <= tolerance
    assert image_rgb.dtype == np.uint8
    assert image_rgb.flags.writeable
    assert image_rgb.flags.c_contiguous


def test_content_decides_not_the_suffix(tmp_path):
    path = save(tmp_path / "scene.jpg", Image.fromarray(scene()), format="PNG")
    assert read_header(path).format == "PNG"
    assert difference(decode(path), scene()) == 0


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, suffix, orientation):
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](scene())))
    exif = Image.Exif()
    exif[274] = orientation
    options = {"jpg": {"quality": 95}, "webp": {"lossless": True}}.get(suffix, {})
    path = save(tmp_path / f"turned.{suffix}", stored, exif=exif, **options)
    header = read_header(path)
    assert (header.width_px, header.height_px) == (96, 64)
    assert difference(decode(path), scene()) < 3
    assert difference(decode(path, max_side_px=48), scene(48, 32)) < 12


def test_png_orientation_behind_the_pixels(tmp_path):
    stored = Image.fromarray(np.ascontiguousarray(scene()[::-1, ::-1]))
    png = BytesIO()
    stored.save(png, "PNG")
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 274, 3, 1, 3, 0, 0)
    body = b"eXIf" + tiff
    chunk = struct.pack(">I", len(tiff)) + body + struct.pack(">I", zlib.crc32(body))
    content = png.getvalue()
    path = tmp_path / "late.png"
    path.write_bytes(content[:-12] + chunk + content[-12:])
    assert difference(decode(path), scene()) == 0


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_impossible_orientation_is_ignored(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path / "odd.png", Image.fromarray(scene()), exif=exif)
    assert difference(decode(path), scene()) == 0


def grey_ramp():
    return np.linspace(0, 65_535, 64 * 64).round().astype(np.uint16).reshape(64, 64)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_is_scaled_not_clipped(tmp_path, suffix):
    path = save(tmp_path / f"deep.{suffix}", Image.fromarray(grey_ramp()))
    wanted = np.repeat((grey_ramp() / 257.0).round().astype(np.uint8)[..., None], 3, axis=2)
    assert difference(decode(path), wanted) == 0


def test_16_bit_big_endian(tmp_path):
    image = Image.frombytes("I;16B", (64, 64), grey_ramp().astype(">u2").tobytes())
    path = save(tmp_path / "big.tif", image)
    assert decode(path)[0, 0, 0] == 0
    assert decode(path)[-1, -1, 0] == 255


def test_16_bit_where_zero_is_white(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    path = save(tmp_path / "white.tif", Image.fromarray(grey_ramp()), tiffinfo=tags)
    content = path.read_bytes()
    entry = struct.pack("<HHI", 262, 3, 1)
    at = content.index(entry) + len(entry)  # Pillow writes its own value: put ours
    path.write_bytes(content[:at] + b"\0\0" + content[at + 2 :])
    assert decode(path)[0, 0, 0] == 255
    assert decode(path)[-1, -1, 0] == 0


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_32_bit_is_scaled_by_its_own_range(tmp_path, dtype):
    values = np.linspace(-4_000, 90_000, 64 * 64).reshape(64, 64).astype(dtype)
    image_rgb = decode(save(tmp_path / "deep.tif", Image.fromarray(values)))
    assert (image_rgb.min(), image_rgb.max()) == (0, 255)
    assert abs(int(image_rgb[32, 0, 0]) - 128) <= 1


def test_float_with_holes_and_infinities(tmp_path):
    values = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    values[0, :3] = (np.nan, np.inf, -np.inf)
    image_rgb = decode(save(tmp_path / "holes.tif", Image.fromarray(values)))
    assert image_rgb[0, :3, 0].tolist() == [0, 255, 0]
    assert image_rgb[-1, -1, 0] == 255


@pytest.mark.parametrize(
    ("mode", "colour", "suffix", "wanted"),
    [
        ("1", 1, "png", (255, 255, 255)),
        ("L", 90, "jpg", (90, 90, 90)),
        ("LA", (90, 51), "png", (222, 222, 222)),
        ("RGBA", (200, 0, 0, 255), "png", (200, 0, 0)),
        ("RGBA", (200, 0, 0, 51), "png", (244, 204, 204)),
        ("RGBA", (200, 0, 0, 51), "tif", (244, 204, 204)),
        ("RGBA", (200, 0, 0, 51), "webp", (244, 204, 204)),
        ("CMYK", (0, 255, 255, 0), "jpg", (255, 0, 0)),
        ("CMYK", (0, 255, 255, 0), "tif", (255, 0, 0)),
        ("YCbCr", (150, 128, 128), "tif", (150, 150, 150)),
        ("LAB", (136, 128, 128), "tif", (127, 127, 127)),
        ("LAB", (138, 209, 198), "tif", (255, 0, 0)),
    ],
)
def test_colour_models(tmp_path, mode, colour, suffix, wanted):
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    path = save(tmp_path / f"plain.{suffix}", Image.new(mode, (32, 32), colour), **options)
    assert np.abs(decode(path)[16, 16].astype(int) - wanted).max() <= 5


def test_palettes(tmp_path):
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 10, 200, 30, 50, 60, 70])
    image.paste(2, (16, 0, 32, 32))
    opaque = decode(save(tmp_path / "opaque.png", image))
    for transparency in (2, bytes([255, 255, 0])):
        clear = decode(save(tmp_path / "clear.png", image, transparency=transparency))
        assert clear[0, 0].tolist() == opaque[0, 0].tolist() == [10, 200, 30]
        assert clear[0, 31].tolist() == [255, 255, 255]
    assert opaque[0, 31].tolist() == [50, 60, 70]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_animations_give_their_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    path = save(
        tmp_path / f"moving.{suffix}", frames[0], save_all=True, append_images=frames[1:], duration=50
    )
    assert np.abs(decode(path)[16, 16].astype(int) - (255, 0, 0)).max() <= 3
    assert full_size_pages(path) == (0,)


def tiff_pages(path, colours, subfile_types):
    with TiffImagePlugin.AppendingTiffWriter(path, new=True) as writer:
        for colour, subfile_type in zip(colours, subfile_types, strict=True):
            Image.new("RGB", (32, 32), colour).save(writer, "TIFF", tiffinfo={254: subfile_type})
            writer.newFrame()
    return path


def test_tiff_pages(tmp_path):
    path = tiff_pages(tmp_path / "pages.tif", ["red", "white", "blue", "black"], [2, 1, 0, 4])
    assert full_size_pages(path) == (0, 2)
    assert decode(path, 2)[0, 0].tolist() == [0, 0, 255]
    with pytest.raises(ImageError, match=Reason.NO_SUCH_PAGE):
        decode(path, 7)


def test_a_damaged_later_page_is_kept_as_a_page(tmp_path):
    path = tiff_pages(tmp_path / "pages.tif", ["red", "blue"], [0, 0])
    content = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, len(content) - 3)
    path.write_bytes(content)
    assert full_size_pages(path) == (0, 1)
    with pytest.raises(ImageError):
        decode(path, 1)


def test_pages_beyond_the_limit_are_one_row_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("tools.images.decoding.MAX_PAGES", 3)
    for count, wanted in ((3, (0, 2)), (4, (0, 2, 3)), (9, (0, 2, 3))):
        path = tiff_pages(tmp_path / f"{count}.tif", ["red"] * count, [0, 1, 0, 1, 0, 0, 0, 0, 0][:count])
        assert full_size_pages(path) == wanted
    with pytest.raises(ImageError, match=Reason.TOO_MANY_PAGES):
        read_header(path, 3)


def test_camera_raw_is_not_taken_for_its_preview(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    tags[330] = 8
    tags.tagtype[330] = 4
    path = save(tmp_path / "raw.tif", Image.fromarray(scene()), tiffinfo=tags)
    with pytest.raises(ImageError, match=Reason.PREVIEW):
        decode(path)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize(
    ("size_px", "max_side_px", "wanted"),
    [
        ((1000, 500), 100, (100, 50)),
        ((500, 1000), 100, (50, 100)),
        ((90, 60), 100, (90, 60)),
        ((3000, 20), 30, (30, 1)),
    ],
)
def test_small_keeps_proportions_and_never_enlarges(tmp_path, suffix, size_px, max_side_px, wanted):
    path = save(tmp_path / f"big.{suffix}", Image.new("RGB", size_px, "teal"))
    image_rgb = decode(path, max_side_px=max_side_px)
    assert image_rgb.shape == (wanted[1], wanted[0], 3)
    assert np.abs(image_rgb[0, 0].astype(int) - (0, 128, 128)).max() <= 3


def test_small_jpeg_shows_the_same_picture(tmp_path):
    path = save(tmp_path / "big.jpg", Image.fromarray(scene(960, 640)), quality=95)
    assert difference(decode(path, max_side_px=96), scene()) < 3


def bmp_header(width_px, height_px):
    return b"BM" + struct.pack(
        "<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width_px, height_px, 1, 24, 0, 0, 0, 0, 0, 0
    )


BROKEN = {
    "empty": (b"", Reason.EMPTY),
    "text": (b"this is no picture at all", Reason.NOT_AN_IMAGE),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9", Reason.NOT_AN_IMAGE),
    "heic": (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", Reason.FOREIGN),
    "avif": (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", Reason.FOREIGN),
    "jpeg 2000": (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", Reason.FOREIGN),
    "canon raw 3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", Reason.FOREIGN),
    "canon raw": (b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0", Reason.FOREIGN),
    "bare jpeg": (b"\xff\xd8\xff", Reason.DAMAGED),
    "bare png": (b"\x89PNG\r\n\x1a\n", Reason.DAMAGED),
    "bare tiff": (b"II*\0\x08\0\0\0", Reason.DAMAGED),
    "bomb": (bmp_header(60_000, 60_000), Reason.TOO_MANY_PIXELS),
    "ribbon": (bmp_header(70_000, 20), Reason.TOO_MANY_PIXELS),
    "no pixels": (bmp_header(100, 100), Reason.TRUNCATED),
    "odd bitmap": (bmp_header(100, 100).replace(b"\1\0\x18\0", b"\1\0\x07\0"), Reason.UNSUPPORTED),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_have_a_reason(tmp_path, case):
    content, reason = BROKEN[case]
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        decode(path)
    assert caught.value.message == reason


@pytest.mark.parametrize(
    ("suffix", "end"),
    [*((suffix, b"") for suffix in ("jpg", "png", "webp", "bmp", "gif", "tif")), ("jpg", b"\xff\xd9")],
)
def test_truncated_pictures_are_refused(tmp_path, suffix, end):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    path = save(tmp_path / f"cut.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] + end)
    with pytest.raises(ImageError) as caught:
        decode(path)
    assert caught.value.message in {Reason.TRUNCATED, Reason.DAMAGED}


def test_random_damage_never_escapes_as_another_error(tmp_path):
    rng = np.random.default_rng(7)
    for suffix in ("jpg", "png", "webp", "bmp", "gif"):
        whole = save(tmp_path / f"whole.{suffix}", Image.fromarray(scene())).read_bytes()
        path = tmp_path / f"hit.{suffix}"
        for _ in range(40):
            content = bytearray(whole)
            for at in rng.integers(0, len(content), 8):
                content[at] = rng.integers(0, 256)
            path.write_bytes(content)
            try:
                reason = "" if decode(path).ndim == 3 else "not a picture"
            except ImageError as error:
                reason = error.message
            assert reason in ["", *Reason]


def test_pipes_and_devices_are_never_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.jpg")
    opened = []
    monkeypatch.setattr(image_decoding.os, "open", lambda *args: opened.append(args))
    for path in (tmp_path / "pipe.jpg", Path(os.devnull)):
        with pytest.raises(ImageError, match=Reason.NOT_A_FILE):
            decode(path)
    assert not opened


def test_a_file_swapped_for_a_pipe_does_not_hang(tmp_path, monkeypatch):
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    regular = Path(__file__).stat()
    monkeypatch.setattr(Path, "stat", lambda *_args, **_kwargs: regular)
    with pytest.raises(ImageError, match=Reason.NOT_A_FILE):
        decode(path)


def test_oversized_files_are_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "scene.png", Image.fromarray(scene()))
    monkeypatch.setattr(image_decoding, "MAX_FILE_BYTES", 100)
    with pytest.raises(ImageError, match=Reason.TOO_LARGE):
        decode(path)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "denied"), Reason.NO_PERMISSION),
        (FileNotFoundError(2, "gone"), Reason.GONE),
        (OSError(5, "input/output error"), Reason.UNREACHABLE),
        (MemoryError(), Reason.NO_MEMORY),
        (Image.DecompressionBombError("too big"), Reason.TOO_MANY_PIXELS),
        (struct.error("unpack"), Reason.TRUNCATED),
        (ZeroDivisionError(), Reason.DAMAGED),
    ],
)
def test_system_errors_have_a_reason(tmp_path, monkeypatch, error, reason):
    path = save(tmp_path / "scene.png", Image.fromarray(scene()))

    def failing(*_args):
        raise error

    monkeypatch.setattr(image_decoding.os, "open", failing)
    with pytest.raises(ImageError) as caught:
        decode(path)
    assert caught.value.message == reason


def test_links_that_lead_nowhere_or_to_themselves(tmp_path):
    for name, target in (("lost.jpg", "missing.jpg"), ("loop.jpg", "loop.jpg")):
        (tmp_path / name).symlink_to(target)
        with pytest.raises(ImageError, match=Reason.BROKEN_LINK):
            decode(tmp_path / name)


def test_every_reason_speaks_korean():
    for reason in Reason:
        assert reason_text(reason, Language.EN) == reason
        korean = reason_text(reason, Language.KO)
        assert korean != reason
        assert any("가" <= sign <= "힣" for sign in korean)
    assert reason_text("something else", Language.KO) == "something else"
    assert reason_of(EOFError(), Path("x")) is Reason.TRUNCATED


@pytest.mark.parametrize("broken", [0, 1, 3])
def test_a_page_that_cannot_be_decoded_hides_no_other(tmp_path, broken):
    path = tiff_pages(tmp_path / "pages.tif", ["red", "white", "blue", "black"], [0, 0, 0, 0])
    content = bytearray(path.read_bytes())
    (directory,) = struct.unpack_from("<I", content, 4)
    for _ in range(broken):
        (count,) = struct.unpack_from("<H", content, directory)
        (directory,) = struct.unpack_from("<I", content, directory + 2 + 12 * count)
    compression = content.index(struct.pack("<HHI", 259, 3, 1), directory)
    struct.pack_into("<H", content, compression + 8, 34_712)  # JPEG 2000
    path.write_bytes(content)
    assert full_size_pages(path) == (0, 1, 2, 3)
    for page, colour in enumerate(([255, 0, 0], [255] * 3, [0, 0, 255], [0] * 3)):
        if page == broken:
            with pytest.raises(ImageError):
                decode(path, page)
        else:
            assert decode(path, page)[0, 0].tolist() == colour


@pytest.mark.parametrize(
    ("size", "alpha", "wanted"), [(124, 0, 90), (108, 0, 90), (124, 255, 90), (124, 51, 222)]
)
def test_a_bitmap_whose_fourth_byte_is_never_set_keeps_its_colours(tmp_path, size, alpha, wanted):
    pixels = bytes([90, 90, 90, alpha]) * 32 * 32
    fields = struct.pack("<IiiHHIIiiII", size, 32, 32, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(size - 56)
    path = tmp_path / "plain.bmp"
    path.write_bytes(
        b"BM" + struct.pack("<IHHI", 14 + size + len(pixels), 0, 0, 14 + size) + fields + masks + pixels
    )
    assert decode(path)[16, 16].tolist() == [wanted] * 3


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGBA", "png"), ("LA", "png"), ("RGBA", "tif"), ("RGBA", "webp")]
)
@pytest.mark.parametrize(("corner", "wanted"), [(0, 90), (255, 255)])
def test_an_alpha_channel_that_shows_nothing_at_all_counts_for_nothing(
    tmp_path, mode, suffix, corner, wanted
):
    picture = Image.new(mode, (32, 32), (90, 0) if mode == "LA" else (90, 90, 90, 0))
    picture.putpixel((0, 0), (90, corner) if mode == "LA" else (90, 90, 90, corner))
    picture.save(
        path := tmp_path / f"part.{suffix}", **({"lossless": True, "exact": True} if suffix == "webp" else {})
    )
    assert decode(path)[16, 16].tolist() == [wanted] * 3


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_shade_of_grey_is_white(tmp_path, bits):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes(16 * bits // 8) + b"\x40" * (16 * bits // 8)) * 32
    path = tmp_path / "clear.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, bits, 0, 0, 0, 0))
        + chunk(b"tRNS", b"\0\0")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert decode(path)[5, [0, 31]].tolist() == [[255] * 3, [64] * 3]
