"""`loupe chat`: starts the full-screen app and leaves cleanly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.downloading import stop_downloads
from tools.errors import ExitCode, UsageError
from tools.pipeline.engines import EngineOptions
from tools.records import Language
from tui.arguments import refuse_beside_resume
from tui.chat.background import Start
from tui.chat.warming import unhindered, warm
from tui.leaving import end_at_once

if TYPE_CHECKING:
    from agent.events import Approve
    from agent.session import Session
    from tui.app import LoupeApp
    from tui.chat.background import OpenSession

__all__ = ["run_chat", "session_opener"]

_LANGUAGES = tuple(language.value for language in Language)
_TURN_S = 0.001  # how long a working thread may keep the interpreter from a key that was pressed
_PATIENCE_S = 0.5  # for a model to stop; whatever hangs longer ends with the process, and nothing is lost


def run_chat(
    images: Sequence[str] = (),
    recipe: str = "",
    model: str = "",
    out: Path | None = None,
    resume: Path | None = None,
    *,
    user: str = "",
    language: str = "",
    theme: str = "",
    confirm: bool = True,
    ledger: bool = True,
    engines: EngineOptions | None = None,
) -> ExitCode:
    """Runs the app until the user leaves.

    Args:
        images: Files, folders, globs or list files; none opens the app without a batch.
        recipe: Recipe file or bundled name; empty for the default.
        model: Model string of the agent; empty for what recipe and settings say.
        out: Folder of a new session.
        resume: Folder of a session to go on with.
        user: Who decides, for the record and the report.
        language: `en` or `ko`; empty for the terminal's.
        theme: Name of a theme, or a short one of them; empty for the default.
        confirm: Whether decisions of the agent are confirmed first.
        ledger: Whether cases are kept.
        engines: Checkpoints that see, and on what.

    Raises:
        UsageError: No terminal, no such language or theme, or something that a resumed session brings itself.
    """
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        raise UsageError("loupe chat needs a terminal", 'use loupe ask IMAGES "request" in scripts')
    refuse_beside_resume(resume, {"IMAGES": images, "--out": out, "--recipe": recipe})
    from tui.app import LoupeApp
    from tui.chat.graphics import graphics_widget
    from tui.chat.themes import SHORT_NAMES, full_name
    from tui.chat.words import language_of_terminal

    if language and language.lower() not in _LANGUAGES:
        raise UsageError(f"--language {language}: no such language", f"known: {', '.join(_LANGUAGES)}")
    app = LoupeApp(
        Start(tuple(images), recipe, model, out, resume),
        session_opener(user, engines or EngineOptions(), ledger=ledger, warms=True),
        language=Language(language.lower()) if language else language_of_terminal(),
        confirm=confirm,
        graphics=graphics_widget(),
    )
    if theme and full_name(theme) not in app.available_themes:
        known = ", ".join([*SHORT_NAMES, *sorted(app.available_themes)])
        raise UsageError(f"--theme {theme}: no such theme", f"known: {known}")
    app.theme = full_name(theme) or app.theme
    sys.setswitchinterval(_TURN_S)
    return _left(app, app.run())


def _left(app: LoupeApp, code: ExitCode | None) -> ExitCode:
    """Ends what is still at work once the app is closed, and returns its exit status."""
    stop_downloads(patiently=True)
    if app.recording.is_running:
        sys.stderr.write("Recording decisions ...\n")
        app.recording.wait()
    if app.closing is not None:
        app.closing.join(_PATIENCE_S)
    if app.session is not None:
        for folder in dict.fromkeys(app.earlier):
            sys.stderr.write(f"Earlier session: {folder}\n")
        sys.stderr.write(f"Session: {app.session.out}\n")
    if app.return_code:  # it crashed: Textual has shown why, and returns nothing
        code = ExitCode.DEFECT
    code = code if code is not None else ExitCode.ACCEPTED
    end_at_once(code)
    return code


def session_opener(user: str, engines: EngineOptions, *, ledger: bool, warms: bool = False) -> OpenSession:
    """Returns what opens sessions, beside the screen: its imports cost the first paint nothing.

    Args:
        user: Who decides.
        engines: Checkpoints that see, and on what.
        ledger: Whether cases are kept.
        warms: Whether the models' libraries are imported as soon as a session is open.
    """

    def open_session(start: Start, approve: Approve, progress: Callable[[int, int], None]) -> Session:
        with unhindered():
            from agent.session import Session, SessionOptions
            from agent.settings import load_settings
            from tui.arguments import open_ledger

        settings = load_settings()
        options = SessionOptions(
            user=user or settings.user,
            engines=engines if engines.named else engines.naming(start.seers),
            ledger=open_ledger(wanted=ledger),
            approve=approve,
            progress=progress,
            inspect_command="/inspect",
        )
        if start.resume:
            session = Session.resume(start.resume, start.model, options=options)
        else:
            session = Session(start.images, start.recipe, start.model, out=start.out, options=options)
        if warms:
            session.warm(warm)
        return session

    return open_session
