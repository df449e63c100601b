"""The full-screen app: it owns the session, carries out commands, and tells the workspace what happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input, TextArea

from tools.errors import ExitCode, LoupeError
from tools.records import Language
from tui.chat.background import (
    Approval,
    ApprovalWanted,
    Failed,
    Happened,
    Opened,
    Opening,
    OpenSession,
    Start,
    Told,
    TurnOver,
    close_beside,
    open_beside,
    pump_beside,
)
from tui.chat.carrying_out import Commander
from tui.chat.deciding import Decided, OnRecord, Recording, TakenBack, deciding, taking_back, undone
from tui.chat.dialogs import ApproveDialog, HelpDialog
from tui.chat.error_words import said
from tui.chat.palette import ImageProvider, system_commands
from tui.chat.slash import COMMANDS as SLASH_COMMANDS
from tui.chat.slash import parse, without_mentions
from tui.chat.themes import HIGH_CONTRAST
from tui.chat.words import Words
from tui.chat.workspace import Workspace

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from textual.message import Message
    from textual.notifications import SeverityLevel
    from textual.widget import Widget

    from agent.events import Approve, Decision, Event
    from agent.session import Session

__all__ = ["LoupeApp"]


class LoupeApp(App[ExitCode]):
    """Talk to the inspector about a batch.

    Args:
        start: What to open; nothing where it names neither images nor a session.
        open_session: Opens a session; called beside the screen.
        language: Of the interface.
        theme: Name of a theme; empty for the default.
        confirm: Whether decisions of the agent are confirmed first.
        graphics: Draws pictures in the terminal's own way; None for half cells.

    Attributes:
        session: That is open.
        start: What it was opened with.
        earlier: Folders of sessions that were open before it, and in which something was done.
        recording: Puts what the user decides on record, in whatever session.
        closing: The thread that closes the session after the app has ended.
    """

    CSS_PATH = "app.tcss"
    TITLE = "Loupe"
    COMMANDS = App.COMMANDS | {ImageProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="help", priority=True, show=False),
        Binding("ctrl+o", "open", "Open folder", id="open", show=False),
        Binding("ctrl+s", "sessions", "Sessions", id="sessions", show=False),
        Binding("ctrl+q", "quit", "Quit", id="quit", priority=True, show=False),
    ]

    def __init__(
        self,
        start: Start,
        open_session: OpenSession,
        *,
        language: Language = Language.EN,
        theme: str = "",
        confirm: bool = True,
        graphics: type[Widget] | None = None,
    ) -> None:
        super().__init__()
        self.words = Words(language)
        self.start = start
        self.session: Session | None = None
        self.confirm = confirm
        self.earlier: list[Path] = []
        self.recording = Recording(self.post_message)
        self.closing: threading.Thread | None = None
        self._leaving: threading.Thread | None = None
        self.graphics = graphics
        self._open_session = open_session
        self._is_busy = self._is_opening = False
        self._stop_opening: threading.Event | None = None
        self._opened_meanwhile: Opened | None = None
        self._waiting: Callable[[], Awaitable[None]] | None = None
        self._approvals: set[Approval] = set()
        self._commands = Commander(self)
        self.register_theme(HIGH_CONTRAST)
        if theme:
            self.theme = theme

    @property
    def workspace(self) -> Workspace:
        """The screen below any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, Workspace))

    @property
    def is_busy(self) -> bool:
        """Whether a turn is running, or a session is being opened."""
        return self._is_busy or self._is_opening

    async def _dispatch_message(self, message: Message) -> None:
        """Drops what threads still tell while the app closes: no screen is left to show it on."""
        if isinstance(message, Told) and not any(isinstance(each, Workspace) for each in self.screen_stack):
            return
        await super()._dispatch_message(message)

    async def on_mount(self) -> None:
        """Paints at once; the session opens behind it."""
        await self.push_screen(Workspace(self.words, self.graphics))
        if self.start.images or self.start.resume:
            self.open(self.start)
        else:
            self._commands.open_dialog(is_first=True)

    # Sessions.

    def open(self, start: Start) -> None:
        """Opens a session in place of the one that is open, which stays where that fails."""
        before = self.session
        if self.is_busy:
            self.notify(self.words("running.already"), severity="warning")
            return
        if before is not None and start.resume and start.resume.resolve() == before.out.resolve():
            self.notify(self.words("sessions.open"))
            return
        while not isinstance(self.screen, Workspace):
            self.screen.dismiss()  # what shows the session that is left
        leaving, self._is_opening = self._leaving, True
        self.workspace.opening(start)

        def opener(wanted: Start, approve: Approve, progress: Callable[[int, int], None]) -> Session:
            if leaving is not None:
                leaving.join()  # it may be that session which is wanted again
            return self._open_session(wanted, approve, progress)

        self._stop_opening = open_beside(start, opener, self._approve, self.post_message)

    @on(Opening)
    def _opening(self, message: Opening) -> None:
        self.workspace.header.opened_so_far(message.done, message.total)

    @on(Workspace.OpeningStopped)
    def _opening_stopped(self) -> None:
        if self._stop_opening is not None:
            self._stop_opening.set()

    @on(Opened)
    async def _opened(self, message: Opened) -> None:
        if self.workspace.session is not None and self.screen is not self.workspace:
            self._opened_meanwhile = message  # a reason is typed, say: it belongs to the session before
            return
        before, self._opened_meanwhile = self.session, None
        self.session, self.start, self._is_opening = message.session, message.start, False
        self.workspace.opening(message.start)
        if self.workspace.session is None:  # the first: what is being typed stays where it is
            await self.workspace.attach(message.session, message.events, self._commands.values())
        else:
            await self._show_workspace(message.events)
        if before is not None:
            await self._leave(before, is_told=not message.events)
        await self._go_on()

    @on(Workspace.Returned)
    async def _returned(self) -> None:
        if self._opened_meanwhile is not None:
            await self._opened(self._opened_meanwhile)

    async def _leave(self, session: Session, *, is_told: bool) -> None:
        """Closes the session that was open before; says where it is if something was done in it."""
        if session.turns or session.verdicts() or self.recording.is_running:
            self.earlier.append(session.out)
            if is_told:
                await self.workspace.conversation.say(self.words("anew.done", path=session.out))
        self._leaving = close_beside(session, self.recording, self.post_message)

    async def _show_workspace(self, events: Iterable[Event]) -> None:
        """Puts a fresh workspace on the screen, with the session that is open."""
        workspace, draft = Workspace(self.words, self.graphics), self.workspace.prompt.area.text
        await self.switch_screen(workspace)
        workspace.prompt.write(draft)
        workspace.opening(self.start)
        if self.session is not None:
            await workspace.attach(self.session, list(events), self._commands.values())

    async def use_language(self, language: Language) -> None:
        """Shows everything again in another language."""
        from agent.log import read_log

        self.words = Words(language)
        events = read_log(self.session.out)[1] if self.session else []
        await self._show_workspace(events)

    @on(Failed)
    async def _failed(self, message: Failed) -> None:
        if message.doing == "open":
            self._is_opening, self._waiting = False, None
            self.workspace.opening(self.start if self.session else Start())
        await self.tell(message.error)

    async def tell(self, error: LoupeError) -> None:
        """Shows an error with its hint in the conversation."""
        message, hint = (said(text, self.words.language) for text in (error.message, error.hint))
        title = f"{self.words('error')}: {message}"
        await self.workspace.conversation.say(title, hint, is_error=True)

    # Turns.

    @on(Workspace.Asked)
    async def _asked(self, message: Workspace.Asked) -> None:
        found = parse(message.text)
        if found is not None:
            name, arguments = found
            if name in SLASH_COMMANDS and self.must_wait and SLASH_COMMANDS[name].tool:
                self.give_back(message.text)
            elif name in SLASH_COMMANDS:
                await self._commands.carry_out(SLASH_COMMANDS[name], arguments, message.text)
            else:
                await self.workspace.conversation.say(self.words("slash.unknown", name=f"/{name}"))
        elif self.must_wait:
            self.give_back(message.text)
        else:
            await self.begin(lambda session: session.ask(without_mentions(message.text)))

    @property
    def must_wait(self) -> bool:
        """Whether a request has to wait: one is running, or waits already for the images."""
        return self._is_busy or self._waiting is not None

    def give_back(self, text: str) -> None:
        """Leaves a request in the prompt, to be sent when the one before is done."""
        key = "running.already" if self._is_busy else "waits.already"
        self.notify(self.words(key), severity="warning")
        self.workspace.prompt.give_back(text)

    async def begin(self, turn: Callable[[Session], Iterator[Event]]) -> None:
        """Begins a turn, unless one is running; once there is a session, and all that was decided counts."""
        if self._is_busy:
            self.notify(self.words("running.already"), severity="warning")
        elif self.puts_off(partial(self.begin, turn)):
            pass
        elif self.session is None:
            await self.workspace.conversation.say(self.words("needs_batch"))
        else:
            try:
                events = turn(self.session)
            except LoupeError as error:
                await self.tell(error)
                return
            self._set_busy(is_busy=True)
            pump_beside(events, self.post_message)

    def puts_off(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Returns whether something has to wait for images or for what is being recorded; then it follows."""
        is_put_off = self._is_opening or self.recording.is_running
        if is_put_off:
            self._waiting = work
            self.notify(self.words("waits" if self._is_opening else "waits.recording"))
        return is_put_off

    async def _go_on(self) -> None:
        """Does what was put off, where nothing is in its way any more."""
        if self._waiting is not None and not self._is_opening and not self.recording.is_running:
            work, self._waiting = self._waiting, None
            await work()

    @on(Happened)
    async def _happened(self, message: Happened) -> None:
        await self.workspace.take(message.event)

    @on(TurnOver)
    def _turn_over(self) -> None:
        self._set_busy(is_busy=False)
        self.workspace.changed()

    def _set_busy(self, *, is_busy: bool) -> None:
        self._is_busy = is_busy
        self.workspace.set_busy(is_busy=is_busy)

    # Decisions.

    def _approve(self, decisions: Sequence[Decision]) -> bool:
        """Asks the user whether the agent may decide; called in the turn's thread, which waits."""
        if not self.confirm:
            return True
        approval = Approval()
        self._approvals.add(approval)
        self.post_message(ApprovalWanted(decisions, approval))
        try:
            return approval.wait()
        finally:
            self._approvals.discard(approval)

    @on(ApprovalWanted)
    def _ask_approval(self, message: ApprovalWanted) -> None:
        self.workspace.action_show_image(message.decisions[0].image_id)
        draft = self.screen.focused if isinstance(self.screen.focused, TextArea | Input) else None
        self.push_screen(ApproveDialog(message.decisions, self.words, draft), message.approval.answer)

    @on(Workspace.DecisionWanted)
    def _decide(self, message: Workspace.DecisionWanted) -> None:
        given = (message.session, message.ids, message.verdict, message.reason)
        self.recording.add(partial(deciding, *given, self.post_message))

    @on(OnRecord)
    async def _on_record(self, message: OnRecord) -> None:
        self.workspace.changed(message.ids)
        await self._go_on()

    @on(Decided)
    def _decisions_made(self, message: Decided) -> None:
        if message.ids:
            verdict = self.words(message.verdict.value)
            self.notify(self.words("decided", what=self.words.of_images(message.ids), verdict=verdict))

    def undo(self) -> None:
        """Takes back the newest decision of the session; an image that was undecided goes to review."""
        if self.session is None:
            self.notify(self.words("undo.nothing"))
            return
        self.recording.add(partial(taking_back, self.session, self.words, self.post_message))

    @on(TakenBack)
    def _taken_back(self, message: TakenBack) -> None:
        if not message.decisions:
            self.notify(self.words("undo.nothing"))
            return
        if self.session is not None:
            self.notify(undone(message.decisions, self.words, self.session.recipe))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Shows a notice; only Textual's own, which have a title, hold markup: a `[` of ours is a bracket."""
        is_marked_up = markup and bool(title)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=is_marked_up)

    # Keys and the palette.

    def action_help(self) -> None:
        """Explains keys and commands."""
        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(self.words))

    def action_open(self) -> None:
        """Opens a folder of images."""
        self._commands.open_dialog()

    def action_sessions(self) -> None:
        """Lists the sessions."""
        self._commands.sessions_dialog()

    async def action_quit(self) -> None:
        """Leaves at once; whatever runs is stopped, what was decided goes on record, the rest is on disk."""
        for approval in list(self._approvals):
            approval.answer(False)
        if self.session is not None:
            self.closing = close_beside(self.session, self.recording, lambda _: None)
        self.exit(ExitCode.ACCEPTED)

    def action_command_palette(self) -> None:
        """Finds any command or image by a few letters."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=self.words("palette.search")))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Returns what the palette offers: every command, every key, and what Textual has."""
        return system_commands(self, screen, self.words, super().get_system_commands(screen))
