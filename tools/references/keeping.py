"""The good parts of a recipe: where they are kept, and how they are added, removed, listed and rebuilt."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from filelock import FileLock, Timeout

from tools.checkpoints import file_sha256
from tools.errors import Cancelled, OutputError, UsageError
from tools.home import data_folder
from tools.progress import Steps
from tools.recipe.file import is_bundled
from tools.references.backbones import backbone_names, load_backbone
from tools.references.options import Notes, ReferenceOptions
from tools.references.reference_set import ReferenceSet
from tools.references.storing import FILE_NAME, Index, read_index

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    import numpy as np
    import numpy.typing as npt

    from tools.images import Batch
    from tools.localization.localizer import Localizer, Look
    from tools.recipe import Recipe
    from tools.records import ImageRecord, Provenance
    from tools.references.backbones import Backbone
    from tools.screening.screener import Screener

    Pictures = Iterator[tuple[ImageRecord, npt.NDArray[np.uint8]]]

__all__ = ["GoodParts", "model_key", "readable", "reference_folder"]

_CHUNK_IMAGES = 8
_LOCK = ".changing.lock"  # held while somebody changes the set
_LOST_HINT = "put them back as they were, or take each out with `loupe good --remove NAME`"
# What is made of an answer, not the answer: a recipe may change it without asking of its good parts again.
_DECIDING = {
    "screening": ("threshold", "review_band", "unknown_below", "detector_from"),
    "localization": ("confidence", "review_confidence", "max_findings"),
}


def reference_folder(recipe: Recipe) -> Path:
    """Where a recipe's good parts are kept.

    Beside its file, as `cover.references` beside `cover.yaml`; for a bundled recipe, whose folder belongs to
    the program, below the user's data folder.
    """
    if recipe.file is None or is_bundled(recipe.file):
        return data_folder() / "references" / recipe.name
    return recipe.file.with_name(f"{recipe.file.stem}.references")


def model_key(model: Provenance) -> str:
    """Hash of what shapes a model's answers: weights, prompts, classes and settings, but no thresholds."""
    deciding = _DECIDING.get(model.tool, ())
    settings = {name: value for name, value in model.parameters.items() if name not in deciding}
    # The same weights under another path, or fetched under another name, answer alike.
    said = [model.weights_sha256 or model.model, settings]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class GoodParts:
    """The good parts of one recipe.

    Args:
        recipe: Its `references` section says how they are kept and compared.
        device: As `pick_device` takes it.
        precision: As `pick_precision` takes it.

    Attributes:
        folder: Where they are kept.
    """

    def __init__(self, recipe: Recipe, *, device: str = "auto", precision: str = "auto") -> None:
        self._recipe = recipe
        self._device, self._precision = device, precision
        self.folder = reference_folder(recipe)

    @property
    def exist(self) -> bool:
        """Whether there are any."""
        return (self.folder / FILE_NAME).is_file()

    @property
    def sha256(self) -> str:
        """Hash of the file that holds them; empty where there are none."""
        return file_sha256(self.folder / FILE_NAME) if self.exist else ""

    def backbones(self) -> tuple[Backbone, ...]:
        """What sees, as the recipe names it; loads it."""
        on = {"device": self._device, "precision": self._precision}
        return tuple(load_backbone(name, self._recipe.models, **on) for name in backbone_names(self._recipe))

    def load(self) -> ReferenceSet:
        """Returns the set.

        Raises:
            UsageError: There is none, it is damaged, or the recipe says otherwise by now.
            ModelError: It was made with another backbone.
        """
        found = ReferenceSet.load(self.folder, self.backbones())
        wanted = self._options(found.options.anchor)
        changed = [
            name
            for name in type(wanted).model_fields
            if getattr(wanted, name) != getattr(found.options, name)
        ]
        if changed:
            raise UsageError(
                f"the recipe's `references` have changed since {self.folder} was made: {', '.join(changed)}",
                "`loupe good --rebuild` makes them again from their images",
            )
        return found

    def add(
        self,
        batch: Batch,
        screener: Screener,
        localizer: Localizer,
        *,
        ids: Sequence[str] | None = None,
        cancel: threading.Event | None = None,
        progress: Callable[[int, int], None] | None = None,
        unread: Callable[[ImageRecord], object] | None = None,
    ) -> tuple[ReferenceSet, int]:
        """Adds images to the set, or makes it; those that it has are passed over.

        While there are few, all together show each time anew whether they can be laid over each other, so
        that one by one they make the same set as at once.

        Args:
            batch: Holds the images.
            screener: Says what words make of them.
            localizer: Says what the detector makes of them.
            ids: The good ones; all when None.
            cancel: Set by another thread to stop; nothing is changed then.
            progress: Told the images done and how many there are.
            unread: Told each image that cannot be read; its record says why.

        Returns:
            The set as it was written, and how many images are new in it.

        Raises:
            UsageError: None of the images can be read, or the set cannot be used.
            OutputError: Somebody else is changing the set, or it cannot be written.
            Cancelled: The event was set.
        """
        with self._changing():
            wanted = list(ids) if ids is not None else [record.id for record in batch.records]
            before = self.load() if self.exist else None
            again = 0 if before is None or before.is_settled else len(before.references)
            steps = Steps(progress, 2 * len(wanted) + again)
            notes = _notes(readable(batch, wanted, cancel, steps, unread), batch, screener, localizer, cancel)
            notes = before.notes.joined(notes) if before else notes
            pictures = readable(batch, wanted, cancel, steps)
            if before is None:
                anchor = self._recipe.screening.threshold
                found = ReferenceSet.build(pictures, self.backbones(), self._options(anchor))
            elif again:
                found = _grown(before, pictures, notes, cancel, steps)
            else:
                found = before.add(pictures)
            found.notes = notes
            found.save(self.folder)
            return found, len(found.references) - (len(before.references) if before else 0)

    def rebuild(
        self,
        screener: Screener,
        localizer: Localizer,
        *,
        cancel: threading.Event | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ReferenceSet:
        """Makes the set again from its images, as the recipe says now; its scale stays.

        Raises:
            UsageError: There is none, it is damaged, or an image is no longer where it was, or is another.
            OutputError: As `add`.
            Cancelled: The event was set; nothing is changed then.
        """
        self.index()  # where there is none, no folder is made for its lock
        with self._changing():
            return self._rebuilt(screener, localizer, cancel, progress)

    def _rebuilt(
        self,
        screener: Screener,
        localizer: Localizer,
        cancel: threading.Event | None,
        progress: Callable[[int, int], None] | None,
    ) -> ReferenceSet:
        from tools.images import Batch

        index = self.index()
        paths = {key: index.notes.paths.get(key, "") for key in index.sha256s}
        if gone := _names_without(index, {key for key, path in paths.items() if Path(path).is_file()}):
            raise UsageError(
                f"{len(gone)} of the {len(paths)} good images are no longer where they were: "
                f"{', '.join(gone)}",
                _LOST_HINT,
            )
        batch = Batch.open(list(dict.fromkeys(paths.values())), cancel=cancel)
        wanted = [record.id for record in batch.records if record.picture_key in paths]
        if changed := _names_without(index, {batch.record(image_id).picture_key for image_id in wanted}):
            raise UsageError(
                f"{len(changed)} of the {len(paths)} good images have changed since they were added: "
                f"{', '.join(changed)}",
                _LOST_HINT,
            )
        steps = Steps(progress, 2 * len(wanted))
        notes = _notes(readable(batch, wanted, cancel, steps), batch, screener, localizer, cancel)
        pictures = readable(batch, wanted, cancel, steps)
        found = ReferenceSet.build(pictures, self.backbones(), self._options(index.options.anchor))
        found.notes = notes
        found.save(self.folder)
        return found

    def index(self) -> Index:
        """Returns what is known of the set without loading what sees; raises `UsageError` as `load`."""
        return read_index(self.folder)

    def remove(self, names: Sequence[str]) -> ReferenceSet | None:
        """Takes images out of the set by name; without any left, the set is gone and None is returned.

        That needs neither the recipe's settings nor what sees, so that it is possible where `load` is not.

        Raises:
            UsageError: There is none, it is damaged, or a name is not in the set.
            OutputError: As `add`.
        """
        self.index()
        with self._changing():
            before = ReferenceSet.load(self.folder, None)
            named = {normalize("NFC", name) for name in names}
            if {reference.name for reference in before.references} == named:
                (self.folder / FILE_NAME).unlink()
                return None
            found = before.remove(names)
            found.save(self.folder)
            return found

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the set from reading to writing it: of two who change it, the last would undo the first.

        Raises:
            OutputError: Somebody else holds it, or its folder cannot be written.
        """
        lock = FileLock(self.folder / _LOCK, blocking=False)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise OutputError(
                f"another Loupe is changing the good parts in {self.folder}", "wait until it is done"
            ) from error
        except OSError as error:
            raise OutputError(
                f"cannot write to {self.folder}: {error.strerror}",
                "check the folder's rights and the free space",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _options(self, anchor: float) -> ReferenceOptions:
        settings = self._recipe.references
        return ReferenceOptions(
            overkill=settings.overkill,
            rigid=settings.registration,
            turns=settings.rotations,
            foreground=settings.foreground,
            layout=settings.layout,
            anchor=anchor,
        )


def _names_without(index: Index, picture_keys: AbstractSet[str]) -> list[str]:
    """Names of the good images that are none of these."""
    pairs = zip(index.names, index.sha256s, strict=True)
    return [name for name, key in pairs if key not in picture_keys]


def _grown(
    before: ReferenceSet, pictures: Pictures, notes: Notes, cancel: threading.Event | None, steps: Steps
) -> ReferenceSet:
    """The set with more images, made again from all of them; just added to where some are no longer there."""
    from tools.images import Batch

    names = {each.picture_key: each.name for each in before.references}
    paths = dict.fromkeys(notes.paths[key] for key in names if key in notes.paths)
    there = [path for path in paths if Path(path).is_file()]
    batch = Batch.open(there, cancel=cancel) if there else Batch(())
    ids = {each.picture_key: each.id for each in batch.records if each.picture_key in names}
    if lost := len(names) - len(ids):
        found = before.add(pictures)
        if found.frame is None:
            found.calibration = found.calibration.model_copy(update={"unseen": lost})
        return found
    earlier = (
        (record.model_copy(update={"name": names[record.picture_key]}), image_rgb)
        for record, image_rgb in readable(batch, [ids[key] for key in names], cancel, steps)
    )
    return ReferenceSet.build(chain(earlier, pictures), before.backbones, before.options)


def readable(
    batch: Batch,
    ids: Sequence[str],
    cancel: threading.Event | None,
    steps: Steps | None = None,
    unread: Callable[[ImageRecord], object] | None = None,
) -> Pictures:
    """Yields the images of a batch that can be decoded, and tells the others; each tried one is a step."""
    for record, image_rgb in batch.stream(ids, cancel=cancel):
        if image_rgb is not None:
            yield record, image_rgb
        elif unread:
            unread(record)
        if steps:
            steps.advance()


def _notes(
    pictures: Pictures,
    batch: Batch,
    screener: Screener,
    localizer: Localizer,
    cancel: threading.Event | None,
) -> Notes:
    """What words and the detector make of the images, and where these lie.

    Raises:
        Cancelled: The event was set.
    """
    words: dict[str, float] = {}
    alarms: dict[str, float] = {}
    while chunk := list(islice(pictures, _CHUNK_IMAGES)):
        keys = [record.picture_key for record, _ in chunk]
        screened = screener.screen(chunk, cancel=cancel)
        words |= {key: each.suspicion for key, each in zip(keys, screened, strict=False)}
        looks = localizer.look(chunk, cancel=cancel)
        alarms |= dict(zip(keys, map(_alarm, looks), strict=False))
    if cancel is not None and cancel.is_set():
        raise Cancelled("the good parts were not changed")
    paths = {record.picture_key: batch.path(record.id) for record in batch.records}
    return Notes(
        words=words,
        words_by=model_key(screener.provenance),
        alarms=alarms,
        alarms_by=model_key(localizer.provenance),
        paths={key: str(path.absolute()) for key, path in paths.items() if key in words},
    )


def _alarm(look: Look) -> float:
    """How sure a detector is of a defect, also one too weak for a finding: the limit may be lowered later."""
    return max((finding.confidence for finding in look.findings), default=look.surest)
