"""The report's machine-readable twins: CSV, COCO, YOLO labels and annotated pictures."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path, PurePosixPath

import yaml

from reports.coco import coco_document, enclosing_box, export_types
from reports.edition import Edition
from reports.overlays import write_overlay
from reports.source import ReportInput
from reports.statistics import is_inspected
from tools.errors import Cancelled, OutputError
from tools.images.reasons import reason_text
from tools.overriding import rule_judged
from tools.records import Centre, Finding, Inspection, Language, Quantity, Unit, Verdict
from tools.writing import replace_file

__all__ = ["names_in_folders", "write_twins"]

_LABELS, _OVERLAYS = "labels", "overlays"
_LONGEST_FILE_NAME = 240  # bytes; common file systems allow 255

_AREAS = (Unit.MM2, Unit.PX2)
_LENGTHS = (Unit.MM, Unit.PX)
_COLUMNS = tuple(
    (quantity, unit)
    for quantity in Quantity
    for unit in {Quantity.AREA: _AREAS, Quantity.ORIENTATION: (Unit.DEG,)}.get(quantity, _LENGTHS)
)
_IMAGE_COLUMNS = (
    "image_id",
    "image_name",
    "image_sha256",
    "image_width_px",
    "image_height_px",
    "mm_per_px",
    "verdict",
    "rule",
    "decided_by",
    "decided_name",
    "decided_at",
    "rule_verdict",
    "reason",
    "suspicion",
    "remarks",
)
_FINDING_COLUMNS = (
    "finding_id",
    "type",
    "severity",
    "severity_level",
    "confidence",
    "origin",
    "zone",
    "place",
    "edge_touching",
    "x_min_px",
    "y_min_px",
    "x_max_px",
    "y_max_px",
    *(name for quantity, unit in _COLUMNS for name in (f"{quantity}_{unit}", f"{quantity}_U_{unit}")),
    "lower_bounds",
    "description",
    # What came later stands last, so that readers that count columns still find theirs.
    *(
        name
        for unit in _LENGTHS
        for axis in "xy"
        for name in (f"centre_{axis}_{unit}", f"centre_{axis}_U_{unit}")
    ),
)


def write_twins(
    report: ReportInput,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> list[Path]:
    """Writes `findings.csv`, `coco.json`, `labels/` with `data.yaml`, and `overlays/` into a folder.

    Args:
        report: The input; equal inputs give equal bytes.
        folder: An existing folder.
        progress: Told the photographs done and how many there are.
        cancel: Set by another thread to stop.

    Returns:
        What was written: files, and the two folders.

    Raises:
        Cancelled: `cancel` was set.
        OutputError: A file cannot be written.
    """
    try:
        replace_file(folder / "findings.csv", _csv_bytes(report))
        text = json.dumps(coco_document(report), ensure_ascii=False, indent=1)
        replace_file(folder / "coco.json", f"{text}\n")
        _write_yolo(report, folder)
        _write_overlays(report, folder / _OVERLAYS, progress, cancel)
    except OSError as error:
        raise OutputError(
            f"The exports cannot be written to {folder}: {error.strerror or error}.",
            "Check that the folder exists, that it is yours to write to, and that the disk is not full.",
        ) from error
    return [folder / name for name in ("findings.csv", "coco.json", "data.yaml", _LABELS, _OVERLAYS)]


def names_in_folders(report: ReportInput) -> list[str]:
    """Returns what `write_twins` puts into its folders, as paths in theirs; a lost image has no overlay."""
    labels = [f"{_LABELS}/{name}" for name in _label_names(report).values()]
    return labels + [f"{_OVERLAYS}/{i.image.id}.jpg" for i in report.inspections if _has_overlay(i)]


def _csv_bytes(report: ReportInput) -> bytes:
    # RFC 4180 asks for CRLF, the csv module's default; the byte order mark makes Excel read UTF-8.
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_IMAGE_COLUMNS + _FINDING_COLUMNS)
    for inspection in report.inspections:
        image_cells = list(_image_cells(report, inspection))
        for finding in inspection.findings or (None,):
            finding_cells = _finding_cells(report, finding) if finding else [None] * len(_FINDING_COLUMNS)
            writer.writerow([_safe(value) for value in (*image_cells, *finding_cells)])
    return text.getvalue().encode("utf-8-sig")


def _image_cells(report: ReportInput, inspection: Inspection) -> Iterator[object]:
    image, judgement = inspection.image, inspection.judgement
    yield from (image.id, image.name, image.sha256, image.width_px, image.height_px)
    yield inspection.scale.mm_per_px if inspection.scale else None
    yield from (judgement.verdict.value, judgement.rule, judgement.decided_by.value)
    yield from (judgement.decided_name, judgement.decided_at, rule_judged(inspection).value)
    yield judgement.reason(report.language)
    yield inspection.screening.suspicion if inspection.screening else None
    unread = reason_text(image.reason, report.language)
    yield "; ".join(filter(None, (*_flags(report, inspection), unread, inspection.error)))


def _flags(report: ReportInput, inspection: Inspection) -> Iterator[str]:
    """What is remarked on an image; in English as programs know it from `inspections.jsonl`."""
    for flag in inspection.flags:
        yield flag if report.language is Language.EN else Edition.of(report).flag(flag)


def _finding_cells(report: ReportInput, finding: Finding) -> Iterator[object]:
    yield from (finding.id, finding.type, finding.severity and finding.severity.value, finding.severity_level)
    yield from (finding.confidence, finding.origin.value, finding.zone, finding.place)
    yield str(finding.edge_touching).lower()
    yield from finding.box_xyxy_px
    for quantity, unit in _COLUMNS:
        measured = next((m for m in finding.measurements if (m.quantity, m.unit) == (quantity, unit)), None)
        yield from (measured.value, measured.uncertainty) if measured else (None, None)
    yield " ".join(m.quantity for m in finding.measurements if m.lower_bound)
    yield finding.description.text(report.language) if finding.description else None
    yield from _centre_cells(finding.centre)


def _centre_cells(centre: Centre | None) -> Iterator[float | None]:
    none = (None, None)
    mm = (centre.xy_mm or none, centre.uncertainty_xy_mm or none) if centre else (none, none)
    px = (centre.xy_px, centre.uncertainty_xy_px) if centre else (none, none)
    for values, uncertainties in (mm, px):
        for value, uncertainty in zip(values, uncertainties, strict=True):
            yield from (value, uncertainty)


# Spreadsheets of East Asia read full-width signs as the narrow ones.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _safe(value: object) -> object:
    """Keeps a spreadsheet from running text as a formula (OWASP, CSV injection); numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA_SIGNS):
        return "'" + value
    return value


def _write_yolo(report: ReportInput, folder: Path) -> None:
    types = export_types(report)
    names = dict(enumerate(types))
    # No `path`: it would be relative to where a training is started, and these to the file.
    layout = {"train": "images", "val": "images", "names": names}
    text = "# Put the photographs into images/, laid out as in labels/, to train on these findings.\n"
    text += yaml.safe_dump(layout, allow_unicode=True, sort_keys=False)
    replace_file(folder / "data.yaml", text)
    inspected = {each.image.id: each for each in report.inspections if is_inspected(each)}
    for image_id, name in _label_names(report).items():
        inspection, path = inspected[image_id], folder / _LABELS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            _yolo_line(inspection, finding, types.index(finding.type)) for finding in inspection.findings
        ]
        path.write_text("".join(lines), encoding="utf-8")


def _label_names(report: ReportInput) -> dict[str, PurePosixPath]:
    """Per inspected image the name of its labels: its own with the suffix `.txt`, as YOLO looks for it.

    Where two share that name, or one's is a folder on the way to the other's, the first has it, and the other
    takes its id, made longer until no image has it.
    """
    own = {i.image.id: _own_label_name(i) for i in report.inspections if is_inspected(i)}
    taken = {each for name in own.values() if name for each in _way_to(name)}
    names: dict[str, PurePosixPath] = {}
    files: set[str] = set()
    folders: set[str] = set()
    for image_id, name in own.items():
        if name is None or not files.isdisjoint(_way_to(name)) or _way_to(name)[-1] in folders:
            stem = image_id
            while f"{stem}.txt".casefold() in taken:
                stem += "_"
            name = PurePosixPath(f"{stem}.txt")
        names[image_id] = name
        *above, itself = _way_to(name)
        folders.update(above)
        files.add(itself)
        taken.add(itself)
    return names


def _way_to(name: PurePosixPath) -> list[str]:
    """The folders above a name and the name itself, as file systems that know no case compare them."""
    return [str(each).casefold() for each in (*reversed(name.parents), name)]


def _own_label_name(inspection: Inspection) -> PurePosixPath | None:
    parts = [part for part in PurePosixPath(inspection.image.name).parts if part not in ("/", "..", ".")]
    label = PurePosixPath(*parts).with_suffix(".txt") if parts else None
    is_short = label is not None and all(len(part.encode()) <= _LONGEST_FILE_NAME for part in label.parts)
    return label if is_short else None


def _yolo_line(inspection: Inspection, finding: Finding, index: int) -> str:
    image = inspection.image
    around = enclosing_box(finding)
    x_min, x_max = (min(max(x / image.width_px, 0.0), 1.0) for x in around[::2])
    y_min, y_max = (min(max(y / image.height_px, 0.0), 1.0) for y in around[1::2])
    box = ((x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min)
    return f"{index} " + " ".join(f"{value:.6f}" for value in box) + "\n"


def _has_overlay(inspection: Inspection) -> bool:
    return is_inspected(inspection) and inspection.judgement.verdict is not Verdict.ACCEPT


def _write_overlays(
    report: ReportInput,
    folder: Path,
    progress: Callable[[int, int], None] | None,
    cancel: threading.Event | None,
) -> None:
    folder.mkdir(exist_ok=True)
    for done, inspection in enumerate(report.inspections, start=1):
        if cancel and cancel.is_set():
            raise Cancelled("The exports were cancelled.")
        path = folder / f"{inspection.image.id}.jpg"
        if _has_overlay(inspection):
            write_overlay(report, inspection, path)
        else:
            # From an earlier report of the same run, before somebody accepted the part.
            path.unlink(missing_ok=True)
        if progress:
            progress(done, len(report.inspections))
