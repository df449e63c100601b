"""What a program that was not run would have done, as a request to which a user can say yes."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence

from agent.calls import TOOL_NAMES
from agent.phrases import phrase
from tools.glossary import with_particle
from tools.records import Language, Verdict

__all__ = ["agrees", "meaning"]

_NO_TOOLS = frozenset({*dir(builtins), "final_answer"})
_ABOUT_IMAGES = frozenset({"compare", "describe", "inspect", "locate", "measure", "screen", "search"})
_VERDICTS = frozenset(verdict.value for verdict in Verdict)
_YES = re.compile(
    r"(?:y|yes|yep|yeah|yup|sure|right|correct|exactly|ok|okay|please|please do|do it|go ahead"
    r"|네|넵|넹|예|응|어|그래|ㅇㅇ|ㅇㅋ|맞아요?|맞습니다|좋아요?|오케이|그렇게 해 ?줘|부탁해요?|부탁드립니다"
    r"|[\s,.!~])+",
    re.IGNORECASE,
)

Given = str | list[str]


class _Unsaid(Exception):
    """A program does what no short request says."""


def agrees(text: str) -> bool:
    """Whether a user says yes, and nothing else."""
    return bool(_YES.fullmatch(text)) and any(letter.isalpha() for letter in text)


def meaning(code: str, language: Language) -> str:
    """Returns a request that a program would answer; empty where no short one says all that it does.

    Args:
        code: The program.
        language: Of the user.
    """
    try:
        wishes = [_wish(call, given, language) for call, given in _calls(ast.parse(code))]
    except (SyntaxError, ValueError, RecursionError, MemoryError, _Unsaid):
        return ""
    return phrase("then", language).join(wishes) if len(wishes) <= 2 else ""


def _calls(tree: ast.Module) -> Iterator[tuple[str, dict[str, Given]]]:
    """Yields the tools that a program calls, one after the other, with what each is given."""
    plain = {id(call): names for statement in tree.body for call, names in _plain_calls(statement)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {id(call.func) for call in calls}
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in TOOL_NAMES)
    if any(id(node) not in called for node in named):  # passed on, as in map(decide, ...)
        raise _Unsaid
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name) and node.func.id not in _NO_TOOLS:
            if id(node) not in plain:
                raise _Unsaid
            given = {str(place): _value(each, plain[id(node)]) for place, each in enumerate(node.args)}
            given |= {str(each.arg): _value(each.value, plain[id(node)]) for each in node.keywords}
            yield node.func.id, given


def _plain_calls(statement: ast.stmt) -> Iterator[tuple[ast.Call, Mapping[str, Given]]]:
    """Yields the calls whose results a statement keeps as they are, with the names that stand for ids."""
    value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
    value = value.value if isinstance(value, ast.Subscript) else value
    names: dict[str, Given] = {}
    if isinstance(value, ast.ListComp) and len(value.generators) == 1:
        [each] = value.generators
        if isinstance(each.target, ast.Name) and isinstance(each.iter, ast.List) and not each.ifs:
            names[each.target.id] = _value(each.iter, {})
        value = value.elt
    for call in value.elts if isinstance(value, ast.List) else [value]:
        if isinstance(call, ast.Call):
            yield call, names


def _value(node: ast.expr, names: Mapping[str, Given]) -> Given:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return str(node.value)
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.List):
        return [each for part in node.elts if isinstance(each := _value(part, names), str)]
    raise _Unsaid


def _wish(tool: str, given: Mapping[str, Given], language: Language) -> str:
    """Says one call as a request."""
    verdict = given.get("1")
    if tool == "decide" and "0" in given and isinstance(verdict, str) and verdict in _VERDICTS:
        return phrase(f"do_{verdict}", language, ids=_ids(given["0"], language))
    if tool == "keep_good" and (ids := given.get("ids", given.get("0"))):
        return phrase("do_keep_good", language, ids=_ids(ids, language))
    if tool == "write_report" and given.keys() <= {"lot", "ids", "language"}:
        return _report(given, language)
    if tool == "inspect" and not given:
        return phrase("ask_inspect", language)
    threshold = given.get("threshold")
    if tool == "inspect" and given.keys() == {"threshold"} and isinstance(threshold, str):
        said = with_particle(threshold, "으로/로") if language is Language.KO else threshold
        return phrase("do_inspect_by", language, threshold=said)
    if tool in _ABOUT_IMAGES and (ids := _named(given, language)):
        return phrase(f"do_{tool}", language, ids=_ids(ids, language))
    raise _Unsaid


def _named(given: Mapping[str, Given], language: Language) -> list[str]:
    """The images that a tool is to look at, where nothing else is asked of it; else none."""
    about = {key: each for key, each in given.items() if (key, each) != ("language", language.value)}
    if not about.keys() <= {"0", "1", "ids", "id", "other", "like"}:
        return []
    return [each for named in about.values() for each in ([named] if isinstance(named, str) else named)]


def _report(given: Mapping[str, Given], language: Language) -> str:
    other = given.get("language", Language.EN.value) != language.value
    key = f"do_report{'_ids' if 'ids' in given else ''}{'_other' if other else ''}"
    said = phrase(key, language, ids=_ids(given.get("ids", ""), language))
    return said + (phrase("of_lot", language, lot=given["lot"]) if "lot" in given else "")


def _ids(given: Given, language: Language) -> str:
    several: Sequence[str] = [given] if isinstance(given, str) else given
    if language is Language.KO or len(several) < 2:
        return ", ".join(several)
    return f"{', '.join(several[:-1])} and {several[-1]}"
