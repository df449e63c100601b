"""The commands that let an agent work, Loupe's own or another: declarations only, as in `tui.cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tui.options import (
    AgentOption,
    AgentPrecisionOption,
    BatchSizeOption,
    BlipOption,
    ClipOption,
    DetectorOption,
    DeviceOption,
    Images,
    JsonOption,
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

__all__ = ["ask", "chat", "mcp", "replay", "run"]


def ask(
    words: Annotated[
        list[str],
        typer.Argument(metavar="IMAGES REQUEST...", help="Images, then what to say, a turn each."),
    ],
    recipe: RecipeOption = "",
    model: AgentOption = "",
    out: OutOption = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            parser=named_path,
            metavar="PATH",
            help="Go on with the session in this folder; then give requests only.",
        ),
    ] = None,
    user: Annotated[
        str, typer.Option(callback=writable, help="Who decides, for the record and the report.")
    ] = "",
    max_steps: Annotated[int, typer.Option(min=1, help="Programs that the model may write per turn.")] = 8,
    models: ModelsOption = "",
    clip: ClipOption = "",
    blip: BlipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: AgentPrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
    ledger: LedgerOption = True,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask about a batch: the agent works through it with the tools and answers.

    Exit status as for inspect, by the verdicts of the session: 3 also where an image has none or a request
    was declined, 4 also where the model failed.
    """
    from tools.pipeline.engines import EngineOptions
    from tui.asking import AskOptions, run_ask

    engines = EngineOptions(models, clip, blip, detector, device, precision, batch_size, trust_checkpoint)
    options = AskOptions(recipe, model, out, resume, user, max_steps, ledger, as_json, quiet, engines)
    raise typer.Exit(run_ask(words, options))


def chat(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="[IMAGES]", help="As for inspect; may be opened inside.")
    ] = None,
    recipe: RecipeOption = "",
    model: AgentOption = "",
    out: OutOption = None,
    resume: Annotated[
        Path | None,
        typer.Option(parser=named_path, metavar="PATH", help="Go on with the session in this folder."),
    ] = None,
    user: Annotated[
        str, typer.Option(callback=writable, help="Who decides, for the record and the report.")
    ] = "",
    language: Annotated[
        str, typer.Option(callback=not_empty, help="Of the app, en or ko.", show_default="the terminal's")
    ] = "",
    theme: Annotated[str, typer.Option(help="dark, light, contrast, ansi, or any theme of /theme.")] = "",
    confirm: Annotated[bool, typer.Option(help="Ask before the agent changes a verdict.")] = True,
    ledger: LedgerOption = True,
    models: ModelsOption = "",
    clip: ClipOption = "",
    blip: BlipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: AgentPrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
) -> None:
    """Open the full-screen app: batch, conversation and pictures, decisions and report."""
    from tools.pipeline.engines import EngineOptions
    from tui.chatting import run_chat

    engines = EngineOptions(models, clip, blip, detector, device, precision, batch_size, trust_checkpoint)
    raise typer.Exit(
        run_chat(
            images or (),
            recipe,
            model,
            out,
            resume,
            user=user,
            language=language,
            theme=theme,
            confirm=confirm,
            ledger=ledger,
            engines=engines,
        )
    )


def run(
    playbook: Annotated[
        Path, typer.Argument(parser=named_path, help="Conversations with what is expected of them (YAML).")
    ],
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            "-r",
            callback=not_empty,
            help="Recipe file, or the name of a bundled one.",
            show_default="the playbook's, else metal-surface",
        ),
    ] = "",
    model: AgentOption = "",
    out: OutOption = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Programs that the model may write per turn.")] = 8,
    models: ModelsOption = "",
    clip: ClipOption = "",
    blip: BlipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: AgentPrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
    ledger: LedgerOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Play scripted conversations and check what is expected of them; 0 only if all of it holds."""
    from tools.pipeline.engines import EngineOptions
    from tui.asking import AskOptions, run_playbook

    engines = EngineOptions(models, clip, blip, detector, device, precision, batch_size, trust_checkpoint)
    options = AskOptions(recipe, model, out, None, "", max_steps, ledger, as_json, quiet, engines)
    raise typer.Exit(run_playbook(playbook, options))


def replay(
    session: Annotated[
        Path, typer.Argument(parser=named_path, help="Folder of a session, or its session.jsonl.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Show a session again: what was asked, run, found, decided and answered."""
    from tui.asking import run_replay

    run_replay(session, as_json=as_json)


def mcp(
    images: Images,
    recipe: RecipeOption = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            parser=named_path,
            metavar="PATH",
            help="Folder for reports.",
            show_default="loupe-runs/<date-time>",
        ),
    ] = None,
    user: Annotated[str, typer.Option(callback=writable, help="Who inspects, for the report.")] = "",
    models: ModelsOption = "",
    clip: ClipOption = "",
    blip: BlipOption = "",
    detector: DetectorOption = "",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    batch_size: BatchSizeOption = None,
    trust_checkpoint: TrustOption = False,
    ledger: LedgerOption = True,
) -> None:
    """Serve the inspection tools over MCP (stdio), for any other agent."""
    from tools.pipeline.engines import EngineOptions
    from tui.serving import run_mcp

    engines = EngineOptions(models, clip, blip, detector, device, precision, batch_size, trust_checkpoint)
    raise typer.Exit(run_mcp(images, recipe, out, user, ledger=ledger, engines=engines))
