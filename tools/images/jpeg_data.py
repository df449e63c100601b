"""Whether a JPEG's data is all there: libjpeg paints over what is missing, and Pillow hides its warnings."""

from __future__ import annotations

import re
import struct
from io import BytesIO
from typing import NamedTuple

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from tools.images.reasons import Reason

__all__ = ["missing_data"]

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_SCAN_ENDS = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # restart markers lie within a scan
_SOS, _EOI, _DHT = 0xDA, 0xD9, 0xC4
_HUFFMAN, _PROGRESSIVE = {0xC0, 0xC1, 0xC2}, 0xC2  # frames; arithmetic coding may leave out trailing zeros
_FRAMES = set(range(0xC0, 0xD0)) - {_DHT, 0xC8, 0xCC}

# Longer than any block of coefficients in zeros, of which there would have to be several.
_HOLE = bytes(128)
# Data that no picture needs, for as many restart intervals as may be missing.
_PADDING = b"".join(bytes([*range(1, 251), 0xFF, marker]) for marker in range(0xD0, 0xD8)) + bytes(
    range(1, 251)
)
_BAD_DATA = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
_GREY = {127, 128}  # what libjpeg paints where data ended; 127 where CMYK is stored inverted


class _Scan(NamedTuple):
    """The entropy-coded data of one scan.

    Attributes:
        start, end: Of its bytes in the file; there the next marker stands.
        zeros_flat: Whether zeros may be said of a flat stretch, by the Huffman tables or as bits that refine.
    """

    start: int
    end: int
    zeros_flat: bool


def missing_data(content: bytes, picture: Image.Image) -> Reason | None:
    """Says what is wrong with the data of a JPEG that libjpeg decoded without an error.

    A long run of zeros in it is a hole that some disk or copy left, unless its Huffman tables say a flat
    stretch so. That data ends early shows where padding behind it changes the picture; as that takes more
    decoding, it is done only where the picture ends in the grey that libjpeg paints, and of progressive
    files, whose last scan only refines.

    Args:
        content: The file.
        picture: As decoded from it, in the file's own colour model, upright or not.

    Returns:
        None where nothing is wrong.
    """
    frame, scans = _scans(content)
    if frame not in _HUFFMAN or not scans:
        return None
    if any(content.find(_HOLE, scan.start, scan.end) >= 0 for scan in scans if not scan.zeros_flat):
        return Reason.DAMAGED
    last = picture.getpixel((picture.width - 1, picture.height - 1))
    channels = last if isinstance(last, tuple) else (last,)
    if frame != _PROGRESSIVE and not _GREY.issuperset(channels):
        return None
    data = content[: scans[-1].end].rstrip(b"\xff")  # half of a pair would make a marker of what follows
    as_it_is, padded = (_decoded(data + padding + b"\xff\xd9") for padding in (b"", _PADDING))
    return None if as_it_is == padded else Reason.TRUNCATED


def _scans(content: bytes) -> tuple[int, list[_Scan]]:
    """Returns the kind of the first frame, and the scans of the first picture in the file."""
    frame, at = 0, 2
    first: dict[int, int] = {}
    scans: list[_Scan] = []
    while found := _MARKER.search(content, at):
        marker, at = content[found.start() + 1], found.end()
        if marker == _EOI:
            break
        if 0xD0 <= marker <= 0xD8 or marker == 0x01:  # alone, without a segment
            continue
        length = int.from_bytes(content[at : at + 2], "big")
        segment, at = content[at + 2 : at + length], at + length
        if marker == _DHT:
            first |= _first_symbols(segment)
        elif marker in _FRAMES:
            frame = frame or marker
        elif marker == _SOS:
            ends = _SCAN_ENDS.search(content, at)
            end = ends.start() if ends else len(content)
            scans.append(_Scan(at, end, _says_flat_with_zeros(segment, first)))
            at = end
    return frame, scans


def _first_symbols(segment: bytes) -> dict[int, int]:
    """Returns the symbol that zeros mean, by class (the upper four bits) and number of its Huffman table."""
    symbols: dict[int, int] = {}
    while len(segment) > 17:
        symbols[segment[0]] = segment[17]
        segment = segment[17 + sum(segment[1:17]) :]
    return symbols


def _says_flat_with_zeros(header: bytes, first: dict[int, int]) -> bool:
    """Whether zeros in a scan say that nothing changes: neither the mean of a block nor what is in it."""
    count = header[0] if header else 0
    if len(header) < 4 + 2 * count:
        return True
    begin, end, steps = header[1 + 2 * count : 4 + 2 * count]
    if steps >> 4:  # bits that refine what earlier scans said
        return True
    tables = header[2 : 1 + 2 * count : 2]
    mean = begin > 0 or all(first.get(each >> 4, 0) == 0 for each in tables)
    rest = end == 0 or all(first.get(0x10 | each & 0xF, 0) & 0xF == 0 for each in tables)
    return mean and rest


def _decoded(content: bytes) -> bytes | None:
    try:
        with JpegImageFile(BytesIO(content), "") as image:
            return image.tobytes()
    except _BAD_DATA:
        return None
