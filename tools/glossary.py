"""One glossary of inspection words in English and Korean, and the rules for putting them into sentences."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tools.records import Language, Quantity, Severity, Source, Unit, Verdict
from tools.voices import strongest_source

if TYPE_CHECKING:
    from enum import StrEnum

    from tools.recipe import Label, Recipe
    from tools.records import Finding, Screening

__all__ = [
    "NORMAL",
    "UNCLASSIFIED",
    "UNKNOWN",
    "capitalized",
    "compared_phrase",
    "find_type",
    "fold",
    "label_name",
    "place_phrase",
    "unit_symbol",
    "unlike_phrase",
    "with_article",
    "with_particle",
    "word",
]

NORMAL = "normal"
UNCLASSIFIED = "unclassified"
UNKNOWN = "unknown"

# (English, Korean). Severity and verdict words as in KS Q ISO 2859-1.
_WORDS: dict[StrEnum, tuple[str, str]] = {
    Verdict.ACCEPT: ("accept", "합격"),
    Verdict.REVIEW: ("review", "재검토"),
    Verdict.REJECT: ("reject", "불합격"),
    Severity.MINOR: ("minor", "경결함"),
    Severity.MAJOR: ("major", "중결함"),
    Severity.CRITICAL: ("critical", "치명결함"),
    Quantity.LENGTH: ("length", "길이"),
    Quantity.WIDTH: ("width", "너비"),
    Quantity.MAX_WIDTH: ("maximum width", "최대 너비"),
    Quantity.AREA: ("area", "면적"),
    Quantity.EQUIVALENT_DIAMETER: ("equivalent diameter", "등가 지름"),
    Quantity.ORIENTATION: ("orientation", "방향"),
}

_PLACES: dict[str, tuple[str, str]] = {
    "upper-left": ("at the upper left", "좌상단"),
    "top": ("at the top", "상단"),
    "upper-right": ("at the upper right", "우상단"),
    "left": ("at the left", "좌측"),
    "centre": ("at the centre", "중앙"),
    "right": ("at the right", "우측"),
    "lower-left": ("at the lower left", "좌하단"),
    "bottom": ("at the bottom", "하단"),
    "lower-right": ("at the lower right", "우하단"),
}

_UNIT_SYMBOLS = {Unit.PX: "px", Unit.PX2: "px²", Unit.MM: "mm", Unit.MM2: "mm²", Unit.DEG: "°"}


def word(term: Verdict | Severity | Quantity, language: Language) -> str:
    """Returns the word for a verdict, a severity or a measured quantity."""
    return _WORDS[term][language is Language.KO]


def place_phrase(place: str, language: Language) -> str:
    """Returns `at the upper left` or `좌상단` for a finding's place; empty for a place that is not known."""
    return _PLACES.get(place, ("", ""))[language is Language.KO]


def unit_symbol(unit: Unit) -> str:
    """Returns the unit as it is printed, e.g. `mm²`."""
    return _UNIT_SYMBOLS[unit]


# What an image is held against, besides words.
_COMPARED: dict[str, tuple[str, str]] = {
    Source.REFERENCES: ("the good parts", "양품"),
    Source.BATCH: ("the rest of the batch", "배치의 나머지"),
    Source.TEMPLATE: ("its template", "기준 사진"),
}


def label_name(recipe: Recipe, name: str, language: Language) -> str:
    """Returns what people call a defect type or hard negative of the recipe; other names as they are."""
    label: Label | None = recipe.defects.get(name) or recipe.hard_negatives.get(name)
    if language is Language.KO:
        if label is not None and label.ko:
            return label.ko
        return {UNCLASSIFIED: "미분류 이상", UNKNOWN: "알 수 없음", NORMAL: "정상"}.get(name, name)
    return "unclassified anomaly" if name == UNCLASSIFIED else name


def unlike_phrase(finding: Finding, language: Language) -> str:
    """Returns `unlike the good parts`: what a finding of origin `reference` differs from."""
    source = next((each.tool for each in finding.provenance if each.tool in _COMPARED), Source.REFERENCES)
    name_en, name_ko = _COMPARED[source]
    if language is Language.KO:
        return f"{with_particle(name_ko, '과/와')} 다름"
    return f"unlike {name_en}"


def compared_phrase(screening: Screening, language: Language) -> str:
    """Returns `unlike the 8 good parts`, of what decided a screening; empty where words did."""
    source = strongest_source(screening)
    score = next((each for each in screening.sources if each.source is source), None)
    if score is None or score.source not in _COMPARED:
        return ""
    is_unlike = score.suspicion >= screening.threshold
    count = score.compared_with
    if language is Language.KO:
        counted = {
            Source.REFERENCES: f"양품 {count}개",
            Source.BATCH: f"이 배치의 다른 사진 {count}장",
        }.get(score.source, _COMPARED[score.source][1])
        return f"{with_particle(counted, '과/와')} {'다름' if is_unlike else '비슷함'}"
    counted = {
        Source.REFERENCES: f"the {count} good parts" if count > 1 else "the one good part",
        Source.BATCH: f"{count} other images of the batch",
    }.get(score.source, _COMPARED[score.source][0])
    return f"{'unlike' if is_unlike else 'like'} {counted}"


def fold(text: str) -> str:
    """Folds a word for comparison: NFKC, and neither case, spaces, hyphens nor underscores count."""
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", text).casefold())


def find_type(recipe: Recipe, word: str) -> str | None:
    """Resolves a word that a person used, in either language, to a defect type of the recipe.

    Names, Korean names and synonyms count alike; an English plural finds its singular.

    Returns:
        The type's name in the recipe, or None where no type is called that.
    """
    names = {
        fold(known): name
        for name, defect in reversed(recipe.defects.items())
        for known in (*defect.synonyms, defect.ko, name)
        if known
    }
    folded = fold(word)
    candidates = (folded, folded.removesuffix("s"), folded.removesuffix("es"))
    return next((names[candidate] for candidate in candidates if candidate in names), None)


def capitalized(text: str) -> str:
    """Returns a text with a capital first letter and the rest as it is."""
    return text[:1].upper() + text[1:]


# Nouns of inspection that take no article: what flows, sticks or is a state.
_MASS_NOUN = re.compile(
    r"\b(abrasion|chipping|contamination|corrosion|cracking|damage|debris|dirt|discolou?ration|dust|erosion|"
    r"flaking|glare|grease|lint|matter|moisture|oil|oxidation|peeling|pitting|porosity|residue|roughness|"
    r"rust|shrinkage|staining|warpage|wear)$",
    re.IGNORECASE,
)
# Where the letter misleads: a used mark, a unit, a eutectic, a one-sided burr; an hourly mark, an honest one.
_SPOKEN_VOWEL = re.compile(
    r"(?!eu|us[aeu]|uni(?:[^dmn]|dir)|one\b|once\b)[aeiou]|hour|honest|honou?r|heir", re.IGNORECASE
)


def with_article(noun: str) -> str:
    """Returns an English noun with `a` or `an`; uncountable nouns such as `contamination` without."""
    if _MASS_NOUN.search(noun):
        return noun
    return f"{'an' if _SPOKEN_VOWEL.match(noun) else 'a'} {noun}"


# How what is not Hangul ends when read aloud in Korean: 1 일, 3 삼, mm 밀리미터, px 픽셀; else a vowel.
_ENDS_IN_VOWEL = ("mm", "mm²")
_ENDS_IN_RIEUL = ("1", "7", "8", "l", "px", "px²")
_ENDS_IN_OTHER_CONSONANT = ("0", "3", "6", "m", "n")
_RIEUL = 8  # index of the final consonant ㄹ in Unicode's order; 0 is no final consonant


def with_particle(noun: str, pair: str) -> str:
    """Returns a noun with the Korean particle that fits its final sound.

    Args:
        noun: Ends in Hangul, a digit, a unit or a Latin letter; closing quotes and brackets are read over.
        pair: The form after a consonant, then after a vowel: `이/가`, `은/는`, `을/를`, `과/와`, `으로/로`.
            After ㄹ the last of these is `로`.
    """
    after_consonant, after_vowel = pair.split("/")
    final = _final_consonant(noun)
    takes_vowel_form = final == 0 or (final == _RIEUL and after_vowel == "로")
    return noun + (after_vowel if takes_vowel_form else after_consonant)


def _final_consonant(noun: str) -> int:
    bare = unicodedata.normalize("NFC", noun).rstrip("\"'`’”)]〉》」 ").lower()
    last = bare[-1:]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28
    if bare.endswith(_ENDS_IN_VOWEL):
        return 0
    if bare.endswith(_ENDS_IN_RIEUL):
        return _RIEUL
    return int(last in _ENDS_IN_OTHER_CONSONANT)
