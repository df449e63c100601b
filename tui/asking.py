"""`loupe ask`, `loupe run` and `loupe replay`: conversations without a screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.events import Answer, Outcome
from tools.errors import Cancelled, ExitCode, OutputError, UsageError
from tools.home import new_run_folder
from tools.images.files import SUFFIXES, finds, printable_name
from tools.pipeline.engines import EngineOptions
from tools.records import Verdict
from tui.arguments import open_ledger, refuse_beside_resume
from tui.narration import Narrator, cancel_on_interrupt
from tui.printing import print_out
from tui.telling import Teller

if TYPE_CHECKING:
    from agent.playbooks import ConversationResult
    from agent.session import Session, SessionOptions

__all__ = ["AskOptions", "run_ask", "run_playbook", "run_replay"]


@dataclass(frozen=True)
class AskOptions:
    """How a conversation is held."""

    recipe: str = ""
    model: str = ""
    out: Path | None = None
    resume: Path | None = None
    user: str = ""
    max_steps: int = 8
    ledger: bool = True
    as_json: bool = False
    quiet: bool = False
    engines: EngineOptions = field(default_factory=EngineOptions)

    def session_options(self) -> SessionOptions:
        """Returns what the session needs of them; headless, a failing model is replaced by the pipeline."""
        from agent.session import SessionOptions
        from agent.settings import load_settings

        return SessionOptions(
            user=self.user or load_settings().user,
            max_steps=self.max_steps,
            fallback=True,
            engines=self.engines,
            ledger=open_ledger(wanted=self.ledger),
        )


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tells the images from the requests: what exists, or is a glob, comes first.

    Raises:
        UsageError: One of the two is missing, or what reads like a path leads nowhere.
    """
    count = 0
    while count < len(words) and finds(words[count]):
        count += 1
    if count == len(words):
        raise UsageError(
            "no request was given", 'e.g. loupe ask photos "inspect everything and write a report"'
        )
    if not count or _reads_like_a_path(words[count]):
        missing = printable_name(words[count])
        raise UsageError(f"no such file or folder: {missing}", 'loupe ask IMAGES "request" ["next" ...]')
    return list(words[:count]), list(words[count:])


def _reads_like_a_path(word: str) -> bool:
    """Returns whether a word that finds nothing was meant to: nobody asks in the form of a file's name."""
    if word.split() != [word]:
        return False
    path = Path(word)
    is_image = path.suffix.lower() in {*SUFFIXES, ".txt"}
    lies_in_a_folder = path.parent not in {Path(path.anchor), Path()} and finds(path.parent)
    return is_image or lies_in_a_folder or word.startswith((".", "~")) or word.endswith(("/", "\\"))


def run_ask(words: Sequence[str], options: AskOptions) -> ExitCode:
    """Holds one conversation and returns the verdict on the batch as an exit code.

    Raises:
        LoupeError: Bad input, or an output folder that cannot be used.
        Cancelled: The user stopped it.
    """
    from agent.session import Session

    images = [word for word in words[:1] if finds(word) or _reads_like_a_path(word)]
    refuse_beside_resume(options.resume, {"--out": options.out, "--recipe": options.recipe, "images": images})
    narrator = Narrator(quiet=options.quiet)
    if options.resume:
        requests = list(words)
        session = Session.resume(options.resume, options.model, options=options.session_options())
    else:
        images, requests = split_words(words)
        session = Session(
            images, options.recipe, options.model, out=options.out, options=options.session_options()
        )
    begun = len(session.turns)
    with session:
        finished = _converse(session, requests, narrator, as_json=options.as_json)
        if options.as_json:
            print_out(json.dumps(session.result(), ensure_ascii=False) + "\n")
        narrator.say(f"Session: {session.out}")
        if not finished:
            raise Cancelled("stopped", f'loupe ask --resume {session.out} "..." goes on from there')
        return _exit_code(session, begun)


def _converse(session: Session, requests: Sequence[str], narrator: Narrator, *, as_json: bool) -> bool:
    """Asks one after the other; returns False where the user stopped it."""
    teller = Teller(narrator)
    with cancel_on_interrupt(narrator, session.cancel) as cancel, narrator.downloads():
        for request in requests:
            for event in session.ask(request):
                teller.tell(event)
                if isinstance(event, Answer) and not as_json:
                    print_out(event.text + "\n" + _doubts(event.unverified))
            if cancel.is_set():
                return False
    return True


def _doubts(unverified: Iterable[str]) -> str:
    return "".join(f"(unverified: {reason})\n" for reason in unverified)


def _exit_code(session: Session, begun: int) -> ExitCode:
    """Returns what the verdicts say, unless a turn of this call failed; what failed before it is history.

    All is accepted only where each image is, and where each request of this call was answered: what was
    declined, or never looked at, is left to a person.
    """
    outcomes = {turn.outcome for turn in session.turns[begun:]}
    if Outcome.FAILED in outcomes:
        return ExitCode.MODEL
    verdicts = session.verdicts()
    if Verdict.REJECT in verdicts.values():
        return ExitCode.REJECTED
    is_decided = len(verdicts) == len(session.batch) and set(verdicts.values()) == {Verdict.ACCEPT}
    return ExitCode.ACCEPTED if is_decided and outcomes <= {Outcome.ANSWERED} else ExitCode.REVIEW


def run_playbook(path: Path, options: AskOptions) -> ExitCode:
    """Plays a playbook: a line per conversation on stdout; 0 only if all expectations hold.

    Raises:
        LoupeError: Bad input.
        Cancelled: The user stopped it; what was held until then is printed.
    """
    from agent.models.loading import load_model
    from agent.playbooks import Conversation, load_playbook, play
    from agent.session import Session
    from agent.settings import load_settings, model_choice
    from tools.pipeline.engines import Engines
    from tools.recipe.file import load_recipe

    narrator = Narrator(quiet=options.quiet)
    playbook = load_playbook(path)
    recipe = options.recipe or playbook.recipe
    choice = model_choice(
        options.model or playbook.model, load_recipe(recipe or None).models.agent, load_settings()
    )
    with narrator.downloads():
        model = load_model(choice, device=options.engines.device, precision=options.engines.precision)
    root = options.out or new_run_folder(playbook.images, narrator.say)
    folders = [root / f"{number:03d}" for number, _ in enumerate(playbook.conversations, start=1)]
    _refuse_sessions(folders)
    engines = Engines(load_recipe(recipe or None), options.engines)
    opened: list[Session] = []

    def open_session(_: Conversation) -> Session:
        opened.append(
            Session(
                playbook.images,
                recipe,
                model,
                out=folders[len(opened)],
                options=replace(options.session_options(), fallback=False),  # it is the model that is tried
                engines=engines,
            )
        )
        return opened[-1]

    def stop() -> None:
        for session in opened[-1:]:
            session.cancel()

    results = []
    with cancel_on_interrupt(narrator, stop) as cancel, narrator.downloads():
        for result in play(playbook, open_session, Teller(narrator).tell, cancel):
            results.append(result)
            if not options.as_json:
                print_out(f"{'pass' if result.passed else 'FAIL'}  {result.name}\n")
                print_out("".join(f"      {miss}\n" for miss in result.misses))
    passed = _print_sum(results, as_json=options.as_json)
    if cancel.is_set():
        raise Cancelled("stopped", f"{len(results)} of {len(folders)} conversations had been held")
    return ExitCode.ACCEPTED if passed == len(results) else ExitCode.REJECTED


def _print_sum(results: Sequence[ConversationResult], *, as_json: bool) -> int:
    """Prints how many conversations passed, or all that is known of them, and returns how many."""
    passed = sum(result.passed for result in results)
    if as_json:
        rows = [result.model_dump(mode="json") for result in results]
        whole = {"passed": passed, "of": len(results), "conversations": rows}
        print_out(json.dumps(whole, ensure_ascii=False) + "\n")
    else:
        print_out(f"{passed} of {len(results)} conversations passed\n")
    return passed


def _refuse_sessions(folders: Iterable[Path]) -> None:
    """Raises where a conversation would not begin anew, but go on with what an earlier one left."""
    from agent.log import LOG

    for folder in folders:
        if (folder / LOG).exists():
            raise OutputError(
                f"{folder} holds a session", "choose an empty or new folder with --out; nothing was changed"
            )


def run_replay(session: Path, *, as_json: bool) -> None:
    """Shows a session again, from its log.

    Raises:
        OutputError: There is no session, or its log is damaged.
    """
    from agent.log import read_log, turns_of
    from agent.results import turn_result

    header, events = read_log(session)
    if as_json:
        results = (turn_result(turn) for turn in turns_of(events))
        turns = [each.model_dump(mode="json") for each in results if each.request]  # not decisions before any
        print_out(json.dumps({"turns": turns}, ensure_ascii=False) + "\n")
        return
    narrator = Narrator()
    narrator.say(f"Session of {header.started_at} about {', '.join(header.images)}, model {header.model}")
    teller = Teller(narrator)
    for event in events:
        teller.tell(event)
        if isinstance(event, Answer):
            print_out(event.text + "\n" + _doubts(event.unverified))
