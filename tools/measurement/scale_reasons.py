"""The table of reasons for which a photograph has no scale, as sentences that a report can translate."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from tools.records import Language

__all__ = ["ScaleReason", "scale_reason_text"]


class ScaleReason(StrEnum):
    """Why a scale cannot be had; values stand in the braces."""

    POINTS_TOO_CLOSE = "The two points are only {distance} px apart: too close for a scale."
    MARKER_TOO_SMALL = "The ArUco marker is only {side} px wide: too small for a scale."
    NO_MARGIN = "The ArUco marker has no white margin that is wide and even enough for a scale."
    NO_DICTIONARY = "There is no ArUco dictionary '{dictionary}'."
    NO_MARKER = "No ArUco marker of {dictionary} was found in the picture."
    NO_SUCH_MARKER = "No ArUco marker of {dictionary} with id {id} was found in the picture."
    OTHER_MARKER = (
        "No ArUco marker of {dictionary} with id {id} was found in the picture. It shows id {others}."
    )
    OTHER_SIZE = "The recipe was calibrated at {calibrated} px, this picture has {size} px."


_KOREAN: dict[ScaleReason, str] = {
    ScaleReason.POINTS_TOO_CLOSE: "두 점의 간격이 {distance} px뿐이라 척도를 구하기에 너무 가까움",
    ScaleReason.MARKER_TOO_SMALL: "ArUco 마커의 너비가 {side} px뿐이라 척도를 구하기에 너무 작음",
    ScaleReason.NO_MARGIN: "ArUco 마커의 흰 여백이 좁거나 고르지 않아 척도를 구할 수 없음",
    ScaleReason.NO_DICTIONARY: "ArUco 사전 '{dictionary}' 없음",
    ScaleReason.NO_MARKER: "사진에서 {dictionary} ArUco 마커를 찾지 못함",
    ScaleReason.NO_SUCH_MARKER: "사진에서 {dictionary} ArUco 마커(id {id})를 찾지 못함",
    ScaleReason.OTHER_MARKER: "사진에서 {dictionary} ArUco 마커(id {id})를 찾지 못함. 보이는 id: {others}",
    ScaleReason.OTHER_SIZE: "레시피는 {calibrated} px에서 보정했으나 이 사진은 {size} px임",
}


def scale_reason_text(reason: str, language: Language) -> str:
    """Returns a reason in the given language; a sentence that is not of the table as it is."""
    if language is Language.KO:
        for known in sorted(_KOREAN, key=len, reverse=True):  # the longer one says more of the same
            if match := _pattern(known).fullmatch(reason):
                return _KOREAN[known].format(**match.groupdict())
    return reason


@cache
def _pattern(reason: ScaleReason) -> re.Pattern[str]:
    """Reads the values back out of an English sentence."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(reason)))
