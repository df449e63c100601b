"""What programs ask to see: images, regions of them and contact sheets, until the model's next step."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from agent.rows import Row
    from tools.images import Batch
    from tools.records import BoxXyxyPx

__all__ = ["Showing", "Shown"]

_MOST_SHOWN = 8  # pictures that one step may ask to see
_SHEET_IMAGES = 30
_SHEET_COLUMNS = 6
_SHEET = r"(?:contact[\s_-]*)?(?:sheet|page)|(?:(?:콘택트|밀착)\s*)?(?:시트|페이지)"
_NUMBERED = re.compile(
    rf"(?:{_SHEET})[\s_-]*(?:no\.?|number|#)?\s*(?P<behind>\d{{1,6}})(?:\s*(?:of|/)\s*\d{{1,6}}|번)?"
    rf"|(?P<before>\d{{1,6}})\s*번?째?\s*(?:{_SHEET})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Shown:
    """A picture that a program asked to see.

    Attributes:
        image_id: Of the image; the label of a contact sheet.
        region_xyxy_px: Part of the image; None for all of it.
        sheet: Number of the contact sheet; None for an image.
    """

    image_id: str
    region_xyxy_px: BoxXyxyPx | None = None
    sheet: int | None = None


class Showing:
    """The pictures of a batch that wait to be shown, and its contact sheets of thirty images each.

    Args:
        batch: The images.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._waiting: list[Shown] = []

    @property
    def sheets(self) -> int:
        """How many contact sheets show all images."""
        return -(-len(self._batch.records) // _SHEET_IMAGES)

    def on_sheet(self, number: int) -> list[str]:
        """Returns the ids of the images on a contact sheet, the first being 1."""
        return [
            record.id for record in self._batch.records[(number - 1) * _SHEET_IMAGES : number * _SHEET_IMAGES]
        ]

    def sheet(self, number: int) -> Shown:
        """Returns a contact sheet as something to be shown."""
        label = "contact sheet" if self.sheets == 1 else f"contact sheet {number} of {self.sheets}"
        return Shown(label, sheet=number)

    def ask_sheet(self, words: object, region: object) -> Row | None:
        """Asks for the contact sheet that `sheet 2`, `contact sheet 2 of 10` or `시트 2` names.

        Returns:
            The row of the tool; None where the words name no sheet.

        Raises:
            UsageError: There is no sheet of that number, or a region of one was asked for.
        """
        text = unicodedata.normalize("NFKC", words).strip() if isinstance(words, str) else ""
        match = _NUMBERED.fullmatch(text)
        if match is None:
            return None
        number = int(match["behind"] or match["before"])
        if not 1 <= number <= self.sheets:
            raise UsageError(
                f"there is no contact sheet {number}",
                f"there are {self.sheets}, of {_SHEET_IMAGES} images each; one image is shown by its id",
            )
        if region is not None:
            raise UsageError("a contact sheet has no regions", "look at an image of it by its id")
        sheet = self.sheet(number)
        self.ask(sheet)
        return {
            "id": sheet.image_id,
            "images": list(self.on_sheet(number)),
            "region": None,
            "shown": "at the next step",
        }

    def ask(self, shown: Shown) -> None:
        """Lets a picture wait for the next step.

        Raises:
            UsageError: Too many wait already.
        """
        if len(self._waiting) >= _MOST_SHOWN:
            raise UsageError(f"{_MOST_SHOWN} pictures wait to be shown", "look at more at a later step")
        self._waiting.append(shown)

    def take(self) -> list[Shown]:
        """Returns what was asked for since the last call."""
        shown, self._waiting = self._waiting, []
        return shown

    def drawn(self, shown: Shown) -> Image:
        """Returns an image or a region of it in full resolution, or a contact sheet, RGB.

        Raises:
            ImageError: It cannot be read.
        """
        from PIL import Image

        from tools.images import contact_sheet

        if shown.sheet is not None:
            ids = self.on_sheet(shown.sheet)
            return Image.fromarray(contact_sheet(self._batch, ids, columns=_SHEET_COLUMNS))
        image = self._batch.photograph(shown.image_id)
        if shown.region_xyxy_px is None:
            return image
        x_min, y_min, x_max, y_max = shown.region_xyxy_px
        return image.crop((int(x_min), int(y_min), -int(-x_max // 1), -int(-y_max // 1)))

    def hint(self) -> str:
        """Returns how the contact sheets after the first are asked for; nothing where there is no other."""
        if self.sheets == 1:
            return ""
        first, *_, last = self.on_sheet(2) * 2
        return f'contact sheets: {self.sheets}; look("sheet 2") shows {first} to {last}, and so on'
