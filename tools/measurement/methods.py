"""The methods that sizes are measured by, by name, as words that a person reads in English or Korean."""

from __future__ import annotations

import re
from enum import StrEnum

from tools.records import Language

__all__ = ["Method", "method_text"]

_BRANCHES = re.compile(r"(?P<count>\d+) branch(?:es)?, (?P<whole>.+) in all")


class Method(StrEnum):
    """How a quantity is measured."""

    SKELETON = "skeleton geodesic"
    AREA_OVER_LENGTH = "area over centre-line length"
    LONGEST_CHORD = "longest chord across the centre line"
    END_TO_END = "from end to end"
    CALLIPER = "calliper length"
    SMALLEST_FERET = "smallest Feret diameter"
    CALLIPER_DIRECTION = "direction of calliper length"
    PIXEL_COVERAGE = "sum of pixel coverage"
    EQUAL_CIRCLE = "circle of equal area"
    CENTROID = "centroid of pixel coverage"
    BOX = "box"

    def with_branches(self, count: int, whole: str) -> str:
        """Adds how many branches a line has besides, and how long it is with them."""
        return f"{self}, {count} branch{'es' if count > 1 else ''}, {whole} in all"


_KOREAN: dict[str, str] = {
    Method.SKELETON: "골격선 길이",
    Method.AREA_OVER_LENGTH: "면적 ÷ 중심선 길이",
    Method.LONGEST_CHORD: "중심선에 수직인 최대 너비",
    Method.END_TO_END: "끝에서 끝까지의 방향",
    Method.CALLIPER: "캘리퍼 최대 길이",
    Method.SMALLEST_FERET: "최소 페레 지름",
    Method.CALLIPER_DIRECTION: "캘리퍼 최대 길이의 방향",
    Method.PIXEL_COVERAGE: "픽셀 점유 면적의 합",
    Method.EQUAL_CIRCLE: "같은 면적의 원",
    Method.CENTROID: "픽셀 점유의 무게중심",
    Method.BOX: "검출 상자",
}


def method_text(method: str, language: Language) -> str:
    """Returns a measurement's method in the given language; one that is not of the table as it is."""
    name, _, rest = method.partition(", ")
    if language is not Language.KO or name not in _KOREAN:
        return method
    branches = _BRANCHES.fullmatch(rest)
    said = branches.expand(r"가지 \g<count>개 포함 \g<whole>") if branches else rest
    return f"{_KOREAN[name]}, {said}" if said else _KOREAN[name]
