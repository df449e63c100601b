"""How people really type: slips of the finger, words left out, endings and greetings around a request."""

from __future__ import annotations

import random
import re

from tools.records import Language

__all__ = ["babble", "dressed", "slipped"]

_SLOT = re.compile(r"(\{\w+\})")
_BEFORE = {
    Language.EN: (
        "please ", "pls ", "hey, ", "hi, ", "ok, ", "ok ", "now ", "next: ", "so, ", "good morning, ",
        "urgent: ",
        "alright, ", "hello, ", "right, ", "hey loupe, ", "Loupe: ", "well, ", "and ", "one more thing: ",
        "quick: ",
    ),
    Language.KO: (
        "저기 ", "안녕하세요. ", "네 ", "일단 ", "혹시 ", "자 ", "급해요, ", "빨리 ", "음 ", "그럼 ",
        "수고하십니다. ",
        "죄송한데 ", "지금 ", "오케이 ", "자 이제 ", "루페야 ", "아 ", "이제 ",
    ),
}  # fmt: skip
_AFTER = {
    Language.EN: (
        " please", " pls", " thanks", " thx", " asap", "!", ".", " now", " for me", " when you can",
        "...", " mate", " quickly", ", please", ", thank you", " - urgent",
    ),
    Language.KO: (
        " 부탁드려요", " 부탁", " 빨리요", "!", " ㄱㄱ", " 감사합니다", "~", ".", " 지금", "..", " 좀",
        " 급함", " 요",
    ),
}  # fmt: skip
_WORDS = {
    Language.EN: {
        "image": ("picture", "photo", "img", "shot"),
        "images": ("pictures", "photos", "imgs", "shots"),
        "picture": ("image", "photo"),
        "photo": ("image", "picture"),
        "report": ("report", "rpt", "PDF report", "certificate"),
        "defect": ("flaw", "fault", "blemish", "imperfection"),
        "defects": ("flaws", "faults", "blemishes", "NG spots"),
        "please": ("pls", "plz", "kindly"),
        "batch": ("set", "batch", "lot"),
        "part": ("piece", "unit", "item"),
        "parts": ("pieces", "units", "items"),
        "show": ("display", "give"),
        "biggest": ("largest",),
        "size": ("dimension", "size"),
    },
    Language.KO: {
        "사진": ("이미지", "영상"),
        "이미지": ("사진",),
        "결함": ("불량", "하자", "디펙트"),
        "하자": ("결함",),
        "보고서": ("리포트", "레포트", "성적서"),
        "성적서": ("보고서", "리포트"),
        "해줘": ("해 줘", "해 주세요", "해주세요", "해줘요", "해 주십시오", "해주시겠어요", "해"),
        "해주세요": ("해줘", "해 주세요", "부탁드립니다"),
        "알려줘": ("알려 주세요", "말해줘", "알려주십시오"),
        "전체": ("전부", "모두", "다"),
        "크기": ("사이즈", "치수"),
    },
}
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_KEYS = "asdfghjklqwertyuiopzxcvbnm"
_LOOSE_JAMO = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎㅏㅑㅓㅕㅗㅛㅜㅠㅡㅣ"
_PARTICLES = {
    Language.EN: (
        "the",
        "of",
        "and",
        "if",
        "because",
        "so",
        "um",
        "which",
        "with",
        "or",
        "er",
        "into",
        "like",
    ),
    Language.KO: ("그", "저", "음", "에서", "까지", "그러니까", "막", "어", "근데", "뭐랄까", "이제", "거기"),
}
_SYLLABLES, _VOWELS, _FINALS = 0xAC00, 21, 28
_ALIKE_VOWELS = {1: 5, 5: 1, 3: 7, 7: 3, 10: 15, 15: 10, 11: 10, 0: 4, 4: 0, 8: 13, 13: 8, 18: 20, 20: 18}


def babble(rng: random.Random, language: Language) -> str:
    """Makes up what means nothing: keys hit at random, words that do not exist, symbols, loose particles."""
    kind = rng.random()
    if language is Language.KO and kind < 0.55:
        if kind < 0.25:
            return "".join(rng.choices(_LOOSE_JAMO, k=rng.randint(2, 9)))
        syllables = (chr(rng.randrange(_SYLLABLES, 0xD7A4)) for _ in range(rng.randint(1, 7)))
        return "".join(f"{syllable}{' ' * (rng.random() < 0.2)}" for syllable in syllables).strip()
    if kind < 0.7:
        words = ("".join(rng.choices(_KEYS, k=rng.randint(3, 9))) for _ in range(rng.randint(1, 4)))
        return " ".join(words)
    if kind < 0.8:
        return "".join(rng.choices("!@#$%^&*()_+?/.,;:-=~", k=rng.randint(1, 9)))
    if kind < 0.9:
        return " ".join(rng.sample(_PARTICLES[language], rng.randint(1, 4)))
    return "".join(rng.choices("0123456789", k=rng.randint(5, 14)))


def dressed(rng: random.Random, template: str, language: Language) -> str:
    """Puts greetings and endings around a template, and other words of the same meaning in it."""
    if rng.random() < 0.35:
        template = _reworded(rng, template, language)
    if rng.random() < 0.2:
        first = template[:1] if template[:2].isupper() else template[:1].lower()
        template = rng.choice(_BEFORE[language]) + first + template[1:]
    if rng.random() < 0.2:
        template = template.rstrip(".!~ ") + rng.choice(_AFTER[language])
    return template


def _reworded(rng: random.Random, template: str, language: Language) -> str:
    words = _WORDS[language]
    present = [word for word in words if re.search(_whole(word, language), template)]
    if not present:
        return template
    word = rng.choice(present)
    return re.sub(_whole(word, language), rng.choice(words[word]), template, count=1)


def _whole(word: str, language: Language) -> str:
    return rf"\b{word}\b" if language is Language.EN else word


def slipped(rng: random.Random, template: str) -> str:
    """Lets case, punctuation and letters slip, never inside a `{slot}`.

    A question mark stays: "accept {id}?" asks, "accept {id}" orders.
    """
    chance = rng.random()
    parts = _SLOT.split(template)
    if chance < 0.12:
        parts = [part if _SLOT.fullmatch(part) else part.lower() for part in parts]
    elif chance < 0.14:
        parts = [part if _SLOT.fullmatch(part) else part.upper() for part in parts]
    elif chance < 0.24:
        parts = [part if _SLOT.fullmatch(part) else part.rstrip(".!") for part in parts]
    if rng.random() < 0.3:
        open_parts = [n for n, part in enumerate(parts) if not _SLOT.fullmatch(part) and len(part) > 3]
        for _ in range(rng.choice((1, 1, 2))):
            if open_parts:
                at = rng.choice(open_parts)
                parts[at] = _typo(rng, parts[at])
    return "".join(parts)


def _typo(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text))
    letter = text[at]
    if "가" <= letter <= "힣":
        return text[:at] + _misspelt(rng, letter) + text[at + 1 :]
    if letter == " " and any("가" <= each <= "힣" for each in text):
        return text[:at] + text[at + 1 :]
    if not letter.isalpha() or not letter.isascii():
        return text
    kind = rng.random()
    if kind < 0.3:
        return text[:at] + text[at + 1 :]
    if kind < 0.5:
        return text[:at] + letter + text[at:]
    if kind < 0.75 and at + 1 < len(text) and text[at + 1].isalpha():
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    near = _NEIGHBOURS.get(letter.lower(), letter)
    return text[:at] + rng.choice(near) + text[at + 1 :]


def _misspelt(rng: random.Random, syllable: str) -> str:
    """Another vowel that sounds or lies alike, or a final consonant that was left out."""
    index = ord(syllable) - _SYLLABLES
    final, vowel, initial = index % _FINALS, index // _FINALS % _VOWELS, index // _FINALS // _VOWELS
    if final and rng.random() < 0.4:
        final = 0
    else:
        vowel = _ALIKE_VOWELS.get(vowel, vowel)
    return chr(_SYLLABLES + (initial * _VOWELS + vowel) * _FINALS + final)
