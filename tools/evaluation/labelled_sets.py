"""Reads a folder of photographs whose truth is known: COCO annotations, or a folder per class.

Accepted are

* COCO: `annotations.json`, `coco.json` or `_annotations.coco.json` in the folder, or any such file itself.
  Negatives are kept. Each image may carry `label` (`good`, `defect`, `uncertain`), `classes` where no places
  are labelled, and `mm_per_px`, each annotation its true `length_mm`, `width_px`, `area_mm2` … Where a
  category has the supercategory `defect`, the others are parts, not defects.
* Folders: `good/` beside one folder per defect, at the top or under `test/` as MVTec AD has them, with
  optional masks in `ground_truth/<defect>/<name>_mask.png`, or in a folder `<name>/` of them, a defect each;
  other picture formats do as well. What lies in subfolders counts too, with masks in subfolders of the same
  names. Hidden folders and those of systems and tools hold neither classes nor photographs.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import UsageError
from tools.evaluation.true_masks import TrueMask, read_mask
from tools.images import SUFFIXES, printable_name
from tools.images.files import photographs_in
from tools.records import BoxXyxyPx

__all__ = ["LabelledImage", "LabelledSet", "TrueDefect", "Truth", "read_labelled_set"]

_COCO_NAMES = ("annotations.json", "coco.json", "_annotations.coco.json")
_ACCEPTED = (
    f"accepted: COCO ({', '.join(_COCO_NAMES)}, or the file itself), or `good/` beside one folder per defect "
    "(also under `test/`, with masks in `ground_truth/`)"
)
_GOOD_NAMES = frozenset({"good", "normal", "ok"})
_MASKS = "ground_truth"
_NO_CLASSES = frozenset({_MASKS, "masks", "__macosx", "@eadir"})  # casefolded
_FINITE = "write finite numbers, and leave out what is not known"
_TRUTH_KEYS = ("length_px", "width_px", "area_px2", "length_mm", "width_mm", "area_mm2")


class Truth(StrEnum):
    """What is known of an image; `uncertain` ones are counted and left out of every figure."""

    GOOD = auto()
    DEFECT = auto()
    UNCERTAIN = auto()


@dataclass(frozen=True)
class TrueDefect:
    """One labelled defect.

    Attributes:
        quantities: What was measured of it, by name with unit: `length_mm`, `area_px2` …
    """

    class_name: str
    box_xyxy_px: BoxXyxyPx
    quantities: Mapping[str, float]


@dataclass(frozen=True)
class LabelledImage:
    """One photograph with its truth.

    Attributes:
        classes: Names of the defects in it, sorted; also where their place is not labelled.
        size_px: Width and height that the annotation states; None where it states none.
        mask: Where its defects are to the pixel; None where that is not labelled, or there are none.
    """

    path: Path
    truth: Truth
    classes: tuple[str, ...] = ()
    defects: tuple[TrueDefect, ...] = ()
    mm_per_px: float | None = None
    size_px: tuple[int, int] | None = None
    mask: TrueMask | None = None

    @property
    def is_located(self) -> bool:
        """Whether the places of its defects are known: a good image, or one with boxes."""
        return self.truth is Truth.GOOD or bool(self.defects)


@dataclass(frozen=True)
class LabelledSet:
    """A folder of labelled photographs, in the order of its annotations or names.

    Attributes:
        empty_classes: Names of class folders without a photograph.
    """

    folder: Path
    images: tuple[LabelledImage, ...]
    empty_classes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.resolve().name

    def name_of(self, path: Path) -> str:
        """A file's path from the set's folder, safe to print; the whole path where it lies elsewhere."""
        inside = path.is_relative_to(self.folder)
        return printable_name(str(path.relative_to(self.folder) if inside else path))

    @property
    def judged(self) -> tuple[LabelledImage, ...]:
        """The images that count: all but the uncertain ones."""
        return tuple(image for image in self.images if image.truth is not Truth.UNCERTAIN)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all labelled defects, sorted."""
        return tuple(sorted({name for image in self.judged for name in image.classes}))

    @property
    def has_boxes(self) -> bool:
        """Whether any defect's place is labelled."""
        return any(image.defects for image in self.judged)


def read_labelled_set(source: Path) -> LabelledSet:
    """Reads a COCO file, a folder that holds one, or a folder with `good/` and a folder per defect.

    Raises:
        UsageError: It is none of these, contradicts itself, has numbers that are none, names images that are
            not there, or holds no image that counts.
    """
    if not source.exists():
        raise UsageError(f"{source} does not exist", _ACCEPTED)
    annotations = source if source.is_file() else _find(source, _COCO_NAMES)
    if annotations:
        labelled = LabelledSet(annotations.parent, _read_coco(annotations))
    else:
        classes = _read_folders(source)
        images = tuple(image for each in classes.values() for image in each)
        labelled = LabelledSet(source, images, tuple(name for name, each in classes.items() if not each))
    if not labelled.judged:
        raise UsageError(f"{source} holds no image labelled good or defect", _ACCEPTED)
    return labelled


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


# -- COCO ----------------------------------------------------------------------------------------------


def _read_coco(file: Path) -> tuple[LabelledImage, ...]:
    try:
        document = json.loads(file.read_bytes())
        rows = document.get("categories", ())
        _check_ids(rows, "name")
        _check_ids(document["images"], "file_name")
        known, categories = {row["id"] for row in rows}, _defect_categories(rows)
        by_image: dict[object, list[dict[str, Any]]] = {row["id"]: [] for row in document["images"]}
        for row in document.get("annotations", ()):
            if row["category_id"] not in known:
                raise ValueError(f"the category_id {row['category_id']!r} is among none of the categories")
            if row["category_id"] in categories:
                by_image[row["image_id"]].append(row)
        images = tuple(
            _coco_image(file.parent, row, by_image[row["id"]], categories) for row in document["images"]
        )
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}", error.hint) from error
    except KeyError as error:
        raise UsageError(f"{file}: {error.args[0]!r} is missing or refers to nothing", _ACCEPTED) from error
    except (AttributeError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UsageError(f"{file} is not COCO: {error}", _ACCEPTED) from error
    for image in images:
        if not image.path.is_file():
            raise UsageError(
                f"{file} names {image.path}, which does not exist",
                "file names count from the annotation file's folder, or from `images/` in it",
            )
    for path, count in Counter(image.path for image in images).items():
        if count > 1:
            raise UsageError(
                f"{file} lists {path} {count} times", "give a photograph one id, with all its annotations"
            )
    return images


def _check_ids(rows: Iterable[Mapping[str, Any]], title: str) -> None:
    """Raises UsageError where an id stands for two things."""
    titles: dict[object, object] = {}
    for row in rows:
        first = titles.setdefault(row["id"], row[title])
        if first != row[title]:
            raise UsageError(
                f"the id {row['id']!r} stands for both {first} and {row[title]}", "give each an id of its own"
            )


def _defect_categories(rows: list[dict[str, Any]]) -> dict[int, str]:
    marked = [row for row in rows if str(row.get("supercategory", "")).casefold() == "defect"]
    return {row["id"]: str(row["name"]) for row in marked or rows}


def _finite(value: float | str, what: str) -> float:
    """A number of a row; files made of tables say NaN where a cell was empty, which raises UsageError."""
    number = float(value)
    if not math.isfinite(number):
        raise UsageError(f"the {what} is {number}", _FINITE)
    return number


def _true_defect(row: Mapping[str, Any], class_name: str, file_name: str) -> TrueDefect:
    x, y, width, height = (_finite(value, f"bbox of a defect in {file_name}") for value in row["bbox"])
    quantities = {
        key: _finite(row[key], f"{key} of a defect in {file_name}")
        for key in _TRUTH_KEYS
        if row.get(key) is not None
    }
    if row.get("segmentation") and row.get("area"):  # COCO: the mask's area where there is a mask
        quantities.setdefault("area_px2", _finite(row["area"], f"area of a defect in {file_name}"))
    return TrueDefect(class_name, (x, y, x + width, y + height), quantities)


def _coco_image(
    folder: Path, row: Mapping[str, Any], annotations: list[dict[str, Any]], categories: Mapping[int, str]
) -> LabelledImage:
    name = row["file_name"]
    path = folder / name
    if not path.is_file() and (folder / "images" / name).is_file():
        path = folder / "images" / name
    truth = _truth_of(row["label"]) if row.get("label") else Truth.DEFECT if annotations else Truth.GOOD
    if truth is Truth.GOOD and annotations:
        raise UsageError(
            f"{name} is labelled {row['label']}, and yet has annotations of defects",
            "take away one or the other; beside categories of the supercategory `defect`, others are parts",
        )
    if truth is not Truth.DEFECT:
        annotations = []
    defects = [_true_defect(each, categories[each["category_id"]], name) for each in annotations]
    outlines = tuple(_outline(each["segmentation"], name) for each in annotations if each.get("segmentation"))
    classes = {defect.class_name for defect in defects}
    if truth is Truth.DEFECT:
        classes = classes or _classes_of(row) or {"defect"}
    scale = _finite(row.get("mm_per_px") or 0.0, f"mm_per_px of {name}")
    if scale < 0.0:
        raise ValueError(f"the mm_per_px of {name} is negative")
    return LabelledImage(
        path,
        truth,
        tuple(sorted(classes)),
        tuple(defects),
        mm_per_px=scale or None,
        size_px=(int(row["width"]), int(row["height"])) if row.get("width") and row.get("height") else None,
        mask=TrueMask(segmentations=outlines) if outlines and len(outlines) == len(annotations) else None,
    )


def _outline(segmentation: object, file_name: str) -> object:
    """A segmentation without NaN and infinity, which pycocotools would draw without end."""
    try:
        json.dumps(segmentation, allow_nan=False)
    except ValueError as error:
        raise UsageError(
            f"the segmentation of a defect in {file_name} holds NaN or infinity", _FINITE
        ) from error
    return segmentation


def _classes_of(row: Mapping[str, Any]) -> set[str]:
    named = row.get("classes") or ()
    return {named} if isinstance(named, str) else {str(name) for name in named}


def _truth_of(label: str) -> Truth:
    word = str(label).casefold()
    if word in _GOOD_NAMES:
        return Truth.GOOD
    if word in (Truth.DEFECT, Truth.UNCERTAIN):
        return Truth(word)
    raise ValueError(f"label {label!r} is none of good, normal, ok, defect, uncertain")


# -- a folder per class --------------------------------------------------------------------------------


def _read_folders(folder: Path) -> dict[str, tuple[LabelledImage, ...]]:
    """The images of each class folder, which may be none."""
    base = folder / "test" if (folder / "test").is_dir() else folder
    masks = folder / _MASKS
    if not masks.is_dir() and folder.resolve().name == "test":
        masks = folder.resolve().parent / _MASKS
    classes = [child for child in sorted(base.iterdir()) if child.is_dir() and _is_class(child.name)]
    if not any(child.name.casefold() in _GOOD_NAMES for child in classes):
        raise UsageError(f"{folder} is no labelled set: no annotations and no `good` folder", _ACCEPTED)
    return {child.name: tuple(_class_images(child, masks / child.name)) for child in classes}


def _class_images(folder: Path, masks: Path) -> Iterator[LabelledImage]:
    """The images of a class, also in subfolders, whose masks lie in subfolders of the same names."""
    is_good = folder.name.casefold() in _GOOD_NAMES
    for parent, paths in groupby(photographs_in(folder), key=lambda path: path.parent):
        within = parent.relative_to(folder)
        if not all(_is_class(name) for name in within.parts):
            continue
        if is_good:
            yield from (LabelledImage(path, Truth.GOOD) for path in paths)
            continue
        if any(name.casefold() in _GOOD_NAMES for name in within.parts):
            raise UsageError(
                f"{parent} would count as `{folder.name}`, and yet is named as a folder of good parts",
                "move it out of that folder, or give the folder in which the classes lie",
            )
        yield from _defect_images(paths, folder.name, masks / within)


def _defect_images(paths: Iterable[Path], class_name: str, masks: Path) -> Iterator[LabelledImage]:
    """The images of one folder; of masks with one name, the PNG counts."""
    by_stem = {
        file.stem: file
        for file in sorted(_pictures(masks), key=lambda file: file.suffix.casefold() == ".png")
    }
    for path in paths:
        mask = by_stem.get(f"{path.stem}_mask") or by_stem.get(path.stem)
        # MVTec LOCO AD has a folder per image, with a mask per defect, which may have several parts.
        yield _defect_image(path, class_name, mask, _pictures(masks / path.stem))


def _is_class(name: str) -> bool:
    return not name.startswith(".") and name.casefold() not in _NO_CLASSES


def _pictures(folder: Path) -> list[Path]:
    """The picture files of a folder by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix.casefold() in SUFFIXES and not path.name.startswith(".")
    ]


def _defect_image(path: Path, class_name: str, mask: Path | None, singles: list[Path]) -> LabelledImage:
    """One image with defects: all in one mask, or a mask each."""
    defects = tuple(_defects_of_mask(mask, class_name)) if mask else ()
    defects += tuple(defect for file in singles for defect in _defect_of_parts(file, class_name))
    files = ((mask,) if mask else ()) + tuple(singles)
    return LabelledImage(
        path, Truth.DEFECT, (class_name,), defects, mask=TrueMask(files=files) if files else None
    )


def _defects_of_mask(file: Path, class_name: str) -> Iterator[TrueDefect]:
    """One defect per connected region."""
    from scipy.ndimage import label

    regions, count = label(read_mask(file), structure=np.ones((3, 3)))
    for number in range(1, count + 1):
        yield from _defect_of(regions == number, class_name)


def _defect_of_parts(file: Path, class_name: str) -> Iterator[TrueDefect]:
    """One defect, however many parts its mask has; none where it is empty."""
    yield from _defect_of(read_mask(file), class_name)


def _defect_of(mask: NDArray[np.bool_], class_name: str) -> Iterator[TrueDefect]:
    rows, columns = np.nonzero(mask)
    if rows.size:
        box = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        yield TrueDefect(class_name, box, {"area_px2": float(rows.size)})
