from __future__ import annotations

import numpy as np
import pytest

from tools.errors import CalibrationError
from tools.measurement.calibration import resolve_scale
from tools.measurement.scale_reasons import ScaleReason, scale_reason_text
from tools.recipe import ArucoScale, ChessboardScale, ScaleSpec, TwoPointScale
from tools.records import Language

EMPTY = np.full((60, 80, 3), 200, np.uint8)
BOARD = ChessboardScale(
    homography=(0.1, 0, 0, 0, 0.1, 0, 0, 0, 1), mm_per_px=0.1, uncertainty_percent=1, image_size_px=(320, 240)
)


@pytest.mark.parametrize(
    ("spec", "korean"),
    [
        (
            TwoPointScale(points_px=((0, 0), (3, 0)), distance_mm=5),
            "두 점의 간격이 3.0 px뿐이라 척도를 구하기에 너무 가까움",
        ),
        (ArucoScale(aruco_side_mm=10), "사진에서 DICT_4X4_50 ArUco 마커를 찾지 못함"),
        (ArucoScale(aruco_side_mm=10, marker_id=3), "사진에서 DICT_4X4_50 ArUco 마커(id 3)를 찾지 못함"),
        (ArucoScale(aruco_side_mm=10, dictionary="DICT_NONE"), "ArUco 사전 'DICT_NONE' 없음"),
        (BOARD, "레시피는 320x240 px에서 보정했으나 이 사진은 80x60 px임"),
    ],
)
def test_what_calibration_says_is_said_in_korean(spec: ScaleSpec, korean: str) -> None:
    with pytest.raises(CalibrationError) as caught:
        resolve_scale(spec, EMPTY)
    assert scale_reason_text(caught.value.message, Language.KO) == korean
    assert scale_reason_text(caught.value.message, Language.EN) == caught.value.message


@pytest.mark.parametrize("reason", ScaleReason)
def test_every_reason_has_its_korean_with_the_same_values(reason: ScaleReason) -> None:
    values = {"distance": 1.5, "side": 7, "dictionary": "DICT_5X5_50", "id": 3, "others": "7, 9"}
    values |= {"calibrated": "9x8", "size": "7x6"}
    korean = scale_reason_text(reason.format(**values), Language.KO)
    assert korean != reason.format(**values)
    assert all(str(value) in korean for name, value in values.items() if f"{{{name}}}" in reason)


def test_other_sentences_stay_as_they_are() -> None:
    assert scale_reason_text("no marker", Language.KO) == "no marker"
