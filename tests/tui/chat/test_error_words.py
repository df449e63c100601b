from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import count, product
from pathlib import Path

import pytest

import tools
from tests.tools.recipe.test_file import BROKEN
from tools import errors
from tools.images.reasons import Reason
from tools.recipe.file import load_recipe
from tools.records import Language
from tui.chat.error_words import ERROR_WORDS, known_parts, said

ROOT = Path(next(iter(tools.__path__))).parent
# What a user of the app never meets: training, evaluation, and what commands of the command line alone do.
ELSEWHERE = (
    "agent/forge/*",
    "agent/mcp_server.py",
    "agent/playbooks.py",
    "tools/forge/*",
    "tools/evaluation/*",
    "tools/measurement/*",
    "tools/pipeline/journal.py",
    "tools/recipe/scale.py",
    "tui/*.py",
)
TOLD = {name for name in errors.__all__ if name != "ExitCode"} | {"Note"}
# Texts that come from elsewhere: other errors, tables of their own, the system, the app's words.
FREE = re.compile(
    r"Reason[.(]|reason_of(_folder)?\(|\.reason$|error\.(hint|message|strerror)|str\(error\)|^error$|'\\n'\.join\("
    r"|self\._app\.words\(|failure\.|^\?missing\[-1\]$"
)
SYSTEM = {  # and what stands in a slot
    "recipe",
    "batch",
    "Permission denied",
    "No such file or directory",
    "Is a directory",
    "Not a directory",
    "File exists",
    "No space left on device",
    "Read-only file system",
    "a finite number",  # of pydantic
    "less than {limit}",
    "less than or equal to {limit}",
    "greater than {limit}",
    "greater than or equal to {limit}",
    "'{one}' or '{other}'",
}


@cache
def sources() -> dict[str, ast.Module]:
    found = {}
    for folder in ("agent", "tools", "reports", "tui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT)
            if not any(place.match(glob) or str(place).startswith(glob.rstrip("*")) for glob in ELSEWHERE):
                found[str(place)] = ast.parse(path.read_text("utf-8"))
    return found


def texts(node: ast.expr | None, module: ast.Module) -> Iterator[str]:
    """The texts that an expression may stand for, `{}` for what varies; `?` and its code where unknown."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(
                each.value if isinstance(each, ast.Constant) else "{}"  # type: ignore[misc]
                for each in values
            )
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts(body, module)
            yield from texts(orelse, module)
        case ast.Name(id=name) if values := list(assigned(name, module)):
            for value in values:
                yield from texts(value, module)
        case ast.Dict(values=values):
            for value in values:
                yield from texts(value, module)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, default]):
            yield from texts(ast.Name(id=name), module)
            yield from texts(default, module)
        case ast.Call(func=ast.Name(id=name)) | ast.Attribute(attr=name) if values := list(
            returned(name, module)
        ):
            for value in values:
                yield from texts(value, module)
        case _ if node is not None:
            yield f"?{ast.unparse(node)}"


def assigned(name: str, module: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                yield value


def returned(name: str, module: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            yield from (each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value)


def told() -> Iterator[tuple[str, str]]:
    """Each text that is raised, noted or said of an answer, with the place where that is done."""
    for place, module in sources().items():
        for node in ast.walk(module):
            match node:
                case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in TOLD:
                    given = [*args, *(each.value for each in keywords)]
                case ast.Yield(value=ast.JoinedStr() | ast.Constant() as value) if "evidence" in place:
                    given = [value]
                case _:
                    continue
            for text in (text for each in given for text in texts(each, module)):
                for line in text.split("\n"):
                    yield f"{place}:{node.lineno}", line


def plain(text: str) -> str:
    """A text with its slots nameless, and those that follow each other as one."""
    return re.sub(r"(\{\})+", "{}", re.sub(r"\{\w+\}", "{}", text))


def test_every_error_of_the_app_has_its_korean() -> None:
    known = {plain(english) for english in ERROR_WORDS} | {"{}: {}", "{}", ""}
    forgotten = [
        f"{place}: {text}"
        for place, text in told()
        if (not FREE.search(text) if text.startswith("?") else plain(text) not in known)
    ]
    assert forgotten == []


def test_no_korean_is_kept_for_an_error_that_is_gone() -> None:
    constants = "\n".join(
        "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)  # type: ignore[misc]
        if isinstance(node, ast.JoinedStr)
        else str(node.value)
        for module in sources().values()
        for node in ast.walk(module)
        if isinstance(node, ast.JoinedStr | ast.Constant)
    )
    gone = [
        english
        for english in ERROR_WORDS.keys() - SYSTEM
        if max(re.split(r"\{\w*\}", english), key=len) not in constants
    ]
    assert gone == []


@pytest.mark.parametrize("english", sorted(ERROR_WORDS))
def test_each_is_told_in_korean_with_what_varies_in_it(english: str) -> None:
    names = re.findall(r"\{(\w+)\}", english)
    assert sorted(set(names)) == sorted(set(re.findall(r"\{(\w+)\}", ERROR_WORDS[english])))
    filled = english
    for place, name in enumerate(names):
        filled = filled.replace(f"{{{name}}}", f"X{place}", 1)
    korean = said(filled, Language.KO)
    assert re.search("[가-힣]", korean)
    assert all(f"X{place}" in korean for place in range(len(names)))
    assert said(filled, Language.EN) == filled


@pytest.mark.parametrize("text", [text for text, _ in BROKEN if isinstance(text, str)])
def test_each_problem_of_a_recipe_is_told_in_korean(text: str, tmp_path: Path) -> None:
    path = tmp_path / "metal.yaml"
    path.write_text(text)
    with pytest.raises(errors.RecipeError) as raised:
        load_recipe(path)
    for line in said(raised.value.message, Language.KO).splitlines():
        free = re.sub(
            r"`.*?`|'.*?'|YAML.*|Loupe|recipe_version|alias|true|false", "", line.removeprefix(f"{path}:")
        )
        assert re.search("[가-힣]", line)
        assert not re.search("[a-z]{3}", free), line


@pytest.mark.parametrize("reason", Reason)
def test_why_an_image_cannot_be_read_is_told_in_korean(reason: Reason) -> None:
    assert re.search("[가-힣]", said(f"img_003 cannot be read: {reason}", Language.KO))


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "unknown image id 'img_099'. valid ids: img_001 to img_004",
            "그런 이미지가 없습니다: 'img_099'. 쓸 수 있는 번호: img_001부터 img_004까지",
        ),
        (
            "cannot write to /parts: Permission denied. choose another --out",
            "폴더에 쓸 수 없습니다: /parts: 권한이 없습니다. --out으로 다른 폴더를 고르세요",
        ),
        (
            "No server answers at `http://localhost:1/v1`.. Rephrase it",
            "`http://localhost:1/v1`에서 응답하는 서버가 없습니다. 다른 말로 요청하세요.",
        ),
        ("list.txt:3: the folder /parts holds no images", "list.txt:3: 폴더에 이미지가 없습니다: /parts"),
        ("the moon is full: 3 of 4", "the moon is full: 3 of 4"),
        ("the work was stopped\nnobody knows", "작업을 중지했습니다\nnobody knows"),
    ],
)
def test_joined_sentences_are_told_one_by_one_and_what_is_not_known_stays(english: str, korean: str) -> None:
    assert said(english, Language.KO) == korean


def test_what_is_known_of_a_joined_text_is_told_apart() -> None:
    parts = known_parts("the request is empty. wait for it, or stop it")
    assert [english for english, _ in parts] == ["the request is empty", "wait for it, or stop it"]
    assert known_parts("nobody knows") == []


def joined() -> Iterator[tuple[str, str]]:
    """Each error with its hint, as a tool tells them to a program, what varies filled in."""
    for module in sources().values():
        for node in ast.walk(module):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[first, second]) if name in TOLD:
                    pairs = product(map(filled, texts(first, module)), map(filled, texts(second, module)))
                    yield from (
                        pair for pair in pairs if all(said(each, Language.KO) != each for each in pair)
                    )


def filled(text: str) -> str:
    places = count()
    return re.sub(r"\{\}", lambda _: f"X{next(places)}", text)


@pytest.mark.parametrize(
    ("message", "hint"),
    sorted(set(joined())),
)
def test_an_error_that_a_program_met_is_told_in_korean_with_its_hint(message: str, hint: str) -> None:
    where = 'Line 1, `look("a. b: c")`: ToolError: '
    told_so = said(f"{where}{message.rstrip('.')}. {hint}", Language.KO)
    assert told_so == f"{where}{said(message, Language.KO).rstrip('.')}. {said(hint, Language.KO)}"
    assert re.search("[가-힣]", told_so)


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        ("batch does not exist", "파일이나 폴더가 없습니다: batch"),
        ("recipe does not exist", "파일이나 폴더가 없습니다: recipe"),
        ("there is no recipe batch", "레시피가 없습니다: batch"),
        (
            "cannot write recipe: No space left on device",
            "파일을 쓸 수 없습니다: recipe: 디스크에 남은 공간이 없습니다",
        ),
        ("/x holds a session about another batch", "다른 이미지 세션이 들어 있습니다: /x"),
        (
            "duplicate key `batch`; it stands on line 3 already",
            "키 `batch`이(가) 중복되었습니다. 3번 줄에 이미 있습니다",
        ),
        (
            "the verdict of img_002 is reject, but the answer says accept",
            "답에는 합격(으)로 되어 있지만 img_002의 판정은 불합격입니다",
        ),
        ("img_002 is undecided, not all are accept", "모두 합격인 것은 아닙니다. img_002: 미정"),
        (
            "the user did not agree to reject img_003. leave its verdict as it is, and say so",
            "사용자가 img_003 불합격 판정에 동의하지 않았습니다. 판정을 그대로 두고 그렇게 말하세요",
        ),
    ],
)
def test_verdicts_and_reasons_in_an_error_are_told_in_korean_and_names_stay(
    english: str, korean: str
) -> None:
    assert said(english, Language.KO) == korean
