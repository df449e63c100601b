"""The run folder: what a run was made with, and one line per inspection as soon as it is done.

`run.json` is written first; `inspections.jsonl` grows by one flushed line per image, so a kill loses at
most the images in work. On resume a half-written last line is cut off and its image is inspected again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from tools.errors import OutputError
from tools.records import Inspection, Language, RunInfo
from tools.writing import append_line, cut_half_line, replace_file

__all__ = [
    "INSPECTIONS",
    "REPORT_FILES",
    "RUN_INFO",
    "Journal",
    "refuse_foreign",
    "refuse_other_run",
    "refuse_run",
]

RUN_INFO = "run.json"
INSPECTIONS = "inspections.jsonl"
REPORT_FILES = ".report-files.json"  # lists a session's report, which has files of the same names

_LOCK = ".inspecting.lock"  # held while a run writes into its folder

# What must agree before results of two starts may stand in one file, and how a run differs where it does not.
_MADE = {
    "schema_version": "in another format",
    "recipe_sha256": "by another recipe",
    "batch_sha256": "of other images",
    "models": "with other models, good parts, device or captions",
    "lot": "for another lot",
}
_SAME_RUN = ("loupe_version", *_MADE)

_OF_SESSIONS = (REPORT_FILES, "session.jsonl")


def refuse_foreign(folder: Path) -> None:
    """Looks at a run folder before the work that its run takes.

    Raises:
        OutputError: There is something else in its place, e.g. a session's report, in which people decided.
    """
    try:
        foreign = _what_is_foreign(folder)
    except OSError as error:
        raise OutputError(f"cannot use {folder}: {error.strerror}", "choose another --out") from error
    if foreign:
        hint = "choose an empty or new folder with --out; nothing was changed"
        raise OutputError(f"{folder} {foreign}", hint)


def _what_is_foreign(folder: Path) -> str:
    """Says what is in a run's place; empty where nothing is, or a run."""
    if not folder.exists():
        return ""
    if not folder.is_dir():
        return "is no folder"
    if any((folder / name).exists() for name in _OF_SESSIONS):
        return "holds the report or the log of a session, not a run of `loupe inspect`"
    is_free = (folder / RUN_INFO).exists() or _is_empty(folder)
    return "" if is_free else "holds files that are not a run of Loupe"


def refuse_run(folder: Path) -> None:
    """Looks at the folder of a session before it begins.

    Raises:
        OutputError: There is a run in its place, which a report of the session would replace.
    """
    try:
        is_taken = (folder / RUN_INFO).exists()
    except OSError as error:
        raise OutputError(f"cannot use {folder}: {error.strerror}", "choose another --out") from error
    if is_taken:
        raise OutputError(
            f"{folder} holds a run of `loupe inspect`",
            "choose an empty or new folder with --out; nothing was changed",
        )


def refuse_other_run(folder: Path, **made_with: object) -> None:
    """Looks at a run folder before the work that its run takes, as soon as something is known of that run.

    Args:
        folder: May be missing, or hold a run.
        made_with: What is known of this run, of what must agree, by its names in `RunInfo`.

    Raises:
        OutputError: The folder holds a run that was made with something else.
    """
    if not (folder / RUN_INFO).exists():
        return
    earlier = _earlier(folder)
    differing = [name for name, value in made_with.items() if getattr(earlier, name) != value]
    if "loupe_version" in differing:
        raise OutputError(
            f"{folder} holds a run of Loupe {earlier.loupe_version}; this is {made_with['loupe_version']}",
            f"nothing was changed: choose another --out, or go on with Loupe {earlier.loupe_version}",
        )
    if differing:
        hint = (
            f"nothing was changed: choose another --out, or go on with what {RUN_INFO} says it was made with"
        )
        if differing == ["recipe_sha256"]:
            hint += "; if the recipe is the same, Loupe was updated since, and only another --out helps"
        made = " and ".join(_MADE[name] for name in differing)
        raise OutputError(f"{folder} holds another run, made {made}", hint)


def _earlier(folder: Path) -> RunInfo:
    try:
        return RunInfo.model_validate_json((folder / RUN_INFO).read_bytes())
    except OSError as error:
        raise OutputError(
            f"cannot read {folder / RUN_INFO}: {error.strerror}", "choose another --out"
        ) from error
    except ValidationError as error:
        raise OutputError(
            f"{folder / RUN_INFO} is damaged or was written by another version",
            "choose another --out; nothing was changed",
        ) from error


def _is_empty(folder: Path) -> bool:
    return all(path.name == _LOCK for path in folder.iterdir())


class Journal:
    """Appends inspections to a run folder and knows which are there already.

    Args:
        folder: The run's output folder; made when missing.
        run: What this run is made with.
        given_anew: What only the report tells, by its names in `RunInfo`, so that a later start may add or
            correct it: who inspects and where. What is empty stays as it was said first.

    Attributes:
        run: The run as first started; on resume with what is given anew.
        done_ids: Ids of the images whose inspection is on disk.

    Raises:
        OutputError: The folder holds another run or foreign files, or cannot be written.
    """

    def __init__(self, folder: Path, run: RunInfo, given_anew: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._path = folder / INSPECTIONS
        self._lock = FileLock(folder / _LOCK, blocking=False)
        try:
            self._begin(run, given_anew or {})
        except Timeout as error:
            raise OutputError(
                f"another Loupe is inspecting into {folder}", "wait for it, stop it, or choose another --out"
            ) from error
        except OSError as error:
            self._lock.release()
            raise OutputError(
                f"cannot write to {folder}: {error.strerror}", "choose another --out"
            ) from error
        except OutputError:
            self._lock.release()
            raise

    def _begin(self, run: RunInfo, given_anew: Mapping[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        refuse_foreign(self.folder)
        self._lock.acquire()
        refuse_other_run(self.folder, **{name: getattr(run, name) for name in _SAME_RUN})
        if self._path.exists():
            cut_half_line(self._path)
        self.done_ids = {inspection.image.id for inspection in self.inspections()}
        self.run = self._resumed(given_anew) if (self.folder / RUN_INFO).exists() else self._written(run)
        self._file = self._path.open("ab")

    def _written(self, run: RunInfo) -> RunInfo:
        replace_file(self.folder / RUN_INFO, run.model_dump_json(indent=2) + "\n")
        return run

    def _resumed(self, given_anew: Mapping[str, str]) -> RunInfo:
        earlier = _earlier(self.folder)
        resumed = earlier.model_copy(update={name: value for name, value in given_anew.items() if value})
        if resumed == earlier:
            return earlier
        return self._written(resumed.model_copy(update={"reported_at": ""}))  # it will be another report

    def dated(self, language: Language, at: str) -> RunInfo:
        """Returns the run with its report in a language and its date; the same report again keeps that.

        Args:
            language: Of the report.
            at: Now, ISO 8601 with zone.
        """
        if self.run.reported_at and self.run.language is language:
            return self.run
        return self.run.model_copy(update={"language": language, "reported_at": at})

    def reported(self, run: RunInfo) -> None:
        """Notes that the report of a run as `dated` is written; only now it has its date."""
        if run != self.run:
            self.run = self._written(run)

    def append(self, inspection: Inspection) -> None:
        """Writes one inspection and hands it to the disk before it returns."""
        append_line(self._file, inspection.model_dump_json())
        self.done_ids.add(inspection.image.id)

    def inspections(self) -> Iterator[Inspection]:
        """Yields what is on disk, in the order in which it was written.

        Raises:
            OutputError: A line is damaged, or is no rule's verdict.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    inspection = Inspection.model_validate_json(line)
                except ValidationError as error:
                    raise OutputError(
                        f"{self._path}:{number}: damaged line", "move the folder away and inspect again"
                    ) from error
                if inspection.judgement.overrides:
                    raise OutputError(
                        f"{self._path}:{number}: somebody decided this verdict, and in a run only rules do",
                        "choose an empty or new folder with --out; the verdicts were left as they are",
                    )
                yield inspection

    def close(self) -> None:
        """Closes the file; the journal takes no more lines, and another may."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
