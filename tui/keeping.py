"""`loupe good`: the good parts of a recipe, added, listed, removed and rebuilt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.digits import plain_percent
from tools.downloading import stop_downloads
from tools.errors import UsageError
from tools.pipeline.engines import EngineOptions, Engines
from tui.narration import Narrator, bar_setter, cancel_on_interrupt, stopped_at_once
from tui.printing import print_out

if TYPE_CHECKING:
    from tools.references.keeping import GoodParts
    from tools.references.reference_set import ReferenceSet

__all__ = ["GoodOptions", "run_good"]


@dataclass(frozen=True)
class GoodOptions:
    """What `loupe good` was asked to do: to add images, or one of the others."""

    images: Sequence[str] = ()
    recipe: str = ""
    listed: bool = False
    remove: Sequence[str] = ()
    rebuild: bool = False
    as_json: bool = False
    quiet: bool = False
    model_options: EngineOptions = field(default_factory=EngineOptions)


def run_good(options: GoodOptions) -> None:
    """Changes or lists a recipe's good parts; their names go to stdout.

    Raises:
        UsageError: Not exactly one thing was asked for, or an image, a name or the set cannot be used.
        ModelError: A model cannot be loaded, or the set was made with another.
        Cancelled: The user stopped it; the set is as it was.
    """
    from tools.recipe.file import load_recipe

    asked = [bool(options.images), options.listed, bool(options.remove), options.rebuild]
    if sum(asked) != 1:
        raise UsageError(
            "say one thing to do with the good parts", "IMAGES to add, --list, --remove NAME or --rebuild"
        )
    narrator, unread = Narrator(quiet=options.quiet), None
    engines = Engines(load_recipe(options.recipe or None), options.model_options)
    parts = engines.good_parts
    if options.listed:
        if not parts.exist:
            narrator.say(f"There are no good parts in {parts.folder}; IMAGES adds them.")
    elif options.remove:
        left = parts.remove(options.remove)
        if left:
            _tell(left, narrator)
        else:
            narrator.say(f"No good parts are left; {parts.folder} is empty.")
    elif options.rebuild:
        _tell(_rebuilt(parts, engines, narrator), narrator)
    else:
        found, unread = _added(parts, engines, options.images, narrator)
        _tell(found, narrator)
    if parts.exist:
        _print(parts, unread, as_json=options.as_json)
        narrator.say(f"Kept in {parts.folder}")
    elif options.as_json:
        _print_json(parts)


def _added(
    parts: GoodParts, engines: Engines, images: Sequence[str], narrator: Narrator
) -> tuple[ReferenceSet, dict[str, str]]:
    """Adds good parts; returns the set, and why what could not be read could not, by name."""
    from tools.images import Batch

    unread: dict[str, str] = {}

    with cancel_on_interrupt(narrator, stop_downloads) as cancel, narrator.downloads():
        narrator.say(f"Reading {', '.join(images)} ...")
        batch = Batch.open(images, cancel=cancel)
        with stopped_at_once(cancel):
            words, localizer = engines.words, engines.localizer
        with narrator.progress("Looking at good parts", len(batch)) as bar:
            step = bar_setter(bar)
            found, new = parts.add(
                batch,
                words,
                localizer,
                cancel=cancel,
                progress=step,
                unread=lambda record: unread.update({record.name: record.reason}),
            )
    known = len(batch) - new - len(unread)
    told = (
        f"{new} added"
        + f", {known} known already" * bool(known)
        + f", {len(unread)} unreadable" * bool(unread)
    )
    narrator.say(f"{told}.")
    for name, reason in unread.items():
        narrator.say(f"note: {name}: {reason}")
    return found, unread


def _rebuilt(parts: GoodParts, engines: Engines, narrator: Narrator) -> ReferenceSet:
    count = len(parts.index().names)
    looking = narrator.progress("Looking at good parts", count)
    with cancel_on_interrupt(narrator, stop_downloads) as cancel, narrator.downloads(), looking as bar:
        with stopped_at_once(cancel):
            words, localizer = engines.words, engines.localizer
        return parts.rebuild(words, localizer, cancel=cancel, progress=bar_setter(bar))


def _tell(found: ReferenceSet, narrator: Narrator) -> None:
    narrator.say(_told(found))
    if alarm := max(found.notes.alarms.values(), default=0.0):
        narrator.say(f"The detector is up to {alarm:.2f} sure of a defect in them: only above is it heard.")
    if found.calibration.remark:
        narrator.say(f"note: {found.calibration.remark}")


def _told(found: ReferenceSet) -> str:
    count = len(found.references)
    laid = "laid over each other and compared place by place" if found.frame else "compared wherever they lie"
    if found.compared < count:
        laid += f" with the {found.compared} that differ most"
    seen = " + ".join(backbone.name for backbone in found.backbones)
    overkill = f"{plain_percent(found.options.overkill)} of good parts may be called suspect"
    return f"{count} good part{'s' * (count != 1)}, {laid} ({seen}); {overkill}."


def _print(parts: GoodParts, unread: Mapping[str, str] | None, *, as_json: bool) -> None:
    index = parts.index()
    if as_json:
        _print_json(parts, index.names, index.calibration.remark, unread)
        return
    for name in index.names:
        print_out(f"{name}\n")


def _print_json(
    parts: GoodParts, names: Sequence[str] = (), remark: str = "", unread: Mapping[str, str] | None = None
) -> None:
    told: dict[str, object] = {"folder": str(parts.folder), "good": list(names), "remark": remark}
    if unread is not None:  # of images that were to be added
        told["unreadable"] = dict(unread)
    print_out(json.dumps(told, ensure_ascii=False) + "\n")
