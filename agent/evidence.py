"""The gate before an answer: its ids exist, its numbers come from results, its verdicts are the session's.

A number is traced in one of two ways. Either it stands in what a tool returned, a program printed or the user
said; or the program computed it, which is so when it is nowhere in the program's own text. A number that the
model wrote down by itself and that no result holds is not evidence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from tools.records import Verdict

__all__ = ["Evidence"]

_ID = re.compile(r"(?<![A-Za-z0-9])img_\d+(?!\d)")
# A number by itself or before a unit (12.3mm, 80 %, 3장); not inside a code such as A-17 or 4x4.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.#-])[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?!\d)(\s*%)?")
_CLAUSES = re.compile(r"[;,\n]|[.!?](?=\s|$)|\band\b|\bbut\b|그리고|하지만|이고|이며")
_LISTED = re.compile(r"(img_\d+)\s*(?:,?\s*(?:\band\b|그리고|및)|[,&]|와|과|하고|이랑|랑)\s*(?=img_\d)")
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|isn't|wasn't|un\w+ed|cannot|if|would|should|could|can|may|undecided)\b|아니|않|없",
    re.IGNORECASE,
)
# The longest first: 불합격 holds 합격.
_VERDICT_WORDS = (
    (Verdict.REJECT, re.compile(r"\breject(?:ed|s|ion)?\b|불합격|불량", re.IGNORECASE)),
    (Verdict.REVIEW, re.compile(r"\breview(?:ed)?\b|재검토|보류", re.IGNORECASE)),
    (Verdict.ACCEPT, re.compile(r"\baccept(?:ed|s)?\b|\bpass(?:ed|es)?\b|(?<!불)합격|양품", re.IGNORECASE)),
)
_WHOLE_BATCH = re.compile(
    r"\b(?:all|every) (?:the |of the )?(?:images?|parts?|pictures?|photos?|pieces?)\b"
    r"(?! (?:that|which|with|of)\b)"
    r"|\beverything\b|(?:모든|전체) ?(?:이미지|사진|부품|제품)(?! ?중)",
    re.IGNORECASE,
)
_REPORT_WRITTEN = re.compile(
    r"\breport\b.*\b(?:written|created|generated|saved|made|exported)\b"
    r"|\b(?:wrote|created|generated|saved|made|exported)\b.*\breport\b"
    r"|보고서.*(?:만들었|만들어졌|작성했|작성되었|생성했|생성되었|저장했|저장되었|완료)",
    re.IGNORECASE,
)
_MOST_NUMBERS = 200_000


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
        self._words: set[str] = set()
        self._has_report = False

    def take(self, result: JsonValue, arguments: Mapping[str, JsonValue] | None = None) -> None:
        """Takes what a tool returned.

        Args:
            result: Of the tool.
            arguments: What it was given: text that comes back as it went in proves nothing.
        """
        self._has_report |= isinstance(result, dict) and "report" in result
        echoes = [given for given in (arguments or {}).values() if isinstance(given, str) and given]
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
        codes = (code for code in re.findall(r"\S*\d\S*", text) if not _NUMBER.fullmatch(code))
        self._words.update(code for code in codes if code not in program)
        for _, value, _ in _numbers(text):
            if value not in written:
                self._add(value)

    def problems(self, answer: str, programs: Sequence[str]) -> tuple[str, ...]:
        """Returns what in an answer is not backed, a sentence each; nothing where all is.

        Args:
            answer: As the user would read it.
            programs: The code of the turn's steps.
        """
        return (
            *self._unknown_ids(answer),
            *self._untraced(answer, programs),
            *self._contradicted(answer),
            *self._undone(answer),
        )

    def _add(self, value: float) -> None:
        if len(self._numbers) < _MOST_NUMBERS:
            self._numbers.add(float(value))

    def _unknown_ids(self, answer: str) -> Iterator[str]:
        for image_id in dict.fromkeys(_ID.findall(answer)):
            if image_id not in self._ids:
                yield f"there is no image {image_id} in this batch"

    def _untraced(self, answer: str, programs: Sequence[str]) -> Iterator[str]:
        text = _ID.sub(" ", answer)
        for word in sorted(self._words, key=len, reverse=True):
            if word in text:
                text = re.sub(rf"(?<![\w.,]){re.escape(word)}(?![A-Za-z0-9])", " ", text)
        written = _written_numbers(programs)
        for shown, value, step in _numbers(text):
            if not _is_near(value, step, self._numbers) and _is_near(value, step / 10, written):
                yield f"the number {shown} is in no result; state only what the tools returned"

    def _contradicted(self, answer: str) -> Iterator[str]:
        verdicts = self._verdicts()
        for clause in _CLAUSES.split(_LISTED.sub(r"\1 ", answer)):
            ids = [image_id for image_id in _ID.findall(clause) if image_id in self._ids]
            claimed = [verdict for verdict, words in _VERDICT_WORDS if words.search(clause)]
            if len(claimed) != 1 or _NEGATIONS.search(clause):
                continue
            if not ids and _WHOLE_BATCH.search(clause):
                others = [each for each in sorted(self._ids) if verdicts.get(each) is not claimed[0]]
                if others:
                    yield f"{others[0]} is {verdicts.get(others[0]) or 'undecided'}, not all are {claimed[0]}"
            for image_id in ids:
                known = verdicts.get(image_id)
                if known is None:
                    yield f"{image_id} has no verdict yet, but the answer says {claimed[0]}"
                elif known is not claimed[0]:
                    yield f"the verdict of {image_id} is {known}, but the answer says {claimed[0]}"

    def _undone(self, answer: str) -> Iterator[str]:
        for clause in _CLAUSES.split(answer):
            if _REPORT_WRITTEN.search(clause) and not self._has_report and not _NEGATIONS.search(clause):
                yield "no report has been written in this session"


def _scalars(value: JsonValue) -> Iterator[str | float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _scalars(each)
    elif isinstance(value, list):
        yield float(len(value))
        for each in value:
            yield from _scalars(each)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _numbers(text: str) -> Iterator[tuple[str, float, float]]:
    """Yields each number as written, its value and the size of its last digit; 80 % is also 0.8."""
    for match in _NUMBER.finditer(text):
        digits = match.group().replace(",", "").replace("−", "-").rstrip("% \t")
        decimals = len(digits.partition(".")[2])
        scale = 0.01 if match.group(1) else 1.0
        yield match.group().strip(), float(digits) * scale, 10.0**-decimals * scale


def _is_near(value: float, step: float, known: Iterable[float]) -> bool:
    """Returns whether a value, given to a last digit of size `step`, is one of those known, rounded."""
    slack = 0.5 * step + 1e-9
    return any(
        abs(value - each) <= slack or abs(abs(value) * 100 - abs(each)) <= slack * 100 for each in known
    )


def _written_numbers(programs: Sequence[str]) -> set[float]:
    """The numbers that stand in the programs' own text, inside strings too."""
    found: set[float] = set()
    for program in programs:
        try:
            constants = [
                node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)
            ]
        except SyntaxError:
            constants = [program]
        for constant in constants:
            if isinstance(constant, str):
                found.update(value for _, value, _ in _numbers(_ID.sub(" ", constant)))
            elif isinstance(constant, int | float) and not isinstance(constant, bool):
                found.add(float(constant))
    return found
