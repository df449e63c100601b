"""The sample batch: 24 fixed photographs of one painted cover, a third of them bad, two of them awkward."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tools.errors import OutputError
from tools.forge.camera import encode_jpeg
from tools.forge.scene import synthesize
from tools.forge.truth import Sample

__all__ = ["MM_PER_PX", "write_example"]

MM_PER_PX = 0.1

_SERIES = 19
_SIZE_PX = (768, 576)
_JPEG_QUALITY = 90
_EXIF_ORIENTATION = 0x0112
_TURNED_90_CW = 6  # EXIF 2.3, 4.6.4: row 0 of the file is the right-hand side of the picture


@dataclass(frozen=True)
class _Shot:
    """One photograph: its seed, its defects, and what is awkward about the file."""

    seed: int
    defects: tuple[str, ...] = ()
    turned: bool = False
    truncated: bool = False


_SHOTS = (
    _Shot(103),
    _Shot(101),
    _Shot(16, ("scratch",)),
    _Shot(104),
    _Shot(13, ("dent",)),
    _Shot(105),
    _Shot(102),
    _Shot(10, ("crack",)),
    _Shot(106),
    _Shot(111),
    _Shot(7, ("contamination",)),
    _Shot(109),
    _Shot(112, truncated=True),
    _Shot(5, ("dent", "scratch")),
    _Shot(113),
    _Shot(118),
    _Shot(23, ("contamination",), turned=True),
    _Shot(108),
    _Shot(119),
    _Shot(6, ("crack",)),
    _Shot(122),
    _Shot(24, ("scratch",)),
    _Shot(123),
    _Shot(125),
)


def _file_bytes(shot: _Shot, sample: Sample) -> bytes:
    if shot.truncated:
        whole = encode_jpeg(sample.image_rgb, _JPEG_QUALITY)
        return whole[: len(whole) // 3]
    if not shot.turned:
        return encode_jpeg(sample.image_rgb, _JPEG_QUALITY)
    # Stored as a camera held on its side stores it: a viewer turns it a quarter clockwise.
    stored = Image.fromarray(sample.image_rgb).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _TURNED_90_CW
    target = io.BytesIO()
    stored.save(target, "JPEG", quality=_JPEG_QUALITY, exif=exif)
    return target.getvalue()


def _truth_row(shot: _Shot, sample: Sample, name: str) -> dict[str, Any]:
    return {
        "file": name,
        "label": "unreadable" if shot.truncated else "defect" if sample.defects else "normal",
        "mm_per_px": sample.mm_per_px,
        "negatives": [{"type": n.type, "box_xyxy_px": list(n.box_xyxy_px)} for n in sample.negatives],
        "defects": [
            {
                "type": defect.type,
                "box_xyxy_px": list(defect.box_xyxy_px),
                "length_mm": round(defect.length_mm, 2),
                "width_mm": round(defect.width_mm, 2),
                "area_mm2": round(defect.area_mm2, 2),
                "place": defect.place,
            }
            for defect in sample.defects
        ],
    }


def write_example(folder: Path | str) -> list[dict[str, Any]]:
    """Writes the sample batch, `cover_001.jpg` to `cover_024.jpg`.

    One file breaks off early; one lies on its side and says so in EXIF. Coordinates of the truth are those
    of the picture as it is looked at.

    Args:
        folder: New, empty, or holding an earlier copy of the batch, which is replaced.

    Returns:
        The truth, one JSON-ready row per file.

    Raises:
        OutputError: The folder holds anything else.
    """
    folder = Path(folder)
    names = [f"cover_{number:03d}.jpg" for number in range(1, len(_SHOTS) + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in names)
    if strangers:
        raise OutputError(f"{folder} holds {strangers[0]}", "name a new folder for the sample batch")
    rows = []
    for name, shot in zip(names, _SHOTS, strict=True):
        sample = synthesize(
            shot.seed,
            size_px=_SIZE_PX,
            material="painted_metal",
            part_shape="plate",
            with_aruco=False,
            defects=shot.defects,
            mm_per_px=MM_PER_PX,
            series=_SERIES,
        )
        (folder / name).write_bytes(_file_bytes(shot, sample))
        rows.append(_truth_row(shot, sample, name))
    return rows
