"""`loupe demo`: the agent inspects the sample batch and writes its report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.events import Answer, Outcome
from tools.errors import Cancelled, ExitCode, UsageError
from tui.inspecting import exit_code, print_result
from tui.narration import Narrator, cancel_on_interrupt
from tui.printing import print_out
from tui.telling import Teller

if TYPE_CHECKING:
    from agent.events import Event
    from agent.session import Session
    from tools.records import Inspection

__all__ = ["run_demo"]

_EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
_RECIPE = "metal-surface.yaml"
_LOT = "A-17"
_REQUESTS = ("inspect everything", f"write the report, lot {_LOT}")


def run_demo(model: str, out: Path, *, quiet: bool = False, examples: Path = _EXAMPLES) -> ExitCode:
    """Asks the agent for an inspection and a report; where it is at a loss, the fixed pipeline does the work.

    Args:
        model: Model string; empty for the usual one.
        out: Session folder; one that holds a demonstration is gone on with.
        quiet: Leaves out the narration.
        examples: Folder with the sample batch and its recipe.

    Raises:
        LoupeError: The sample batch is not there, or the output folder cannot be used.
        Cancelled: The user stopped it.
    """
    from agent.session import Session, SessionOptions

    if not (examples / "batch").is_dir():
        raise UsageError(
            "the sample batch is part of the source tree, which this is not",
            "`loupe inspect` and `loupe ask` work on any folder of photographs",
        )
    narrator = Narrator(quiet=quiet)
    recipe = str(examples / "recipes" / _RECIPE)
    with Session(
        [examples / "batch"], recipe, model, out=out, options=SessionOptions(fallback=True)
    ) as session:
        narrator.say(
            f"{len(session.batch)} images in {examples / 'batch'}. The agent is {session.model_name}."
        )
        _converse(session, narrator)
        inspections = [found for each in session.batch.records if (found := session.inspection(each.id))]
        artifacts = list(dict.fromkeys(Path(path) for turn in session.turns for path in turn.artifacts))
        language = session.recipe.language
    if inspections:
        print_result(inspections, out, artifacts, language, narrator, as_json=False)
    return _status(session, inspections)


def _status(session: Session, inspections: Sequence[Inspection]) -> ExitCode:
    """Returns what the verdicts say, unless the last turn failed and the pipeline did not make it good."""
    last = session.turns[-1]
    if last.outcome is Outcome.FAILED and not last.artifacts:
        return ExitCode.MODEL
    code, is_whole = exit_code(inspections), len(inspections) == len(session.batch)
    return code if is_whole or code is ExitCode.REJECTED else ExitCode.REVIEW


def _converse(session: Session, narrator: Narrator) -> None:
    """Holds the conversation; does without the model what came to nothing."""
    teller, begun = Teller(narrator), len(session.turns)
    with cancel_on_interrupt(narrator, session.cancel) as cancel, narrator.downloads():
        for request in _REQUESTS:
            _take(session.ask(request), teller)
            if cancel.is_set() or session.turns[-1].outcome is not Outcome.ANSWERED:
                break
        if not cancel.is_set() and not any(turn.artifacts for turn in session.turns[begun:]):
            narrator.say("The agent was at a loss; the fixed pipeline does the work.")
            _take(session.use("inspect", {}, _REQUESTS[0]), teller)
            _take(session.use("write_report", {"lot": _LOT}, _REQUESTS[1]), teller)
    if cancel.is_set():
        raise Cancelled("stopped", f"loupe demo --out {session.out} goes on from there")


def _take(events: Iterable[Event], teller: Teller) -> None:
    for event in events:
        teller.tell(event)
        if isinstance(event, Answer):
            print_out(event.text + "\n")
