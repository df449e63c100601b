"""When a model is too unsure of a program for it to be run, and what the user is offered instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.calls import TOOL_NAMES
from agent.phrases import phrase
from tools.errors import ModelError
from tools.records import ImageRecord, ImageStatus, Language, Verdict

__all__ = [
    "CHANGING",
    "FILE",
    "Abstention",
    "Unsure",
    "changes",
    "chosen",
    "offer",
    "only_reports",
    "read_abstention",
    "sure_of",
    "works",
]

FILE = "abstention.json"
"""Where a checkpoint keeps its thresholds, beside its weights."""

CHANGING = frozenset({"decide", "keep_good", "write_report"})
"""Tools that change something; a program that names one needs a model that is surer.

So does one that inspects by another threshold, as verdicts follow it, and one that does more with `inspect`
than call it by its name: by which threshold is not to be seen there.
"""

_TOOLS = frozenset(TOOL_NAMES)
_NEVER = -100.0  # less sure than any program
_ID = re.compile(r"img_(\d+)")
_NUMBER = re.compile(r"\d+")
# Where the name of a lot begins and ends; Korean particles follow it directly.
_BEGINS, _ENDS = r"(?<![a-z0-9])(?<![a-z0-9][-_/.])", r"(?![a-z0-9]|[-_/.][a-z0-9])"
_WITHOUT_NUMBER = re.compile(r"\b(?:first|last|final)\b|첫|마지막|맨 ?[앞뒤끝]", re.I)
_RANGE = re.compile(
    r"\d\s*번?\s*(?:-|~|–|\.\.|(?:up\s|on\s)?to|through|thru|till?|until|부터|에서부터|에서 시작해|에서|이후)"
    r"\s*(?:img|image|no\.?|#)?[ _-]?\d|\beverything between\b",
    re.I,
)

LogProbability = Annotated[float, Field(le=0.0)]


class Abstention(BaseModel):
    """How sure of a program a model must be, at least, for the program to be run, and how much it can read.

    Attributes:
        looking: Of one that only looks: a log-probability, as `Reply.sureness` has it.
        changing: Of one that names a tool of `CHANGING`.
        reporting: Of one that names none of these but `write_report`; as `changing` when None.
        turns: Finished turns that it is shown: more would mislead it; None for as many as there is room for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    looking: LogProbability
    changing: LogProbability
    reporting: LogProbability | None = None
    turns: int | None = Field(default=None, ge=0)

    def least(self, code: str) -> float:
        """Returns the threshold that holds for a program."""
        if not changes(code):
            return self.looking
        limit = self.changing if self.reporting is None or not only_reports(code) else self.reporting
        return max(self.looking, limit)

    def counts_alone(self, code: str, sureness: float, first: float) -> bool:
        """Whether what a model makes of a request alone counts, and not what it made of it after other turns.

        Only a program that uses a tool does: who says "reject it" does not want to be asked which one. It
        counts where the model is sure, or sure enough to ask about it, as it was not of the first one.

        Args:
            code: The second program.
            sureness: Of it.
            first: Sureness of the first one, which was not enough.
        """
        return works(code) and (sureness >= self.least(code) or sureness >= self.looking > first)


class Unsure(Exception):
    """A model was not sure enough of its program, which was not run.

    Args:
        step: Of the turn; those before it ran.
        code: The program.
        thought: What was written before it.
        sureness: Of the program.
        least: What it should have been at least.
        is_likely: Whether the model was sure enough of it to ask whether that is what was meant.
    """

    def __init__(
        self,
        step: int,
        code: str = "",
        thought: str = "",
        sureness: float = _NEVER,
        least: float = 0.0,
        *,
        is_likely: bool = False,
    ) -> None:
        super().__init__(f"not sure enough of the program of step {step}")
        self.step, self.code, self.thought = step, code, thought
        self.sureness, self.least, self.is_likely = sureness, least, is_likely


def chosen(given: Abstention | None, measured: Abstention | None) -> Abstention | None:
    """Returns how sure a model must be: what was set for a session, else what was measured of the model."""
    if given and measured and given.turns is None:
        return given.model_copy(update={"turns": measured.turns})
    return given or measured


def changes(code: str) -> bool:
    """Whether a program may change something; one that cannot be read will not run."""
    tree = _tree(code)
    return tree is not None and (bool(_names(tree) & CHANGING) or _may_set_threshold(tree))


def only_reports(code: str) -> bool:
    """Whether a program writes a report and changes nothing else."""
    tree = _tree(code)
    return tree is not None and _names(tree) & CHANGING == {"write_report"} and not _may_set_threshold(tree)


def works(code: str) -> bool:
    """Whether a program uses a tool, besides saying something or declining."""
    tree = _tree(code)
    return tree is not None and bool(_names(tree) & _TOOLS)


def _tree(code: str) -> ast.Module | None:
    """The program, or None where it cannot be read."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _may_set_threshold(tree: ast.Module) -> bool:
    """Whether a program does more with `inspect` than call it, by its name, without a threshold."""
    plain = {id(call.func) for call in ast.walk(tree) if isinstance(call, ast.Call) and _is_plain(call)}
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "inspect")
    return any(id(node) not in plain for node in named)


def _is_plain(call: ast.Call) -> bool:
    """Whether a call spells out all that it gives, and no threshold."""
    is_starred = any(isinstance(given, ast.Starred) for given in call.args)
    has_others = any(given.arg in ("threshold", None) for given in call.keywords)
    return len(call.args) < 2 and not is_starred and not has_others


def sure_of(code: str, sureness: float | None, request: str, earlier: Sequence[str]) -> float | None:
    """How sure a model is of a program that came of a request.

    A small model sometimes copies an id or a lot wrongly, and surely so; a program that names an image or a
    lot that nobody named is therefore not sure at all.

    Args:
        code: The program.
        sureness: As `Reply.sureness` has it; None where unknown, which it stays.
        request: What the user said.
        earlier: What was said and seen before.
    """
    return _NEVER if sureness is not None and any(_strangers(code, request, earlier)) else sureness


def _strangers(code: str, request: str, earlier: Sequence[str]) -> Iterator[str]:
    """The ids and lots in a program that stand neither in the request nor in what came before."""
    if (tree := _tree(code)) is None:
        return
    for lot in _lots(tree):
        whole = re.compile(_BEGINS + re.escape(lot) + _ENDS, re.I)
        if lot and not any(whole.search(said) for said in (request, *earlier)):
            yield lot
    numbers = {int(number) for number in _NUMBER.findall(request)}
    if _WITHOUT_NUMBER.search(request) or not (numbers or changes(code)):
        return  # to look at, it may be any image: "the worst", "that one"
    if _RANGE.search(request):
        numbers |= {*range(min(numbers), min(max(numbers), min(numbers) + 1000))}
    numbers |= {int(number) for said in earlier for number in _NUMBER.findall(said)}
    named = [_ID.fullmatch(str(given.value)) for given in ast.walk(tree) if isinstance(given, ast.Constant)]
    yield from (match[0] for match in named if match and int(match[1]) not in numbers)
    # An image may be given as a number too: decide(8, ...).
    firsts = [call.args[0] for call in _calls_of(tree, CHANGING - {"write_report"}) if call.args]
    given = [each.value for each in firsts if isinstance(each, ast.Constant) and type(each.value) is int]
    yield from (str(number) for number in given if number not in numbers)


def _lots(tree: ast.Module) -> Iterator[str]:
    """The lots that a program names: as `lot`, or as what a report takes first."""
    given = [each.value for each in ast.walk(tree) if isinstance(each, ast.keyword) and each.arg == "lot"]
    given += [call.args[0] for call in _calls_of(tree, {"write_report"}) if call.args]
    yield from (str(each.value) for each in given if isinstance(each, ast.Constant))


def _calls_of(tree: ast.Module, names: Container[str]) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]


def read_abstention(folder: Path) -> Abstention | None:
    """Reads the thresholds of a checkpoint; most have none.

    Raises:
        ModelError: There are some, but damaged ones.
    """
    path = folder / FILE
    try:
        return Abstention.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ModelError(
            f"`{path}` does not hold the thresholds of a model ({type(error).__name__}).",
            "Calibrate it again, or delete the file.",
        ) from error


def offer(
    unsure: Unsure,
    records: Sequence[ImageRecord],
    verdicts: Mapping[str, Verdict],
    language: Language,
    *,
    has_report: bool,
    meant: str = "",
) -> str:
    """Says that a request was not understood, with three that make sense now, or what was meant and two.

    Args:
        unsure: Where the turn ended.
        records: Of the batch.
        verdicts: Of the images that have one.
        language: Of the user.
        has_report: Whether a report was written already.
        meant: The request that it may have been; empty where that is not known.
    """
    ids = [record.id for record in records if record.status is ImageStatus.READABLE]
    if meant:
        others = [each for each in _requests(ids, verdicts, language, has_report) if each != meant][:2]
        return phrase("did_you_mean", language, meant=meant, offers="; ".join(others))
    key = "not_understood" if unsure.step == 1 else "not_sure"
    return phrase(key, language, offers="; ".join(_requests(ids, verdicts, language, has_report)))


def _requests(
    ids: Sequence[str], verdicts: Mapping[str, Verdict], language: Language, has_report: bool
) -> list[str]:
    doubtful = [each for each in ids if verdicts.get(each, Verdict.ACCEPT) is not Verdict.ACCEPT]
    image = (doubtful or [*ids, ""])[0]
    if not verdicts:
        keys = ["ask_inspect", "ask_screen", "ask_look"]
    else:
        keys = ["ask_measure" if doubtful else "ask_look", "ask_verdicts" if has_report else "ask_report"]
        keys.append("ask_look" if doubtful else "ask_inspect" if has_report else "ask_verdicts")
    return [phrase(key, language, image=image) for key in keys]
