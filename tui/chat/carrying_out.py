"""Carries out the commands that begin with a slash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import LoupeError, UsageError
from tools.overriding import AGENT
from tools.records import Language
from tui.chat.background import Start
from tui.chat.dialogs import ChooseDialog
from tui.chat.models import known_models, model_choices, model_title
from tui.chat.opening_dialog import OpenDialog
from tui.chat.paths import home_expanded
from tui.chat.slash import COMMANDS, Command
from tui.chat.themes import SHORT_NAMES, THEMES, full_name
from tui.chat.transcript import markdown_of

if TYPE_CHECKING:
    from agent.events import Event
    from agent.session import Session
    from tui.app import LoupeApp

__all__ = ["Commander"]

_MOST_RECENT = 6
_SWITCH = {"on": True, "off": False}


class Commander:
    """The commands of one app.

    Args:
        app: That they act on.
    """

    def __init__(self, app: LoupeApp) -> None:
        self._app = app

    def values(self) -> dict[str, Sequence[str]]:
        """Returns what the prompt completes, per kind of argument."""
        from tools.recipe.file import bundled_recipes

        app = self._app
        ids = [record.id for record in app.session.batch.records] if app.session else []
        others = sorted(set(app.available_themes) - set(THEMES))
        own = sorted(str(path) for path in Path().glob("*.yaml"))
        return {
            "ids": ids,
            "themes": [*THEMES, *SHORT_NAMES, *others],
            "models": known_models(),
            "recipes": [*bundled_recipes(), *own],
        }

    async def carry_out(self, command: Command, arguments: Sequence[str], typed: str) -> None:
        """Carries out a command.

        Args:
            command: Which.
            arguments: What followed it.
            typed: All of it, as it goes on record.
        """
        try:
            if command.tool:
                given: dict[str, object] = {"ids": list(arguments)} if arguments else {}
                if command.is_worded:
                    given["language"] = self._app.words.language.value
                await self._use(command.tool, given, typed)
            else:
                await getattr(self, f"_{command.name}")(arguments, typed)
        except LoupeError as error:
            await self._app.tell(error)

    async def _use(self, tool: str, given: dict[str, object], typed: str) -> None:
        def turn(session: Session) -> Iterator[Event]:
            return session.use(tool, given, typed)

        await self._app.begin(turn)

    def _needs_session(self) -> Session:
        if self._app.session is None:
            raise UsageError(self._app.words("needs_batch"))
        return self._app.session

    # One method per command of the app; the name is the command's.

    async def _look(self, arguments: Sequence[str], typed: str) -> None:
        from agent.ids import ImageIds

        session = self._needs_session()
        if not arguments:
            raise UsageError(self._app.words("usage", usage="/look ID"))
        image_id = ImageIds(session.batch.records).one(arguments[0])
        self._app.workspace.action_show_image(image_id)
        self._app.workspace.action_focus_panel("picture")

    async def _thumbnails(self, arguments: Sequence[str], typed: str) -> None:
        self._needs_session()
        self._app.workspace.action_thumbnails()

    async def _review(self, arguments: Sequence[str], typed: str) -> None:
        from tui.chat.review import ReviewScreen

        app, session = self._app, self._needs_session()
        language, graphics = app.words.language, app.graphics
        screen = ReviewScreen(session, recording=app.recording, language=language, graphics=graphics)
        app.push_screen(screen, lambda _: app.workspace.changed())

    async def _report(self, arguments: Sequence[str], typed: str) -> None:
        from tui.chat.report_view import ReportScreen

        app = self._app
        if app.must_wait:
            app.give_back(typed)
            return
        if app.puts_off(partial(self.carry_out, COMMANDS["report"], arguments, typed)):
            return
        session, language = self._needs_session(), app.words.language
        lot = " ".join(typed.split(maxsplit=1)[1:])  # as it is written: no quotes or slashes mean anything
        screen = ReportScreen(session, language=language, lot=lot, graphics=app.graphics)

        async def seen(_: None) -> None:
            app.workspace.changed()
            if session.turns and session.turns[-1].artifacts:
                path = session.turns[-1].artifacts[0]
                await app.workspace.conversation.say(app.words("turn.written", path=path))

        app.push_screen(screen, seen)

    async def _undo(self, arguments: Sequence[str], typed: str) -> None:
        self._app.undo()

    async def _open(self, arguments: Sequence[str], typed: str) -> None:
        if arguments:
            self._open_images(tuple(arguments))
        else:
            self.open_dialog()

    async def _add(self, arguments: Sequence[str], typed: str) -> None:
        if self._app.session is None:
            await self._open(arguments, typed)
        elif arguments:
            self._add_images(tuple(arguments))
        else:
            self.open_dialog(adds=True)

    async def _sessions(self, arguments: Sequence[str], typed: str) -> None:
        self.sessions_dialog()

    async def _model(self, arguments: Sequence[str], typed: str) -> None:
        session = self._needs_session()
        if arguments:
            self._switch_model(arguments[0])
            return
        words = self._app.words
        self._choose("model", model_title(session, words), model_choices(session, words))

    def _choose(self, command: str, title: str, offered: Sequence[tuple[str, str]]) -> None:
        """Lets the user choose what a command takes, and carries it out with that."""

        def chosen(value: str | None) -> None:
            if value:
                self._app.call_later(self.carry_out, COMMANDS[command], [value], f"/{command} {value}")

        self._app.push_screen(ChooseDialog(title, offered, self._app.words), chosen)

    def _switch_model(self, name: str) -> None:
        session = self._needs_session()
        if name.endswith("#"):  # the address alone: its model is still to be named
            self._app.workspace.prompt.write(f"/model {name}")
        elif name != session.model_name:
            session.switch_model(name)
            self._app.start = replace(self._app.start, model=name)
            self._app.notify(self._app.words("model.switched", name=name))
            self._app.workspace.header.draw()  # which names the model

    async def _recipe(self, arguments: Sequence[str], typed: str) -> None:
        if arguments:
            self._switch_recipe(arguments[0])
            return
        session = self._needs_session()
        title = self._app.words("recipe.title", name=session.recipe.name)
        offered = [(name, name) for name in self.values()["recipes"]]
        self._choose("recipe", title, offered)

    def _switch_recipe(self, name: str) -> None:
        # Other rules are another session: verdicts of two recipes must not mix.
        app, start = self._app, replace(self._afresh(), recipe=name)
        if app.session is None and not app.is_busy:
            app.start = start  # also for images that are opened later
        if start.images:
            self._begin_anew(start)
        else:
            app.notify(app.words("recipe.next", name=name))

    async def _confirm(self, arguments: Sequence[str], typed: str) -> None:
        if arguments:
            wanted = arguments[0].lower()
            if wanted not in _SWITCH:  # a slip must not let the agent decide alone
                raise UsageError(self._app.words("usage", usage="/confirm on|off"))
            self._app.confirm = _SWITCH[wanted]
        self._app.notify(self._app.words("confirm.on" if self._app.confirm else "confirm.off"))

    async def _export(self, arguments: Sequence[str], typed: str) -> None:
        session = self._needs_session()
        path = Path(arguments[0]) if arguments else session.out / f"chat-{datetime.now():%H%M%S}.md"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(self._transcript(session))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}", "choose another file") from error
        await self._app.workspace.conversation.say(self._app.words("exported", path=path))

    async def _copy(self, arguments: Sequence[str], typed: str) -> None:
        session = self._needs_session()
        answer = self._app.workspace.conversation.last_answer
        text = self._transcript(session) if "all" in arguments else answer
        if text:
            self._app.copy_to_clipboard(text)
        self._app.notify(self._app.words("copied" if text else "copy.nothing"))

    def _transcript(self, session: Session) -> str:
        from agent.log import read_log

        return markdown_of(read_log(session.out)[1], self._app.words)

    async def _theme(self, arguments: Sequence[str], typed: str) -> None:
        app = self._app
        if not arguments:
            app.search_themes()
        elif (theme := full_name(arguments[0])) in app.available_themes:
            app.theme = theme
        else:
            raise UsageError(f"there is no theme {arguments[0]}", f"e.g. {', '.join(THEMES)}")

    async def _language(self, arguments: Sequence[str], typed: str) -> None:
        if self._app.is_busy:
            self._app.notify(self._app.words("running.already"), severity="warning")
            return
        wanted = arguments[0].lower() if arguments else ""
        if wanted not in {language.value for language in Language}:
            raise UsageError(self._app.words("usage", usage="/language en|ko"))
        await self._app.use_language(Language(wanted))

    async def _help(self, arguments: Sequence[str], typed: str) -> None:
        self._app.action_help()

    async def _quit(self, arguments: Sequence[str], typed: str) -> None:
        await self._app.action_quit()

    # Dialogs.

    def open_dialog(self, *, is_first: bool = False, adds: bool = False) -> None:
        """Asks for images and opens them, as a new session."""
        from tui.chat.recents import recent_sessions

        words = self._app.words
        recent = list(dict.fromkeys(each.header.images for each in recent_sessions()))[:_MOST_RECENT]
        title = words("first.title") if is_first else words("open.add" if adds else "open.title")
        dialog = OpenDialog(title, recent, words, words("first.short") if is_first else "")

        def chosen(images: tuple[str, ...] | None) -> None:
            if images:
                (self._add_images if adds else self._open_images)(images)

        self._app.push_screen(dialog, chosen)

    def _open_images(self, images: tuple[str, ...]) -> None:
        self._app.open(replace(self._afresh(), images=_expanded(images)))

    def _add_images(self, images: tuple[str, ...]) -> None:
        # More images are another batch: what is held against it, and its report, would be others.
        start = self._afresh()
        self._begin_anew(replace(start, images=(*start.images, *_expanded(images))))

    def _afresh(self) -> Start:
        """Returns what a new session begins with: what this one did, in a folder of its own."""
        start = self._app.start
        out = None if self._app.session else start.out  # which is given for the first that opens
        return replace(start, out=out, resume=None)

    def _begin_anew(self, start: Start) -> None:
        """Opens a session that people may take for the same; asks first where people have decided."""
        app, session = self._app, self._app.session
        decided = _decided_by_people(session) if session is not None else 0
        if session is None or not decided:
            app.open(start)
            return

        def chosen(what: str | None) -> None:
            if what == "begin":
                app.open(start)

        choices = [("stay", app.words("anew.stay")), ("begin", app.words("anew.begin"))]
        title = app.words("anew.title", count=decided, path=session.out)
        app.push_screen(ChooseDialog(title, choices, app.words), chosen)

    def sessions_dialog(self) -> None:
        """Lists the sessions and goes on with the one that is chosen."""
        from tui.chat.recents import recent_sessions

        words = self._app.words
        choices = [
            (
                str(each.folder),
                words(
                    "sessions.row",
                    when=each.header.started_at[:16].replace("T", " "),
                    turns=each.turns,
                    images=", ".join(Path(image).name for image in each.header.images),
                ),
            )
            for each in recent_sessions()
            if not each.is_empty
        ]

        def chosen(folder: str | None) -> None:
            if folder:
                self._app.open(Start(resume=Path(folder)))

        self._app.push_screen(
            ChooseDialog(words("sessions.title"), choices, words, words("sessions.none")), chosen
        )


def _decided_by_people(session: Session) -> int:
    """Returns on how many images people have decided."""
    decisions = (session.decisions(image_id) for image_id in session.verdicts())
    return sum(any(decision.by != AGENT for decision in each) for each in decisions)


def _expanded(images: Sequence[str]) -> tuple[str, ...]:
    """Returns the paths without `~`: a session keeps them for its next start, made absolute."""
    return tuple(map(home_expanded, images))
