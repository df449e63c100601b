"""`loupe inspect`: the fixed pipeline over a batch, from arguments to report and exit code."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tools.errors import Cancelled, ExitCode
from tools.home import new_run_folder
from tools.images.files import folders_of
from tools.pipeline.engines import EngineOptions, Engines
from tools.pipeline.journal import INSPECTIONS, RUN_INFO, Journal, refuse_foreign, refuse_other_run
from tools.records import Inspection, Language, Provenance, RunInfo, Verdict
from tools.timing import now
from tools.voices import OUTDATED
from tui.arguments import language_of, open_ledger
from tui.narration import Narrator, bar_setter, cancel_on_interrupt, stopped_at_once
from tui.printing import print_out
from tui.recording import Recorder

if TYPE_CHECKING:
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["InspectOptions", "exit_code", "print_result", "run_inspect"]

_REPORT = "report.pdf"
_NAMED_INPUTS = 5


@dataclass(frozen=True)
class InspectOptions:
    """What `loupe inspect` was asked to do."""

    images: Sequence[str]
    recipe: str = ""
    out: Path | None = None
    lot: str = ""
    inspector: str = ""
    station: str = ""
    language: str = ""
    captions: bool = True
    report: bool = True
    as_json: bool = False
    quiet: bool = False
    ledger: bool = True
    model_options: EngineOptions = field(default_factory=EngineOptions)


def run_inspect(options: InspectOptions) -> ExitCode:
    """Inspects a batch, writes the run folder and returns the verdict on the batch as an exit code.

    Raises:
        LoupeError: Bad input, an unusable output folder or a model that cannot be loaded.
        Cancelled: The user stopped it; what was done is kept.
    """
    from tools.fetching import fetch_checkpoints, kinds_of_inspection
    from tools.images import Batch
    from tools.recipe.file import load_recipe

    narrator = Narrator(quiet=options.quiet)
    recipe = load_recipe(options.recipe or None)
    applied = _applied(recipe, options)
    language = language_of(options.language, recipe)
    if options.out:
        known = {"loupe_version": version("loupe-inspection"), "recipe_sha256": recipe.sha256}
        refuse_foreign(options.out)
        refuse_other_run(options.out, **known, lot=options.lot)
    narrator.say(f"Reading {_listed(options.images)} ...")
    list(folders_of(options.images))  # what is mistyped is told before anything is downloaded
    with narrator.downloads():  # here Ctrl-C ends a download
        fetch_checkpoints(applied, kinds_of_inspection(applied), narrator.say)
    with cancel_on_interrupt(narrator) as cancel:
        with narrator.progress("Reading") as bar:
            batch = Batch.open(options.images, progress=bar_setter(bar), cancel=cancel)
        if options.out:
            refuse_other_run(options.out, batch_sha256=batch.sha256)
        narrator.say(f"{_images(len(batch))}. Loading models ({applied.models.set}) ...")
        engines = Engines(applied, options.model_options)
        with stopped_at_once(cancel):
            models = engines.models
        ledger = open_ledger(wanted=options.ledger)
        run = _run_info(recipe, batch, models, options)
        out = options.out or new_run_folder(options.images, narrator.say)  # now that it has something to hold
        with Journal(out, run, {"inspector": options.inspector, "station": options.station}) as journal:
            narrator.say(f"The images are {engines.screener.plan(batch.records)}.")
            if not engines.screener.hears(engines.localizer.provenance):
                narrator.say(f"note: {OUTDATED}: it is not heard before `loupe good --rebuild`")
            if journal.done_ids:
                narrator.say(f"Resuming {out}: {len(journal.done_ids)} of {len(batch)} are done.")
            recorder = Recorder(ledger, recipe, options.lot, engines.screener)
            _inspect_all(engines, batch, journal, recorder, narrator, cancel)
            inspections = list(journal.inspections())
            if cancel.is_set():
                raise Cancelled(
                    f"stopped after {len(inspections)} of {len(batch)} images; they are kept in {out}",
                    f"the same command with --out {out} goes on from there",
                )
            run = journal.dated(language, now())
            artifacts = _write_outputs(
                run, recipe, batch, inspections, out, options, language, narrator, cancel
            )
            if options.report:
                journal.reported(run)
                if ledger:
                    ledger.add_report(run, _REPORT, [each.image for each in inspections], by=run.inspector)
    print_result(inspections, out, artifacts, language, narrator, as_json=options.as_json)
    return exit_code(inspections)


def _applied(recipe: Recipe, options: InspectOptions) -> Recipe:
    recipe = options.model_options.applied_to(recipe)
    if options.captions:
        return recipe
    return recipe.model_copy(update={"captioning": recipe.captioning.model_copy(update={"enabled": False})})


def _run_info(
    recipe: Recipe, batch: Batch, models: tuple[Provenance, ...], options: InspectOptions
) -> RunInfo:
    from reports.publishing import run_info

    return run_info(
        batch,
        recipe,
        models,
        started_at=now(),
        lot=options.lot,
        inspector=options.inspector,
        station=options.station,
    )


def _inspect_all(
    engines: Engines,
    batch: Batch,
    journal: Journal,
    recorder: Recorder,
    narrator: Narrator,
    cancel: threading.Event,
) -> None:
    """Inspects what is not done yet, and enters it into the ledger with what earlier starts left out."""
    skip = frozenset(journal.done_ids)
    with narrator.progress("Inspecting", len(batch)) as bar, recorder:
        bar.update(bar.task_ids[0], completed=len(skip))
        recorder.catch_up(journal.inspections(), batch, cancel)
        inspected = engines.pipeline().inspect(
            batch, skip=skip, cancel=cancel, embeddings=recorder.embeddings
        )
        for inspection in inspected:
            journal.append(inspection)
            recorder.add(inspection)
            bar.advance(bar.task_ids[0])


def _write_outputs(
    run: RunInfo,
    recipe: Recipe,
    batch: Batch,
    inspections: Sequence[Inspection],
    out: Path,
    options: InspectOptions,
    language: Language,
    narrator: Narrator,
    cancel: threading.Event,
) -> list[Path]:
    from reports.document import write_report
    from reports.exports import write_twins
    from reports.source import ReportInput

    report = ReportInput(
        run=run,
        recipe=recipe,
        inspections=inspections,
        load_image=batch.load,
        language=language,
        created_at=run.reported_at,
    )
    narrator.say("Writing the exports ...")
    with narrator.progress("Writing the exports", len(inspections)) as bar:
        twins = write_twins(report, out, progress=bar_setter(bar), cancel=cancel)
    artifacts = [out / INSPECTIONS, out / RUN_INFO, *twins]
    if options.report:
        with narrator.progress("Writing the report", len(inspections)) as bar:
            write_report(report, out / _REPORT, progress=bar_setter(bar), cancel=cancel)
        artifacts.insert(0, out / _REPORT)
    return artifacts


def print_result(
    inspections: Sequence[Inspection],
    out: Path,
    artifacts: Sequence[Path],
    language: Language,
    narrator: Narrator,
    *,
    as_json: bool,
) -> None:
    """Prints the verdicts, a line per image or one JSON object, and narrates the sums."""
    counts = Counter(inspection.judgement.verdict for inspection in inspections)
    if as_json:
        result = {
            "out": str(out),
            "counts": {verdict.value: counts[verdict] for verdict in Verdict},
            "verdicts": {
                inspection.image.id: inspection.judgement.verdict.value for inspection in inspections
            },
            "artifacts": [str(path) for path in artifacts],
        }
        print_out(json.dumps(result, ensure_ascii=False) + "\n")
    else:
        width = max(cell_len(inspection.image.name) for inspection in inspections)
        for inspection in inspections:
            judgement, name = inspection.judgement, inspection.image.name
            print_out(
                f"{inspection.image.id}  {name}{' ' * (width - cell_len(name))}  "
                f"{judgement.verdict.value:<6}  {judgement.reason(language)}\n"
            )
    narrator.say(
        f"{_images(len(inspections))}: {counts[Verdict.ACCEPT]} accepted, {counts[Verdict.REJECT]} rejected, "
        f"{counts[Verdict.REVIEW]} for review."
    )
    if artifacts:
        narrator.say("Written: " + ", ".join(str(path) for path in artifacts))


def _listed(inputs: Sequence[str]) -> str:
    """Names what was given; a glob that the shell expanded can be thousands of files."""
    from tools.images import printable_name

    more = len(inputs) - _NAMED_INPUTS
    named = ", ".join(printable_name(each) for each in inputs[:_NAMED_INPUTS])
    return f"{named} and {more} more" if more > 0 else named


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def exit_code(inspections: Sequence[Inspection]) -> ExitCode:
    """Returns what the verdicts say to the script that called."""
    verdicts = {inspection.judgement.verdict for inspection in inspections}
    if Verdict.REJECT in verdicts:
        return ExitCode.REJECTED
    return ExitCode.REVIEW if Verdict.REVIEW in verdicts else ExitCode.ACCEPTED
