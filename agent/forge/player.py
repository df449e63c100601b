"""Plays a conversation over a simulated batch: what is asked, the program it needs, what comes back."""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from agent.calls import Calls
from agent.events import Event, ToolFinished, ToolStarted
from agent.forge.language import FOLLOWING, THEM, Request, Wish
from agent.forge.programs import SPOKEN, after_error, joined, written
from agent.forge.simulated import SimulatedSteps, SimulatedWorkbench
from agent.memory import Step, Turn
from agent.results import fact_of_call
from tools.errors import LoupeError
from tools.records import Language

if TYPE_CHECKING:
    from agent.models.pictures import Picture

__all__ = ["Player"]

KO = Language.KO
_SIZE = re.compile(
    r"\b(?:big\w*|large\w*|long\w*|siz\w+|measur\w+|wid\w+|small\w*|lengths?|dim\w*|diameter|caliper\w*)"
    r"|(?<![a-z])mm(?![a-z])"
    "|크기|사이즈|길이|얼마나|치수|폭|너비|넓이|면적|지름|직경|가로 ?세로|측정|계측|수치|미리|밀리|노기스"
    "|캘리퍼|재 ?(?:줘|주|봐|보|라|자|는|야|요|면|서|둬)|잰|쟀"
)
_IDS = re.compile(r"img_\d+")
_AGAIN = {"inspect": "inspect_one", "decide": "inspect_one", "describe_bad": "describe"}
_REPEATED = frozenset(
    {"measure", "locate", "describe", "screen", "inspect_one", "look", "search_like", "examine"}
)
_COUNTS = {
    2: re.compile(
        r"\b(?:both|two|2|pair|couple|n?either)\b|둘|두 ?(?:개|장|건|놈|사진|이미지)|양쪽|2 ?(?:개|장|건)",
        re.I,
    ),
    3: re.compile(r"\b(?:three|3|trio)\b|셋|세 ?(?:개|장|건|놈)|3 ?(?:개|장|건)", re.I),
    4: re.compile(r"\b(?:four|4)\b|넷|네 ?(?:개|장|건|놈)|4 ?(?:개|장|건)", re.I),
}  # how many images are spoken of
_RECORDED = {"decide": "several", "keep_good": "ids"}  # what changes something, and what it takes images as
_ON_ONE = {"look": "look", "inspect": "inspect_one"}
_ALIKE_WISHES = ("follow_same", "follow_measure")
_STEPS = {"follow_next": 1, "follow_before": -1}
_ALIKE = re.compile(r"\b(?:same|too|also|as well|ditto|likewise|repeat)\b|도|똑같|동일|마찬가지|같은")


class _Final(Exception):
    """Carries the answer out of a program."""


class Player:
    """Plays the user's side, the programs and the tools over one simulated batch.

    Args:
        steps: The batch.
        has_ledger: Whether past cases can be searched.
        has_eyes: Whether `examine` works.
        picture: Returns what `look` shows.

    Attributes:
        calls: The tools.
        events: What the tools told in the newest turn.
        turns: The conversation so far.
    """

    def __init__(
        self,
        steps: SimulatedSteps,
        *,
        has_ledger: bool = True,
        has_eyes: bool = True,
        picture: Callable[[str], Picture],
    ) -> None:
        self._steps, self._picture = steps, picture
        self.events: list[Event] = []
        self._has_ledger, self._has_eyes = has_ledger, has_eyes
        self.workbench = SimulatedWorkbench(
            steps, self.events.append, has_ledger=has_ledger, has_eyes=has_eyes
        )
        self.calls = Calls(self.workbench)
        self._names: dict[str, Any] = {name: _bound(self.calls, name) for name in self.calls.names}
        self._names |= {"final_answer": _finish, "decline": str}
        self.turns: list[Turn] = []
        self._wishes: tuple[Wish, ...] = ()

    def again(self) -> Player:
        """Returns a player with the same conversation behind it, whose tools are as they were at first.

        What programs are to be written depends on what was said, not on what the tools have done.
        """
        other = Player(
            self._steps, has_ledger=self._has_ledger, has_eyes=self._has_eyes, picture=self._picture
        )
        other.turns, other._wishes = [*self.turns], self._wishes
        return other

    def names_again(self, request: Request) -> bool:
        """Whether it names the image that it leans on as if it were another: "reject it, accept 3" of 3."""
        leans = any(name in FOLLOWING for name, _ in request.wishes)
        others = [given for name, given in request.wishes if name not in _ALIKE_WISHES]
        before = {image for _, had in self._wishes[-1:] for image in _asked_about(had)}
        return leans and any(before.intersection(_asked_about(given)) for given in others)

    def take(self, request: Request) -> list[str]:
        """Plays one turn; returns the programs that the model should write."""
        wishes = self._resolved(request)
        turn = Turn(request.text)
        self.turns.append(turn)
        self.events.clear()
        programs = [_code(wishes, request.language)]
        while True:
            observation, answer = self._run(programs[-1])
            turn.steps.append(Step(f"<code>\n{programs[-1]}\n</code>", observation, self.shown()))
            if answer is not None:
                break
            programs.append(self._next(wishes, observation, request.language))
        turn.answer, turn.is_finished = answer, True
        turn.facts = _facts(self.events)
        self._wishes = wishes
        return programs

    def _next(self, wishes: tuple[Wish, ...], observation: str, language: Language) -> str:
        if observation.startswith("Error:"):
            wish, given = after_error(observation)
            return written(wish, given, language)
        name, given = wishes[0]
        image = 'worst["id"]' if name == "look_worst" else given["id"]
        spoken = ', language="ko"' if language is KO else ""
        return written("describe", {"ids": f"{image}{spoken}"}, language)

    def _resolved(self, request: Request) -> tuple[Wish, ...]:
        """What a request wants, with what the turn before says; neither of two where one is unclear."""
        wishes = tuple(self._one(wish, request) for wish in request.wishes)
        unclear = tuple(wish for wish in wishes if wish[0] == "which")
        return unclear[:1] or wishes

    def _one(self, wish: Wish, request: Request) -> Wish:
        name = wish[0]
        if name in FOLLOWING:
            return self._followed(wish, request)
        lacking = {
            "search_like": self._has_ledger,
            "search_text": self._has_ledger,
            "examine": self._has_eyes,
        }
        if not lacking.get(name, True):
            return "no_eyes" if name == "examine" else "no_ledger", {}
        return wish

    def _followed(self, wish: Wish, request: Request) -> Wish:
        (name, given), language = wish, request.language
        spoken = ', language="ko"' if language is KO else ""
        had = self._wishes[-1][1] if self._wishes else {}
        if name == "follow_report":
            return "report", {"options": spoken.removeprefix(", ")}
        if name in ("follow_same", "follow_measure"):
            return self._repeated(given["id"], request)
        if name in _STEPS:
            image = _beside(_asked_about(had), _STEPS[name])
            return self._repeated(image, request) if image else ("which", {})
        image = _several(had, request.text) if name.endswith(THEM) else self._meant(had)
        if not image:
            return "which", {}
        wanted = name.removeprefix("follow_").removesuffix(THEM).removesuffix("_it")
        if wanted in ("reject", "accept", "review"):
            return "decide", {"several": image, "verdict": wanted, "reason": SPOKEN[language]}
        if wanted == "compare":
            return "compare", {"id": image, "other": given["id"]}
        if wanted in _ON_ONE:
            return _ON_ONE[wanted], {"id": image}
        ids = f"[{image}]" if name.endswith(THEM) else image
        return wanted, {"ids": ids + (spoken if wanted == "describe" else "")}

    def _repeated(self, image: str, request: Request) -> Wish:
        """The wish of the turn before, of another image; its size where that is asked or all that fits."""
        before, had = self._wishes[-1] if self._wishes else ("", {})
        is_size = bool(_SIZE.search(request.text.lower()))
        is_alike = bool(_ALIKE.search(request.text)) and "?" not in request.text
        is_named = request.wishes[0][0] not in _STEPS  # "next one" is no verdict
        if before in _RECORDED and is_alike and is_named and not is_size:
            return before, {**had, _RECORDED[before]: image}
        again = _AGAIN.get(before, before)
        again = "measure" if is_size or again not in _REPEATED else again
        if len(request.wishes) > 1 and again == "look":
            again = "describe"  # a look ends its program, so nothing could follow
        if again == "describe":
            return again, {"ids": image + (', language="ko"' if request.language is KO else "")}
        is_one = again == "inspect_one" or ("ids" not in had and again != "measure")
        return again, {"id" if is_one else "ids": image}

    def _meant(self, had: dict[str, str]) -> str:
        """The image that "it" means: the one that was asked about, else the first that the answer names."""
        asked = _asked_about(had)
        if len(asked) == 1:
            return f'"{asked[0]}"'
        named = _IDS.findall(self.turns[-1].answer) if self.turns and not asked else []
        return f'"{named[0]}"' if named else ""

    def shown(self) -> list[Picture]:
        """Takes the pictures that the last program asked to see."""
        return [self._picture(shown.image_id) for shown in self.workbench.take_shown()]

    def _run(self, code: str) -> tuple[str, str | None]:
        """Runs one of our own programs; returns what the model reads of it, and the answer if it ends."""
        lead, last = _compiled(code)
        try:
            exec(lead, self._names)
            value = eval(last, self._names) if last else None
        except _Final as final:
            return "", str(final)
        except LoupeError as error:
            line = next(
                f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "<program>"
            )
            said = f"`{code.splitlines()[(line or 1) - 1].strip()}`: ToolError: {error.as_text()}"
            return f"Error: Line {line}, {said}", None
        return str(value), None


@lru_cache(maxsize=1024)  # what was said before is played again for each request
def _compiled(code: str) -> tuple[CodeType, CodeType | None]:
    """Compiles a program; the expression that it ends with, if any, apart from what comes before."""
    tree = ast.parse(code)
    last = tree.body[-1]
    lead = ast.Module(tree.body[:-1] if isinstance(last, ast.Expr) else tree.body, [])
    ending = compile(ast.Expression(last.value), "<program>", "eval") if isinstance(last, ast.Expr) else None
    return compile(lead, "<program>", "exec"), ending


def _asked_about(had: dict[str, str]) -> list[str]:
    """The images that a wish names, each once."""
    return [
        *dict.fromkeys(_IDS.findall(" ".join(had.get(key, "") for key in ("id", "ids", "several", "other"))))
    ]


def _several(had: dict[str, str], said: str) -> str:
    """The images that "they" means, as Python strings: those that were asked about, if as many as is said."""
    asked = _asked_about(had)
    counts = {count for count, words in _COUNTS.items() if words.search(said)} or {len(asked)}
    return ", ".join(f'"{image}"' for image in asked) if len(asked) > 1 and counts == {len(asked)} else ""


def _beside(asked: list[str], step: int) -> str:
    """The image so many after the one that was asked about, as a Python string; empty where there is none."""
    number = int(asked[0].removeprefix("img_")) + step if len(asked) == 1 else 0
    return f'"img_{number:03d}"' if number > 0 else ""


def _bound(calls: Calls, name: str) -> Callable[..., Any]:
    return lambda *given, **named: calls(name, *given, **named)


def _finish(answer: object) -> None:
    raise _Final(str(answer))


def _facts(events: list[Event]) -> list[str]:
    given: dict[int, dict[str, Any]] = {}
    facts = []
    for event in events:
        if isinstance(event, ToolStarted):
            given[event.call] = event.arguments
        elif isinstance(event, ToolFinished):
            facts.append(fact_of_call(event.tool, given[event.call], event.result, event.error))
    return facts


def _code(wishes: tuple[Wish, ...], language: Language) -> str:
    return written(*wishes[0], language) if len(wishes) == 1 else joined(list(wishes), language)
