"""The `loupe` command: declarations only, so that `loupe --help` imports nothing heavy."""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from tools.errors import ExitCode, LoupeError
from tui.agent_commands import ask, chat, mcp, replay, run
from tui.options import (
    AgentOption,
    BatchSizeOption,
    BlipOption,
    ClipOption,
    DetectorOption,
    DeviceOption,
    DrawnGoodOption,
    DrawOption,
    Images,
    JsonOption,
    LabelledSetArgument,
    LedgerOption,
    ModelsOption,
    OutOption,
    PrecisionOption,
    QuietOption,
    RecipeOption,
    TrustOption,
    named_path,
    not_empty,
    writable,
)
from tui.printing import fit_stdout, print_out
from tui.recipe_commands import recipe_app

__all__ = ["app", "main"]

app = typer.Typer(
    name="loupe",
    help="Inspect photographs of manufactured parts: verdicts, measurements and a quality report, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(recipe_app, name="recipe")


def _print_version(wanted: bool) -> None:
    if wanted:
        print_out(f"loupe {version('loupe-inspection')}\n")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Inspect photographs of manufactured parts."""


@app.command()
def inspect(
    images: Images,
    recipe: RecipeOption = "",
    out: OutOption = None,
    lot: Annotated[str, typer.Option(callback=writable, help="Lot or batch number for the report.")] = "",
    inspector: Annotated[
        str, typer.Option(callback=writable, help="Name of the inspector for the report.")
    ] = "",
    station: Annotated[str, typer.Option(callback=writable, help="Inspection station for the report.")] = "",
    language: Annotated[
        str, typer.Option(callback=not_empty, help="Report language, en or ko.", show_default="the recipe's")
    ] = "",
    models: ModelsOption = "",
    clip: ClipOption = "",
    blip: BlipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
    captions: Annotated[bool, typer.Option(help="Describe findings with BLIP.")] = True,
    report: Annotated[bool, typer.Option(help="Write report.pdf.")] = True,
    ledger: LedgerOption = True,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Inspect a batch: verdicts on stdout, report and exports in the run folder.

    Exit status: 0 all accepted, 1 something rejected, 3 something for review, 2 bad input, 4 a model
    could not be loaded, 130 stopped, 70 a defect of Loupe. An interrupted run goes on with the same
    command and --out.
    """
    from tools.pipeline.engines import EngineOptions
    from tui.inspecting import InspectOptions, run_inspect

    engines = EngineOptions(models, clip, blip, detector, device, precision, batch_size, trust_checkpoint)
    options = InspectOptions(
        images=images,
        recipe=recipe,
        out=out,
        lot=lot,
        inspector=inspector,
        station=station,
        language=language,
        captions=captions,
        report=report,
        as_json=as_json,
        quiet=quiet,
        ledger=ledger,
        model_options=engines,
    )
    raise typer.Exit(run_inspect(options))


@app.command()
def good(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGES]", help="Good parts to add, as for inspect.")
    ] = None,
    recipe: RecipeOption = "",
    listed: Annotated[bool, typer.Option("--list", help="List them.")] = False,
    remove: Annotated[
        list[str] | None, typer.Option(help="Take the image of this name out; may be repeated.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Look at all of them again, as the recipe says now.")
    ] = False,
    models: ModelsOption = "",
    clip: ClipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    trust_checkpoint: TrustOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Name good parts: from then on the recipe's images are held against them. Eight are a good start."""
    from tools.pipeline.engines import EngineOptions
    from tui.keeping import GoodOptions, run_good

    engines = EngineOptions(models, clip, "", detector, device, precision, None, trust_checkpoint)
    run_good(GoodOptions(images or (), recipe, listed, remove or (), rebuild, as_json, quiet, engines))


@app.command()
def demo(
    model: AgentOption = "",
    out: Annotated[
        Path, typer.Option("--out", "-o", parser=named_path, metavar="PATH", help="Session folder.")
    ] = Path("loupe-runs/demo"),
    quiet: QuietOption = False,
) -> None:
    """See it work: the agent inspects the sample batch and writes its report. Exit status as for inspect."""
    from tui.demonstrating import run_demo

    raise typer.Exit(run_demo(model, out, quiet=quiet))


for command in (ask, chat, run, replay, mcp):
    app.command()(command)


@app.command()
def doctor(recipe: RecipeOption = "", model: AgentOption = "", as_json: JsonOption = False) -> None:
    """Check the installation: packages, device, models, the sandbox, and whether the agent's model sees."""
    from tui.doctoring import run_doctor

    raise typer.Exit(run_doctor(recipe, model, as_json=as_json))


@app.command("eval")
def evaluate(
    labelled_set: LabelledSetArgument,
    recipe: RecipeOption = "",
    target_escape: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Escape rate for which a threshold is proposed.")
    ] = 0.02,
    noun: Annotated[str, typer.Option(help="Part noun for the prompts, in place of the recipe's.")] = "",
    good: DrawnGoodOption = 0,
    draw: DrawOption = 1,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Also count the verdicts of the whole pipeline.")
    ] = False,
    models: ModelsOption = "",
    clip: ClipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure a checkpoint and a recipe on labelled photographs."""
    from tools.pipeline.engines import EngineOptions
    from tui.evaluating import run_eval

    model_options = EngineOptions(models, clip, "", detector, device, precision, batch_size, trust_checkpoint)
    run_eval(
        labelled_set,
        recipe,
        noun,
        target_escape,
        model_options,
        good=good,
        draw=draw,
        verdicts=verdicts,
        as_json=as_json,
        quiet=quiet,
    )


@app.command()
def calibrate(
    image: Annotated[
        Path, typer.Argument(parser=named_path, help="Photograph of the target in the inspection plane.")
    ],
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            "-r",
            parser=named_path,
            metavar="PATH",
            help="Recipe file that receives the scale; printed when left out.",
        ),
    ] = None,
    points: Annotated[
        str, typer.Option(help="Two points of known distance, in px: x1,y1,x2,y2 (with --distance).")
    ] = "",
    distance: Annotated[float | None, typer.Option(help="Their distance in mm.")] = None,
    aruco_side: Annotated[float | None, typer.Option(help="Side of an ArUco marker in mm.")] = None,
    dictionary: Annotated[str, typer.Option(help="ArUco dictionary.")] = "DICT_4X4_50",
    chessboard: Annotated[str, typer.Option(help="Inner corners, e.g. 9x6 (with --square).")] = "",
    square: Annotated[float | None, typer.Option(help="Side of a chessboard square in mm.")] = None,
) -> None:
    """Find the scale in millimetres per pixel and write it into a recipe."""
    from tui.calibrating import CalibrateOptions, run_calibrate

    run_calibrate(
        CalibrateOptions(image, recipe, points, distance, aruco_side, dictionary, chessboard, square)
    )


@app.command("models")
def list_models() -> None:
    """List the model sets with what they download and how much memory they take."""
    from tui.model_table import model_table

    print_out(model_table() + "\n")


def main() -> None:
    """Runs the command and turns errors into a message and an exit code."""
    fit_stdout(as_json="--json" in sys.argv)
    try:
        app(standalone_mode=True)
    except LoupeError as error:
        from tui.narration import Narrator

        Narrator().error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(ExitCode.CANCELLED)
    except Exception:  # noqa: BLE001 -- Python's own status for it, 1, would say that a part was rejected
        traceback.print_exc()
        sys.exit(ExitCode.DEFECT)


if __name__ == "__main__":
    main()
