from __future__ import annotations

import numpy as np
import pytest

from tools.references.calibration import Calibration, heat_map, level, strongest


def calibrated(count: int, overkill: float = 0.05, spread: float = 0.2) -> Calibration:
    levels = np.random.default_rng(count).normal(1.0, spread, (count, 2))
    return Calibration.of(levels, levels + 0.5, overkill)


@pytest.mark.parametrize("count", [1, 3, 8, 40])
def test_suspicion_is_half_at_the_threshold_and_low_for_a_typical_good_image(count: int) -> None:
    calibration = calibrated(count)
    assert calibration.suspicion(calibration.threshold) == pytest.approx(0.5)
    assert calibration.suspicion(0.0) == pytest.approx(0.1, abs=0.01)
    assert calibration.fused(np.array(calibration.means)) == pytest.approx(0.0)


@pytest.mark.parametrize("overkill", [0.02, 0.05, 0.2])
def test_new_good_images_keep_to_the_overkill(overkill: float) -> None:
    calibration = calibrated(300, overkill)
    fresh = np.random.default_rng(9).normal(1.0, 0.2, (4000, 2))
    above = np.mean([calibration.fused(each) >= calibration.threshold for each in fresh])
    assert overkill / 2.5 < above < overkill * 2.5


def test_fewer_images_make_a_more_careful_threshold_and_say_so() -> None:
    few, more, enough = calibrated(4), calibrated(12), calibrated(19)
    assert few.threshold * few.deviations[0] > 0
    assert "4 good images are too few" in few.remark
    assert "with 19" in more.remark
    assert enough.remark == ""
    assert not enough.is_extrapolated
    assert "guess" in calibrated(1).remark


def test_backbones_are_heard_together_as_one_expert() -> None:
    levels = np.random.default_rng(3).normal(1.0, 0.2, (20, 4))
    seen = np.array([2.0, 1.0, 1.6, 1.2])
    alone, together = (Calibration.of(levels, levels, 0.05, backbones) for backbones in (1, 2))
    z = (seen - alone.means) / np.array(alone.deviations)
    assert alone.fused(seen) == pytest.approx(np.sort(z)[-2:].mean())
    assert together.fused(seen) == pytest.approx(np.sort([z[:2].mean(), z[2], z[3]])[-2:].mean())
    assert together.threshold != alone.threshold


def test_one_odd_picture_among_the_good_hides_no_defect() -> None:
    levels = np.array([[1.0], [1.02], [0.97], [1.01], [0.99], [1.03], [0.98], [1.9]])
    calibration = Calibration.of(levels, levels + 0.5, 0.05)
    assert calibration.suspicion(calibration.fused(np.array([1.03]))) < 0.3
    assert calibration.suspicion(calibration.fused(np.array([1.25]))) > 0.5


def test_heat_is_half_where_the_farthest_cells_of_an_image_at_the_threshold_are_and_fades_slowly() -> None:
    calibration = calibrated(8)
    bars = np.exp(np.array(calibration.peaks) + calibration.threshold * np.array(calibration.deviations))
    wide = 12  # cells alike, so that smoothing leaves those in their middle as they are
    seen = np.repeat(np.array([[1.0, 0.5, 0.25, 2.0]], np.float32), wide, axis=1).repeat(wide, axis=0)
    maps = [seen * np.float32(bars[0]), np.full(seen.shape, 99.0, np.float32)]
    heat = heat_map(maps, calibration, [0])[wide // 2, wide // 2 :: wide]
    assert heat[0] == pytest.approx(0.5, abs=1e-3)
    assert heat[1] == pytest.approx(0.06, abs=5e-3)
    assert 0.001 < heat[2] < 0.01
    assert heat[3] > 0.9
    assert (heat_map(maps, calibration, [0, 1])[wide // 2, wide // 2 :: wide] > heat).all()


def test_cells_that_stand_together_are_hotter_than_one_alone() -> None:
    calibration = calibrated(8)
    calm = np.full((20, 20), 0.5 * np.exp(calibration.peaks[0]), np.float32)
    alone, together = calm.copy(), calm.copy()
    alone[10, 10] *= 4
    together[8:13, 8:13] *= 4
    heats = [heat_map([each], calibration, [0])[10, 10] for each in (calm, alone, together)]
    assert heats[0] < heats[1] < 0.5 * heats[2]


def test_a_small_defect_and_a_spread_one_both_raise_the_level() -> None:
    calm = np.full((40, 40), 1.0, np.float32)
    small, spread = calm.copy(), calm.copy()
    small[:3, :3] = 10
    spread[:20] = 1.5
    assert level(small) > level(calm) + 0.2
    assert level(spread) > level(calm) + 0.2
    assert strongest(small) > strongest(spread)


@pytest.mark.parametrize(
    ("overkill", "written"), [(0.05, "5%"), (0.07, "7%"), (0.005, "0.5%"), (0.015, "1.5%"), (0.0125, "1.25%")]
)
def test_an_overkill_is_written_with_all_its_digits(overkill: float, written: str) -> None:
    assert f"an overkill of {written}:" in calibrated(5, overkill).remark
