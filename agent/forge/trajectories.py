"""Whole conversations as the agent would hold them: the messages it sends, what the model should write."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agent.calls import Calls
from agent.forge.language import (
    FOLLOWING,
    THEM,
    Request,
    Scope,
    Share,
    in_one,
    intents,
    make_pair,
    make_request,
    templates,
)
from agent.forge.player import Player
from agent.forge.simulated import SimulatedSteps, SimulatedWorkbench
from agent.memory import Budget, Memory, Turn
from agent.models.families import QWEN2_5_VL
from agent.models.messages import Turn as Message
from agent.models.messages import conversation
from agent.prompts import batch_table, system_prompt
from tools.records import Language

if TYPE_CHECKING:
    from agent.models.pictures import Picture

__all__ = [
    "MOST_TURNS",
    "PICTURE_TOKENS",
    "Example",
    "Past",
    "Stage",
    "asked",
    "begun",
    "drawn_intent",
    "drawn_past",
    "make_example",
    "memory_of",
    "prompt_of",
]

PICTURE_TOKENS = 192
"""Most tokens of a picture that the pocket model is shown; its checkpoint's processor says so."""

MOST_TURNS = 2
"""Turns before the running one that the pocket model is shown; older ones mislead it more than they help."""

_PAIRS = 0.25  # of requests that want two things
_WRITTEN_PAIRS = 0.6  # of these are as somebody wrote them, not put together
_LEANING = 0.4  # of requests after others lean on them
_OPENING = 0.7  # of the turns before are such as are often leaned on
_MIXED = 0.25  # of pasts are in both languages
_HARD = (
    "report_lot",
    "inspect_report",
    "report_lot_ko",
    "report_lot_ids",
    "search_text",
    "measure_over",
    "decide_two_back",
)
_DECLINED = ("out_of_scope", "unsafe", "gibberish", "help")
_OPENINGS = (
    "measure_id", "locate_id", "describe_id", "inspect_id", "screen_ids", "look", "search_like", "examine",
    "biggest", "look_worst", "measure_id", "inspect_id", "describe_id", "inspect_all", "screen_all",
    "compare", "reject", "accept", "review", "reject", "count_by_type", "verdicts", "report", "out_of_scope",
    "images_list", "findings_type",
)  # fmt: skip
_ABOUT_SEVERAL = ("measure_ids", "locate_ids", "screen_ids", "compare", "decide_two", "decide_two_back")
_SEVERAL = 0.3  # of pasts end with a turn about several images,
_TRIES = 5  # to draw a request that does not name the image that it leans on
_THEM_OTHERWISE = 0.3  # and only so many requests that lean on several images do not follow one


@dataclass(frozen=True)
class Stage:
    """Where conversations take place.

    Attributes:
        steps: The batch; shared between conversations.
        picture: Returns what `look` shows of an image.
        sheet: Contact sheet of the batch.
        has_ledger: Whether past cases can be searched.
        has_eyes: Whether `examine` works.
    """

    steps: SimulatedSteps
    picture: Callable[[str], Picture]
    sheet: Picture | None = None
    has_ledger: bool = True
    has_eyes: bool = True

    @property
    def prompt(self) -> str:
        """The system prompt."""
        return prompt_of(has_ledger=self.has_ledger, has_eyes=self.has_eyes)


@dataclass(frozen=True)
class Past:
    """What was said before the request that counts.

    Attributes:
        language: Of that request; what was said before may be in another.
        turns: How many.
        seed: Decides which.
        several: Whether the last of them was about several images.
    """

    language: Language
    turns: int = 0
    seed: int = 0
    several: bool = False


@dataclass(frozen=True)
class Example:
    """A prompt with what the model should write.

    Attributes:
        messages: The conversation, the model's last program included.
        first_written: Index of the first message of the running turn that the model writes.
        request: What was asked in it.
        programs: What the model should write, a program per step.
    """

    messages: tuple[Message, ...]
    first_written: int
    request: Request
    programs: tuple[str, ...]


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
    stage: Stage,
    past: Past,
    *,
    kind: str = "",
    intent: str = "",
    share: Share = Share.TRAINING,
    before: Player | None = None,
) -> Example:
    """Makes a conversation about a batch.

    Args:
        rng: Chooses the request that counts.
        stage: The batch and what there is to work with.
        past: What was said before it.
        kind: As `asked` takes it; drawn when empty.
        intent: Of the request; drawn when empty.
        share: As `asked` takes it.
        before: Who has played the past already, which then is not played anew.
    """
    player = before.again() if before else begun(stage, past)
    kind = kind or ("pair" if rng.random() < _PAIRS else "single")
    request = asked(rng, stage, past, kind, intent, share=share, before=player)
    programs = player.take(request)
    running = player.turns[-1]
    *earlier, last = running.steps
    memory = memory_of(stage, player)
    memory.turns = [*player.turns[:-1], Turn(running.request, list(earlier))]
    messages = conversation(memory.messages())
    answer = Message("assistant", (last.written,))
    return Example((*messages, answer), len(messages) - 2 * len(earlier), request, tuple(programs))


def begun(stage: Stage, past: Past) -> Player:
    """Plays what was said before; the same past is played alike each time."""
    rng = random.Random(past.seed)
    case = stage.steps.case
    player = Player(stage.steps, has_ledger=stage.has_ledger, has_eyes=stage.has_eyes, picture=stage.picture)
    is_mixed = rng.random() < _MIXED
    for turn in range(past.turns):
        language = rng.choice([*Language]) if is_mixed else past.language
        intent = rng.choice(_OPENINGS if rng.random() < _OPENING else intents(language))
        if past.several and turn == past.turns - 1:
            intent = rng.choice(_ABOUT_SEVERAL)
        player.take(make_request(rng, Scope(case.records, case.recipe), language, intent))
    return player


def asked(
    rng: random.Random,
    stage: Stage,
    past: Past,
    kind: str,
    intent: str,
    *,
    share: Share = Share.TRAINING,
    before: Player | None = None,
) -> Request:
    """Makes the request that counts.

    Args:
        rng: Chooses.
        stage: What it may speak of.
        past: What was said before it.
        kind: `single`, or `pair` for two wishes at once.
        intent: Drawn when empty.
        share: Of the phrasings, from which it is taken; from those held out as they are.
        before: Who has played the past: what it leans on is not named once more as another image.
    """
    for _ in range(_TRIES):
        request = _asked_once(rng, stage, past, kind, intent, share)
        if before is None or not before.names_again(request):
            break
    return request


def _asked_once(
    rng: random.Random, stage: Stage, past: Past, kind: str, intent: str, share: Share
) -> Request:
    case = stage.steps.case
    scope = Scope(case.records, case.recipe, share)
    if kind == "pair":
        leans = past.turns > 0 and rng.random() < 0.6
        if rng.random() >= _WRITTEN_PAIRS:
            return make_pair(rng, scope, past.language, leans=leans)
        pairs, odds = in_one(past.language, share, leans=leans)
        fitting = [_fits(rng, pair, past) for pair in pairs]
        [intent] = rng.choices(pairs, [each * fits for each, fits in zip(odds, fitting, strict=True)])
    drawn = intent or drawn_intent(rng, past)
    return make_request(rng, scope, past.language, drawn, is_noisy=share is Share.TRAINING)


def _fits(rng: random.Random, intent: str, past: Past) -> bool:
    """Whether a past gives an intent what it leans on; now and then it need not."""
    return THEM not in intent or past.several or rng.random() < _THEM_OTHERWISE


def memory_of(stage: Stage, player: Player) -> Memory:
    """Returns the memory of a conversation, as a session would have it."""
    case, bench = stage.steps.case, player.workbench
    memory = Memory(
        stage.prompt,
        batch_table(case.records, case.recipe.part.name, bench.showing.hint()),
        stage.sheet,
        Budget(),
        lambda width, height: QWEN2_5_VL.picture_tokens(width, height, PICTURE_TOKENS),
        lambda picture: bench.summary(picture.label.partition(" ")[0]),
    )
    memory.turns = player.turns
    return memory


def drawn_past(rng: random.Random, language: Language, *, least: int = 0) -> Past:
    """Draws what was said before, with so many turns at least."""
    return Past(language, rng.randint(least, MOST_TURNS), rng.getrandbits(32), rng.random() < _SEVERAL)


def drawn_intent(rng: random.Random, past: Past) -> str:
    """Draws what is asked after what was said before: many requests lean on it."""
    known = [intent for intent in intents(past.language) if _fits(rng, intent, past)]
    chance = rng.random()
    if past.turns and rng.random() < _LEANING:
        among = [intent for intent in known if intent in FOLLOWING]
    elif chance < 0.12:
        among = [*_HARD]
    elif chance < 0.24:
        among = [*_DECLINED]
    else:
        among = [intent for intent in known if intent not in FOLLOWING or chance < 0.3]
    return rng.choices(among, [_breadth(intent, past.language) for intent in among])[0]


@cache
def _breadth(intent: str, language: Language) -> float:
    """How often an intent is drawn: what is said in more ways is asked more, but not in proportion."""
    return math.sqrt(len(templates(intent, language, Share.TRAINING)))
