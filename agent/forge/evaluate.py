"""How good a checkpoint is on phrasings that it never saw: its programs run, and their calls are compared.

A request counts as right where the tools were called that should have been, with the same arguments, where it
was declined or not as it should have been, and where the answer names the same ids and numbers; where no tool
is called, where it is the same answer. The order matters only of decisions and reports.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.abstention import CHANGING, Abstention, changes, only_reports, read_abstention, sure_of
from agent.events import ToolStarted
from agent.forge.cases import make_case
from agent.forge.language import FOLLOWING, THEM, Request, Share, intents
from agent.forge.player import Player
from agent.forge.sight import Gallery
from agent.forge.simulated import SimulatedSteps
from agent.forge.trajectories import Past, Stage, asked, begun, drawn_past, memory_of
from agent.meaning import meaning
from agent.memory import Memory, Step, Turn
from tools.records import Language

if TYPE_CHECKING:
    from agent.models.base import VisionModel
    from agent.sandbox.executor import SandboxExecutor
    from tools.forge.training_set import Photo

__all__ = ["MOST_TOKENS", "Judge", "Kind", "Trial", "distinct", "judged", "outcome", "report", "stage_of"]

_MOST_STEPS = 4
MOST_TOKENS = 160
"""Of an answer: more than any right one has."""

_STOPS = ["Observation:", "Calling tools:", "</code>"]
_SAID = re.compile(r"img_\d+(?:-\d+)?|\d+(?:\.\d+)?")  # ids and numbers
_DECLINED = ("out_of_scope", "unsafe")
_DECLINED_TIMES = 10  # as often as other wishes they are asked: a share of them is aimed at
_PAIRS_TIMES = 8  # as often as single wishes, pairs of wishes are asked: there are many kinds of them
_PER_STAGE = 6  # requests about one batch: what they share is read once

Call = tuple[str, str]


class Draft(NamedTuple):
    """What the model wrote, the program in it, and how sure it is of that."""

    written: str
    code: str
    sureness: float


class Kind(StrEnum):
    """What became of a request."""

    RIGHT = "right"
    TOOL = "other tools"
    ARGUMENTS = "other arguments"
    ANSWER = "other answer"
    BROKEN = "no answer"


@dataclass(frozen=True)
class Trial:
    """A request and what the model made of it.

    Attributes:
        programs: What it wrote.
        sureness: Of each program, as `sure_of` has it.
        is_wrong_change: Whether something was decided or reported that should not have been.
    """

    request: Request
    kind: Kind
    programs: tuple[str, ...]
    expected: tuple[str, ...]
    sureness: tuple[float, ...]
    is_wrong_change: bool

    @property
    def is_right(self) -> bool:
        """Whether it did what was asked."""
        return self.kind is Kind.RIGHT

    @property
    def is_changing(self) -> bool:
        """Whether a program names a tool that changes something."""
        return any(changes(code) for code in self.programs)

    @property
    def is_reporting(self) -> bool:
        """Whether programs write reports and change nothing else."""
        changing = [code for code in self.programs if changes(code)]
        return bool(changing) and all(only_reports(code) for code in changing)

    def least_sure(self, *, changing: bool) -> float:
        """Returns the sureness of the least sure program that changes something, or of the others."""
        pairs = zip(self.programs, self.sureness, strict=True)
        return min((sure for code, sure in pairs if changes(code) is changing), default=0.0)

    def is_answered(self, abstention: Abstention) -> bool:
        """Whether all its programs would have been run under these thresholds."""
        pairs = zip(self.programs, self.sureness, strict=True)
        return all(sure >= abstention.least(code) for code, sure in pairs)

    def is_asked_back(self, abstention: Abstention) -> bool:
        """Whether the user is asked if the first program, which was not run, is what was meant."""
        code, sure = self.programs[0], self.sureness[0]
        is_doubtful = abstention.looking <= sure < abstention.least(code)
        return is_doubtful and bool(meaning(code, self.request.language))


class Judge:
    """Puts requests to a model.

    Args:
        model: Writes the programs.
        abstention: Below which sureness it reads a request once more, without what was said before, as the
            agent lets it; it reads each once when None.
        share: Of the phrasings, what it asks in.
    """

    def __init__(
        self, model: VisionModel, abstention: Abstention | None = None, share: Share = Share.JUDGING
    ) -> None:
        from agent.sandbox.executor import SandboxExecutor

        self._model, self._abstention, self._share = model, abstention, share
        self._executor: SandboxExecutor = SandboxExecutor(cancel=threading.Event())

    def trials(
        self, photos: Sequence[Photo], count: int, seed: int, among: Sequence[str] = ()
    ) -> Iterator[Trial]:
        """Yields requests in held-out phrasings, so many per intent and language, and more of pairs.

        Args:
            photos: What there is to see on contact sheets.
            count: Per intent and language.
            seed: Of batches and phrasings.
            among: Intents; all of them, and pairs, when empty.
        """
        rng, gallery = random.Random(seed), Gallery(photos, random.Random(seed))
        jobs = [
            (language, intent)
            for language in Language
            for intent in among or (*intents(language), *["pair"] * _PAIRS_TIMES)
            for _ in range(count)
        ]
        rng.shuffle(jobs)
        for start in range(0, len(jobs), _PER_STAGE):
            stage = stage_of(rng, gallery)
            for language, intent in jobs[start : start + _PER_STAGE]:
                past = drawn_past(rng, language, least=int(intent in FOLLOWING))
                past = replace(past, several=past.several or intent.endswith(THEM))
                yield self.trial(rng, stage, past, intent)

    def trial(self, rng: random.Random, stage: Stage, past: Past, intent: str) -> Trial:
        """Puts one request to the model, in a world of its own."""
        kind = "pair" if intent == "pair" else "single"
        twin, player = begun(stage, past), begun(stage, past)
        wanted = "" if kind == "pair" else intent
        request = asked(rng, stage, past, kind, wanted, share=self._share, before=twin)
        expected = twin.take(request)
        programs, sureness, answer, declined = self._answered(stage, player, request)
        calls, wanted_calls = _calls(player), _calls(twin)
        is_declined = any("decline(" in program for program in expected)
        return Trial(
            request=request,
            kind=_kind(calls, wanted_calls, (answer, declined), (twin.turns[-1].answer, is_declined)),
            programs=tuple(programs),
            expected=tuple(expected),
            sureness=tuple(sureness),
            is_wrong_change=any(_is_change(call) and call not in wanted_calls for call in calls),
        )

    def close(self) -> None:
        """Ends the sandbox."""
        self._executor.close()

    def _answered(
        self, stage: Stage, player: Player, request: Request
    ) -> tuple[list[str], list[float], str | None, bool]:
        from smolagents.local_python_executor import InterpreterError

        from agent.declining import DeclineTool
        from agent.toolbox import build_tools

        declines: list[bool] = []
        tools = build_tools(player.calls)
        decline = DeclineTool(lambda: declines.append(True))
        self._executor.send_tools({**tools, decline.name: decline, "final_answer": _final_answer()})
        memory = memory_of(stage, player)
        memory.turns.append(Turn(request.text))
        player.events.clear()
        programs: list[str] = []
        sureness: list[float] = []
        for step in range(_MOST_STEPS):
            draft = self._written(memory) if step else self._first(memory)
            programs.append(draft.code)
            sureness.append(draft.sureness)
            try:
                done = self._executor(programs[-1])
            except InterpreterError as error:
                observation = f"Error: {error}"
            else:
                if done.is_final_answer:
                    return programs, sureness, str(done.output), bool(declines)
                observation = f"{done.logs}{done.output}"
            memory.running.steps.append(Step(draft.written, observation, player.shown()))
        return programs, sureness, None, bool(declines)

    def _written(self, memory: Memory) -> Draft:
        """Lets the model write the next program."""
        from agent.models.repair import code_of

        said = self._model.generate(memory.messages(), stop_sequences=_STOPS)
        code = code_of(str(said.content))
        sure = sure_of(code, said.raw["sureness"], memory.running.request, memory.earlier())
        return Draft(str(said.content), code, sure or 0.0)

    def _first(self, memory: Memory) -> Draft:
        """Lets the model write the first program, as the agent does: twice where it is unsure."""
        draft, limits = self._written(memory), self._abstention
        if limits is None or not memory.before() or draft.sureness >= limits.least(draft.code):
            return draft
        memory.running.stands_alone = True
        again = self._written(memory)
        if limits.counts_alone(again.code, again.sureness, draft.sureness):
            return again
        memory.running.stands_alone = False
        return draft


def _final_answer() -> Any:  # noqa: ANN401
    from smolagents import FinalAnswerTool

    return FinalAnswerTool()


def stage_of(rng: random.Random, gallery: Gallery) -> Stage:
    """Returns a batch of moderate size with its contact sheet, as a session would show it."""
    case = make_case(rng, rng.randint(3, 24))
    return Stage(SimulatedSteps(case), gallery.picture, gallery.sheet(case))


def _calls(player: Player) -> list[Call]:
    return [(e.tool, repr(_plain(e.arguments))) for e in player.events if isinstance(e, ToolStarted)]


def _is_change(call: Call) -> bool:
    tool, given = call
    return tool in CHANGING or (tool == "inspect" and "'threshold'" in given)


def _plain(arguments: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Arguments as they matter: no defaults, no words for the record, ids in any order."""
    plain = []
    for name, value in sorted(arguments.items()):
        if value is None or name == "reason" or (name, value) == ("language", Language.EN.value):
            continue
        several = sorted(set(map(str, value))) if isinstance(value, list) else value
        plain.append((name, several[0] if isinstance(several, list) and len(several) == 1 else several))
    return plain


def _acts(calls: Sequence[Call]) -> list[list[Call]]:
    """The calls between reports, in any order: a report holds what was decided before it."""
    acts: list[list[Call]] = [[]]
    for call in calls:
        if call[0] == "write_report":
            acts += [[call], []]
        else:
            acts[-1].append(call)
    return [sorted(act) for act in acts]


def _kind(
    calls: Sequence[Call],
    wanted: Sequence[Call],
    answer: tuple[str | None, bool],
    wanted_answer: tuple[str, bool],
) -> Kind:
    said, is_declined = answer
    if said is None:
        return Kind.BROKEN
    if sorted(tool for tool, _ in calls) != sorted(tool for tool, _ in wanted):
        return Kind.TOOL
    if _acts(calls) != _acts(wanted):
        return Kind.ARGUMENTS
    if is_declined is not wanted_answer[1]:
        return Kind.ANSWER
    if wanted:  # a filter on rows shows only in what is said of them
        is_same = set(_SAID.findall(said)) == set(_SAID.findall(wanted_answer[0]))
    else:
        is_same = is_declined or said == wanted_answer[0]
    return Kind.RIGHT if is_same else Kind.ANSWER


def judged(
    folder: Path,
    photos: Sequence[Photo],
    count: int,
    seed: int,
    abstention: Abstention | None = None,
    among: Sequence[str] = (),
    share: Share = Share.JUDGING,
) -> Iterator[Trial]:
    """Yields what a checkpoint makes of requests in phrasings that it never saw, each request once.

    Args:
        folder: Of the checkpoint.
        photos: As `Judge.trials` takes them.
        count: Per intent and language, less those that were drawn again.
        seed: Of batches and phrasings.
        abstention: As `Judge` takes it.
        among: As `Judge.trials` takes it.
        share: As `Judge` takes it.
    """
    from agent.models.vlm import LocalModel
    from tools.checkpoints import Checkpoint

    model = LocalModel(Checkpoint("agent", str(folder), folder), max_tokens=MOST_TOKENS)
    judge = Judge(model, abstention, share)
    try:
        yield from distinct(judge.trials(photos, count, seed, among))
    finally:
        judge.close()
        model.close()


def distinct(trials: Iterable[Trial]) -> Iterator[Trial]:
    """Yields the first trial of each request: of wishes with few phrasings the same one is drawn again."""
    texts: set[str] = set()
    for trial in trials:
        if trial.request.text not in texts:
            texts.add(trial.request.text)
            yield trial


def report(
    folder: Path, photos: Sequence[Photo], count: int, seed: int, *, tells_failures: bool = False
) -> Iterator[str]:
    """Yields the lines of a report on a checkpoint: success per intent and language, and the failures."""
    trials = []
    abstention = read_abstention(folder)
    for trial in judged(folder, photos, count, seed, abstention):
        trials.append(trial)
        if tells_failures and not trial.is_right:
            said = " // ".join(program.replace("\n", " | ")[:160] for program in trial.programs)
            wanted = trial.expected[-1].replace("\n", " | ")[:160]
            yield f"{trial.kind}: {trial.request.intent}: {trial.request.text!r} -> {said} WANTED {wanted}"
    yield from _table(trials)
    declined = [*judged(folder, photos, _DECLINED_TIMES * count, seed, abstention, _DECLINED)]
    yield from _declining(declined, abstention)
    if abstention:
        yield outcome(trials, abstention)


def outcome(trials: Sequence[Trial], abstention: Abstention) -> str:
    """Returns in a line what came of requests under thresholds."""
    answered = [trial for trial in trials if trial.is_answered(abstention)]
    right = sum(trial.is_right for trial in answered)
    changed = sum(trial.is_wrong_change for trial in answered)
    asked_back = [trial for trial in trials if trial.is_asked_back(abstention)]
    meant = sum(trial.is_right for trial in asked_back)
    return (
        f"of {len(trials)} requests {len(answered)} are answered, {right} of them right; "
        f"{changed} change something wrongly ({changed / len(trials):.2%}); "
        f"{len(asked_back)} are asked back about, {meant} of them as meant"
    )


def _table(trials: Sequence[Trial]) -> Iterator[str]:
    names = dict.fromkeys(trial.request.kind for trial in trials)
    for name in [*names, ""]:
        shares = []
        for language in Language:
            own = [t for t in trials if t.request.language is language and name in ("", t.request.kind)]
            right = sum(trial.is_right for trial in own)
            shares.append(f"{language} {right}/{len(own)}")
        yield f"{name or 'all':20} {'   '.join(shares)}"
    yield ", ".join(f"{kind}: {count}" for kind, count in Counter(str(t.kind) for t in trials).most_common())


def _declining(trials: Sequence[Trial], abstention: Abstention | None) -> Iterator[str]:
    for name in _DECLINED:
        for language in Language:
            own = [t for t in trials if t.request.intent == name and t.request.language is language]
            declined = sum("decline(" in trial.programs[-1] for trial in own)
            others = [trial for trial in own if "decline(" not in trial.programs[-1]]
            unsure = sum(not trial.is_answered(abstention) for trial in others) if abstention else 0
            yield f"{name} {language}: {declined} of {len(own)} declined, {unsure} more not understood"
