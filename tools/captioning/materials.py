"""Which material a text speaks of, so that a caption's can be held against the part's own."""

from __future__ import annotations

import re

__all__ = ["contradicts", "materials_in"]

# A material and what it is made as: `metal/steel` is a metal, and neither contradicts the other. Korean words
# are those that are not part of others; a part's name may be all that says what it is made of.
_WORDS: dict[str, str] = {
    "metal": r"metals?|metallic|alloys?|castings?|sheet metal|금속|합금|주물",
    "metal/steel": r"steel|stainless|스테인리스|스틸|강판|강철",
    "metal/iron": r"iron|주철|무쇠",
    "metal/aluminium": r"alumini?um|알루미늄",
    "metal/copper": r"copper|brass|bronze|구리|황동|청동",
    "metal/titanium": r"titanium|티타늄|티탄",
    "plastic": r"plastics?|polymers?|nylon|acrylic|polycarbonate|resin|플라스틱|합성수지|아크릴|나일론",
    "rubber": r"rubber|silicone|고무|실리콘",
    "fabric": r"fabrics?|textiles?|cloth|woven|carpets?|canvas|직물|섬유|원단|카펫",
    "leather": r"leather|가죽",
    "wood": r"wood|wooden|timber|plywood|목재|나무|원목",
    "glass": r"glass|유리",
    "ceramic": r"ceramics?|porcelain|세라믹|도자기",
    "stone": r"stone|concrete|marble|granite|콘크리트|석재|대리석",
    "paper": r"paper|cardboard|종이|골판지",
}
_PATTERNS = {
    material: re.compile(
        "|".join(rf"\b(?:{each})\b" if each[0].isascii() else each for each in words.split("|"))
    )
    for material, words in _WORDS.items()
}


def materials_in(text: str) -> frozenset[str]:
    """Returns the materials that a text names, in English or Korean, as `metal` or `metal/steel`."""
    folded = text.casefold()
    return frozenset(material for material, pattern in _PATTERNS.items() if pattern.search(folded))


def contradicts(named: frozenset[str], own: frozenset[str]) -> bool:
    """Tells whether a text names other materials and none of a part's own.

    Beside its own material a part may hold a rubber seal or a paper label; in its place it cannot.

    Args:
        named: What the text names.
        own: What the part is made of; where that is not known, nothing contradicts it.
    """
    if not named or not own:
        return False
    return not any(_agree(one, other) for one in named for other in own)


def _agree(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return longer == shorter or longer.startswith(f"{shorter}/")
