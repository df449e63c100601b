"""Turns one file into one RGB array, the same for every tool, or says why it cannot.

Everything is decoded by Pillow's own plug-ins, chosen by the file's first bytes: `PIL.Image.open` would
try any format that some other package registered, and ultralytics replaces it for the whole process.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile, jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tools.errors import ImageError
from tools.images.jpeg_data import missing_data
from tools.images.reasons import (
    MAX_FILE_BYTES,
    MAX_PAGES,
    MAX_PIXELS,
    MAX_SIDE_PX,
    Reason,
    reason_of,
    reason_of_folder,
)

__all__ = ["Header", "decode", "full_size_pages", "open_regular", "opened", "read_header", "upright"]

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what is wrong with a file goes into its row

_STRIP_PX = 1 << 18  # strips of rows that fit the processor's cache
_PILLOW_WARNINGS = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
_BAD_METADATA = (ArithmeticError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error)

_ORIENTATION, _SUBFILE_TYPE, _BITS_PER_SAMPLE, _PHOTOMETRIC, _SUB_IFDS = 274, 254, 258, 262, 330  # TIFF tags
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_TIFF_MAGIC = rb"II\*\0|MM\0\*|II\+\0\x08\0|MM\0\+\0\x08"
_Factory = Callable[[BinaryIO, str], ImageFile.ImageFile]
# First bytes of a file and what opens it; None for photographs that people have and we do not read.
_FORMATS: tuple[tuple[bytes, _Factory | None], ...] = (
    (rb"\xff\xd8\xff", jpeg_factory),
    (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    (rb"RIFF....WEBP", WebPImageFile),
    (rb"II\*\0....CR", None),  # Canon raw, a TIFF at first sight
    (_TIFF_MAGIC, TiffImageFile),
    (rb"GIF8[79]a", GifImageFile),
    (rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0", BmpImageFile),
    (rb"....ftyp(?:hei|hev|mif|msf|avi|crx)", None),
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", None),
)


@dataclass(frozen=True)
class Header:
    """What a file says of its picture, orientation applied, without decoding it."""

    format: str
    width_px: int
    height_px: int


def read_header(path: Path, page: int = 0) -> Header:
    """Reads format and size without decoding the pixels.

    Raises:
        ImageError: The file is no image that `decode` could take; the message is one of `Reason`.
    """
    with opened(path, page) as image:
        width_px, height_px = image.size
        if _orientation(image) >= 5:
            width_px, height_px = height_px, width_px
        return Header(image.format or "", width_px, height_px)


def full_size_pages(path: Path) -> tuple[int, ...]:
    """Returns the 0-based pages of a TIFF that are pictures, not previews or masks; (0,) for all else.

    What a page is stands in its tag NewSubfileType (TIFF 6.0, section 8): bit 0 marks a reduced copy of
    another page, bit 2 a transparency mask. Of the pages beyond `MAX_PAGES` the first stands for all.
    """
    try:
        with open_regular(path) as file:
            if not re.match(_TIFF_MAGIC, file.read(16)):
                return (0,)
            file.seek(0)
            _quiet_pillow()
            pages = tuple(_full_size(file))
    except (ImageError, OSError):
        return (0,)
    return pages or (0,)


def _full_size(file: BinaryIO) -> Iterator[int]:
    page = 0
    try:
        with _TiffPages(file) as image:
            for page in range(MAX_PAGES + 1):
                image.seek(page)
                if page == MAX_PAGES or _is_full_size(image):
                    yield page
    except EOFError:
        return
    except _BAD_METADATA:
        yield page  # the chain of pages breaks here: its own row will say what is wrong


class _TiffPages(TiffImageFile):
    """A TIFF of which at most one page has to be of a kind that can be decoded.

    Pillow itself makes ready each page that it comes by, and with one that it cannot read refuses all others.
    """

    def __init__(self, file: BinaryIO, page: int | None = None) -> None:
        self._page = page
        super().__init__(file, "")

    def _setup(self) -> None:
        if self.tell() == self._page:
            super()._setup()
        else:
            self._mode, self._size = "L", (1, 1)  # stands in for what is passed over


def _is_full_size(image: TiffImageFile) -> bool:
    try:
        return not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & 0b101
    except _BAD_METADATA:
        return True  # its own row will say what is wrong with it


def decode(path: Path, page: int = 0, max_side_px: int | None = None) -> NDArray[np.uint8]:
    """Decodes one picture: orientation applied, any colour model turned to RGB, transparency laid on white.

    16-bit grey is scaled from the full range of its bits, so that pictures of one camera stay comparable;
    32-bit and floating-point grey, which have no natural white, from the picture's minimum and maximum.
    Colours are taken as stored: embedded colour profiles are not applied. Animations give their first frame.

    Args:
        path: The file; its suffix does not matter.
        page: 0-based page of a TIFF.
        max_side_px: Shrinks the picture to this longest side; of a JPEG no more is decoded than that needs.

    Returns:
        Writable uint8 array of shape (height, width, 3), RGB.

    Raises:
        ImageError: The picture cannot be decoded; the message is one of `Reason`.
    """
    with opened(path, page) as image:
        orientation = _orientation(image)
        size_px = _fitting_size(image.size, max_side_px)
        image.draft(None, size_px)
        file = image.fp
        rgb = _to_rgb(image)
        if isinstance(image, JpegImageFile) and file is not None:
            file.seek(0)
            if why := missing_data(file.read(), image):
                raise ImageError(Reason(why))
        if rgb.size != size_px:
            rgb = rgb.resize(size_px, Image.Resampling.BICUBIC, reducing_gap=3.0)
        return _to_array(_turned(rgb, orientation))


def upright(picture: Image.Image, file: ImageFile.ImageFile) -> Image.Image:
    """Returns what was made of a file's pixels with the file's EXIF orientation applied."""
    return _turned(picture, _orientation(file))


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    return picture if orientation == 1 else picture.transpose(_TURN[orientation])


def open_regular(path: Path) -> BufferedReader:
    """Opens a file for reading, and only a file: a pipe or a device might block for ever, or never end.

    Raises:
        ImageError: It is no regular file, or larger than `MAX_FILE_BYTES`.
        OSError: It cannot be opened.
    """
    if path.is_dir():
        raise ImageError(reason_of_folder(path))
    _guard_file(path.stat())  # before opening, since opening a device may already act on it
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _guard_file(os.fstat(file.fileno()))  # and after, since it may have been swapped in between
    except ImageError:
        file.close()
        raise
    return file


def _guard_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(Reason.NOT_A_FILE)
    if status.st_size > MAX_FILE_BYTES:
        raise ImageError(Reason.TOO_LARGE)


@contextmanager
def opened(path: Path, page: int) -> Iterator[ImageFile.ImageFile]:
    """Opens a picture at a page and within the limits.

    Raises:
        ImageError: Whatever went wrong, also in what the caller does with the picture.
    """
    if page >= MAX_PAGES:
        raise ImageError(Reason.TOO_MANY_PAGES)
    _quiet_pillow()
    try:
        with open_regular(path) as file, _identify(file, page) as image:
            _guard_size(image)
            if page:
                image.seek(page)
                _guard_size(image)
            _guard_preview(image)
            yield image
    except ImageError:
        raise
    except Exception as error:  # damaged bytes make the plug-ins raise anything
        raise ImageError(reason_of(error, path)) from error


def _quiet_pillow() -> None:
    """Mutes Pillow's warnings, once and for good: `catch_warnings` is not safe among threads."""
    if _PILLOW_WARNINGS not in warnings.filters:
        warnings.filterwarnings("ignore", category=Warning, module=r"PIL\.")  # oddities concern nobody


def _identify(file: BinaryIO, page: int) -> ImageFile.ImageFile:
    """Opens the file with the plug-in that its first bytes ask for; a TIFF so that the page can be sought."""
    prefix = file.read(16)
    file.seek(0)
    for magic, factory in _FORMATS:
        if re.match(magic, prefix, re.DOTALL):
            if factory is None:
                raise ImageError(Reason.FOREIGN)
            if factory is TiffImageFile:
                return _TiffPages(file, page)
            return factory(file, "")  # given a name, Pillow would map the file, and crash should it shrink
    raise ImageError(Reason.NOT_AN_IMAGE if prefix else Reason.EMPTY)


def _guard_size(image: Image.Image) -> None:
    width_px, height_px = image.size
    if width_px * height_px > MAX_PIXELS or max(width_px, height_px) > MAX_SIDE_PX:
        raise ImageError(Reason.TOO_MANY_PIXELS)
    if min(width_px, height_px) < 1:
        raise ImageError(Reason.DAMAGED)


def _guard_preview(image: Image.Image) -> None:
    """Refuses the preview page of a camera raw file, whose true picture lies in a SubIFD."""
    tags = _tags(image)
    if _SUB_IFDS in tags and tags.get(_SUBFILE_TYPE) == 1:
        raise ImageError(Reason.PREVIEW)


def _tags(image: Image.Image) -> Mapping[int, Any]:
    """Returns the tags of the current page of a TIFF; none for other formats."""
    return image.tag_v2 if isinstance(image, TiffImageFile) else {}


def _fitting_size(size_px: tuple[int, int], max_side_px: int | None) -> tuple[int, int]:
    """Returns the (width, height) that keeps the proportions within the longest side, never enlarged."""
    longest_px = max(size_px)
    if max_side_px is None or longest_px <= max_side_px:
        return size_px
    factor = max_side_px / longest_px
    return max(1, round(size_px[0] * factor)), max(1, round(size_px[1] * factor))


def _orientation(image: ImageFile.ImageFile) -> int:
    """Returns the EXIF orientation 1-8 still to be applied; Pillow itself turns TIFF pages while loading."""
    if isinstance(image, TiffImageFile):
        return 1
    if isinstance(image, PngImageFile) and "exif" not in image.info and not _png_has_exif(image):
        return 1  # asked for EXIF, Pillow would decode the whole picture to look behind it
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except _BAD_METADATA:
        return 1
    return orientation if orientation in _TURN else 1


def _png_has_exif(image: PngImageFile) -> bool:
    """Looks through a PNG's chunks for an `eXIf` behind the pixels, where the standard allows it."""
    file = image.fp
    if file is None:
        return False
    position = file.tell()
    chunk_at, found = 8, False
    while not found:
        file.seek(chunk_at)
        header = file.read(8)
        if len(header) < 8 or header.endswith(b"IEND"):
            break
        found = header.endswith(b"eXIf")
        chunk_at += 12 + int.from_bytes(header[:4], "big")
    file.seek(position)
    return found


def _to_rgb(image: Image.Image) -> Image.Image:
    """Converts any mode that the plug-ins yield to RGB."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in {"I", "F"}:
        return _from_min_max(image)
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return _on_white(image)
    if image.mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
        return transform.apply(image)
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Lays a picture with an alpha channel or a transparent colour on white."""
    premultiplied = {"RGBa": "RGBA", "La": "LA"}.get(image.mode)
    rgba = (image.convert(premultiplied) if premultiplied else image).convert("RGBA")
    alpha = rgba.getchannel("A")
    # Many cameras leave the fourth channel at 0: a picture of nothing was not meant, and would pass as clean.
    is_unset = alpha.getbbox() is None
    if is_unset or alpha.getextrema() == (255, 255):
        return rgba.convert("RGB")
    white = Image.new("RGBA", rgba.size, "white")
    white.alpha_composite(rgba)
    return white.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey by the range of its bits; a TIFF may say that 12 count, or that 0 is white."""
    tags = _tags(image)
    full_scale = 2 ** min(int(tags.get(_BITS_PER_SAMPLE, (16,))[0]), 16) - 1
    inverted = tags.get(_PHOTOMETRIC) == 0
    shades = np.minimum(np.arange(65_536), full_scale) * (255.0 / full_scale)
    table = np.rint(255.0 - shades if inverted else shades).astype(np.uint8)
    values = np.asarray(image)
    grey = np.empty(values.shape, dtype=np.uint8)
    for rows in _strips(image.size):
        grey[rows] = table[values[rows]]
    if isinstance(transparent := image.info.get("transparency"), int):
        grey[values == transparent] = 255
    return Image.fromarray(grey).convert("RGB")


def _from_min_max(image: Image.Image) -> Image.Image:
    """Scales 32-bit integer or floating-point grey from its minimum to its maximum; not-a-number is black."""
    values = np.asarray(image)
    finite = np.isfinite(values)
    if not finite.any():
        raise ImageError(Reason.DAMAGED)
    low = float(values[finite].min())
    high = float(values[finite].max())
    factor = 255.0 / (high - low) if high > low else 0.0
    grey = np.empty(values.shape, dtype=np.uint8)
    for rows in _strips(image.size):
        strip = np.nan_to_num(values[rows].astype(np.float64), nan=low, posinf=high, neginf=low)
        grey[rows] = np.rint((strip - low) * factor)
    return Image.fromarray(grey).convert("RGB")


def _to_array(rgb: Image.Image) -> NDArray[np.uint8]:
    """Copies an RGB picture into a writable array, strip by strip: three times as fast as `np.array(rgb)`."""
    width_px, height_px = rgb.size
    array = np.empty((height_px, width_px, 3), dtype=np.uint8)
    for rows in _strips(rgb.size):
        strip = rgb.crop((0, rows.start, width_px, rows.stop)).tobytes()
        array[rows] = np.frombuffer(strip, dtype=np.uint8).reshape(-1, width_px, 3)
    return array


def _strips(size_px: tuple[int, int]) -> Iterator[slice]:
    """Cuts a picture of (width, height) into slices of rows that fit the processor's cache."""
    width_px, height_px = size_px
    step = max(1, _STRIP_PX // width_px)
    return (slice(top, min(top + step, height_px)) for top in range(0, height_px, step))
