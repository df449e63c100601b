from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from reports.heat import heat_rgb
from reports.pictures import MAX_CROPS, PictureBudget, crop_region, gather_evidence, picture
from tests.reports.builders import finding, held_against, inspection, mixed_batch, report
from tools.records import BoxXyxyPx, HeatMap, Verdict


@pytest.mark.parametrize(
    ("box", "size", "region"),
    [
        ((100, 100, 120, 110), (640, 480), (78, 73, 142, 137)),  # small: the least side, centred
        ((0, 0, 100, 10), (640, 480), (0, 0, 140, 140)),  # at a corner: moved inside
        ((600, 440, 640, 480), (640, 480), (576, 416, 640, 480)),
        ((0, 0, 30, 30), (40, 20), (0, 0, 40, 20)),  # smaller than the least side: all of it
        ((-50, -50, -20, -20), (640, 480), (0, 0, 64, 64)),  # outside: still a place in the picture
    ],
)
def test_crops_lie_inside_and_around(
    box: BoxXyxyPx, size: tuple[int, int], region: tuple[int, int, int, int]
) -> None:
    assert crop_region(box, *size) == region


@pytest.mark.parametrize("limit_bytes", [1_000_000, 12_000, 3_000])
def test_pictures_keep_to_their_bytes(limit_bytes: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    made = picture(noise, (0, 0, 400, 300), 350, limit_bytes)
    with Image.open(BytesIO(made.jpeg)) as image:
        assert max(image.size) <= 350
        assert image.width / image.height == pytest.approx(4 / 3, rel=0.05)
    assert len(made.jpeg) <= limit_bytes
    assert (made.width_px, made.height_px) == (400, 300)


def test_more_pictures_get_fewer_bytes_each() -> None:
    few = PictureBudget.of([inspection(1, findings=(finding(),))])
    many = PictureBudget.of([inspection(n, findings=(finding(),) * 20) for n in range(1, 1001)])
    assert few.figure_bytes > many.figure_bytes
    assert 1000 * (many.figure_bytes + MAX_CROPS * many.crop_bytes + many.heat_bytes) <= 24_000_000


def test_each_verdict_has_its_evidence() -> None:
    evidence = gather_evidence(report(*mixed_batch()))
    assert {key: len(value.crops) for key, value in evidence.items()} == {
        "img_001": 2,
        "img_002": 0,
        "img_003": 1,
    }
    assert all(value.whole for value in evidence.values())


def test_a_lost_photograph_leaves_its_reason() -> None:
    evidence = gather_evidence(report(inspection(1, Verdict.REJECT, (finding(),)), lost=True))
    assert evidence["img_001"].whole is None
    assert "vanished" in evidence["img_001"].reason


def test_only_what_was_not_accepted_gets_its_heat_map() -> None:
    shown, accepted, without = (
        held_against(inspection(1)),
        held_against(inspection(2, Verdict.ACCEPT)),
        inspection(3),
    )
    evidence = gather_evidence(report(shown, accepted, without))
    heat = evidence["img_001"].heat
    assert heat is not None
    assert heat.width_px / heat.height_px == pytest.approx(4 / 3)
    assert evidence["img_002"].heat is None
    assert evidence["img_003"].heat is None


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.92])
def test_heat_is_coloured_where_it_is_and_the_threshold_looks_the_same(threshold: float) -> None:
    grey = np.full((40, 80, 3), 128, dtype=np.uint8)
    heat = HeatMap(rows=1, columns=4, values=(0.0, threshold, threshold, 1.0))
    shown = heat_rgb(grey, heat, threshold, 80).astype(int)
    assert shown.shape == (40, 80, 3)
    cold, middle, hot = shown[20, 2], shown[20, 39], shown[20, 78]
    assert cold.max() - cold.min() == 0
    assert middle.tolist() == pytest.approx([235, 146, 82], abs=2)  # four fifths orange over grey
    assert hot[0] > 3 * hot[1]
    assert hot.sum() < middle.sum()
