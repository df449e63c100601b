"""The enumerations of the domain: closed lists of words that records, recipes and reports share."""

from __future__ import annotations

from enum import StrEnum, auto

__all__ = [
    "CaptionOutcome",
    "DecidedBy",
    "ImageStatus",
    "Language",
    "Origin",
    "Quantity",
    "ScaleSource",
    "ScreeningStatus",
    "Severity",
    "Source",
    "Unit",
    "Verdict",
]


class Language(StrEnum):
    """Languages of descriptions, reasons and reports."""

    EN = "en"
    KO = "ko"


class ImageStatus(StrEnum):
    """Whether an image could be decoded."""

    READABLE = auto()
    UNREADABLE = auto()


class ScreeningStatus(StrEnum):
    """What all sources together say of a whole image; `unsure` also when no label fits."""

    CLEAR = auto()
    SUSPECT = auto()
    UNSURE = auto()


class Source(StrEnum):
    """What an image is held against when its suspicion is formed."""

    WORDS = auto()
    REFERENCES = auto()
    BATCH = auto()
    TEMPLATE = auto()
    DETECTOR = auto()


class Origin(StrEnum):
    """What proposed a finding."""

    YOLO = auto()
    SCREENING = auto()
    CONTOUR = auto()
    REFERENCE = auto()
    VLM = auto()
    HUMAN = auto()


class Verdict(StrEnum):
    """The decision about one part, in order of rising alarm."""

    ACCEPT = auto()
    REVIEW = auto()
    REJECT = auto()


class Severity(StrEnum):
    """Classes of nonconformity (ISO 2859-1 usage)."""

    MINOR = auto()
    MAJOR = auto()
    CRITICAL = auto()


class DecidedBy(StrEnum):
    """Who decided a verdict."""

    RULE = auto()
    AGENT = auto()
    HUMAN = auto()


class Unit(StrEnum):
    """Units of measured values; millimetres only where a scale exists."""

    PX = "px"
    PX2 = "px2"
    MM = "mm"
    MM2 = "mm2"
    DEG = "deg"


class Quantity(StrEnum):
    """What is measured of a finding."""

    LENGTH = auto()
    WIDTH = auto()
    MAX_WIDTH = auto()
    AREA = auto()
    EQUIVALENT_DIAMETER = auto()
    ORIENTATION = auto()


class ScaleSource(StrEnum):
    """How a scale was established."""

    RECIPE = auto()
    TWO_POINTS = auto()
    ARUCO = auto()
    CHESSBOARD = auto()


class CaptionOutcome(StrEnum):
    """What became of a caption under the quality rules."""

    USED = auto()
    REGENERATED = auto()
    DROPPED = auto()
    NOT_ASKED = auto()
