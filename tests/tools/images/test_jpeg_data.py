from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tools.errors import ImageError
from tools.images.decoding import decode
from tools.images.reasons import Reason

BATCH = Path(__file__).parents[3] / "examples" / "batch"
NOISE = np.random.default_rng(0).integers(0, 255, (200, 240, 3), dtype=np.uint8)
PICTURES: dict[str, NDArray[np.uint8]] = {
    "noise": NOISE,
    "surface": np.asarray(Image.fromarray(NOISE[:30, :40]).resize((400, 300))),
    "white below": np.vstack([NOISE, np.full((400, 240, 3), 255, np.uint8)]),
    "white": np.full((600, 800, 3), 255, np.uint8),
    "the grey of what is missing": np.full((600, 800, 3), 128, np.uint8),
}
OPTIONS: dict[str, dict[str, int | bool]] = {
    "plain": {},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "optimized restarts": {"restart_marker_blocks": 7, "optimize": True},
    "all colours": {"subsampling": 0, "quality": 95},
}


def jpeg(picture: NDArray[np.uint8], mode: str, **options: int | bool) -> bytes:
    file = BytesIO()
    Image.fromarray(picture).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def reason_of(content: bytes, folder: Path) -> str:
    path = folder / "photo.jpg"
    path.write_bytes(content)
    try:
        decode(path)
    except ImageError as error:
        return error.message
    return ""


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("picture", PICTURES)
def test_whole_files_raise_no_alarm(tmp_path: Path, picture: str, options: str, mode: str) -> None:
    content = jpeg(PICTURES[picture], mode, **OPTIONS[options])
    assert reason_of(content, tmp_path) == ""
    assert reason_of(content + bytes(5_000), tmp_path) == ""  # what a camera adds is no part of the picture


def test_whole_photographs_raise_no_alarm_at_any_size() -> None:
    cut_short = BATCH / "cover_013.jpg"  # as it is meant to be
    photographs = sorted(set(BATCH.glob("*.jpg")) - {cut_short})
    assert photographs
    for path in photographs:
        for side_px in (None, 64):
            assert decode(path, max_side_px=side_px).ndim == 3


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("picture", ["noise", "surface"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_file_that_ends_early_is_refused_although_it_says_that_it_ends(
    tmp_path: Path, picture: str, options: str, mode: str, share: float
) -> None:
    content = jpeg(PICTURES[picture], mode, **OPTIONS[options])
    cut = content[: round(share * len(content))] + b"\xff\xd9"
    assert reason_of(cut, tmp_path) in {Reason.TRUNCATED, Reason.DAMAGED}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", ["plain", "restarts", "all colours"])
@pytest.mark.parametrize("picture", ["noise", "surface"])
def test_a_hole_of_zeros_is_refused(tmp_path: Path, picture: str, options: str, mode: str) -> None:
    content = jpeg(PICTURES[picture], mode, **OPTIONS[options])
    middle = len(content) // 2
    holed = content[:middle] + bytes(512) + content[middle + 512 :]
    assert reason_of(holed, tmp_path) == Reason.DAMAGED
