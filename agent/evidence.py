"""The gate before an answer: its ids exist, its numbers come from results, its verdicts are the session's.

A number is traced in one of two ways. Either it stands in what a tool returned, a program printed or the user
said; or the program computed it, which is so when it is nowhere in the program's own text. A number that the
model wrote down by itself and that no result holds is not evidence.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import JsonValue

from agent.claims import IMAGE_ID, report_claims, verdict_claims
from tools.records import Verdict

if TYPE_CHECKING:
    from tools.recipe import Recipe
    from tools.recipe.schema import Acceptance

__all__ = ["Evidence"]

_T = TypeVar("_T")
_FINDING_ID = re.compile(r"(?<![A-Za-z0-9])img_\d+-c?\d+(?!\d)")
# A number by itself or before a unit (12.3mm, 80 %, 3장); not inside a code such as A-17, 4x4 or img_003-1.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.#-])([-−]?\d+(?:,\d{3})*(?:\.\d+)?)(?!\d)"
    r"(\s*(?:%|per ?cent\b|퍼센트|프로(?!그램|젝트|필|세스)))?",
    re.IGNORECASE,
)
_SIZE_UNIT = re.compile(r"\s*(?:mm|px|㎜|밀리|픽셀)", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:image|img|picture|photo|part|sheet|no\.?) (\d{1,6})\b|\b(\d{1,6}) ?번", re.IGNORECASE
)
_ANY_ID = re.compile(r"img_\d+(?:-c?\d+)?")
_LIST_MARK = re.compile(r"(?m)^[ \t]*(\d{1,3})[.)](?=[ \t])")
_CODE = re.compile(r"[A-Za-z0-9](?:\S*[A-Za-z0-9])?")
_TAKEN_OUT = "_"  # no number begins or ends beside it
_COUNTED = ("id", "type", "verdict", "status", "label")  # who reads rows may count how many say the same
_MOST_KNOWN = 200_000  # numbers, codes or findings
_MOST_PROBLEMS = 20


class Evidence:
    """What a session knows, against which an answer is checked.

    Args:
        ids: Image ids of the batch.
        verdicts: Returns the verdict of each image that has one.
    """

    def __init__(
        self,
        ids: Iterable[str],
        verdicts: Callable[[], Mapping[str, Verdict]],
    ) -> None:
        self._ids = frozenset(ids)
        self._verdicts = verdicts
        self._numbers = {float(len(self._ids))}
        self._quotable: dict[bool, tuple[float, ...]] = {}
        self._codes: set[str] = set()
        self._findings: set[str] = set()
        self._has_report = False

    def quote(self, recipe: Recipe) -> None:
        """Takes what may be quoted without a tool: the recipe's limits on sizes, and its thresholds.

        How many findings it allows is no evidence of how many there are.
        """
        zones = (accept for zone in recipe.zones for accept in zone.accept.values())
        accepts = [*(defect.accept for defect in recipe.defects.values()), *zones]
        accepts += [recipe.references.accept] if recipe.references.accept else []
        sizes = (limit for accept in accepts for limit in _size_limits(accept))
        screening, localization = recipe.screening, recipe.localization
        thresholds = (
            screening.threshold,
            screening.review_band,
            localization.confidence,
            localization.review_confidence,
        )
        self._quotable = {True: tuple(sorted(sizes)), False: tuple(sorted(thresholds))}  # a size has a unit

    def take(self, result: JsonValue, arguments: Mapping[str, JsonValue] | None = None) -> None:
        """Takes what a tool returned.

        Args:
            result: Of the tool.
            arguments: What it was given: text that comes back as it went in proves nothing.
        """
        self._has_report |= isinstance(result, dict) and "report" in result
        given = [value for value in (arguments or {}).values() if isinstance(value, str) and value]
        echoes = [text for text in given if not IMAGE_ID.fullmatch(text)]  # an id is part of others
        for value in _scalars(result):
            if not isinstance(value, str):
                self._add(value)
                continue
            for echo in echoes:
                value = value.replace(echo, " ")
            self.hear(value)

    def hear(self, text: str, program: str = "") -> None:
        """Takes what the user said or a program printed: its numbers and its codes.

        Args:
            text: What was said or printed.
            program: What printed it; the numbers in its own text are the model's words and prove nothing.
        """
        written = _written_numbers([program])
        codes = (code for code in _CODE.findall(text) if _is_code(code) and code not in program)
        _fill(self._codes, codes)
        _fill(self._findings, (each for each in _FINDING_ID.findall(text) if each not in program))
        for number in _numbers(text):
            if written.isdisjoint(number.values):
                _fill(self._numbers, number.values)

    def problems(self, answer: str, programs: Sequence[str]) -> tuple[str, ...]:
        """Returns what in an answer is not backed, a sentence each; nothing where all is.

        Args:
            answer: As the user would read it.
            programs: The code of the turn's steps.
        """
        found = chain(
            self._unknown_ids(answer),
            self._untraced(answer, programs),
            self._contradicted(answer),
            self._undone(answer),
        )
        return tuple(islice(found, _MOST_PROBLEMS))

    def _add(self, value: float) -> None:
        _fill(self._numbers, [float(value)])

    def _unknown_ids(self, answer: str) -> Iterator[str]:
        for image_id in dict.fromkeys(IMAGE_ID.findall(answer)):
            if image_id not in self._ids:
                yield f"there is no image {image_id} in this batch"
        for finding_id in dict.fromkeys(_FINDING_ID.findall(answer)):
            if finding_id not in self._findings and finding_id.partition("-")[0] in self._ids:
                yield f"there is no finding {finding_id}; name only those that the tools returned"

    def _untraced(self, answer: str, programs: Sequence[str]) -> Iterator[str]:
        text = _CODE.sub(lambda code: _TAKEN_OUT if code[0] in self._codes else code[0], _unnumbered(answer))
        text = _PLACE.sub(lambda place: _TAKEN_OUT if self._is_place(place) else place[0], text)
        verdicts = Counter(self._verdicts().values())
        known = sorted(self._numbers.union(float(verdicts[verdict]) for verdict in Verdict))
        written = sorted(_written_numbers(programs))
        for number in _numbers(text):
            is_known = number.is_among(known) or number.is_among(self._quotable.get(number.is_size, ()))
            if not is_known and number.is_among(written, exactness=0.1):
                yield f"the number {number.shown} is in no result; state only what the tools returned"

    def _is_place(self, place: re.Match[str]) -> bool:
        """Whether a number names an image by its place in the batch."""
        return 1 <= int(place[1] or place[2]) <= len(self._ids)

    def _contradicted(self, answer: str) -> Iterator[str]:
        verdicts, ids = self._verdicts(), sorted(self._ids)
        others = {v: next((i for i in ids if verdicts.get(i) is not v), None) for v in Verdict}
        for claimed, named in verdict_claims(answer, len(ids)):
            if not named and (other := others[claimed]):
                yield f"{other} is {verdicts.get(other) or 'undecided'}, not all are {claimed}"
            for image_id in (each for each in named if each in self._ids):
                known = verdicts.get(image_id)
                if known is None:
                    yield f"{image_id} has no verdict yet, but the answer says {claimed}"
                elif known is not claimed:
                    yield f"the verdict of {image_id} is {known}, but the answer says {claimed}"

    def _undone(self, answer: str) -> Iterator[str]:
        if not self._has_report:
            yield from ("no report has been written in this session" for _ in report_claims(answer))


class _Number(NamedTuple):
    """A number as written.

    Attributes:
        values: That it may stand for: 80 % is also 0.8.
        steps: Size of the last digit of each.
        is_size: Whether a unit of size follows it.
    """

    shown: str
    values: tuple[float, ...]
    steps: tuple[float, ...]
    is_size: bool

    def is_among(self, known: Sequence[float], exactness: float = 1.0) -> bool:
        """Whether it is one of those known, rounded.

        Args:
            known: Sorted.
            exactness: How much of its last digit counts.
        """
        for value, step in zip(self.values, self.steps, strict=True):
            slack = 0.5 * step * exactness + 1e-9
            place = bisect_left(known, value - slack)
            if place < len(known) and known[place] <= value + slack:
                return True
        return False


def _fill(known: set[_T], found: Iterable[_T]) -> None:
    """Adds what was found while there is room."""
    known.update(islice(found, max(_MOST_KNOWN - len(known), 0)))


def _size_limits(accept: Acceptance) -> Iterator[float]:
    yield from (limit for name, limit in accept if name != "max_count" and limit is not None)


def _is_code(word: str) -> bool:
    return any(letter.isdecimal() for letter in word) and not _NUMBER.fullmatch(word)


def _scalars(value: JsonValue) -> Iterator[str | float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _scalars(each)
    elif isinstance(value, list):
        if _is_countable(value):
            yield from (float(count) for count in (len(value), *_counts(value)))
        for each in value:
            yield from _scalars(each)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _is_countable(value: Sequence[JsonValue]) -> bool:
    """Whether how many there are says something of the batch: rows and ids, but no boxes or written files."""
    return all(
        isinstance(each, dict) or (isinstance(each, str) and _ANY_ID.fullmatch(each)) for each in value
    )


def _counts(rows: Sequence[JsonValue]) -> Iterator[int]:
    """Yields how many rows say the same."""
    for name in _COUNTED:
        said = Counter(str(row[name]) for row in rows if isinstance(row, dict) and name in row)
        yield from said.values()


def _unnumbered(answer: str) -> str:
    """Takes out the marks of a list whose items are numbered from 1: they count the answer's own lines."""
    expected = 1

    def mark(found: re.Match[str]) -> str:
        nonlocal expected
        number = int(found[1])
        if number not in {1, expected}:
            return found[0]
        expected = number + 1
        return _TAKEN_OUT

    return _LIST_MARK.sub(mark, answer)


def _numbers(text: str) -> Iterator[_Number]:
    """Yields each number of a text."""
    for match in _NUMBER.finditer(text):
        digits = match[1].replace(",", "").replace("−", "-")
        value, step = float(digits), 10.0 ** -len(digits.partition(".")[2])
        scales = (1.0, 0.01) if match[2] else (1.0,)
        values, steps = tuple(value * scale for scale in scales), tuple(step * scale for scale in scales)
        yield _Number(match[0].strip(), values, steps, bool(_SIZE_UNIT.match(text, match.end())))


def _written_numbers(programs: Sequence[str]) -> set[float]:
    """The numbers that stand in the programs' own text, inside strings too."""
    found: set[float] = set()
    for program in programs:
        try:
            constants = [
                node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)
            ]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            constants = [program]
        for constant in constants:
            if isinstance(constant, str):
                found.update(value for number in _numbers(constant) for value in number.values)
            elif isinstance(constant, int | float) and not isinstance(constant, bool):
                found.add(float(constant))
    return found
