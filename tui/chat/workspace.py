"""The one screen of the app: batch at the left, conversation in the middle, picture at the right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.getters import query_one
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from agent.events import Decision, Event, ImageShown, Inspected, ToolFinished
from tools.records import Language, Verdict
from tui.chat.batch import BatchPanel
from tui.chat.board import Row, row_of
from tui.chat.conversation import Conversation
from tui.chat.header import Header
from tui.chat.hints import KeyHints
from tui.chat.keys import KEYS, hints_at
from tui.chat.prompt import Prompt, PromptArea
from tui.chat.reasons import ReasonScreen
from tui.chat.turns import TurnView
from tui.chat.words import Words

if TYPE_CHECKING:
    from agent.session import Session
    from tools.records import BoxXyxyPx
    from tui.chat.background import Start
    from tui.chat.picture import PicturePanel

__all__ = ["Workspace"]

_REFRESH_S = 0.2  # changed rows are drawn together, so that a thousand inspections a second stay cheap
_MOST_AT_ONCE = 250  # rows, drawn in some 20 ms
_MENTION = re.compile(r"[a-z]+_\d{3,}")
_CHANGES_VERDICTS = frozenset({"inspect", "keep_good", "describe", "write_report", "compare"})


class Workspace(Screen[None]):
    """Shows a session, or that there is none yet.

    Args:
        words: Of the interface.
        graphics: Draws pictures in the terminal's own way; None for half cells.

    Attributes:
        session: That is shown; None until there is one.
        is_ready: Whether the session is shown whole.
    """

    AUTO_FOCUS = "#prompt-text"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 -- as Textual declares it
        (0, "-narrow"),
        (110, "-medium"),
        (160, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "focus_panel('batch')", "Batch", id="focus.batch", show=False, priority=True),
        Binding("f3", "focus_panel('prompt')", "Chat", id="focus.prompt", show=False, priority=True),
        Binding("f4", "focus_panel('picture')", "Picture", id="focus.picture", show=False, priority=True),
        Binding("escape", "stop", "Stop", id="stop", show=False),
    ]

    class Asked(Message):
        """The user sent a request or a command."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class DecisionWanted(Message):
        """The user decides on images of a session."""

        def __init__(self, session: Session, ids: Sequence[str], verdict: Verdict, reason: str) -> None:
            super().__init__()
            self.session, self.ids, self.verdict, self.reason = session, ids, verdict, reason

    class Returned(Message):
        """What lay over the workspace is gone."""

    class OpeningStopped(Message):
        """The user does not want to wait for the images."""

    header = query_one(Header)
    board = query_one(BatchPanel)
    conversation = query_one(Conversation)
    prompt = query_one(Prompt)

    def __init__(self, words: Words, graphics: type[Widget] | None = None) -> None:
        super().__init__()
        self.words = words
        self.session: Session | None = None
        self.is_ready = False
        self._graphics = graphics
        self._changed: set[str] = set()
        self._positions: dict[str, int] = {}
        self._values: dict[str, Sequence[str]] = {}
        self._picture: PicturePanel | None = None

    def compose(self) -> ComposeResult:
        """Lays out the panels."""
        yield Header(self.words)
        with Horizontal(id="panels"):
            yield BatchPanel(self.words)
            with Vertical(id="middle"):
                yield Conversation(self.words)
                yield Prompt(self.words, lambda: self._values)
            with Vertical(id="picture"):
                yield Static(self.words("picture.none"), id="no-picture")
        yield KeyHints()

    async def on_mount(self) -> None:
        """Explains itself and waits for a session."""
        await self.conversation.welcome("first.text")
        self.set_interval(_REFRESH_S, self._refresh_rows)
        self.header.draw()

    def on_screen_resume(self) -> None:
        """Says so once what was answered there has been heard."""
        self.call_after_refresh(self.post_message, self.Returned())

    # A session comes, and what happens in it.

    def opening(self, start: Start) -> None:
        """Says what is being opened."""
        images = ", ".join(Path(image).name for image in start.images)
        self.header.opening(start.resume.name if start.resume else images)

    async def attach(
        self, session: Session, events: Sequence[Event], values: dict[str, Sequence[str]]
    ) -> None:
        """Shows a session.

        Args:
            session: That is open.
            events: What happened in it before.
            values: What the prompt completes, per kind.
        """
        from tui.chat.picture import PicturePanel

        self.session, self._values = session, values
        self._positions = {record.id: place for place, record in enumerate(session.batch.records)}
        self.prompt.remember(turn.request for turn in session.turns)
        self._picture = PicturePanel(
            language=self.words.language, recipe=session.recipe, graphics=self._graphics
        )
        await self.query_one("#picture").remove_children()
        await self.query_one("#picture").mount(self._picture)
        is_korean = self.words.language is Language.KO
        names = {
            name: label.ko if is_korean and label.ko else name.replace("_", " ")
            for name, label in session.recipe.defects.items()
        }
        verdicts = session.verdicts()
        self.board.fill((_row(session, i, place, verdicts) for i, place in self._positions.items()), names)
        await self.conversation.query("#welcome").remove()
        await self.conversation.replay(events)
        if not session.turns:
            await self.conversation.welcome()
        self.header.attach(session)
        self.is_ready = True

    async def take(self, event: Event) -> None:
        """Shows an event of the running turn."""
        match event:
            case Inspected(inspection=inspection):
                self._changed.add(inspection.image.id)
            case Decision(image_id=image_id):
                self._changed.add(image_id)
            case ToolFinished(tool=tool) if tool in _CHANGES_VERDICTS:
                self._changed |= self._positions.keys()
            case ImageShown(image_id=image_id, region_xyxy_px=region):
                self.action_show_image(image_id, region)  # the user sees what the model sees
        await self.conversation.take(event)

    def changed(self, ids: Sequence[str] | None = None) -> None:
        """Draws rows again soon; all of them where none are named."""
        self._changed |= self._positions.keys() if ids is None else set(ids)

    def set_busy(self, *, is_busy: bool) -> None:
        """Shows whether a turn is running."""
        key = "prompt.running" if is_busy else "prompt.placeholder"
        self.prompt.area.placeholder = self.words(key)
        self.header.set_busy(is_busy=is_busy)

    def _refresh_rows(self) -> None:
        if self.header.is_busy:
            self.header.draw()
        if not self._changed or self.session is None:
            return
        changed = set(islice(self._changed, _MOST_AT_ONCE))
        self._changed -= changed
        if self._changed:
            self.call_later(self._refresh_rows)  # keys that were pressed meanwhile come before the rest
        session, verdicts = self.session, self.session.verdicts()
        self.board.change(_row(session, i, self._positions[i], verdicts) for i in changed)
        if self.board.current in changed:
            self.show_image(self.board.current)

    # The line at the bottom.

    @on(DescendantFocus)
    def _draw_hints(self) -> None:
        place, focused = "prompt", self.focused
        if focused is not None and not isinstance(focused, PromptArea):
            parents = {each.id for each in focused.ancestors_with_self}
            place = next((each for each in KEYS if each in parents), "prompt")
        self.set_class(place == "picture", "-picture")
        told = [(key.key, key.shown, self.words(f"key.{key.word}")) for key in hints_at(place)]
        self.query_one(KeyHints).tell(told)

    # Keys.

    def action_focus_panel(self, name: str) -> None:
        """Goes to a panel; a narrow terminal shows batch or picture, one at a time."""
        self.set_class(name == "picture", "-picture")
        target: Widget | None = self.board.table if name == "batch" else self.prompt.area
        if name == "picture":
            inside = self.query_one("#picture").walk_children(Widget)
            target = next((widget for widget in inside if widget.can_focus), None)
        elif name == "conversation":
            target = next(reversed(self.conversation.query(TurnView)), None)
        if target is not None:
            self.set_focus(target)  # at once: the next key may already be on its way

    def action_stop(self) -> None:
        """Closes completions, else stops the turn, else drops the selection, else goes to the prompt."""
        if self.prompt.close_offers():
            return
        if self.header.is_opening:
            self.post_message(self.OpeningStopped())
        elif self.session is not None and self.header.is_busy:
            self.session.cancel()
            self.header.stopping()
        elif self.board.selected:
            self.board.clear_selection()
        else:
            self.prompt.area.focus()

    def action_filter(self, name: str) -> None:
        """Shows only some of the batch."""
        self.board.set_filter(name)

    def action_next_filter(self) -> None:
        """Goes on to the next filter."""
        self.board.next_filter()

    def action_mention(self) -> None:
        """Names the chosen images in the prompt."""
        self.prompt.add(" ".join(f"@{image_id}" for image_id in self.board.chosen()))

    def action_thumbnails(self) -> None:
        """Shows the batch as small pictures."""
        from tui.chat.gallery import GalleryScreen

        if self.session is not None:
            gallery = GalleryScreen(self.board, self.session.batch.load_small, self.words)
            self.app.push_screen(gallery, lambda image_id: self.action_show_image(image_id or ""))

    def action_show_image(self, image_id: str, region: BoxXyxyPx | None = None) -> None:
        """Goes to an image, and near to a part of it; a narrow terminal shows it in place of the batch."""
        if image_id not in self._positions:
            return
        self.board.go_to(image_id)
        self.show_image(image_id)
        self.set_class(not self.board.has_focus_within, "-picture")
        if region and self._picture is not None:
            self.call_after_refresh(self._picture.look_at, region)  # once it has its room

    def action_undo(self) -> None:
        """Takes back the newest decision."""
        self.post_message(self.Asked("/undo"))

    def action_walk(self) -> None:
        """Walks through what is left to decide."""
        self.post_message(self.Asked("/review"))

    def action_decide(self, verdict: str) -> None:
        """Asks for the reason, then decides on the selection or the image under the cursor."""
        chosen, session = self.board.chosen(), self.session
        if session is None or not chosen:
            return

        def decide(reason: str | None) -> None:
            if reason:
                self.post_message(self.DecisionWanted(session, chosen, Verdict(verdict), reason))
                self.board.clear_selection()

        what = self.words.of_images(chosen)
        dialog = ReasonScreen(Verdict(verdict), what, self.words.language, session.recipe)
        self.app.push_screen(dialog, decide)

    # What the panels tell.

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        if mention := _MENTION.search(event.text):
            self.board.go_to(mention.group())
        self.post_message(self.Asked(event.text))

    @on(TurnView.Edited)
    def _edit(self, event: TurnView.Edited) -> None:
        self.prompt.write(event.request)

    @on(BatchPanel.Highlighted)
    def _highlighted(self, event: BatchPanel.Highlighted) -> None:
        self.show_image(event.image_id)

    def show_image(self, image_id: str) -> None:
        """Shows an image at the right; it is decoded beside the screen."""
        session = self.session
        if session is None or self._picture is None or image_id not in self._positions:
            return
        inspection = session.inspection(image_id)
        record = session.batch.record(image_id)
        size = (record.width_px, record.height_px)
        load = partial(session.batch.photograph, image_id) if all(size) else None
        self._picture.show(image_id, inspection, load, session.decisions(image_id), size)


def _row(session: Session, image_id: str, place: int, verdicts: Mapping[str, Verdict]) -> Row:
    """The row of an image; of one that was only decided on, its decisions know by whom."""
    inspection, verdict = session.inspection(image_id), verdicts.get(image_id)
    decided = session.decisions(image_id) if verdict and inspection is None else ()
    by = decided[-1].by if decided else ""
    return row_of(session.batch.record(image_id), place, inspection, verdict, by)
