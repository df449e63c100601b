"""Tasks with real pixels: colours and boxes as the self-test asks, made-up parts, contact sheets."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops, ImageDraw

from agent.forge.trajectories import PICTURE_TOKENS
from agent.models.families import QWEN2_5_VL
from agent.models.messages import Turn, conversation
from agent.models.pictures import Picture
from agent.models.selftest import BOX_REQUEST, COLOUR_REQUEST
from tools.records import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from agent.forge.cases import Case
    from tools.forge.training_set import Box, Mark, Photo
    from tools.records import ImageRecord

__all__ = ["CELL_PX", "COVERS", "Gallery", "Seen"]

# Hue in degrees from and to, least saturation and value: what people call by the name.
_HUES = {"red": (-12, 10), "green": (95, 155), "blue": (205, 250), "yellow": (46, 62)}
_LABELS = ("scratch", "dent", "crack", "contamination")

CELL_PX = 7
"""Side of the cells in which a picture's truth is told."""

COVERS = ("nothing", *_LABELS, "rectangle")
"""What may cover a cell."""

_COVERED = 0.1  # share of a cell that a defect covers at least: scratches are thin
_CANVAS_RATE = 0.12  # of pictures whose truth is told cell by cell
_TYPE_REQUEST = (
    "Which defect does this picture show: scratch, dent, crack, contamination or none? Answer with one word."
)
_REASONS = {
    "scratch": "thin bright line",
    "dent": "shallow hollow",
    "crack": "dark branching line",
    "contamination": "dark spot",
}
_SEVERITY = {"scratch": 3, "dent": 3, "crack": 5, "contamination": 2}
_TASK_ODDS = (1, 4, 4, 2)  # of colours, boxes, types, candidates
_STRANGE = 0.3  # of pictures that are only there are of no part: they must not mislead
_KEPT = 160  # photographs held decoded
_SIDE_PX = 448
# The self-test's size most often; small ones teach the same for a quarter of the tokens.
_CANVASES_PX = (
    *((448, 336),) * 3,
    *((224, 168),) * 2,
    *((336, 336), (280, 420), (168, 224), (224, 224), (196, 140)),
)


@dataclass(frozen=True)
class Seen:
    """A picture with the truth of each of its cells.

    Attributes:
        covers: uint8 of shape (rows, columns): what covers each cell, as its place in `COVERS`.
    """

    picture: Picture
    covers: NDArray[np.uint8]


class Gallery:
    """Pictures to show, and questions about them whose answers are known.

    Args:
        photos: Synthesised photographs.
        rng: Chooses.
    """

    def __init__(self, photos: Sequence[Photo], rng: random.Random) -> None:
        self._rng = rng
        self._photos = photos
        self._kept: dict[int, Image.Image] = {}

    def picture(self, label: str) -> Picture:
        """Returns a photograph under a label, small, as `look` would show it."""
        side = self._rng.choice((56, 84, 112, 168, 336))
        photo = self._pixels(self._rng.randrange(len(self._photos))).resize((side, side))
        return _fitted(label, self._strange(photo))

    def _strange(self, picture: Image.Image) -> Image.Image:
        """Now and then makes of a picture what no part looks like."""
        if self._rng.random() >= _STRANGE:
            return picture
        plain = Image.new("RGB", picture.size, tuple(self._rng.randrange(256) for _ in range(3)))
        if (kind := self._rng.random()) < 0.4:
            return plain
        if kind < 0.7:
            return ImageChops.difference(picture, plain)
        return Image.blend(Image.effect_noise(picture.size, 80).convert("RGB"), plain, self._rng.random())

    def sheet(self, case: Case) -> Picture:
        """Returns a contact sheet of a batch, drawn by what draws the real one."""
        from tools.images import contact_sheet

        ids = [record.id for record in case.records[:30]]
        batch: Any = SimpleNamespace(stream=self._stream(case))
        sheet = self._strange(Image.fromarray(contact_sheet(batch, ids, columns=6)))
        pages = -(-len(case.records) // 30)
        return _fitted("contact sheet" if pages == 1 else f"contact sheet 1 of {pages}", sheet)

    def task(self, kind: str = "") -> list[Turn]:
        """Returns a question about a picture, and its answer.

        Args:
            kind: `colour`, `box`, `type` or `candidates`; drawn when empty.
        """
        makers = {
            "colour": self._colour,
            "box": self._box,
            "type": self._type,
            "candidates": self._candidates,
        }
        return makers[kind or self._rng.choices([*makers], _TASK_ODDS)[0]]()

    def _stream(self, case: Case) -> Callable[..., Iterator[tuple[ImageRecord, NDArray[np.uint8] | None]]]:
        import numpy as np

        by_id = {record.id: record for record in case.records}

        def stream(
            ids: Sequence[str], *, max_side_px: int
        ) -> Iterator[tuple[ImageRecord, NDArray[np.uint8] | None]]:
            for image_id in ids:
                record = by_id[image_id]
                if not record.width_px:
                    yield record, None
                    continue
                scale = max_side_px / max(record.width_px, record.height_px)
                size = round(record.width_px * scale), round(record.height_px * scale)
                photo = self._pixels(self._rng.randrange(len(self._photos)))
                yield record, np.asarray(photo.resize(size))

        return stream

    def _pixels(self, number: int) -> Image.Image:
        if number not in self._kept:
            if len(self._kept) >= _KEPT:  # what is already decoded serves most of the time
                if self._rng.random() < 0.9:
                    return self._kept[self._rng.choice([*self._kept])]
                self._kept.pop(next(iter(self._kept)))
            picture = Image.fromarray(self._photos[number].pixels())
            self._kept[number] = picture.resize((_SIDE_PX, _SIDE_PX))
        return self._kept[number]

    def _colour(self) -> list[Turn]:
        rng = self._rng
        name = rng.choice([*_HUES])
        size = rng.choice(((112, 112), (112, 112), (84, 84), (56, 140), (168, 112)))
        image = Image.new("RGB", size, _shade(rng, name))
        return _asked(_fitted("patch", image), COLOUR_REQUEST, name)

    def seen(self) -> Seen:
        """Returns a picture with the truth of each of its cells: part of a photograph, or a canvas."""
        import numpy as np

        rng = self._rng
        if rng.random() < _CANVAS_RATE:
            picture, (left, top, right, bottom) = self._canvas()
            covers = np.zeros((picture.size_px[1], picture.size_px[0]), dtype=np.uint8)
            covers[top:bottom, left:right] = COVERS.index("rectangle")
            return Seen(picture, covers[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX])
        photo, (left, top, side) = self._window(part=rng.uniform(0.15, 0.35) if rng.random() < 0.5 else None)
        shown = rng.choice((112, 140, 168, 196, 196, 224, 280))
        box = (left, top, left + side, top + side)
        image = Image.fromarray(photo.pixels()).crop(box).resize((shown, shown))
        cells = (shown // CELL_PX, shown // CELL_PX)
        covers = np.zeros(cells, dtype=np.uint8)
        for mark, mask in zip(photo.defects, photo.masks(), strict=True):
            cut = Image.fromarray(mask.astype(np.float32), "F").crop(box)
            share = cut.resize(cells, Image.Resampling.BOX)
            covers[np.asarray(share) >= _COVERED] = COVERS.index(mark.type)
        return Seen(_fitted("region", image), covers)

    def _canvas(self) -> tuple[Picture, Box]:
        """A dark rectangle on a plain ground, and where it is."""
        rng = self._rng
        size = rng.choice(_CANVASES_PX)
        back = rng.randint(150, 255)
        image = Image.new("RGB", size, (back, back, back) if rng.random() < 0.8 else _shade(rng, "yellow"))
        width, height = (round(side * rng.uniform(0.1, 0.5)) for side in size)
        left, top = rng.randrange(size[0] - width), rng.randrange(size[1] - height)
        box = (left, top, left + width, top + height)
        dark = rng.randint(0, 40)
        ImageDraw.Draw(image).rectangle((left, top, box[2] - 1, box[3] - 1), fill=(dark, dark, dark))
        return _fitted("canvas", image), box

    def _box(self) -> list[Turn]:
        picture, box = self._canvas()
        return _asked(picture, BOX_REQUEST, json.dumps({"bbox_2d": [*box]}))

    def _window(self, *, part: float | None) -> tuple[Photo, tuple[int, int, int]]:
        """Chooses a square of a photograph, mostly with a defect well inside: its left, top and side."""
        rng = self._rng
        photo = self._photos[rng.randrange(len(self._photos))]
        side = round(min(photo.size_px) * (part or rng.uniform(0.4, 1.0)))
        aim = rng.choice(photo.defects) if photo.defects and rng.random() < 0.8 else None
        left, top = rng.randrange(photo.size_px[0] - side + 1), rng.randrange(photo.size_px[1] - side + 1)
        if aim:
            x_min, y_min, x_max, y_max = aim.box_xyxy_px
            left = round((x_min + x_max) / 2 - side * rng.uniform(0.3, 0.7))
            top = round((y_min + y_max) / 2 - side * rng.uniform(0.3, 0.7))
        left = min(max(left, 0), photo.size_px[0] - side)
        top = min(max(top, 0), photo.size_px[1] - side)
        return photo, (left, top, side)

    def _crop(self, *, part: float | None) -> tuple[Image.Image, list[tuple[Mark, tuple[float, ...]]]]:
        """Cuts a square out of a photograph; returns it with the defects well inside, in its own parts."""
        photo, (left, top, side) = self._window(part=part)
        image = Image.fromarray(photo.pixels()).crop((left, top, left + side, top + side))
        marks = []
        for mark in photo.defects:
            x_min, y_min, x_max, y_max = mark.box_xyxy_px
            box = (max(x_min - left, 0), max(y_min - top, 0), min(x_max - left, side), min(y_max - top, side))
            if box[2] - box[0] > 2 and box[3] - box[1] > 2:
                marks.append((mark, tuple(edge / side for edge in box)))
        return image, marks

    def _type(self) -> list[Turn]:
        image, marks = self._crop(part=self._rng.uniform(0.15, 0.35))
        marks.sort(key=lambda pair: (pair[1][2] - pair[1][0]) * (pair[1][3] - pair[1][1]), reverse=True)
        picture = _fitted("region", image.resize((196, 196)))
        return _asked(picture, _TYPE_REQUEST, marks[0][0].type if marks else "none")

    def _candidates(self) -> list[Turn]:
        image, marks = self._crop(part=None)
        picture = _fitted("the picture", image.resize((336, 336)))
        width, height = picture.size_px
        rows = [
            {
                "bbox_2d": [round(edge * side) for edge, side in zip(box, (width, height) * 2, strict=True)],
                "label": mark.type,
                "reason": _REASONS[mark.type],
                "severity": _SEVERITY[mark.type],
            }
            for mark, box in sorted(marks, key=lambda pair: pair[1])[:3]
        ]
        return _asked(picture, _candidate_request(picture), json.dumps(rows))


def _shade(rng: random.Random, name: str) -> tuple[int, int, int]:
    import colorsys

    low, high = _HUES[name]
    hue = rng.uniform(low, high) % 360 / 360
    red, green, blue = colorsys.hsv_to_rgb(hue, rng.uniform(0.6, 1.0), rng.uniform(0.55, 1.0))
    return round(red * 255), round(green * 255), round(blue * 255)


def _fitted(label: str, image: Image.Image) -> Picture:
    size = QWEN2_5_VL.fitted_size(*image.size, PICTURE_TOKENS)
    return Picture(label, image if image.size == size else image.resize(size, Image.Resampling.LANCZOS))


def _asked(picture: Picture, request: str, answer: str) -> list[Turn]:
    return [Turn("user", (picture, request)), Turn("assistant", (answer,))]


def _candidate_request(picture: Picture) -> str:
    """The words in which the agent really asks: recorded from it."""
    from agent.candidates import ask_candidates

    recorder = _Recorder()
    ask_candidates(recorder, picture, _LABELS, Language.EN)  # type: ignore[arg-type]
    [message] = conversation(recorder.asked)
    return str(message.parts[1])


class _Recorder:
    """Stands for a model: keeps what it is asked, and sees nothing."""

    family = QWEN2_5_VL

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def generate(self, messages: list[Any], **_: object) -> SimpleNamespace:
        self.asked = list(messages)
        return SimpleNamespace(content="[]")
