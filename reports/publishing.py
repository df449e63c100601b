"""Writes a session's report with its twins into one folder, and never over a file that it did not write."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from reports.source import ReportInput
from tools.checkpoints import file_sha256
from tools.errors import OutputError
from tools.pipeline.journal import INSPECTIONS, REPORT_FILES, RUN_INFO, refuse_other_run
from tools.records import Provenance, RunInfo
from tools.writing import replace_file

if TYPE_CHECKING:
    from tools.images import Batch
    from tools.recipe import Recipe

__all__ = ["Publisher", "run_info"]

# Packages whose version can change a result.
_SHAPING_PACKAGES = (
    "numpy",
    "opencv-python",
    "pillow",
    "scikit-image",
    "torch",
    "transformers",
    "ultralytics",
)

_REPORT = "report.pdf"
_FILES = (_REPORT, INSPECTIONS, RUN_INFO, "findings.csv", "coco.json", "data.yaml")
_FOLDERS = ("labels", "overlays")
_DRAFT = ".unfinished-report"  # where a report is made, beside the earlier one
_ANY = ""  # stands for the hash of a file that was to be written


class Publisher:
    """The report of one session.

    Args:
        folder: Where it goes; made when missing. Other files may be there, and stay.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish(
        self,
        report: ReportInput,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Path]:
        """Writes the report; an earlier one of the same session is replaced once this one is whole.

        Args:
            report: The input.
            progress: Told the steps done and how many there are.
            cancel: Set by another thread to stop.

        Returns:
            What was written, the PDF first.

        Raises:
            OutputError: The folder holds a file of that name that is not an earlier report's, or a report on
                other images or by another recipe, or cannot be written.
            Cancelled: `cancel` was set.
        """
        from reports.document import write_report
        from reports.exports import names_in_folders, write_twins

        names = [*_FILES, *names_in_folders(report)]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._refuse_foreign(report.run, names)
            with self._draft() as draft:
                replace_file(draft / RUN_INFO, report.run.model_dump_json(indent=2) + "\n")
                records = "".join(f"{each.model_dump_json()}\n" for each in report.inspections)
                replace_file(draft / INSPECTIONS, records)
                twins = write_twins(report, draft, cancel=cancel)
                write_report(report, draft / _REPORT, progress=progress, cancel=cancel)
                self._refuse_foreign(report.run, names)  # drawing takes long enough to save something there
                self._put_in_place(draft, names)
        except OSError as error:
            raise OutputError(
                f"the report cannot be written to {self._folder}: {error.strerror or error}",
                "check that the folder is yours to write to, and that the disk is not full",
            ) from error
        written = (_REPORT, INSPECTIONS, RUN_INFO, *(path.name for path in twins))
        return [self._folder / name for name in written]

    def _refuse_foreign(self, run: RunInfo, names: Sequence[str]) -> None:
        """Raises where a name is taken by what no report of this session wrote."""
        own = self._own_hashes()
        for name in (*_FILES, *_FOLDERS):
            path = self._folder / name
            if path.is_symlink() or (path.exists() and own is None):
                raise self._foreign(name)
        if own is None:
            return
        refuse_other_run(self._folder, batch_sha256=run.batch_sha256, recipe_sha256=run.recipe_sha256)
        for name in dict.fromkeys((*own, *names)):
            path = self._folder / name
            if path.exists() and own.get(name) != _ANY and not self._is_as(path, own.get(name)):
                raise self._changed(name) if name in own else self._foreign(name)

    @staticmethod
    def _is_as(path: Path, hashed: str | None) -> bool:
        return path.is_file() and file_sha256(path) == hashed

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A folder to make a report in, on the disk where it goes; a killed report may have left one."""
        draft = self._folder / _DRAFT
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _put_in_place(self, draft: Path, names: Sequence[str]) -> None:
        """Moves a finished report in, the PDF last; all that a crash leaves is known as the session's."""
        for folder in _FOLDERS:
            (self._folder / folder).mkdir(exist_ok=True)
        earlier = self._own_hashes() or {}
        hashes = {name: file_sha256(draft / name) for name in names if (draft / name).is_file()}
        self._note(dict.fromkeys((*earlier, *hashes), _ANY))
        for name in earlier:  # labels and overlays that this report may be without
            if name.startswith(tuple(f"{folder}/" for folder in _FOLDERS)):
                (self._folder / name).unlink(missing_ok=True)
        for name in sorted(hashes, key=lambda name: name == _REPORT):
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (draft / name).replace(path)
        self._note(hashes)

    def _own_hashes(self) -> dict[str, str] | None:
        """What an earlier report of this session wrote; None where there was none."""
        path = self._folder / REPORT_FILES
        if not path.is_file() or path.is_symlink():
            return None
        try:
            hashes = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return None
        if not isinstance(hashes, dict):
            return None
        inside = {str(name): str(value) for name, value in hashes.items() if ".." not in str(name).split("/")}
        return {name: value for name, value in inside.items() if not name.startswith("/")}

    def _note(self, hashes: Mapping[str, str]) -> None:
        """Notes which files are the session's, by their hashes."""
        replace_file(self._folder / REPORT_FILES, json.dumps(hashes, indent=1) + "\n")

    def _changed(self, name: str) -> OutputError:
        return OutputError(
            f"{self._folder / name} was changed since this session wrote it",
            "nothing was written: move or rename it, then write the report again",
        )

    def _foreign(self, name: str) -> OutputError:
        return OutputError(
            f"{self._folder / name} is there already and is no report of this session",
            "nothing was changed: move it away, or start the session with another output folder",
        )


def run_info(
    batch: Batch,
    recipe: Recipe,
    models: tuple[Provenance, ...],
    *,
    started_at: str,
    lot: str = "",
    inspector: str = "",
    station: str = "",
) -> RunInfo:
    """Returns what a run is made with.

    Args:
        batch: The images.
        recipe: As its file says, before any option of the command line.
        models: What each model is, without timings.
        started_at: ISO 8601 with zone.
        lot: Of the batch.
        inspector: Who inspects.
        station: Where; the recipe's when empty.
    """
    return RunInfo(
        loupe_version=version("loupe-inspection"),
        started_at=started_at,
        recipe_name=recipe.name,
        recipe_sha256=recipe.sha256,
        batch_sha256=batch.sha256,
        image_count=len(batch),
        lot=lot,
        inspector=inspector,
        station=station or recipe.report.station,
        models=models,
        versions={name: version(name) for name in _SHAPING_PACKAGES},
    )
