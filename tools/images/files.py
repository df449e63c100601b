"""Finds the photographs that a person means by files, folders, globs and list files, and names them."""

from __future__ import annotations

import difflib
import glob
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.errors import BatchError, ImageError
from tools.images.decoding import full_size_pages, open_regular
from tools.images.reasons import Reason, reason_of_folder

__all__ = [
    "SUFFIXES",
    "ImageSource",
    "discover",
    "finds",
    "folders_of",
    "from_root",
    "photographs_in",
    "printable_name",
    "unique_name",
]

# The last line is what people also have; it is taken so that it is reported instead of silently left out.
_RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng"})
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
    | {".heic", ".heif", ".avif", ".jp2", *_RAW}
)
_LIST_SUFFIX = ".txt"
_OWN_LOGS = frozenset({"inspections.jsonl", "session.jsonl"})  # of a run and of a session: what Loupe wrote


@dataclass(frozen=True)
class ImageSource:
    """Where one image of a batch lies.

    Attributes:
        path: The file, as the file system spells it.
        name: Path below the batch's root, NFC, safe to print, unique in the batch; `name#2` for page 2.
        page: 0-based page of the file.
    """

    path: Path
    name: str
    page: int = 0


def discover(inputs: Sequence[str | Path]) -> list[ImageSource]:
    """Finds the images in files, folders (with their subfolders), globs and list files, in that order.

    Within a folder the order is natural (`img2` before `img10`), files before subfolders. Folders and globs
    give what has an image's suffix and is not hidden, but no run folders of Loupe's own, which may lie among
    the photographs, nor a camera's raw data beside a picture of that name; what is named explicitly is always
    taken. A list file (`.txt`) holds one path per line, relative to itself. A file that is reached twice is
    taken once. Beside images, a folder that holds none stands for itself, to be told as unreadable.

    Raises:
        BatchError: A path does not exist, or there is no image in what was given.
    """
    if not inputs:
        raise BatchError("no images were given", "give files, folders, globs or a .txt list of paths")
    if any(isinstance(given, str) and not given.strip() for given in inputs):
        raise BatchError("the name of a file or folder is empty", "give one, or `.` for the current folder")
    paths: dict[Path, Path] = {}
    for given in inputs:
        for path in _expand(_as_path(given), allow_list=True):
            paths.setdefault(_absolute(path), path)
    if all(reason_of_folder(path) is Reason.EMPTY_FOLDER for path in paths.values()):
        empty = next(iter(paths.values()))
        raise BatchError(
            f"the folder {printable_name(str(empty))} holds no images",
            f"looked for {' '.join(sorted(SUFFIXES))} there and in its subfolders",
        )
    root = _root(inputs, paths)
    taken: set[str] = set()
    sources: list[ImageSource] = []
    for absolute, path in paths.items():
        # NFC and NFD twins can share a folder.
        name = unique_name(printable_name(str(absolute.relative_to(root)) if root else path.name), taken)
        sources += [
            ImageSource(path, f"{name}#{page + 1}" if page else name, page) for page in full_size_pages(path)
        ]
    return sources


def finds(given: str | Path) -> bool:
    """Returns whether something is there: a file or folder, or what a glob matches."""
    path = _as_path(given)
    return os.path.lexists(path) or (glob.has_magic(str(path)) and next(_matches(path), None) is not None)


def folders_of(inputs: Sequence[str | Path]) -> Iterator[Path]:
    """Yields the folders in which the photographs lie; of a folder only itself, without looking into it.

    Raises:
        BatchError: As `discover`.
    """
    for given in inputs:
        path = _as_path(given)
        if stat.S_ISDIR(_mode(path)):
            yield path
        else:
            yield from dict.fromkeys(found.parent for found in _expand(path, allow_list=True))


def photographs_in(folder: Path) -> list[Path]:
    """Returns the images in a folder and its subfolders, found and ordered as in `discover`; perhaps none.

    Raises:
        BatchError: The folder cannot be opened.
    """
    return _photographs(_walk(folder))


def printable_name(name: str) -> str:
    r"""Returns a file name in NFC with `/` between folders; what cannot be printed is escaped (`\n`, `\xff`).

    Bytes that are no UTF-8 arrive from the file system as lone surrogates (PEP 383) and leave as `\xNN`;
    invisible signs such as a right-to-left override, which make a name look like another, as `\uNNNN`.
    """
    nfc = unicodedata.normalize("NFC", name.replace(os.sep, "/"))
    return "".join(_escaped(sign) for sign in nfc)


def _escaped(sign: str) -> str:
    if "\udc80" <= sign <= "\udcff":
        return f"\\x{ord(sign) - 0xDC00:02x}"
    hidden = unicodedata.category(sign)[0] == "C" or unicodedata.category(sign) in {"Zl", "Zp"}
    return sign.encode("unicode_escape").decode("ascii") if hidden else sign


def unique_name(name: str, taken: set[str]) -> str:
    """Returns the name, with ` (2)` and so on where it is taken, and takes it."""
    candidate, count = name, 1
    while candidate in taken:
        count += 1
        candidate = f"{name} ({count})"
    taken.add(candidate)
    return candidate


def _root(inputs: Sequence[str | Path], absolute_paths: Iterable[Path]) -> Path | None:
    """Returns the folder that names start from: the one given, else the deepest that holds all images."""
    only = _as_path(inputs[0])
    if len(inputs) == 1 and stat.S_ISDIR(_mode(only)):
        return _absolute(only)
    try:
        return Path(os.path.commonpath([path.parent for path in absolute_paths]))
    except ValueError:  # on different drives of Windows
        return None


def _as_path(given: str | Path, folder: Path | None = None) -> Path:
    """Returns the path, its home folder expanded, in the Unicode form in which the file system has it."""
    path = Path(given)
    path = path.expanduser() if path.parts[:1] == ("~",) else (folder or Path()) / path
    forms = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((form for form in forms if os.path.lexists(form)), path)


def from_root(given: str | Path) -> Path:
    """Returns a path as people give it from the root, so that it means the same from any folder."""
    return _absolute(_as_path(given))


def _absolute(path: Path) -> Path:
    """Returns the path from the root without `..`; links stay links: their names are what people know."""
    return Path(os.path.normpath(path.absolute()))


def _mode(path: Path) -> int:
    """Returns the type bits of what lies at a path, links followed; 0 where it cannot be examined."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # a name with a NUL is a ValueError
        return 0


def _expand(path: Path, *, allow_list: bool) -> Iterator[Path]:
    """Yields the files that one input stands for."""
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        yield from _in_folder(path)
    elif allow_list and path.suffix.lower() == _LIST_SUFFIX and stat.S_ISREG(mode):
        yield from _in_list(path)
    elif os.path.lexists(path):
        yield path
    elif glob.has_magic(str(path)):
        yield from _in_glob(path)
    else:
        raise BatchError(f"{printable_name(str(path))} does not exist", _nearest(path))


def _in_folder(folder: Path) -> Iterator[Path]:
    yield from photographs_in(folder) or [folder]  # an empty one becomes an unreadable row of the batch


def _in_glob(pattern: Path) -> Iterator[Path]:
    files = _photographs(_matches(pattern))
    if not files:
        raise BatchError(f"no image matches {printable_name(str(pattern))}", _nearest(pattern))
    yield from files


def _matches(pattern: Path) -> Iterator[Path]:
    """Yields the images that a glob matches, and those in the folders that it matches."""
    suffixes = SUFFIXES | {pattern.suffix.lower()}
    if "**" in pattern.parts:  # walked here: the library's `**` runs in circles where links do
        depth = pattern.parts.index("**")
        tail = Path(*pattern.parts[depth + 1 :])
        for top in _globbed(Path(*pattern.parts[:depth])):
            found = _walk(top, suffixes) if stat.S_ISDIR(_mode(top)) else iter(())
            yield from (file for file in found if not tail.parts or file.match(str(tail)))
        return
    for match in _globbed(pattern):
        if stat.S_ISDIR(_mode(match)):
            yield from _walk(match)
        elif match.suffix.lower() in suffixes:
            yield match


def _globbed(pattern: Path) -> list[Path]:
    return sorted(map(Path, glob.glob(str(pattern))), key=_natural)  # noqa: PTH207 (Path.glob: relative only)


def _in_list(list_file: Path) -> Iterator[Path]:
    try:
        with open_regular(list_file) as file:
            content = file.read()
    except (OSError, ImageError) as error:
        raise BatchError(f"{printable_name(str(list_file))} cannot be read", str(error)) from error
    # PowerShell's `dir > list.txt` writes UTF-16; file names of any bytes survive as surrogates.
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if utf_16 else "utf-8-sig", "replace" if utf_16 else "surrogateescape")
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise BatchError(f"the list {printable_name(str(list_file))} is empty", "write one path per line")
    for number, line in lines:
        try:
            yield from _expand(_as_path(line, list_file.parent), allow_list=False)
        except BatchError as error:
            place = f"{printable_name(str(list_file))}, line {number}"
            raise BatchError(f"{place}: {error.message}", error.hint) from error


def _walk(top: Path, suffixes: frozenset[str] = SUFFIXES) -> Iterator[Path]:
    """Yields the images below a folder; each folder is visited once, so that loops of links end."""
    visited: set[tuple[int, int]] = set()
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            status = folder.stat()
            entries = sorted(folder.iterdir(), key=_natural)
        except OSError as error:
            if folder == top:
                name = printable_name(str(folder))
                raise BatchError(f"the folder {name} cannot be opened", error.strerror or "") from error
            yield folder  # becomes an unreadable row instead of vanishing from the batch
            continue
        if (status.st_dev, status.st_ino) in visited:
            continue
        if folder != top and any(entry.name in _OWN_LOGS for entry in entries):
            continue  # its overlays are no photographs
        visited.add((status.st_dev, status.st_ino))
        shown = [(entry, _mode(entry)) for entry in entries if not entry.name.startswith(".")]
        # Mode 0 is a broken link or a file that cannot be examined: it becomes an unreadable row as well.
        yield from (
            entry
            for entry, mode in shown
            if entry.suffix.lower() in suffixes and (mode == 0 or stat.S_ISREG(mode))
        )
        folders += [entry for entry, mode in reversed(shown) if stat.S_ISDIR(mode)]


def _photographs(files: Iterable[Path]) -> list[Path]:
    """Leaves out raw data beside the picture that is looked at: cameras write both of one photograph."""
    found = list(files)
    pictures = {path.with_suffix("") for path in found if path.suffix.lower() in SUFFIXES - _RAW}
    return [path for path in found if path.suffix.lower() not in _RAW or path.with_suffix("") not in pictures]


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Sorts as people count, `img2` before `img10`, without regard to case or Unicode form."""
    folded = unicodedata.normalize("NFC", str(path)).casefold()
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", folded)], str(path)


def _nearest(path: Path) -> str:
    """Suggests the existing path that a mistyped one may have meant."""
    missing = _absolute(path)
    while not stat.S_ISDIR(_mode(missing.parent)) and missing != missing.parent:
        missing = missing.parent
    try:
        siblings = {entry.name.casefold(): entry for entry in missing.parent.iterdir()}
    except OSError:
        siblings = {}
    close = difflib.get_close_matches(missing.name.casefold(), siblings, n=1, cutoff=0.6)
    if close:
        return f"did you mean {printable_name(str(siblings[close[0]]))}?"
    return f"nothing in {printable_name(str(missing.parent))} has such a name"
