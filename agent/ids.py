"""Which images a program means: ids as models and people write them, resolved only where that is certain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from tools.errors import UsageError
from tools.records import ImageRecord

__all__ = ["ImageIds"]

_NUMBERED = re.compile(r"(?:(?:img|image)[\s_-]*|#)?0*(\d{1,9})")
_FINDING = re.compile(r"(img_\d+)-c?\d+", re.IGNORECASE)
_LONGEST_QUOTE = 60


class ImageIds:
    """Resolves what stands for an image of a batch.

    `img_003`, `IMG_3`, `img 3`, `3`, the number 3, a finding's id `img_003-1`, a file's name with or without
    folder and suffix, and a row of a tool with an `id` all stand for `img_003`.

    Args:
        records: The batch's images, in order.
    """

    def __init__(self, records: Sequence[ImageRecord]) -> None:
        self._ids = [record.id for record in records]
        self._known = frozenset(self._ids)
        self._by_name: dict[str, list[str]] = {}
        for record in records:
            path = PurePosixPath(_folded(record.name))
            for name in dict.fromkeys((str(path), path.name, path.stem)):
                self._by_name.setdefault(name, []).append(record.id)

    def one(self, value: object) -> str:
        """Returns the id of the image that a value stands for.

        Raises:
            UsageError: It stands for none, or for several; the hint names valid ids.
        """
        if isinstance(value, Mapping):
            value = value.get("id", value)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise UsageError(
                f"an image id is text such as {self._ids[0]!r}, not {_quoted(value)}", self._hint
            )
        if value in self._known:
            return value
        matches = self._matches(_folded(value))
        if len(matches) == 1:
            return matches[0]
        if matches:
            some = ", ".join(matches[:5])
            raise UsageError(f"{_quoted(value)} may mean any of {some}", "say which one by its id")
        raise UsageError(f"unknown image id {_quoted(value)}", self._hint)

    def many(self, values: object) -> list[str]:
        """Returns the ids that one value, several, or None (all) stand for, each once; raises as `one`."""
        if values is None:
            return list(self._ids)
        if isinstance(values, str | int | Mapping):
            return [self.one(values)]
        if isinstance(values, Iterable):
            return list(dict.fromkeys(self.one(value) for value in values))
        raise UsageError(f"ids are one id, a list of ids or None for all, not {_quoted(values)}", self._hint)

    def _matches(self, value: str) -> list[str]:
        found = list(self._by_name.get(value, ()))
        if finding := _FINDING.fullmatch(value):
            value = finding.group(1)
        numbered = _NUMBERED.fullmatch(value)
        if numbered and 1 <= int(numbered.group(1)) <= len(self._ids):
            found.append(self._ids[int(numbered.group(1)) - 1])
        return list(dict.fromkeys(found))

    @property
    def _hint(self) -> str:
        return (
            f"valid ids: {self._ids[0]} to {self._ids[-1]}"
            if len(self._ids) > 1
            else f"the only id: {self._ids[0]}"
        )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
