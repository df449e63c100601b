"""A set of good images, and the suspicion of others by how unlike they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self
from unicodedata import normalize

import numpy as np
from pydantic import Field

from tools.errors import UsageError
from tools.images import unique_name
from tools.records import HeatMap, Provenance, Record
from tools.references.bank import FreeBank, PlacedBank
from tools.references.calibration import (
    Calibration,
    heat_map,
    level,
    needed_images,
    smoothed,
    strongest,
)
from tools.references.choosing import spread_out
from tools.references.foreground import foreground, inside
from tools.references.framing import SURELY_RIGID, frame_of
from tools.references.heat import heat_record, laid_back
from tools.references.layout import Layout, View
from tools.references.options import Notes, ReferenceOptions
from tools.references.registration import Frame, Registration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.records import ImageRecord
    from tools.references.backbones import Backbone

__all__ = ["SHAPED_REFERENCES", "Reference", "ReferenceScore", "ReferenceSet"]

_NEARER = (
    0.05  # logarithm; screws on a board are nearer by 0.11 to 0.14, solar cells and nuts by 0.01 at most
)
_DECIDING_IMAGES = 8  # they show whether the part is rigid; more do not change that any more
_MAX_PLACED = 32  # references that a rigid part is compared with, place by place
SHAPED_REFERENCES = 4  # from which on good parts show where they agree
_MAX_LEFT_OUT = 60  # references that are left out in their turn, unless the wanted overkill takes more


@dataclass(frozen=True)
class Reference:
    """One good image, as the set keeps it.

    Attributes:
        name: No other of the set has it.
        picture_key: As its `ImageRecord` has it.
        grids: Per backbone its features, shape (turns, rows, columns, channels).
        view: Its layout after it was laid over the frame; None where the part is not rigid.
        mask: Which cells of the first backbone's grid count; None where all do.
    """

    name: str
    picture_key: str
    grids: tuple[NDArray[np.float16], ...]
    view: View | None = None
    mask: NDArray[np.bool_] | None = None


class ReferenceScore(Record):
    """How unlike the references an image is.

    Attributes:
        score: In [0, 1]: about 0.1 for a typical good image, 0.5 at the threshold.
        deviations: By how many deviations of good images it lies above them, before it became the score.
        heat_map: The same scale per place; 0.5 is as far as the farthest cells of an image at the threshold.
        parts: The score that each backbone, and the layout's edges and shapes, would give alone.
    """

    image_id: str
    score: float = Field(ge=0.0, le=1.0)
    deviations: float
    heat_map: HeatMap
    parts: dict[str, float]


@dataclass(frozen=True)
class _Seen:
    """An image as it is compared: features per backbone, and how it was laid over the frame."""

    size_px: tuple[int, int]
    grids: tuple[NDArray[np.float32], ...]
    view: View | None
    registration: Registration | None
    mask: NDArray[np.bool_] | None


class ReferenceSet:
    """Good images and what is derived from them; made by `build` or `load`, changed by `add` and `remove`.

    Attributes:
        references: In the order in which they were given.
        backbones: What sees; together they are one expert.
        frame: What rigid parts are laid over; None where the part is not rigid.
        calibration: How distances read as suspicion, with a remark where the references are too few.
        notes: What else is known of the references; kept by `add`, `remove`, `save` and `load`.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        backbones: Sequence[Backbone],
        options: ReferenceOptions,
        frame: Frame | None,
        calibration: Calibration | None = None,
        notes: Notes | None = None,
    ) -> None:
        self.references = tuple(references)
        self.notes = notes or Notes()
        self.backbones = tuple(backbones)
        self.options = options
        self.frame = frame
        self._keys = frozenset(reference.picture_key for reference in self.references)
        self._numbers = self._compared_numbers(calibration)
        self._banks: tuple[FreeBank | PlacedBank, ...] = tuple(
            self._bank(number) for number in range(len(self.backbones))
        )
        views = [view for number in self._numbers if (view := self.references[number].view)]
        self._layout = Layout(views) if views and options.layout else None
        masks = [reference.mask for reference in self.references if reference.mask is not None]
        self._part = np.logical_or.reduce(masks) if masks and frame is not None else None
        self.calibration = calibration or self._calibrated()

    @classmethod
    def build(
        cls,
        images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
        backbones: Backbone | Sequence[Backbone],
        options: ReferenceOptions | None = None,
    ) -> Self:
        """Makes a set from good images.

        Args:
            images: Records with their pictures, uint8 RGB; a picture that comes twice counts once.
            backbones: One or several; of several the mean counts.
            options: How to keep and compare.

        Raises:
            UsageError: There is no image.
        """
        options = options or ReferenceOptions()
        seers = tuple(backbones) if isinstance(backbones, Sequence) else (backbones,)
        pairs = _distinct(images)
        first = list(islice(pairs, _DECIDING_IMAGES))
        if not first:
            raise UsageError("there is no good image to learn from", "name at least one, better eight")
        frame, fit = frame_of([image for _, image in first], options)
        if frame is not None and not options.rigid and fit < SURELY_RIGID:
            laid, free = (cls._of(first, seers, options, each)._distance_among() for each in (frame, None))
            frame = frame if laid < free - _NEARER else None
        return cls._of((*first, *pairs), seers, options, frame)

    @classmethod
    def _of(
        cls,
        images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]],
        backbones: Sequence[Backbone],
        options: ReferenceOptions,
        frame: Frame | None,
    ) -> Self:
        empty = cls.__new__(cls)
        empty.references, empty.backbones, empty.options, empty.frame = (), tuple(backbones), options, frame
        return cls(tuple(empty._described(images)), backbones, options, frame)

    def add(self, images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]]) -> Self:
        """Returns the set with more good images; those that it has already are passed over."""
        every = (*self.references, *self._described(images))
        return type(self)(every, self.backbones, self.options, self.frame, notes=self.notes)

    def remove(self, names: Iterable[str]) -> Self:
        """Returns the set without some of its images.

        Raises:
            UsageError: A name is not in the set, or none would be left.
        """
        unwanted = {normalize("NFC", name) for name in names}
        if unknown := unwanted - {reference.name for reference in self.references}:
            raise UsageError(
                f"not among the references: {', '.join(sorted(unknown))}",
                f"there are: {', '.join(reference.name for reference in self.references)}",
            )
        kept = [reference for reference in self.references if reference.name not in unwanted]
        gone = [reference for reference in self.references if reference.name in unwanted]
        if not kept:
            raise UsageError("no reference would be left", "add others first, or delete the whole set")
        notes = self.notes.only({reference.picture_key for reference in kept})
        made = type(self)(kept, self.backbones, self.options, self.frame, notes=notes)
        paths = (Path(self.notes.paths.get(key, "")) for key in {each.picture_key for each in gone})
        unseen = self.calibration.unseen - sum(not path.is_file() for path in paths)
        made.calibration = made.calibration.model_copy(update={"unseen": max(unseen, 0)})
        return made

    def save(self, folder: Path) -> None:
        """Writes the set to a folder; what was there is replaced at once."""
        from tools.references.storing import save

        save(self, folder)

    @classmethod
    def load(cls, folder: Path, backbones: Backbone | Sequence[Backbone] | None) -> Self:
        """Reads a set that `save` wrote.

        Args:
            folder: Where it is.
            backbones: What made it; None for a set from which images are removed, and that sees nothing.

        Raises:
            UsageError: There is none, or it is damaged.
            ModelError: It was made with other backbones.
        """
        from tools.references.storing import load

        seers = backbones if backbones is None or isinstance(backbones, Sequence) else (backbones,)
        return cls(*load(folder, seers))

    @property
    def is_settled(self) -> bool:
        """Whether more good images change nothing in how they are compared: place by place, or wherever."""
        is_asked = self.options.rigid or (self.options.rigid is None and self.options.turns == 1)
        return not is_asked or (len(self.references) >= _DECIDING_IMAGES and not self.calibration.unseen)

    @property
    def compared(self) -> int:
        """How many of the references an image is compared with."""
        return len(self._numbers)

    @property
    def provenance(self) -> Provenance:
        """What the scores were made with, without timings."""
        return Provenance(
            tool="references",
            model=" + ".join(backbone.name for backbone in self.backbones),
            weights_sha256=next((b.weights_sha256 for b in self.backbones if b.weights_sha256), None),
            parameters={
                **self.options.model_dump(mode="json"),
                "is_rigid": self.frame is not None,
                "references": [reference.picture_key or reference.name for reference in self.references],
                "backbones": {backbone.name: dict(backbone.parameters) for backbone in self.backbones},
                "notes_sha256": self.notes.sha256,
            },
        )

    def score(self, images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]]) -> Iterator[ReferenceScore]:
        """Yields a score per image, in order, each as soon as it has been seen.

        One that is a reference itself, or a copy of one, is like it: somebody said that it is good.

        Args:
            images: Records with their pictures, uint8 RGB of shape (height, width, 3); taken one by one.
        """
        for record, image_rgb in images:
            seen = self._seen(image_rgb)
            maps = self._maps(seen)
            mask = self._counting(seen.mask)
            levels = np.array([level(inside(each, mask)) for each in maps])
            alone = (levels - self.calibration.means) / self.calibration.deviations
            names = [backbone.name for backbone in self.backbones] + ["edges", "shapes"]
            fused = self.calibration.fused(levels)
            yield ReferenceScore(
                image_id=record.id,
                score=round(self.calibration.suspicion(fused), 6),
                deviations=round(fused, 4),
                heat_map=self._heat_map(seen, maps, alone),
                parts={
                    name: round(self.calibration.suspicion(float(z)), 6)
                    for name, z in zip(names, alone, strict=False)
                },
            )

    def holds(self, record: ImageRecord) -> bool:
        """Whether an image, or a copy of it, is a reference itself."""
        return bool(record.picture_key) and record.picture_key in self._keys

    def _compared_numbers(self, calibration: Calibration | None) -> tuple[int, ...]:
        """The references that images are compared with; of many of a rigid part, those chosen for it."""
        every = tuple(range(len(self.references)))
        if self.frame is None or len(every) <= _MAX_PLACED:
            return every
        if calibration is not None:
            return calibration.compared or every[:_MAX_PLACED]
        grids = [[grid[0] for grid in reference.grids] for reference in self.references]
        return spread_out(grids, [reference.mask for reference in self.references], _MAX_PLACED)

    def _bank(self, number: int) -> FreeBank | PlacedBank:
        grids = [self.references[each].grids[number] for each in self._numbers]
        if self.frame is not None:
            return PlacedBank.of([grid[0] for grid in grids])
        return FreeBank.of(grids, self.options.max_patches)

    def _described(self, images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]]) -> Iterator[Reference]:
        taken = {reference.name for reference in self.references}
        for record, image_rgb in _distinct(images, {each.picture_key for each in self.references}):
            seen = self._seen(image_rgb)
            turned = [
                [b.features(_turned(image_rgb, turn, self.options.turns)) for b in self.backbones]
                for turn in range(1, self.options.turns if self.frame is None else 1)
            ]
            every = [seen.grids, *turned]
            yield Reference(
                name=unique_name(record.name, taken),
                picture_key=record.picture_key,
                grids=tuple(np.stack(grids).astype(np.float16) for grids in zip(*every, strict=True)),
                view=seen.view,
                mask=seen.mask,
            )

    def _seen(self, image_rgb: NDArray[np.uint8]) -> _Seen:
        size_px = (image_rgb.shape[1], image_rgb.shape[0])
        registration, view = None, None
        if self.frame is not None:
            registration = self.frame.register(image_rgb)
            image_rgb = self.frame.warped(image_rgb, registration)
            view = View.of(image_rgb)
        grids = tuple(backbone.features(image_rgb) for backbone in self.backbones)
        mask = foreground(image_rgb, grids[0].shape[:2]) if self.options.foreground else None
        return _Seen(size_px, grids, view, registration, mask)

    def _counting(self, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """The cells that count: of a rigid part also those where it should be, as some may be missing."""
        return mask if mask is None or self._part is None else mask | self._part

    def _maps(self, seen: _Seen, without: int | None = None) -> list[NDArray[np.float32]]:
        """Distances per expert, each on its own grid; `without` counts those that are compared with."""
        maps = [bank.distances(grid, without) for bank, grid in zip(self._banks, seen.grids, strict=True)]
        if seen.view is not None and self._layout is not None and len(self.references) > 1:
            maps.append(self._layout.edge_differences(seen.view, without))
            if len(self.references) >= SHAPED_REFERENCES:
                maps.append(self._layout.shape_differences(seen.view, without))
        return maps

    def _distance_among(self) -> float:
        """Mean logarithm of the references' distances to each other: less by place, if they lie alike."""
        seers = range(len(self.backbones))
        maps = [self._left_out(number) for number in range(len(self.references))]
        return float(np.mean([np.log(each[seer] + 1e-6).mean() for each in maps for seer in seers]))

    def _left_out(self, number: int) -> list[NDArray[np.float32]]:
        """The distances of a reference to the others, per expert."""
        reference = self.references[number]
        grids = tuple(grid[0].astype(np.float32) for grid in reference.grids)
        seen = _Seen((0, 0), grids, reference.view, None, reference.mask)
        if len(self.references) == 1:
            return _halves(seen)
        return self._maps(seen, self._numbers.index(number) if number in self._numbers else None)

    def _calibrated(self) -> Calibration:
        left_out = []
        count = max(_MAX_LEFT_OUT, needed_images(self.options.overkill))
        for number, reference in enumerate(self.references[:count]):
            mask = self._counting(reference.mask)
            maps = self._left_out(number)
            levels_of = [level(inside(each, mask)) for each in maps]
            left_out.append((levels_of, [strongest(inside(smoothed(each), mask)) for each in maps]))
        levels, peaks = (np.array(each) for each in zip(*left_out, strict=True))
        made = Calibration.of(levels, peaks, self.options.overkill, len(self.backbones))
        chosen = self._numbers if len(self._numbers) < len(self.references) else ()
        return made.model_copy(update={"compared": chosen})

    def _heat_map(
        self, seen: _Seen, maps: Sequence[NDArray[np.float32]], alone: NDArray[np.float64]
    ) -> HeatMap:
        """Suspicion per cell of the first backbone's grid, in the image's own layout.

        Backbones see where a defect is, edges and shapes only about where: these are heard in an image in
        which no backbone reaches the threshold.

        Args:
            seen: The image.
            maps: Distances per expert.
            alone: By how many deviations each expert says that it lies above good images.
        """
        heard = [*range(len(self.backbones))]
        if alone[heard].max() < self.calibration.threshold and (loudest := int(alone.argmax())) not in heard:
            heard.append(loudest)
        heat = heat_map(maps, self.calibration, heard)
        mask = self._counting(seen.mask)
        if mask is not None:
            heat[~mask] = 0.0
        if seen.registration is not None and self.frame is not None:
            heat = laid_back(heat, seen.registration, self.frame.size_px, seen.size_px)
        return heat_record(heat)


def _distinct(
    images: Iterable[tuple[ImageRecord, NDArray[np.uint8]]], known: Iterable[str] = ()
) -> Iterator[tuple[ImageRecord, NDArray[np.uint8]]]:
    """The images without those that are known or have come before, by their `picture_key`."""
    taken = set(known) - {""}
    for record, image_rgb in images:
        if record.picture_key not in taken:
            taken |= {record.picture_key} - {""}
            yield record, image_rgb


def _halves(seen: _Seen) -> list[NDArray[np.float32]]:
    """Distances of every other column of a lone reference to the columns between them: a stand-in."""
    maps = []
    for grid in seen.grids:
        bank = FreeBank.of([grid[:, ::2].astype(np.float16)], grid.shape[0] * grid.shape[1])
        distances = bank.distances(grid[:, 1::2])
        maps.append(np.repeat(distances, 2, axis=1)[:, : grid.shape[1]])
    return maps


def _turned(image_rgb: NDArray[np.uint8], turn: int, turns: int) -> NDArray[np.uint8]:
    """The picture turned about its centre by `turn / turns` of a circle, its borders mirrored."""
    import cv2

    height, width = image_rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 360 * turn / turns, 1.0)
    return np.asarray(
        cv2.warpAffine(image_rgb, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101), dtype=np.uint8
    )
