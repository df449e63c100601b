"""The picture panel: an image with its findings marked, zoom and overlays, and all that is known of it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from tools.records import Inspection, Language
from tui.chat.canvas import Canvas
from tui.chat.darkroom import Photo, PhotoSource
from tui.chat.details import details, headline
from tui.chat.error_words import said
from tui.chat.hints import KeyHints
from tui.chat.lens import Lens
from tui.chat.view_words import ViewWords
from tui.chat.views import View

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual import events
    from textual.app import ComposeResult

    from agent.events import Decision
    from tools.recipe import Recipe
    from tools.records import BoxXyxyPx

__all__ = ["PicturePanel"]

_BESIDE_CELLS = 72  # from this width on the details stand beside the picture
_HINTS = (
    ("z", "z", "key.zoom"),
    ("right_square_bracket", "[ ]", "key.next"),
    ("b", "b", "key.marks"),
    ("h", "h", "key.heat"),
    ("o", "o", "key.open"),
)
_LARGEST_SHARE = 0.6  # of the height for the picture above its details


class _Details(Static):
    """The words beside the picture; a click on a finding chooses it."""

    class Chosen(Message):
        """A finding was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Resized(Message):
        """There is another width to set the words into."""

    def on_resize(self) -> None:
        """Tells the panel, whose own size may be what it was."""
        self.post_message(self.Resized())

    def action_choose(self, index: int) -> None:
        """Tells the panel which finding was clicked."""
        self.post_message(self.Chosen(index))


class PicturePanel(Widget):
    """Shows one image at a time; decoding and drawing happen beside the screen, and the newest wish wins.

    Args:
        language: Of its words.
        recipe: Gives the defect types their colours and Korean names.
        graphics: `graphics.graphics_widget()`, asked before the app ran; None draws half cells.
    """

    DEFAULT_CSS = """
    PicturePanel { width: 1fr; height: 1fr; layout: vertical; }
    PicturePanel > .headline, PicturePanel > .state { height: 1; padding: 0 1; text-wrap: nowrap;
        text-overflow: ellipsis; }
    PicturePanel > .state { color: $text-muted; }
    PicturePanel > .hints { display: none; }
    PicturePanel:focus-within > .hints { display: block; }
    PicturePanel > .body { layout: vertical; height: 1fr; }
    PicturePanel > .body > Lens { width: 1fr; height: 60%; }
    PicturePanel > .body > VerticalScroll { width: 1fr; height: 1fr; padding: 0 1;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    PicturePanel .details { width: 1fr; height: auto; link-style: none; link-background-hover: $boost;
        link-color: $foreground; link-color-hover: $foreground; }
    PicturePanel.-beside > .body { layout: horizontal; }
    PicturePanel.-beside > .body > Lens { width: 3fr; height: 1fr; }
    PicturePanel.-beside > .body > VerticalScroll { width: 2fr; }
    PicturePanel Lens:focus { background: $boost; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "Zoom", id="picture.zoom", tooltip="Zoom to the finding, and back"),
        Binding("right_square_bracket", "finding(1)", "Next finding", key_display="]", id="picture.next"),
        Binding(
            "left_square_bracket",
            "finding(-1)",
            "Previous finding",
            key_display="[",
            show=False,
            id="picture.previous",
        ),
        Binding("b", "marks", "Marks", id="picture.marks", tooltip="The picture with and without marks"),
        Binding("h", "heat", "Heat map", id="picture.heat", tooltip="Where screening was suspicious"),
        Binding("o", "open", "Open", id="picture.open", tooltip="Open in the system's viewer"),
    ]

    language: reactive[Language] = reactive(Language.EN, init=False)

    def __init__(
        self,
        *,
        language: Language = Language.EN,
        recipe: Recipe | None = None,
        graphics: type[Widget] | None = None,
    ) -> None:
        super().__init__()
        self.set_reactive(PicturePanel.language, language)
        self._recipe = recipe
        self._lens = Lens(graphics, language=language)
        self._title = Static(classes="headline", markup=False)
        self._state = Static(classes="state", markup=False)
        self._hints = KeyHints(classes="hints")
        self._details = _Details(classes="details", markup=False)
        self._image_id = ""
        self._inspection: Inspection | None = None
        self._decisions: tuple[Decision, ...] = ()
        self._told: tuple[object, ...] = ()  # what the words were made of

    def compose(self) -> ComposeResult:
        """Mounts the title, the picture, its state and the details."""
        yield self._title
        with Container(classes="body"):
            yield self._lens
            with VerticalScroll(can_focus=True):
                yield self._details
        yield self._state
        yield self._hints

    def on_mount(self) -> None:
        """Says what to do as long as there is no image."""
        self._tell()

    def show(
        self,
        image_id: str,
        inspection: Inspection | None,
        image: PhotoSource | None,
        decisions: Sequence[Decision] = (),
        size_wh_px: tuple[int, int] | None = None,
    ) -> None:
        """Shows an image; what was asked for before and is not drawn yet is dropped.

        Args:
            image_id: Of the image; empty for none.
            inspection: What is known of it; None where nothing is.
            image: Its pixels, or what loads them (in a thread of the panel); None where there are none.
            decisions: On this image so far, the first first, for the trail.
            size_wh_px: Of the image, where it is known.
        """
        is_same, words = image_id == self._image_id, ViewWords(self.language)
        self._image_id, self._inspection, self._decisions = image_id, inspection, tuple(decisions)
        photo = Photo(image, inspection, self._types(), size_wh_px) if image is not None else None
        view = self.view if is_same else replace(self.view.whole(), chosen=None)
        if view.chosen is None or view.chosen >= self._count:
            view = replace(view, chosen=self._first_chosen())
        text = words("drawing") if photo else self._why_empty()
        self._lens.put(photo, view, "" if is_same and photo else text)

    def look_at(self, box_xyxy_px: BoxXyxyPx) -> None:
        """Goes near to a part of the image."""
        self._lens.look_at(box_xyxy_px, self.view)

    def _types(self) -> tuple[str, ...]:
        if self._recipe:
            return tuple(self._recipe.defects)
        findings = self._inspection.findings if self._inspection else ()
        return tuple(dict.fromkeys(finding.type for finding in findings))

    @property
    def view(self) -> View:
        """How the image is looked at."""
        return self._lens.view

    @property
    def _count(self) -> int:
        return len(self._inspection.findings) if self._inspection else 0

    def _first_chosen(self) -> int | None:
        """The finding that made the rule fire, else the first."""
        if not self._inspection or not self._inspection.findings:
            return None
        fired = self._inspection.judgement.finding_ids
        ids = [finding.id for finding in self._inspection.findings]
        return next((ids.index(each) for each in fired if each in ids), 0)

    def _why_empty(self) -> str:
        words = ViewWords(self.language)
        return words("no_picture" if self._image_id else "choose")

    # Words.

    def watch_language(self) -> None:
        """Says everything again in the other language."""
        self._tell()

    def _tell(self) -> None:
        """Says what is shown; a mere zoom changes one line, and lays nothing out anew."""
        self._state.update(self._state_line() if self._image_id else "")
        if self._lens.photo is None:
            self._lens.say(self._why_empty())
        width, chosen = self._details.size.width or self.size.width, self.view.chosen
        known = (self._image_id, self._inspection, self._decisions, chosen, self.language, width)
        if known == self._told:
            return
        self._told = known
        if not self._image_id:
            self._title.update("")
            self._details.update("")
            return
        words, (image_id, inspection, decisions, *_) = ViewWords(self.language), known
        self._title.update(headline(image_id, inspection, self.language, decisions))
        self._details.update(details(inspection, chosen, self.language, self._recipe, width, decisions))
        self._hints.tell([(key, shown, words(doing)) for key, shown, doing in _HINTS])

    def _state_line(self) -> str:
        words, view = ViewWords(self.language), self.view
        parts = []
        if view.chosen is not None:
            parts.append(words("finding_of", number=view.chosen + 1, total=self._count))
        parts.append(words("zoomed", zoom=view.zoom) if view.zoom > 1 else words("whole"))
        if view.has_heat:
            parts.append(words("heat"))
        if not view.has_marks:
            parts.append(words("bare"))
        return " · ".join(parts)

    # Layout.

    def on_resize(self, event: events.Resize) -> None:
        """Puts the details beside the picture where there is room, else below."""
        self.set_class(event.size.width >= _BESIDE_CELLS, "-beside")
        self._layout_picture()
        self.call_after_refresh(self._tell)

    def _layout_picture(self) -> None:
        """Gives the picture the height that its proportions need, and the details the rest."""
        if self.has_class("-beside"):
            self._lens.styles.height = "1fr"
            return
        width, height = self._lens.photo_wh_px or (4, 3)
        room = max(4, int((self.size.height - 2) * _LARGEST_SHARE))
        self._lens.styles.height = min(room, max(4, math.ceil(self.size.width * height / width / 2)))

    @on(_Details.Resized)
    def _on_details_resized(self, message: _Details.Resized) -> None:
        message.stop()
        self._tell()

    @on(Lens.Looked)
    def _on_looked(self, message: Lens.Looked) -> None:
        message.stop()
        self._tell()
        self._layout_picture()  # of a photograph without an inspection the proportions are known only now

    # What can be done with it.

    @on(Canvas.Pointed)
    def _on_pointed(self, message: Canvas.Pointed) -> None:
        message.stop()
        x, y = message.at_xy_px
        for index, finding in enumerate(self._inspection.findings if self._inspection else ()):
            x_min, y_min, x_max, y_max = finding.box_xyxy_px
            if x_min <= x < x_max and y_min <= y < y_max:
                self._lens.look(replace(self.view, chosen=index))
                return

    @on(_Details.Chosen)
    def _on_chosen(self, message: _Details.Chosen) -> None:
        message.stop()
        self.choose(message.index)

    def action_zoom(self) -> None:
        """Zooms to the chosen finding, and back to the whole image."""
        if self.view.zoom > 1:
            self._lens.action_whole()
        elif self._count:
            self._to_finding(self.view.chosen or 0, is_near=True)
        else:
            self._lens.action_nearer(2)

    def action_finding(self, steps: int) -> None:
        """Chooses the next or the previous finding."""
        if self._count:
            start = -1 if self.view.chosen is None and steps > 0 else self.view.chosen or 0
            self._to_finding((start + steps) % self._count, is_near=self.view.zoom > 1)

    def choose(self, index: int) -> None:
        """Chooses a finding by its place in the inspection."""
        if 0 <= index < self._count:
            self._to_finding(index, is_near=self.view.zoom > 1)

    def _to_finding(self, index: int, *, is_near: bool) -> None:
        view = replace(self.view, chosen=index)
        if is_near and self._inspection:
            self._lens.look_at(self._inspection.findings[index].box_xyxy_px, view)
        else:
            self._lens.look(view)

    def action_marks(self) -> None:
        """Shows the picture with or without its marks."""
        self._lens.look(replace(self.view, has_marks=not self.view.has_marks))

    def action_heat(self) -> None:
        """Shows or hides the heat map of screening."""
        screening = self._inspection.screening if self._inspection else None
        if not self.view.has_heat and not (screening and screening.heat_map):
            self.notify(ViewWords(self.language)("no_heat"), severity="warning")
            return
        self._lens.look(replace(self.view, has_heat=not self.view.has_heat))

    def action_open(self) -> None:
        """Opens the picture in full size, as it is marked now, in the system's viewer."""
        if not self._lens.open_outside(self._image_id, self._tell_opened):
            self.notify(ViewWords(self.language)("no_image_to_open"), severity="warning")

    def _tell_opened(self, path: Path | None, error: str) -> None:
        if path is None:
            self.notify(said(error, self.language), severity="error")
        else:
            self.notify(ViewWords(self.language)("opened", path=path))
