"""Whole conversations as the agent would hold them: the messages it really sends, and what the model should write."""

from __future__ import annotations

import ast
import random
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from agent.calls import Calls
from agent.events import Event, ToolFinished, ToolStarted
from agent.forge.language import FOLLOWING, Request, Scope, Wish, intents, make_pair, make_request
from agent.forge.programs import SPOKEN, after_error, joined, written
from agent.forge.simulated import SimulatedSteps, SimulatedWorkbench
from agent.memory import Budget, Memory, Step, Turn
from agent.models.families import QWEN2_5_VL
from agent.models.messages import conversation
from agent.prompts import batch_table, system_prompt
from agent.results import fact_of_call
from tools.errors import LoupeError
from tools.records import Language

if TYPE_CHECKING:
    from agent.models.messages import Turn as Message
    from agent.models.pictures import Picture

__all__ = ["PICTURE_TOKENS", "Example", "Player", "make_example", "prompt_of"]

PICTURE_TOKENS = 192
"""Most tokens of a picture that the pocket model is shown; its checkpoint's processor says so."""

EN, KO = Language.EN, Language.KO
_IDS = re.compile(r"img_\d+")
_SIZE = re.compile(
    r"\b(?:big\w*|large\w*|long|size\w*|mm|measure\w*|wide|small\w*|length)\b|크기|사이즈|길이|몇 ?mm|얼마나|치수|폭"
)
_REPEATED = frozenset(
    {"measure", "locate", "describe", "screen", "inspect_one", "look", "search_like", "examine"}
)
# How often a kind of conversation is drawn: alone, in pairs, after one turn, after two.
_KINDS = (("single", 60), ("pair", 14), ("second", 20), ("third", 6))
_HARD = ("report_lot", "inspect_report", "report_lot_ko", "report_lot_ids", "search_text", "measure_over")
_DECLINED = ("out_of_scope", "unsafe", "gibberish", "help")
_OPENINGS = (
    "measure_id", "locate_id", "describe_id", "inspect_id", "screen_ids", "look", "search_like", "examine",
    "biggest", "look_worst", "measure_id", "inspect_id", "describe_id", "inspect_all", "screen_all", "compare",
)  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A prompt with what the model should write.

    Attributes:
        messages: The conversation, the model's last program included.
        first_written: Index of the first message of the running turn that the model writes.
        request: What was asked in it.
        history: Turns that are over.
        programs: What the model should write, a program per step.
    """

    messages: tuple[Message, ...]
    first_written: int
    request: Request
    history: tuple[Turn, ...]
    programs: tuple[str, ...]


class _Final(Exception):
    """Carries the answer out of a program."""


class Player:
    """Plays the user's side, the programs and the tools over one simulated batch.

    Args:
        rng: Chooses.
        steps: The batch.
        scope: What requests speak of.
        has_ledger: Whether past cases can be searched.
        has_eyes: Whether `examine` works.
        picture: Returns what `look` shows.
    """

    def __init__(
        self,
        rng: random.Random,
        steps: SimulatedSteps,
        scope: Scope,
        *,
        has_ledger: bool = True,
        has_eyes: bool = True,
        picture: Callable[[str], Picture],
    ) -> None:
        self._rng, self._scope, self._picture = rng, scope, picture
        self._events: list[Event] = []
        self._has_ledger, self._has_eyes = has_ledger, has_eyes
        self.workbench = SimulatedWorkbench(
            steps, self._events.append, has_ledger=has_ledger, has_eyes=has_eyes
        )
        calls = Calls(self.workbench)
        self._names: dict[str, Any] = {name: _bound(calls, name) for name in calls.names}
        self._names |= {"final_answer": _finish, "decline": str}
        self.turns: list[Turn] = []
        self._wishes: tuple[Wish, ...] = ()

    def take(self, request: Request) -> list[str]:
        """Plays one turn; returns the programs that the model should write."""
        wishes = self._resolved(request)
        turn = Turn(request.text)
        self.turns.append(turn)
        self._events.clear()
        programs = [_code(wishes, request.language)]
        while True:
            observation, answer = self._run(programs[-1])
            turn.steps.append(Step(f"<code>\n{programs[-1]}\n</code>", observation, self._shown()))
            if answer is not None:
                break
            programs.append(self._next(wishes, observation, request.language))
        turn.answer, turn.is_finished = answer, True
        turn.facts = _facts(self._events)
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
        """What a request wants, with what the turn before says about it."""
        name = request.wishes[0][0]
        if name in FOLLOWING:
            return (self._followed(request),)
        lacking = {
            "search_like": self._has_ledger,
            "search_text": self._has_ledger,
            "examine": self._has_eyes,
        }
        if not lacking.get(name, True):
            return (("no_eyes" if name == "examine" else "no_ledger", {}),)
        return request.wishes

    def _followed(self, request: Request) -> Wish:
        (name, given), language = request.wishes[0], request.language
        spoken = ', language="ko"' if language is KO else ""
        before, had = self._wishes[-1] if self._wishes else ("", {})
        if name == "follow_report":
            return "report", {"options": spoken.removeprefix(", ")}
        if name in ("follow_same", "follow_measure"):
            wish = "measure" if _SIZE.search(request.text) or before not in _REPEATED else before
            if wish == "describe":
                return wish, {"ids": given["id"] + spoken}
            return wish, {"ids" if "ids" in had or wish == "measure" else "id": given["id"]}
        image = self._meant(had)
        if not image:
            return "which", {}
        if name in ("follow_reject", "follow_accept"):
            verdict = name.removeprefix("follow_")
            return "decide", {"several": image, "verdict": verdict, "reason": SPOKEN[language]}
        if name == "follow_look":
            return "look", {"id": image}
        ids = image + (spoken if name == "follow_describe" else "")
        return name.removeprefix("follow_").removesuffix("_it"), {"ids": ids}

    def _meant(self, had: dict[str, str]) -> str:
        """The image that "it" means: the one that was asked about, else the first that the answer names."""
        asked = _IDS.findall(" ".join(had.get(key, "") for key in ("id", "ids", "several", "other")))
        if len(set(asked)) == 1:
            return f'"{asked[0]}"'
        named = _IDS.findall(self.turns[-1].answer) if self.turns and not asked else []
        return f'"{named[0]}"' if named else ""

    def _shown(self) -> list[Picture]:
        return [self._picture(shown.image_id) for shown in self.workbench.take_shown()]

    def _run(self, code: str) -> tuple[str, str | None]:
        """Runs one of our own programs; returns what the model reads of it, and the answer if it ends."""
        tree = ast.parse(code)
        last = tree.body[-1]
        lead = ast.Module(tree.body[:-1] if isinstance(last, ast.Expr) else tree.body, [])
        try:
            exec(compile(lead, "<program>", "exec"), self._names)
            value = None
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), "<program>", "eval"), self._names)
        except _Final as final:
            return "", str(final)
        except LoupeError as error:
            said = f"{error.message}. {error.hint}".strip(" .")
            line = next(
                f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "<program>"
            )
            return (
                f"Error: Line {line}, `{code.splitlines()[(line or 1) - 1].strip()}`: ToolError: {said}",
                None,
            )
        return str(value), None


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


@cache
def prompt_of(*, has_ledger: bool, has_eyes: bool) -> str:
    """Returns the system prompt of a session that has these tools."""
    from agent.declining import DeclineTool
    from agent.forge.cases import make_case
    from agent.toolbox import build_tools

    steps = SimulatedSteps(make_case(random.Random(0), 1))
    workbench = SimulatedWorkbench(steps, has_ledger=has_ledger, has_eyes=has_eyes)
    return system_prompt([*build_tools(Calls(workbench)).values(), DeclineTool(lambda: None)])


def make_example(
    rng: random.Random,
    steps: SimulatedSteps,
    picture: Callable[[str], Picture],
    *,
    sheet: Picture | None = None,
    has_ledger: bool = True,
    has_eyes: bool = True,
    kind: str = "",
    intent: str = "",
    language: Language | None = None,
    held_out: bool = False,
) -> Example:
    """Makes a conversation about a batch.

    Args:
        rng: Chooses.
        steps: The batch; shared between conversations.
        picture: Returns what `look` shows of an image.
        sheet: Contact sheet of the batch.
        has_ledger: Whether past cases can be searched.
        has_eyes: Whether `examine` works.
        kind: `single`, `pair`, `second` or `third`; drawn when empty.
        intent: Of the request that counts; drawn when empty.
        language: Of the user; drawn when None.
        held_out: Takes the request that counts from the phrasings that are not trained on.
    """
    spoken = language or rng.choice((EN, KO))
    known = Scope(steps.case.records, steps.case.recipe)
    judged = Scope(steps.case.records, steps.case.recipe, is_held_out=held_out)
    player = Player(rng, steps, known, has_ledger=has_ledger, has_eyes=has_eyes, picture=picture)
    kind = kind or rng.choices(*zip(*_KINDS, strict=True))[0]
    for _ in range({"second": 1, "third": 2}.get(kind, 0)):
        player.take(make_request(rng, known, spoken, rng.choice(_OPENINGS)))
    if kind == "pair":
        request = make_pair(rng, judged, spoken)
    else:
        request = make_request(
            rng, judged, spoken, intent or _drawn(rng, kind, spoken), is_noisy=not held_out
        )
    history = tuple(player.turns)
    programs = player.take(request)
    return _as_example(
        player, sheet, request, history, programs, prompt_of(has_ledger=has_ledger, has_eyes=has_eyes)
    )


def _drawn(rng: random.Random, kind: str, language: Language) -> str:
    known = intents(language)
    chance = rng.random()
    if kind in ("second", "third") and chance < 0.85:
        return rng.choice([intent for intent in known if intent in FOLLOWING])
    if chance < 0.12:
        return rng.choice(_HARD)
    if chance < 0.24:
        return rng.choice(_DECLINED)
    return rng.choice(
        [intent for intent in known if kind != "single" or intent not in FOLLOWING or chance < 0.3]
    )


def _as_example(
    player: Player,
    sheet: Picture | None,
    request: Request,
    history: tuple[Turn, ...],
    programs: list[str],
    prompt: str,
) -> Example:
    """The messages up to the last program, just as a session sends them."""
    case = player.workbench
    running = player.turns[-1]
    *earlier, last = running.steps
    table = batch_table(case.batch.records, case.recipe.part.name)
    memory = Memory(
        prompt,
        table,
        sheet,
        Budget(),
        lambda width, height: QWEN2_5_VL.picture_tokens(width, height, PICTURE_TOKENS),
        lambda picture: case.summary(picture.label.partition(" ")[0]),
    )
    memory.turns = [*history, Turn(running.request, list(earlier))]
    messages = conversation(memory.messages())
    answer = conversation(_assistant(last.written))
    first = len(messages) - 2 * len(earlier)
    return Example((*messages, *answer), first, request, history, tuple(programs))


def _assistant(text: str) -> list[Any]:
    from smolagents.models import ChatMessage, MessageRole

    return [ChatMessage(MessageRole.ASSISTANT, text)]
