from __future__ import annotations

import pytest

from agent.ids import ImageIds
from tools.errors import UsageError
from tools.records import ImageRecord

NAMES = ("line/cover_007.jpg", "002.png", "사진.png", "cover_007.png")
IDS = ImageIds([ImageRecord(id=f"img_{n:03d}", name=name) for n, name in enumerate(NAMES, start=1)])


@pytest.mark.parametrize(
    ("value", "image_id"),
    [
        ("img_003", "img_003"),
        ("IMG_003", "img_003"),
        ("img_3", "img_003"),
        ("img 3", "img_003"),
        ("#3", "img_003"),
        (" 3 ", "img_003"),
        (3, "img_003"),
        ("image 4", "img_004"),
        ("img_003-1", "img_003"),
        ("img_003-c2", "img_003"),
        ("사진.png", "img_003"),
        ("사진", "img_003"),
        ("cover_007.jpg", "img_001"),
        ("LINE/cover_007.JPG", "img_001"),
        ({"id": "img_002", "suspicion": 0.9}, "img_002"),
        ("002", "img_002"),
    ],
)
def test_what_can_only_mean_one_image_is_understood(value: object, image_id: str) -> None:
    assert IDS.one(value) == image_id


@pytest.mark.parametrize(
    "value",
    ["img_9", 0, -1, 5, True, None, 1.0, "", "../../etc/passwd", "img_003/../x", "x" * 5000, ["img_001"], {}],
)
def test_what_means_none_is_answered_with_the_valid_ids(value: object) -> None:
    with pytest.raises(UsageError) as caught:
        IDS.one(value)
    assert caught.value.hint == "valid ids: img_001 to img_004"
    assert len(caught.value.message) < 200


def test_what_may_mean_several_is_asked_back() -> None:
    with pytest.raises(UsageError, match="any of img_001, img_004"):
        IDS.one("cover_007")


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (None, ["img_001", "img_002", "img_003", "img_004"]),
        ([], []),
        ("2", ["img_002"]),
        ([2, "img_2", {"id": "img_004"}], ["img_002", "img_004"]),
    ],
)
def test_one_several_or_all(values: object, ids: list[str]) -> None:
    assert IDS.many(values) == ids
