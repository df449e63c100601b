"""The table of reasons for which an image cannot be inspected, in words that a person understands."""

from __future__ import annotations

import errno
import re
import struct
from enum import StrEnum
from pathlib import Path

from tools.records import Language

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PAGES",
    "MAX_PIXELS",
    "MAX_SIDE_PX",
    "MIN_SIDE_PX",
    "Reason",
    "reason_of",
    "reason_of_folder",
    "reason_text",
]

MAX_PIXELS = 200_000_000  # a 600 MB array; a line scan of 8,192 x 24,000 still fits
MAX_SIDE_PX = 65_500  # the largest side that libjpeg itself accepts
MIN_SIDE_PX = 16
MAX_FILE_BYTES = 2 * 1024**3
MAX_PAGES = 1_000

_MEGAPIXELS = MAX_PIXELS // 1_000_000
_GIB = MAX_FILE_BYTES // 1024**3


class Reason(StrEnum):
    """Why an image cannot be inspected: fixed sentences, so that a report can translate them."""

    EMPTY = "the file is empty"
    NOT_AN_IMAGE = "the file is no JPEG, PNG, WebP, TIFF, BMP or GIF image, whatever its name says"
    FOREIGN = "HEIC, AVIF, JPEG 2000 and camera raw files are not read; save the photograph as JPEG or PNG"
    PREVIEW = "the file holds only a preview beside camera raw data; save the photograph as JPEG or PNG"
    UNSUPPORTED = "the file uses a variant of its format that is not supported; save it as JPEG or PNG"
    TRUNCATED = "the file is cut short: the end of the picture is missing"
    DAMAGED = "the file is damaged: its contents contradict each other"
    TOO_MANY_PIXELS = f"the picture exceeds {_MEGAPIXELS} megapixels or {MAX_SIDE_PX} px on a side"
    TOO_SMALL = f"the picture is too small to inspect: less than {MIN_SIDE_PX} px on a side"
    TOO_LARGE = f"the file is larger than {_GIB} GiB"
    TOO_MANY_PAGES = f"only {MAX_PAGES:,} pages of a file are read, not those from here on; split the file"
    NO_MEMORY = "there is not enough memory to decode the picture"
    NO_PERMISSION = "permission to read the file was denied"
    GONE = "the file is no longer there"
    BROKEN_LINK = "the link leads nowhere"
    CLOSED_FOLDER = "the folder could not be opened"
    EMPTY_FOLDER = "the folder holds no images"
    NOT_A_FILE = "this is a device or a pipe, not a file"
    UNREACHABLE = "the disk or the network did not deliver the file"
    NO_SUCH_PAGE = "the file has no such page"
    CHANGED = "the file has changed since the batch was opened"


_KOREAN: dict[str, str] = {
    Reason.EMPTY: "빈 파일입니다",
    Reason.NOT_AN_IMAGE: "이름과 달리 JPEG, PNG, WebP, TIFF, BMP, GIF 사진이 아닙니다",
    Reason.FOREIGN: "HEIC, AVIF, JPEG 2000, 카메라 RAW 파일은 읽지 않습니다. JPEG나 PNG로 저장해 주십시오",
    Reason.PREVIEW: "카메라 RAW 데이터와 미리보기만 들어 있습니다. JPEG나 PNG로 저장해 주십시오",
    Reason.UNSUPPORTED: "지원하지 않는 변형 형식입니다. JPEG나 PNG로 저장해 주십시오",
    Reason.TRUNCATED: "파일이 중간에 잘려 사진의 끝부분이 없습니다",
    Reason.DAMAGED: "파일이 손상되어 내용이 서로 맞지 않습니다",
    Reason.TOO_MANY_PIXELS: f"사진이 {_MEGAPIXELS}메가픽셀 또는 한 변 {MAX_SIDE_PX} px를 넘습니다",
    Reason.TOO_SMALL: f"검사하기에는 사진이 너무 작습니다(한 변 {MIN_SIDE_PX} px 미만)",
    Reason.TOO_LARGE: f"파일이 {_GIB} GiB보다 큽니다",
    Reason.TOO_MANY_PAGES: (
        f"이 페이지부터는 읽지 않습니다. 한 파일에서 {MAX_PAGES:,}페이지까지 읽으니 파일을 나누어 주십시오"
    ),
    Reason.NO_MEMORY: "사진을 디코딩할 메모리가 부족합니다",
    Reason.NO_PERMISSION: "파일을 읽을 권한이 없습니다",
    Reason.GONE: "파일이 더 이상 존재하지 않습니다",
    Reason.BROKEN_LINK: "링크가 가리키는 파일이 없습니다",
    Reason.CLOSED_FOLDER: "폴더를 열 수 없습니다",
    Reason.EMPTY_FOLDER: "폴더에 이미지가 없습니다",
    Reason.NOT_A_FILE: "파일이 아니라 장치 또는 파이프입니다",
    Reason.UNREACHABLE: "디스크나 네트워크에서 파일을 가져오지 못했습니다",
    Reason.NO_SUCH_PAGE: "파일에 해당 페이지가 없습니다",
    Reason.CHANGED: "배치를 연 뒤에 파일이 바뀌었습니다",
}

# What Pillow's plug-ins write in their exceptions, whose types say little.
_PHRASES = (
    ("truncat|not enough image data|buffer overrun|image data ended", Reason.TRUNCATED),
    ("bomb|exceeds limit", Reason.TOO_MANY_PIXELS),
    ("unsupported|not (?:yet )?supported|unknown .*mode|not available", Reason.UNSUPPORTED),
    ("no more images|outside sequence", Reason.NO_SUCH_PAGE),
)


def reason_text(reason: str, language: Language) -> str:
    """Returns `ImageRecord.reason` in the given language; a sentence that is not of the table as it is."""
    return _KOREAN.get(reason, reason) if language is Language.KO else reason


def reason_of(error: Exception, path: Path) -> Reason:
    """Names what an exception of the file system or of Pillow means to a person."""
    if isinstance(error, FileNotFoundError) or getattr(error, "errno", None) == errno.ELOOP:
        return Reason.BROKEN_LINK if path.is_symlink() else Reason.GONE
    if isinstance(error, PermissionError):
        return Reason.NO_PERMISSION
    if isinstance(error, MemoryError):
        return Reason.NO_MEMORY
    if isinstance(error, OSError) and error.errno is not None:
        return Reason.UNREACHABLE
    text = f"{type(error).__name__}: {error}"
    for phrase, reason in _PHRASES:
        if re.search(phrase, text, re.IGNORECASE):
            return reason
    return Reason.TRUNCATED if isinstance(error, (EOFError, struct.error)) else Reason.DAMAGED


def reason_of_folder(folder: Path) -> Reason:
    """Names why a folder stands where an image should: it holds none, or cannot be opened."""
    try:
        next(folder.iterdir(), None)
    except OSError:
        return Reason.CLOSED_FOLDER
    return Reason.EMPTY_FOLDER
