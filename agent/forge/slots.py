"""What stands in the gaps of a request, as people write it, and what a program makes of it."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from pathlib import PurePosixPath

from tools.recipe import Recipe
from tools.records import ImageRecord, Language

__all__ = [
    "Spelled",
    "images",
    "listed",
    "lot",
    "millimetres",
    "one_image",
    "phrase",
    "place",
    "stretch",
    "threshold",
    "type_name",
]

Spelled = tuple[str, str]
"""What the user writes, and what the program says."""

_SHEET_IMAGES, _SHEET_COLUMNS = 30, 6  # of the first contact sheet
_EN_IDS = ("image {}", "img {}", "picture {}", "photo {}", "no. {}", "number {}", "#{}", "part {}", "pic {}")
_KO_IDS = ("{}번", "{}번", "{}번 이미지", "{}번 사진", "이미지 {}", "사진 {}", "{}번 부품", "#{}")
_PLAIN_IDS = ("img_{}", "IMG_{}", "img-{}", "img{}", "Img_{}", "{}", "{}", "img {}")
_FIRST = {
    Language.EN: ("the first image", "the first one", "the 1st picture"),
    Language.KO: ("첫 번째 사진", "첫번째 이미지"),
}
_LAST = {
    Language.EN: ("the last image", "the last one", "the final picture"),
    Language.KO: ("마지막 사진", "마지막 이미지"),
}
_EN_PERCENT = (" percent", " per cent", " pct", "percent")
_KO_PERCENT = ("퍼센트", "프로", " 퍼센트", "퍼")
_OTHER_TYPES = (
    "burr", "chip", "pinhole", "blister", "porosity", "paint run", "void", "wrinkle", "sink mark", "pit",
    "misprint", "bubble", "tear", "flash", "spatter", "inclusion",
)  # fmt: skip
_WHERE = (
    "near the gate", "on the rim", "at the weld", "on the left edge", "after plating", "from press 3",
    "on the inside", "around the hole", "in the corner", "line 2", "under the paint",
)  # fmt: skip
_WHERE_KO = ("게이트 부근", "모서리", "용접부", "도금 후", "3호기", "홀 주변", "안쪽", "2라인", "도장 밑")
_HOW = ("deep", "fine", "long", "small", "rough", "dark", "white", "hairline", "repeated", "customer")
_HOW_KO = ("깊은", "미세", "긴", "작은", "검은", "흰색", "반복", "고객")
_KO_TYPES = (
    "스크래치",
    "찍힘",
    "크랙",
    "오염",
    "기포",
    "버",
    "핀홀",
    "변색",
    "이물",
    "도장 흐름",
    "용접 비산",
)


def one_image(
    rng: random.Random, records: Sequence[ImageRecord], language: Language, *, is_bare: bool = False
) -> Spelled:
    """Chooses an image; a few do not exist.

    Args:
        rng: Chooses.
        records: The batch.
        language: Of the request.
        is_bare: Whether a word for image stands around it already.

    Returns:
        The image as written, and as a Python string.
    """
    number = rng.randrange(1, len(records) + 1)
    if rng.random() < 0.03:
        number = len(records) + rng.choice((1, 2, 5, 10, 40, 76))
    elif not is_bare and rng.random() < 0.03:
        at = rng.choice((1, len(records)))
        return rng.choice((_FIRST if at == 1 else _LAST)[language]), f'"img_{at:03d}"'
    elif not is_bare and rng.random() < 0.06:
        path = PurePosixPath(records[number - 1].name)
        name = rng.choice((path.name, path.name, path.stem, str(path)))
        if not name.lower().startswith("img") and not name.isdigit():
            return name, f'"{name}"'
    return _numbered(rng, number, language, is_bare=is_bare), f'"img_{number:03d}"'


def _numbered(rng: random.Random, number: int, language: Language, *, is_bare: bool) -> str:
    chance = rng.random()
    if chance < 0.45:
        return f"img_{number:03d}"
    if is_bare:
        return rng.choice((str(number), f"{number:03d}", f"img_{number}"))
    forms = _PLAIN_IDS if chance < 0.75 else _KO_IDS if language is Language.KO else _EN_IDS
    digits = rng.choice((str(number), str(number), f"{number:02d}", f"{number:03d}"))
    return rng.choice(forms).format(digits)


def images(
    rng: random.Random, records: Sequence[ImageRecord], language: Language, count: int
) -> list[Spelled]:
    """Chooses different images, all written in one way; fewer where the batch is small."""
    numbers = rng.sample(range(1, len(records) + 1), min(count, len(records)))
    if rng.random() < 0.5:
        return [(f"img_{number:03d}", f'"img_{number:03d}"') for number in numbers]
    form = rng.choice((*_PLAIN_IDS[:6], *(_KO_IDS[:2] if language is Language.KO else _EN_IDS[:6])))
    width = rng.choice((1, 1, 2, 3))
    return [(form.format(f"{number:0{width}d}"), f'"img_{number:03d}"') for number in numbers]


def listed(rng: random.Random, records: Sequence[ImageRecord], language: Language) -> tuple[str, list[str]]:
    """Chooses several images for one gap: a list or a range; returns it as written, and Python strings."""
    if len(records) > 3 and rng.random() < 0.3:
        count = rng.randrange(3, min(len(records), 9) + 1)
        first = rng.randrange(1, len(records) - count + 2)
        last = first + count - 1
        forms: tuple[str, ...] = (
            "{} to {}",
            "{}-{}",
            "{} through {}",
            "{}..{}",
            "{} thru {}",
            "{} up to {}",
            "{} till {}",
        )
        if language is Language.KO:
            forms = ("{}~{}", "{}번부터 {}번까지", "{}에서 {}까지", "{}-{}번")
        if rng.random() < 0.3:
            text = rng.choice((*forms[:1], forms[2])).format(f"img_{first:03d}", f"img_{last:03d}")
        else:
            text = rng.choice(forms).format(first, last)
        return text, [f'"img_{number:03d}"' for number in range(first, last + 1)]
    chosen = images(rng, records, language, rng.choice((2, 3, 3, 4)))
    written = [each for each, _ in chosen]
    if language is Language.KO:
        glue = rng.choice((", ", ",", "랑 ", "하고 ", " ", "·"))
        return glue.join(written), [code for _, code in chosen]
    last_glue = rng.choice((" and ", ", and ", ", ", " & ", " + "))
    return last_glue.join((", ".join(written[:-1]), written[-1])) if len(written) > 1 else written[0], [
        code for _, code in chosen
    ]


def stretch(rng: random.Random, records: Sequence[ImageRecord]) -> tuple[tuple[str, str], list[str]]:
    """Chooses images from one to another; returns both ends as written, and all of them as Python strings."""
    first = rng.randrange(1, len(records) - 1)
    last = rng.randrange(first + 1, min(len(records), first + 8) + 1)
    form = rng.choice(("img_{:03d}", "img_{:03d}", "{}", "{:02d}", "IMG_{:03d}"))
    return (form.format(first), form.format(last)), [f'"img_{n:03d}"' for n in range(first, last + 1)]


def place(rng: random.Random, records: Sequence[ImageRecord]) -> tuple[str, str, str]:
    """Chooses a place of the contact sheet; returns its row, its column and the image there."""
    number = rng.randrange(min(len(records), _SHEET_IMAGES))
    row, column = divmod(number, _SHEET_COLUMNS)
    return str(row + 1), str(column + 1), f"img_{number + 1:03d}"


def lot(rng: random.Random) -> str:
    """Makes up the name of a lot: people use any letters, digits, dashes and slashes."""
    shape = rng.random()
    upper, digits = string.ascii_uppercase, string.digits
    letters = upper if rng.random() < 0.85 else string.ascii_lowercase

    def some(of: str, least: int, most: int) -> str:
        return "".join(rng.choices(of, k=rng.randint(least, most)))

    if shape < 0.25:
        return f"{some(letters, 1, 3)}{rng.choice('-_/')}{some(digits, 1, 5)}"
    if shape < 0.45:
        return f"{some(letters, 1, 4)}{some(digits, 2, 7)}"
    if shape < 0.55:
        return f"{some(digits, 2, 8)}{some(letters, 0, 2)}"
    if shape < 0.65:
        month = f"{rng.choice(('-', '', '/', '.'))}{rng.randint(1, 12):02d}"
        return f"20{rng.randint(22, 29)}{month}{some(digits, 2, 2)}"
    if shape < 0.75:
        return f"{rng.choice(('LOT', 'L', 'B', 'BATCH', 'WO', 'PO'))}{rng.choice('-_')}{some(digits, 2, 6)}"
    joints = rng.choice(("-", "-", "/", "_", "."))
    groups = [some(letters + digits, 1, 4) for _ in range(rng.randint(2, 4))]
    name = joints.join(groups)
    return name if any(letter.isdigit() for letter in name) else name + some(digits, 1, 3)


def threshold(rng: random.Random, language: Language) -> Spelled:
    """Makes up a threshold: a fraction, or a percentage that the program writes as a fraction."""
    percent = rng.choice((rng.randrange(5, 100, 5), rng.randrange(1, 100)))
    plain = f"{percent / 100:g}"
    words = _KO_PERCENT if language is Language.KO else _EN_PERCENT
    spoken = f"{percent}{rng.choice(words)}"
    written = rng.choice(
        (plain, plain, plain, plain[1:], f"{percent}%", f"{percent} %", spoken, f"{percent / 100:.2f}")
    )
    return written, plain


def millimetres(rng: random.Random) -> str:
    """Makes up a length without its unit."""
    return rng.choice(
        (str(rng.randrange(1, 13)), f"{rng.uniform(0.1, 9.9):.1f}", f"{rng.uniform(0.1, 3):.2f}")
    )


def type_name(rng: random.Random, recipe: Recipe, language: Language) -> Spelled:
    """Chooses a defect type by any of its names; the program says the recipe's."""
    name = rng.choice([*recipe.defects])
    defect = recipe.defects[name]
    others = [each for each in defect.synonyms if each.isascii() is (language is Language.EN)]
    if rng.random() < (0.12 if language is Language.EN else 0.0):
        name = rng.choice(_OTHER_TYPES)
        return _plural(rng, name), name
    if rng.random() < 0.3 and others:
        return _plural(rng, rng.choice(others)), name
    if language is Language.KO and rng.random() < 0.85:
        return defect.ko, name
    return _plural(rng, name) if language is Language.EN else name, name


def _plural(rng: random.Random, name: str) -> str:
    if rng.random() < 0.5 or not name.isascii() or name.endswith(("s", "rust", "dirt", "tion", "ter", "ity")):
        return name
    return f"{name}es" if name.endswith(("ch", "sh", "x")) else f"{name}s"


def phrase(rng: random.Random, language: Language) -> str:
    """Makes up words to search past cases for."""
    if language is Language.KO and rng.random() < 0.85:
        parts = [rng.choice(_HOW_KO), rng.choice(_KO_TYPES), rng.choice(_WHERE_KO)]
        return " ".join(rng.choice((parts[1:2], parts[:2], [parts[2], parts[1]], parts[1:2])))
    kind = rng.choice((*_OTHER_TYPES, "scratch", "dent", "crack", "contamination", "oil stain", _word(rng)))
    parts = [rng.choice(_HOW), kind, rng.choice((*_WHERE, f"lot {lot(rng)}"))]
    return " ".join(rng.choice((parts[1:2], parts[:2], parts[1:], parts)))


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("bcdfghklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randint(2, 4)))
